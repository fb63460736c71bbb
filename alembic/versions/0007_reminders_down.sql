delete from outbox where kind in ('deviations.chase', 'notifications.letter') and done_at is null;
revoke select (next_due_on, revision) on deviations from samsvar_counter;
alter table sides
    drop column opened_at,
    drop column opened_by_id,
    drop column quiet_at,
    drop column quiet_until,
    drop column quiet_reason,
    drop column quiet_by_id;
drop table notices;
drop table reminders;
drop table notification_choices;
