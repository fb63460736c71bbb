"""What the receiver does with a case it keeps: acknowledge, look into it, ask, say that it takes longer, answer."""

from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock, jobs
from backend.core.calendar import end_of_day
from backend.core.db import reaching
from backend.core.errors import ConflictError, ForbiddenError
from backend.core.text import gettext as _
from backend.deviations import clocks, deadlines, queries, rules, searching, sentences
from backend.deviations.actions.moving import (
    check,
    lock,
    move,
    note_acknowledged,
    note_change,
    owe_chase,
    set_answer_due,
    tell,
)
from backend.deviations.actions.team import discard_answer_draft
from backend.deviations.forms import AnswerForm, DelayForm, QuestionForm
from backend.deviations.models import Answer, AnswerAction, Deviation, Pause, Question


def acknowledge(db: Session, me: Identity, deviation: Deviation, thanks: str | None = None) -> Deviation:
    """Say that the case is received and that the unit will see to it; for a good example, with a word of thanks."""
    lock(db, deviation)
    due_on = set_answer_due(db, deviation, clock.now())
    move(db, me, deviation, "acknowledge", next_due_on=due_on, comment=thanks)
    note_acknowledged(db, deviation)
    if not rules.needs_answer(deviation.event_kind):
        # With this it is over, so it is all that whoever gave it will hear.
        tell(db, deviation, "thanked", deviation.sender_branch_id)
    return deviation


def review(db: Session, me: Identity, deviation: Deviation) -> Deviation:
    """Say that the unit is looking into it."""
    lock(db, deviation)
    move(db, me, deviation, "review", next_due_on=set_answer_due(db, deviation, clock.now()))
    note_acknowledged(db, deviation)
    return deviation


def question(db: Session, me: Identity, deviation: Deviation, form: QuestionForm) -> Deviation:
    """Ask the sender. The answer clock stands still until the reply, or until the question returns by itself; a third
    question may be asked, but pauses nothing.
    """
    lock(db, deviation)
    check(db, me, deviation, "question")
    now = clock.now()
    reply_by = deadlines.from_now(deviation, "reply", now)
    leg = queries.handover(db, deviation)
    move(db, me, deviation, "question", next_due_on=reply_by)
    note_acknowledged(db, deviation)
    db.add(
        Question(
            deviation_id=deviation.id,
            branch_id=deviation.receiver_branch_id,
            leg=leg.position,
            text=form.text,
            asked_at=now,
            reply_due_on=reply_by,
        )
    )
    if len(queries.pauses(db, deviation)) < clocks.PAUSES_GIVEN and rules.needs_answer(deviation.event_kind):
        db.add(Pause(deviation_id=deviation.id, cause="question", started_at=now))
        db.flush()
        # Until the reply comes the longest wait is reckoned with, so that no clock runs out meanwhile.
        set_answer_due(db, deviation, end_of_day(reply_by))
    tell(db, deviation, "question", deviation.sender_branch_id)
    return deviation


def delay_notice(db: Session, me: Identity, deviation: Deviation, form: DelayForm) -> Deviation:
    """Tell once that the answer takes longer, why, and until when. Stops the reminders, never the clock."""
    lock(db, deviation)
    check(db, me, deviation, "answer")
    if deviation.delay_promised_on is not None:
        raise ConflictError(_("Besked om försening kan lämnas en gång, och det är redan gjort."))
    deviation.delay_reason, deviation.delay_promised_on = form.reason, form.promised_on
    told = sentences.delayed(form.promised_on, form.reason)
    note_change(db, me, deviation, "delay_notice", comment=told)
    # The promised day may come before the next look.
    owe_chase(db, deviation)
    tell(db, deviation, "delay_notice", deviation.sender_branch_id)
    return deviation


def answer(db: Session, me: Identity, deviation: Deviation, form: AnswerForm) -> Deviation:
    """Answer the case. Implies that it was received. The first answer is the one that figures count, for good.

    ForbiddenError where the branch's managers send the answers and this is none of them.
    """
    lock(db, deviation)
    check(db, me, deviation, "answer")
    if not rules.may_send_answer(me, deviation):
        raise ForbiddenError(_("Hos er godkänner chefen svaren. Skicka det för godkännande i stället."))
    verdict_by = deadlines.from_now(deviation, "verdict", clock.now())
    move(db, me, deviation, "answer", next_due_on=verdict_by)
    note_acknowledged(db, deviation)
    if rules.is_external(deviation):
        with reaching(db, deviation.receiver_branch_id):
            add_answer(db, deviation, form)
    else:
        add_answer(db, deviation, form)
    discard_answer_draft(db, deviation)
    return deviation


def add_answer(db: Session, deviation: Deviation, form: AnswerForm) -> None:
    """Write down an answer of the unit that holds the case, and let the sender know.

    The row is the receiver's, also where the sender enters it: after a dispute, or for a party without a login.
    """
    deviation.answered_at = deviation.answered_at or deviation.updated_at
    row = Answer(
        **form.model_dump(exclude={"actions"}),
        deviation_id=deviation.id,
        branch_id=deviation.receiver_branch_id,
        leg=queries.handover(db, deviation).position,
        answered_at=deviation.updated_at,
    )
    db.add(row)
    db.flush()
    for item in form.actions:
        db.add(AnswerAction(answer_id=row.id, deviation_id=deviation.id, **item.model_dump()))
    jobs.owe(
        db,
        "notifications.answered",
        subject_id=deviation.id,
        branch_id=deviation.sender_branch_id,
        key=f"answered:{row.id}",
    )
    searching.index(db, deviation)
