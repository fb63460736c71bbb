drop index ix_deviations_sent_at;
drop table batches;
drop table saved_views;
drop table searches;
drop table case_words;
