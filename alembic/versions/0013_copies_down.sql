drop policy app_update on risk_flags;
create policy app_update on risk_flags for update to samsvar_app
    using (branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[])
        and exists (select from deviations d where d.id = deviation_id));
