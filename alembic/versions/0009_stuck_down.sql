revoke delete on outbox from samsvar_app;
drop index ix_outbox_given_up;
alter table outbox
    drop constraint ck_outbox_dropped,
    drop constraint ck_outbox_dropped_reason,
    drop column dropped_by_id,
    drop column dropped_reason;
