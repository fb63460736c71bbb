-- A slip reaches whoever was given the text, and is theirs to judge also when the case has left them. Each mask says
-- which branches that was: the sender, whoever held the leg the text stands on, and for the report itself whoever had
-- held the case by then; for what is one branch's own, that branch.
alter table masks add column given_to integer[];

alter table masks no force row level security;
alter table deviations no force row level security;
alter table handovers no force row level security;
alter table events no force row level security;
update masks m set given_to = case
    when field like 'notes.%' or field like 'risk_flags.%' or field like 'sides.%' then array[m.branch_id]
    else array(
        select sender_branch_id from deviations d where d.id = m.deviation_id
        union
        select h.branch_id from handovers h
            where h.deviation_id = m.deviation_id
            and (h.position = m.leg or h.position < m.leg and field not like '%.%' and field <> 'delay_reason')
            -- Why the sender took the case back was not the receiver's to read.
            and not exists (
                select from events e
                where e.verb = 'withdraw' and field = 'events.' || e.id || '.comment' and e.deviation_id = m.deviation_id
            )
        order by 1
    )
end;
alter table masks force row level security;
alter table deviations force row level security;
alter table handovers force row level security;
alter table events force row level security;
alter table masks alter column given_to set not null;

drop policy app_select on masks;
create policy app_select on masks for select to samsvar_app
    using ((branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]) or field not like 'notes.%' and field not like 'risk_flags.%' and field not like 'sides.%')
            and exists (select from deviations d where d.id = deviation_id
            and (leg >= d.first_leg or d.sender_branches && (select nullif(current_setting('app.branches', true), '')::int[])))
        -- Whom the case has left sees that something was hidden where it opens seals, and nowhere else.
        or (select current_setting('app.sealed', true)) = 'all' and given_to && (select nullif(current_setting('app.branches', true), '')::int[]));
-- A party masks, and says of no branch that never had the case that it had been given something.
drop policy app_insert on masks;
create policy app_insert on masks for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = masks.deviation_id
            and array[d.sender_branch_id, d.receiver_branch_id] && (select nullif(current_setting('app.branches', true), '')::int[]))
        and given_to || branch_id <@ array(
            select d.sender_branch_id from deviations d where d.id = masks.deviation_id
            union all
            select h.branch_id from handovers h where h.deviation_id = masks.deviation_id));

drop policy app_select on masked_originals;
create policy app_select on masked_originals for select to samsvar_app
    using ((select current_setting('app.sealed', true)) = 'all'
        and exists (select from masks m where m.id = mask_id and m.given_to && (select nullif(current_setting('app.branches', true), '')::int[])));

-- Such a branch is also told of it: what nobody else may be told of a case that they do not see.
drop policy app_insert on notices;
create policy app_insert on notices for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and (deviation_id is null or exists (select from deviations d where d.id = deviation_id)
            or kind = 'masked' and (select current_setting('app.sealed', true)) = 'all'
                and exists (select from masks m where m.deviation_id = notices.deviation_id and m.given_to && (select nullif(current_setting('app.branches', true), '')::int[]))));
