"""What the sender does with a case that is sent: judge the answer, or take the report back."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock, jobs
from backend.deviations import clocks, queries, searching
from backend.deviations.actions.moving import REMINDERS, lock, move, owe_reminders
from backend.deviations.forms import VerdictForm, WithdrawForm
from backend.deviations.models import Answer, Deviation, VerdictKind


def judge(db: Session, me: Identity, deviation: Deviation, form: VerdictForm) -> Deviation:
    """Say whether the answer is enough. Returned, it is due again; accepted, the case is closed."""
    lock(db, deviation)
    latest = db.scalars(
        select(Answer).where(Answer.deviation_id == deviation.id).order_by(Answer.id.desc()).limit(1)
    ).one_or_none()
    if form.verdict is VerdictKind.ACCEPTED:
        move(db, me, deviation, "accept", comment=form.comment, next_due_on=None)
        deviation.accepted_at = deviation.closed_at = deviation.updated_at
    else:
        terms, calendar = clocks.terms_from(deviation.agreement.terms)
        again = clocks.due("returned_answer", clock.now(), terms.span("returned_answer"), calendar).due_on
        move(db, me, deviation, "return", comment=form.comment, next_due_on=again)
        owe_reminders(db, deviation, again, started=deviation.updated_at)
        jobs.owe(
            db,
            "notifications.arrival",
            subject_id=deviation.id,
            branch_id=deviation.receiver_branch_id,
            key=f"arrival:{deviation.id}:returned:{deviation.revision}",
        )
    if latest is not None:
        latest.verdict, latest.verdict_comment, latest.verdict_at = (
            form.verdict,
            form.comment,
            deviation.updated_at,
        )
    return deviation


def withdraw(db: Session, me: Identity, deviation: Deviation, form: WithdrawForm) -> Deviation:
    """Take a report back before the receiver has begun. It leaves the receiver's sight."""
    lock(db, deviation)
    leg = queries.handover(db, deviation)
    move(db, me, deviation, "withdraw", comment=form.comment, next_due_on=None)
    deviation.withdrawn_at = leg.ended_at = deviation.updated_at
    jobs.waive(db, (*REMINDERS, "notifications.arrival"), deviation.id, "withdrawn")
    searching.index(db, deviation)
    return deviation
