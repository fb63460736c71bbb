drop table escalation_contacts, bounces;
revoke update (address_confirmed_at) on people from samsvar_app;
alter table people drop column address_confirmed_at;
