revoke select (id, deviation_id, verb, at, leg) on events from samsvar_counter;
drop policy counter_select on events;
drop index ix_handovers_travelled;
drop index ix_deviations_reopened;
alter table handovers no force row level security;
update handovers set ended_how = 'redirected' where ended_how = 'followed';
alter table handovers force row level security;
alter table handovers
    drop constraint ck_handovers_ended_how,
    add constraint ck_handovers_ended_how check (ended_how in ('redirected', 'declined', 'withdrawn'));
