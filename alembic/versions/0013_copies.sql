-- A flag outlives the case's stay: where the branch has a sealed copy, its safety may still say who took over.
drop policy app_update on risk_flags;
create policy app_update on risk_flags for update to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and (exists (select from deviations d where d.id = deviation_id)
            or (select current_setting('app.sealed', true)) = 'all'
            and exists (select from sealed_copies c
                where c.deviation_id = risk_flags.deviation_id and c.branch_id = risk_flags.branch_id)));
