"""What the receiver does: acknowledge and answer."""

from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock, jobs
from backend.deviations import clocks, rules, searching
from backend.deviations.actions.moving import REMINDERS, lock, move, note_acknowledged
from backend.deviations.forms import AnswerForm
from backend.deviations.models import Answer, AnswerAction, Deviation


def acknowledge(db: Session, me: Identity, deviation: Deviation) -> Deviation:
    """Say that the case is received and that the unit will see to it."""
    lock(db, deviation)
    next_due = deviation.due_on if rules.needs_answer(deviation.event_kind) else None
    move(db, me, deviation, "acknowledge", next_due_on=next_due)
    note_acknowledged(db, deviation)
    return deviation


def answer(db: Session, me: Identity, deviation: Deviation, form: AnswerForm) -> Deviation:
    """Answer the case. Implies that it was received. The first answer is the one that figures count, for good."""
    lock(db, deviation)
    terms, calendar = clocks.terms_from(deviation.agreement.terms)
    verdict_by = clocks.due("verdict", clock.now(), terms.span("verdict"), calendar).due_on
    move(db, me, deviation, "answer", next_due_on=verdict_by)
    note_acknowledged(db, deviation)
    deviation.answered_at = deviation.answered_at or deviation.updated_at
    row = Answer(
        **form.model_dump(exclude={"actions"}),
        deviation_id=deviation.id,
        branch_id=deviation.receiver_branch_id,
        answered_at=deviation.updated_at,
    )
    db.add(row)
    db.flush()
    for item in form.actions:
        db.add(AnswerAction(answer_id=row.id, deviation_id=deviation.id, **item.model_dump()))
    jobs.waive(db, REMINDERS, deviation.id, "answered")
    jobs.owe(
        db,
        "notifications.answered",
        subject_id=deviation.id,
        branch_id=deviation.sender_branch_id,
        key=f"answered:{row.id}",
    )
    searching.index(db, deviation)
    return deviation
