"""What the sender does with a case that is sent: reply, judge the answer, take the report back, open it again."""

from datetime import date

from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.core import clock, jobs
from backend.core.errors import ConflictError
from backend.core.text import gettext as _
from backend.deviations import deadlines, queries, rules, searching
from backend.deviations.actions.moving import (
    check,
    forbidden,
    forget_promise,
    lock,
    move,
    set_answer_due,
    take_up,
    tell,
    touch,
)
from backend.deviations.actions.sealing import seal
from backend.deviations.actions.succession import owe_follow
from backend.deviations.forms import CommentForm, QuestionForm, VerdictForm
from backend.deviations.models import Deviation, EndedHow, State, VerdictKind


def reply(db: Session, me: Identity, deviation: Deviation, form: QuestionForm) -> Deviation:
    """Reply to the receiver's question; its answer clock runs again, longer by the days it waited."""
    lock(db, deviation)
    check(db, me, deviation, "reply")
    asked = queries.open_question(db, deviation)
    due_on = end_pause(db, deviation)
    move(db, me, deviation, "reply", next_due_on=due_on)
    if asked is not None:
        asked.reply, asked.ended_at = form.text, deviation.updated_at
    tell(db, deviation, "reply", deviation.receiver_branch_id)
    return deviation


def end_pause(db: Session, deviation: Deviation) -> date | None:
    """Let the answer clock run again from now. Gives the new due date."""
    now = clock.now()
    for pause in queries.pauses(db, deviation):
        if pause.ended_at is None:
            pause.ended_at = now
    db.flush()
    return set_answer_due(db, deviation, now)


def judge(db: Session, me: Identity, deviation: Deviation, form: VerdictForm) -> Deviation:
    """Say whether the answer is enough. Returned, it is due again; accepted, the case is closed."""
    lock(db, deviation)
    latest = queries.latest_answer(db, deviation)
    if form.verdict is VerdictKind.ACCEPTED:
        move(db, me, deviation, "accept", comment=form.comment, next_due_on=None)
        deviation.accepted_at = deviation.accepted_at or deviation.updated_at
        deviation.closed_at = deviation.updated_at
    else:
        check(db, me, deviation, "return")
        deviation.clock_kind, deviation.clock_started_at = "returned_answer", clock.now()
        forget_promise(deviation)
        again = set_answer_due(db, deviation, clock.now())
        move(db, me, deviation, "return", comment=form.comment, next_due_on=again)
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


def withdraw(db: Session, me: Identity, deviation: Deviation, form: CommentForm) -> Deviation:
    """Take a report back before the receiver has begun, or after it was declined. It leaves the receiver's sight; what
    the receiver had been given is sealed for it.
    """
    lock(db, deviation)
    check(db, me, deviation, "withdraw")
    declined = deviation.state == State.DECLINED
    leg = queries.handover(db, deviation)
    if not declined:
        seal(db, deviation, EndedHow.WITHDRAWN)
    move(db, me, deviation, "withdraw", comment=form.comment, next_due_on=None)
    deviation.withdrawn_at = deviation.updated_at
    if not declined:
        leg.ended_at, leg.ended_how = deviation.updated_at, EndedHow.WITHDRAWN
    jobs.waive(db, ("notifications.arrival",), deviation.id, "withdrawn")
    if not rules.reported_by(me, deviation):
        tell(db, deviation, "withdrawn", deviation.sender_branch_id)
    searching.index(db, deviation)
    return deviation


def reopen(db: Session, me: Identity, deviation: Deviation, form: CommentForm) -> Deviation:
    """Open a closed case again within 30 days, with a reason and a new answer clock. Managers of either side may."""
    lock(db, deviation)
    check(db, me, deviation, "reopen")
    now = clock.now()
    deviation.clock_kind, deviation.clock_started_at, deviation.reopened_at = "answer", now, now
    forget_promise(deviation)
    due_on = set_answer_due(db, deviation, now)
    move(db, me, deviation, "reopen", comment=form.comment, next_due_on=due_on)
    deviation.closed_at = deviation.disagreed_at = None
    side = rules.party_of(me.branches, deviation)
    owe_follow(db, deviation)
    tell(
        db,
        deviation,
        "reopened",
        deviation.sender_branch_id if side == "receiver" else deviation.receiver_branch_id,
    )
    return deviation


def resume(db: Session, me: Identity, deviation: Deviation) -> Deviation:
    """Take up a case of imported history that is not closed: from now on it waits, and is chased, like any other.

    Its clocks begin anew; what the figures count stays as it was.
    """
    lock(db, deviation)
    if rules.reaches(me, deviation, Permission.RECEIVE) is None:
        raise forbidden()
    state = State(deviation.state)
    if not deviation.resting or state not in rules.WAITS_FOR:
        raise ConflictError(_("Ärendet ligger inte och vilar, eller är avslutat. Inget har ändrats."))
    now = clock.now()
    if state is State.ANSWERED:
        next_due_on: date | None = deadlines.from_now(deviation, "verdict", now)
    else:
        deviation.clock_started_at = now
        next_due_on = set_answer_due(db, deviation, now)
        if state is State.SENT:
            next_due_on = deadlines.from_now(deviation, "acknowledge", now)
    take_up(db, me, deviation, next_due_on)
    touch(db, me, deviation)
    return deviation
