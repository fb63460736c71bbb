-- The walls: forced row-level security by branch, and what each database role is granted.

-- Who sees a case: its sender, its holder, and whoever commissioned either of their units.
create function deviation_visible_branches() returns trigger language plpgsql as $$
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
create trigger visible_branches before insert or update on deviations
    for each row execute function deviation_visible_branches();

alter table deviations enable row level security, force row level security;
alter table handovers enable row level security, force row level security;
alter table answers enable row level security, force row level security;
alter table answer_actions enable row level security, force row level security;
alter table events enable row level security, force row level security;
alter table event_actors enable row level security, force row level security;
alter table sides enable row level security, force row level security;
alter table drafts enable row level security, force row level security;
alter table audit_log enable row level security, force row level security;

-- The branches of the transaction are read once a statement (a sub-select), never once a row.
create policy app_select on deviations for select to samsvar_app
    using (visible_branches && (select nullif(current_setting('app.branches', true), '')::int[]));
create policy app_insert on deviations for insert to samsvar_app
    with check (sender_branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]));
-- A party may change the case; whoever only follows it may not.
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

-- What hangs on a case is seen with it: the sub-select on deviations passes through the policy above.
create policy app_select on handovers for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id));
create policy app_insert on handovers for insert to samsvar_app
    with check (exists (select from deviations d where d.id = deviation_id
        and array[d.sender_branch_id, d.receiver_branch_id]
            && (select nullif(current_setting('app.branches', true), '')::int[])));
create policy app_update on handovers for update to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and array[d.sender_branch_id, d.receiver_branch_id]
            && (select nullif(current_setting('app.branches', true), '')::int[])))
    with check (exists (select from deviations d where d.id = deviation_id));

create policy app_select on answers for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id));
create policy app_insert on answers for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id and d.receiver_branch_id = branch_id));
create policy app_update on answers for update to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and d.sender_branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])))
    with check (exists (select from deviations d where d.id = deviation_id));

create policy app_select on answer_actions for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id));
create policy app_insert on answer_actions for insert to samsvar_app
    with check (exists (select from deviations d where d.id = deviation_id
        and d.receiver_branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])));

create policy app_select on events for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id));
create policy app_insert on events for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));

create policy app_select on event_actors for select to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]));
create policy app_insert on event_actors for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from events e where e.id = event_id and e.branch_id = event_actors.branch_id));

create policy app_select on sides for select to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]));
create policy app_insert on sides for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));
create policy app_update on sides for update to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]))
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));

-- A draft is its writer's alone, not even the colleague's.
create policy app_all on drafts for all to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and person_id = (select nullif(current_setting('app.person', true), '')::int))
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and person_id = (select nullif(current_setting('app.person', true), '')::int));

create policy app_select on audit_log for select to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]));
create policy app_insert on audit_log for insert to samsvar_app
    with check (branch_id is null
        or branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]));

-- The counter reads, over all branches, the columns granted below: times and places, never a word of text.
create policy counter_select on deviations for select to samsvar_counter using (true);

create policy operator_all on deviations for all to samsvar_operator using (true) with check (true);
create policy operator_all on handovers for all to samsvar_operator using (true) with check (true);
create policy operator_all on answers for all to samsvar_operator using (true) with check (true);
create policy operator_all on answer_actions for all to samsvar_operator using (true) with check (true);
create policy operator_all on events for all to samsvar_operator using (true) with check (true);
create policy operator_all on sides for all to samsvar_operator using (true) with check (true);
create policy operator_insert on audit_log for insert to samsvar_operator with check (true);

grant select on counties, organisations, branches, units, groups, people, assignments,
    agreements, categories, steering_documents, snapshots to samsvar_app, samsvar_counter, samsvar_operator;
grant select, insert, update on deviations, handovers, sides, answers to samsvar_app;
grant select, insert on answer_actions, events, event_actors, audit_log, caught_mails to samsvar_app;
grant select, insert, update, delete on drafts to samsvar_app;
grant select, insert, update on passwords, sessions, outbox to samsvar_app;
grant select, insert, delete on login_failures to samsvar_app;

grant select (id, county_id, state, event_kind, sender_branch_id, sender_unit_id, receiver_branch_id,
    receiver_unit_id, category_id, sent_at, due_on, acknowledged_at, answered_at, accepted_at, closed_at,
    withdrawn_at, imported) on deviations to samsvar_counter;
grant insert on snapshots to samsvar_counter;

grant insert, update on counties, organisations, branches, units, groups, people, assignments,
    agreements, categories, steering_documents, passwords to samsvar_operator;
grant select on passwords to samsvar_operator;
grant select, insert on deviations, handovers, sides, answers, answer_actions, events, outbox to samsvar_operator;
grant insert on audit_log to samsvar_operator;
grant select on alembic_version to samsvar_app, samsvar_counter, samsvar_operator;
