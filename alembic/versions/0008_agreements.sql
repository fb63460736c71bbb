-- Who made which version of an agreement, and the yearly look at the calendar.

alter table agreements
    add column made_at timestamptz,
    add column made_by_id integer,
    add column withdrawn_at timestamptz,
    add column withdrawn_by_id integer,
    add constraint fk_agreements_made_by_id foreign key(made_by_id) references people (id),
    add constraint fk_agreements_withdrawn_by_id foreign key(withdrawn_by_id) references people (id),
    add constraint ck_agreements_withdrawn check ((withdrawn_at is null) = (withdrawn_by_id is null));
create table calendar_checks (
    county_id integer not null,
    year integer not null,
    asked_at timestamptz not null,
    checked_at timestamptz,
    checked_by_id integer,
    constraint pk_calendar_checks primary key (county_id, year),
    constraint ck_calendar_checks_checked check ((checked_at is null) = (checked_by_id is null)),
    constraint fk_calendar_checks_county_id foreign key(county_id) references counties (id),
    constraint fk_calendar_checks_checked_by_id foreign key(checked_by_id) references people (id)
);

-- A version is made and may be withdrawn before it counts. It is never rewritten: cases speak of it.
grant insert on agreements to samsvar_app;
grant update (withdrawn_at, withdrawn_by_id) on agreements to samsvar_app;
grant select, insert on calendar_checks to samsvar_app;
grant update (checked_at, checked_by_id) on calendar_checks to samsvar_app;
