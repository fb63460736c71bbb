drop policy app_insert on notices;
create policy app_insert on notices for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and (deviation_id is null or exists (select from deviations d where d.id = deviation_id)));

drop policy app_select on masked_originals;
create policy app_select on masked_originals for select to samsvar_app
    using ((select current_setting('app.sealed', true)) = 'all'
        and exists (select from masks m where m.id = mask_id)
        and exists (select from deviations d where d.id = deviation_id
            and (d.sender_branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
                or d.state not in ('withdrawn', 'declined')
                and d.receiver_branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]))));

drop policy app_insert on masks;
create policy app_insert on masks for insert to samsvar_app
    with check (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id
            and branch_id in (d.sender_branch_id, d.receiver_branch_id)));
drop policy app_select on masks;
create policy app_select on masks for select to samsvar_app
    using ((branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]) or field not like 'notes.%' and field not like 'risk_flags.%' and field not like 'sides.%')
        and exists (select from deviations d where d.id = deviation_id
        and (leg >= d.first_leg or d.sender_branches && (select nullif(current_setting('app.branches', true), '')::int[]))));

alter table masks drop column given_to;
