drop table calendar_checks;
-- What was withdrawn never counted, so no case speaks of it; without the columns it would come into force.
delete from agreements where withdrawn_at is not null;
revoke insert on agreements from samsvar_app;
revoke update (withdrawn_at, withdrawn_by_id) on agreements from samsvar_app;
alter table agreements
    drop column made_at,
    drop column made_by_id,
    drop column withdrawn_at,
    drop column withdrawn_by_id;
