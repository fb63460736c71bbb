-- The walls around the whole life. A receiver reads what was written on its own legs of the route; the sender
-- reads them all. Sealed things open only to a scope that says so (`app.sealed`: copies, or all).

create or replace function deviation_visible_branches() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        -- All that its holders wrote is open to the sender's branch, so nobody becomes a sender afterwards.
        if new.sender_branch_id <> old.sender_branch_id then
            raise insufficient_privilege using message = 'a case keeps its sender';
        end if;
        -- Nor does a holder open what was written before it came: only with the holder does the run of legs change.
        if new.receiver_branch_id = old.receiver_branch_id then
            new.first_leg := old.first_leg;
        end if;
    end if;
    new.sender_branches := array(
        select distinct branch from (
            select new.sender_branch_id as branch
            union all
            select commissioned_by_id from units where id = new.sender_unit_id
        ) parties
        where branch is not null
    );
    new.visible_branches := new.sender_branches;
    -- A case that was declined or taken back is out of the receiver's sight; its sealed copy stays.
    if new.state not in ('withdrawn', 'declined') then
        new.visible_branches := array(
            select distinct branch from (
                select unnest(new.sender_branches) as branch
                union all
                select new.receiver_branch_id
                union all
                select commissioned_by_id from units where id = new.receiver_unit_id
            ) parties
            where branch is not null
        );
    end if;
    return new;
end $$;
-- Whatever stood before gets its new column.
alter table deviations no force row level security;
update deviations set revision = revision;
alter table deviations force row level security;

-- Nor does a former receiver change a case that it sees for another reason: having commissioned the sender's unit.
drop policy app_update on deviations;
create policy app_update on deviations for update to samsvar_app
    using (visible_branches && (select nullif(current_setting('app.branches', true), '')::int[])
        and array[sender_branch_id, case when state not in ('withdrawn', 'declined') then receiver_branch_id end]
            && (select nullif(current_setting('app.branches', true), '')::int[]))
    with check (array[sender_branch_id, receiver_branch_id] && (select nullif(current_setting('app.branches', true), '')::int[]));

drop policy app_select on answers;
drop policy app_select on answer_actions;
drop policy app_select on events;
create policy app_select on answers for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and (leg >= d.first_leg or d.sender_branches && (select nullif(current_setting('app.branches', true), '')::int[]))));
create policy app_select on answer_actions for select to samsvar_app
    using (exists (select from answers a where a.id = answer_id));
create policy app_select on events for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and (leg >= d.first_leg or d.sender_branches && (select nullif(current_setting('app.branches', true), '')::int[]))));
-- What was once written stands. Only a mask, which reaches both parties' rows at once, hides a slip in it.
create policy app_update on events for update to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and array[d.sender_branch_id, d.receiver_branch_id] <@ (select nullif(current_setting('app.branches', true), '')::int[])));
create policy app_update on answer_actions for update to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and array[d.sender_branch_id, d.receiver_branch_id] <@ (select nullif(current_setting('app.branches', true), '')::int[])));
grant update (comment) on events to samsvar_app;
grant update (text, owner, kind) on answer_actions to samsvar_app;

alter table questions enable row level security, force row level security;
alter table pauses enable row level security, force row level security;
alter table proposals enable row level security, force row level security;
alter table sealed_copies enable row level security, force row level security;
alter table masks enable row level security, force row level security;
alter table masked_originals enable row level security, force row level security;
alter table notes enable row level security, force row level security;
alter table co_investigators enable row level security, force row level security;
alter table answer_drafts enable row level security, force row level security;
alter table risk_flags enable row level security, force row level security;
alter table links enable row level security, force row level security;

-- Which columns may change is granted by name: no row of these moves to another case or another branch.
grant select, insert on questions, pauses, proposals, sealed_copies, masks, masked_originals, notes,
    co_investigators, answer_drafts, risk_flags, links to samsvar_app;
grant update (text, reply, ended_at) on questions to samsvar_app;
grant update (ended_at) on pauses to samsvar_app;
grant update (comment, decided_at, decision) on proposals to samsvar_app;
grant update (registry_number, content) on sealed_copies to samsvar_app;
grant update (text) on notes to samsvar_app;
grant update (invited_by_id, invited_at, ended_at) on co_investigators to samsvar_app;
grant update (person_id, typed, revision, saved_at, for_approval_at) on answer_drafts to samsvar_app;
grant update (comment, taken_over_by, taken_over_at) on risk_flags to samsvar_app;
grant delete on answer_drafts, links to samsvar_app;

-- The holder asks, the sender replies.
create policy app_select on questions for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and (leg >= d.first_leg or d.sender_branches && (select nullif(current_setting('app.branches', true), '')::int[]))));
create policy app_insert on questions for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id and d.receiver_branch_id = branch_id));
create policy app_update on questions for update to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and d.sender_branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])));

-- When a clock stood still is known to both parties on every leg: it explains the date.
create policy app_select on pauses for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id));
create policy app_insert on pauses for insert to samsvar_app
    with check (exists (select from deviations d where d.id = deviation_id
        and d.receiver_branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])));
create policy app_update on pauses for update to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and d.sender_branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])));

create policy app_select on proposals for select to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and (leg >= d.first_leg or d.sender_branches && (select nullif(current_setting('app.branches', true), '')::int[]))));
create policy app_insert on proposals for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id
            and branch_id in (d.sender_branch_id, d.receiver_branch_id)));
create policy app_update on proposals for update to samsvar_app
    using (exists (select from deviations d where d.id = deviation_id
        and array[d.sender_branch_id, d.receiver_branch_id] && (select nullif(current_setting('app.branches', true), '')::int[])));

-- Whoever takes part in the leaving seals the copy; only the registrar and safety of the branch it is for open it.
create policy app_select on sealed_copies for select to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and (select current_setting('app.sealed', true)) in ('copies', 'all'));
create policy app_insert on sealed_copies for insert to samsvar_app
    with check (exists (select from deviations d where d.id = deviation_id and d.receiver_branch_id = branch_id
        and array[d.sender_branch_id, d.receiver_branch_id] && (select nullif(current_setting('app.branches', true), '')::int[])));
create policy app_update on sealed_copies for update to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and (select current_setting('app.sealed', true)) in ('copies', 'all'));

-- A mask on a branch's own note is that branch's own. What was hidden opens to safety of the two parties, not to
-- that of a branch which only follows the case.
create policy app_select on masks for select to samsvar_app
    using ((branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]) or field not like 'notes.%' and field not like 'risk_flags.%')
        and exists (select from deviations d where d.id = deviation_id
        and (leg >= d.first_leg or d.sender_branches && (select nullif(current_setting('app.branches', true), '')::int[]))));
create policy app_insert on masks for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id
            and branch_id in (d.sender_branch_id, d.receiver_branch_id)));
create policy app_select on masked_originals for select to samsvar_app
    using ((select current_setting('app.sealed', true)) = 'all'
        and exists (select from masks m where m.id = mask_id)
        and exists (select from deviations d where d.id = deviation_id
            and (d.sender_branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
                or d.state not in ('withdrawn', 'declined')
                and d.receiver_branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]))));
create policy app_insert on masked_originals for insert to samsvar_app
    with check (exists (select from masks m where m.id = mask_id and m.deviation_id = masked_originals.deviation_id
        and m.branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])));

-- What a branch keeps to itself. When the case has left it, all this rests as it was.
create policy app_select on notes for select to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]));
create policy app_insert on notes for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));
create policy app_update on notes for update to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));
create policy app_select on co_investigators for select to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]));
create policy app_insert on co_investigators for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));
create policy app_update on co_investigators for update to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));
create policy app_select on risk_flags for select to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]));
create policy app_insert on risk_flags for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));
create policy app_update on risk_flags for update to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));
create policy app_select on answer_drafts for select to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]));
create policy app_insert on answer_drafts for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id and d.receiver_branch_id = branch_id));
create policy app_update on answer_drafts for update to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));
create policy app_delete on answer_drafts for delete to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));

-- A link shows only to whoever sees both cases.
create policy app_select on links for select to samsvar_app
    using (exists (select from deviations d where d.id = one_id)
        and exists (select from deviations d where d.id = other_id));
create policy app_insert on links for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = one_id)
        and exists (select from deviations d where d.id = other_id));
create policy app_delete on links for delete to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = one_id)
        and exists (select from deviations d where d.id = other_id));

-- A draft is its writer's alone, until it has been handed to a manager for review.
drop policy app_all on drafts;
create policy app_select on drafts for select to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and (person_id = (select nullif(current_setting('app.person', true), '')::int)
            or for_review_at is not null or returned_comment is not null));
create policy app_insert on drafts for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and person_id = (select nullif(current_setting('app.person', true), '')::int));
create policy app_update on drafts for update to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and (person_id = (select nullif(current_setting('app.person', true), '')::int)
            or for_review_at is not null or returned_comment is not null));
create policy app_delete on drafts for delete to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and (person_id = (select nullif(current_setting('app.person', true), '')::int)
            or for_review_at is not null or returned_comment is not null));

-- The counter learns where a case has been and when, and which reports tell of one event.
create policy counter_select on handovers for select to samsvar_counter using (true);
create policy counter_select on links for select to samsvar_counter using (true);
grant select on handovers, links to samsvar_counter;
grant select (declined_at, disagreed_at, reopened_at, accepted_by_silence, resting) on deviations to samsvar_counter;
