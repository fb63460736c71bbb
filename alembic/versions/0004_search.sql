-- Finding: the words of cases, by branch, and saved views.

select 1;
