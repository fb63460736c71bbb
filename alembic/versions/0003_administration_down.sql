revoke insert on branches, units, people, assignments from samsvar_app;
revoke update (name, review_before_sending, approve_answers) on branches from samsvar_app;
revoke update (parent_id, name, kind, care_level, intake, commissioned_by_id, path, telephone, ended_on, successor_id)
    on units from samsvar_app;
revoke update (email, title, ended_on) on people from samsvar_app;
revoke update (valid_to) on assignments from samsvar_app;

drop table one_time_links, substitutes, unit_changes;
alter table units drop column successor_id, drop column telephone;
alter table branches drop column approve_answers, drop column review_before_sending;
