-- Routing rules of a branch, with their history.

select 1;
