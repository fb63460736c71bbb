"""What is really stored: read past the code, and for how a case stands past the walls too."""

from sqlalchemy import text

# Everything that a branch could read of any case, whatever the code asks for. A person's name stands nowhere in it.
EVERYTHING = text(
    "select string_agg(words, ' ') from ("
    " select concat_ws(' ', description, delay_reason) as words from deviations"
    " union all select comment from events"
    " union all select concat_ws(' ', text, reply) from questions"
    " union all select comment from proposals"
    " union all select concat_ws(' ', cause, verdict_comment, no_action_reason, follow_up) from answers"
    " union all select text from answer_actions"
    " union all select text from notes"
    " union all select comment from risk_flags"
    " union all select typed::text from answer_drafts"
    " union all select content::text from sealed_copies"
    " union all select word from case_words"
    " union all select original from masked_originals) everything"
)
STANDS = text(
    "select d.state, u.hsa_id, d.due_on, d.next_due_on, d.first_leg, d.revision,"
    " (select array_agg(b.hsa_id order by b.hsa_id) from branches b where b.id = any(d.visible_branches)),"
    " (select count(*) from handovers h where h.deviation_id = d.id)"
    " from deviations d join units u on u.id = d.receiver_unit_id where d.case_number = :number"
)
