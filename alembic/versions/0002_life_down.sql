-- Back to the straight life. What was asked, sealed, masked or noted goes with its tables; a case in a state that no
-- longer exists goes to the nearest one that does.

drop table links, risk_flags, answer_drafts, co_investigators, notes, masked_originals, masks, sealed_copies,
    proposals, pauses, questions;
drop policy app_update on events;
drop policy app_update on answer_actions;
drop policy app_update on deviations;
drop policy app_select on answers;
drop policy app_select on answer_actions;
drop policy app_select on events;
drop policy app_select on drafts;
drop policy app_insert on drafts;
drop policy app_update on drafts;
drop policy app_delete on drafts;
drop policy counter_select on handovers;
revoke update (comment) on events from samsvar_app;
revoke update (text, owner, kind) on answer_actions from samsvar_app;
revoke select on handovers from samsvar_counter;
create policy app_update on deviations for update to samsvar_app
    using (
        visible_branches && (select nullif(current_setting('app.branches', true), '')::int[])
        and array[sender_branch_id, receiver_branch_id]
            && (select nullif(current_setting('app.branches', true), '')::int[])
    )
    with check (
        array[sender_branch_id, receiver_branch_id]
            && (select nullif(current_setting('app.branches', true), '')::int[])
    );
create policy app_select on answers for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id));
create policy app_select on answer_actions for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id));
create policy app_select on events for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id));
create policy app_all on drafts for all to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and person_id = (select nullif(current_setting('app.person', true), '')::int))
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and person_id = (select nullif(current_setting('app.person', true), '')::int));

create or replace function deviation_visible_branches() returns trigger language plpgsql as $$
begin
    new.visible_branches := array(
        select distinct branch from (
            select new.sender_branch_id as branch
            union all
            select commissioned_by_id from units where id = new.sender_unit_id
            union all
            select new.receiver_branch_id where new.state <> 'withdrawn'
            union all
            select commissioned_by_id from units where id = new.receiver_unit_id and new.state <> 'withdrawn'
        ) parties
        where branch is not null
    );
    return new;
end $$;

alter table drafts drop column unit_id, drop column for_review_at, drop column returned_comment;
alter table events drop column leg, drop column to_unit_id, drop column automatic;
alter table answers drop column leg;
drop index ix_sides_handler;
alter table sides drop column handler_id, drop column registry_number, drop column severity, drop column probability;
alter table handovers drop column ended_how, drop column reason;
drop index ix_deviations_inbox_receiver;
drop index ix_deviations_inbox_sender;
alter table deviations drop constraint ck_deviations_state;
alter table deviations no force row level security;
update deviations set
    withdrawn_at = case when state = 'declined' then declined_at else withdrawn_at end,
    state = case when state in ('in_review', 'question', 'redirect_proposed', 'disputed') then 'acknowledged'
        when state = 'declined' then 'withdrawn' else state end;
alter table deviations force row level security;
alter table deviations
    add constraint ck_deviations_state check (state in ('sent', 'acknowledged', 'answered', 'returned', 'closed', 'withdrawn')),
    drop column sender_branches, drop column first_leg, drop column resting, drop column clock_kind,
    drop column clock_started_at, drop column declined_at, drop column disagreed_at, drop column reopened_at,
    drop column accepted_by_silence, drop column delay_reason, drop column delay_promised_on,
    drop column patient_identified_on, drop column patient_identified_how, drop column patient_identified_ground;
create index ix_deviations_inbox_receiver on deviations (receiver_unit_id, next_due_on) where state in ('sent', 'acknowledged', 'returned') and not imported;
create index ix_deviations_inbox_sender on deviations (sender_unit_id, next_due_on) where state = 'answered' and not imported;

delete from assignments where role = 'co_investigator';
alter table assignments drop constraint ck_assignments_role;
alter table assignments add constraint ck_assignments_role check (role in ('reporter', 'handler', 'manager', 'safety', 'registrar', 'coordinator', 'group_member', 'administrator', 'auditor'));
