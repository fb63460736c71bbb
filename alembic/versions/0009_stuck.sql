-- What was given up is tried anew or dropped by a person; what was done long ago is forgotten.

alter table outbox
    add column dropped_reason text,
    add column dropped_by_id integer,
    add constraint ck_outbox_dropped_reason
        check (dropped_reason in ('told_otherwise', 'no_longer_needed', 'wrong_address', 'other')),
    add constraint ck_outbox_dropped check ((dropped_reason is null) = (dropped_by_id is null)
        and (dropped_reason is null or (given_up_at is not null and done_at is not null)));
create index ix_outbox_given_up on outbox (given_up_at) where given_up_at is not null;

-- Whoever may write a debt and mark it done could make it go unseen anyway; the job that forgets old rows needs no
-- role of its own.
grant delete on outbox to samsvar_app;
