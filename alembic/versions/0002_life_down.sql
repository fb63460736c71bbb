delete from assignments where role = 'co_investigator';
alter table assignments drop constraint ck_assignments_role;
alter table assignments add constraint ck_assignments_role check (role in ('reporter', 'handler', 'manager', 'safety', 'registrar', 'coordinator', 'group_member', 'administrator', 'auditor'));
