drop policy app_select on masks;
create policy app_select on masks for select to samsvar_app
    using ((branch_id = any((select nullif(current_setting('app.branches', true), '')::int[])::int[]) or field not like 'notes.%' and field not like 'risk_flags.%')
        and exists (select from deviations d where d.id = deviation_id
        and (leg >= d.first_leg or d.sender_branches && (select nullif(current_setting('app.branches', true), '')::int[]))));
drop index ix_deviations_awaited_sender;
drop index ix_deviations_awaited_receiver;
drop table calendar_feeds;
