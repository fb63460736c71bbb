-- The whole life of a deviation: questions, proposals, sealed copies, masks, notes, flags, links.

alter table assignments drop constraint ck_assignments_role;
alter table assignments add constraint ck_assignments_role check (role in ('reporter', 'handler', 'manager', 'safety', 'registrar', 'coordinator', 'group_member', 'administrator', 'auditor', 'co_investigator'));
