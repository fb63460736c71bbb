-- Administration: invitations, substitutes, telephones, and what a reorganisation leaves behind.

select 1;
