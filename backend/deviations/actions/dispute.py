"""A disputed case: one side proposes how it ends, the other says yes by proposing the same."""

from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock
from backend.core.db import reaching
from backend.core.text import gettext as _
from backend.deviations import deadlines, queries, rules
from backend.deviations.actions.moving import check, lock, move, note_change, tell
from backend.deviations.actions.respond import add_answer
from backend.deviations.forms import AnswerForm, SettleForm
from backend.deviations.models import Deviation, Outcome, Proposal

DISAGREEMENT = "disagreement"


def settle(db: Session, me: Identity, deviation: Deviation, form: SettleForm) -> Deviation:
    """Propose an outcome, or confirm the other side's by giving the same: how the event is seen from now on, which
    is then the answer, or that the two disagree (oenighet), which closes the case.
    """
    lock(db, deviation)
    verb = "disagree" if form.outcome == DISAGREEMENT else "settle"
    check(db, me, deviation, verb)
    side = rules.reaches(me, deviation, rules.MOVES[verb].permission)
    mine, theirs = deviation.receiver_branch_id, deviation.sender_branch_id
    if side == "sender":
        mine, theirs = theirs, mine
    now = clock.now()
    standing = queries.find_proposal(db, deviation, "settle")
    if standing is not None:
        agreed = standing.branch_id == theirs and standing.outcome == form.outcome
        standing.decided_at, standing.decision = now, "confirmed" if agreed else "replaced"
        if agreed:
            _end(db, me, deviation, verb, form, standing)
            tell(db, deviation, "settled", theirs)
            return deviation
    db.add(
        Proposal(
            deviation_id=deviation.id,
            branch_id=mine,
            leg=queries.handover(db, deviation).position,
            kind="settle",
            outcome=form.outcome,
            comment=form.comment,
            proposed_at=now,
        )
    )
    note_change(db, me, deviation, "settle_proposed")
    tell(db, deviation, "settle_proposed", theirs)
    return deviation


def _end(
    db: Session, me: Identity, deviation: Deviation, verb: str, form: SettleForm, proposal: Proposal
) -> None:
    if verb == "disagree":
        move(db, me, deviation, verb, next_due_on=None, comment=form.comment)
        deviation.disagreed_at = deviation.closed_at = deviation.updated_at
        tell(db, deviation, "disagreed", deviation.sender_branch_id)
        return
    move(
        db,
        me,
        deviation,
        verb,
        next_due_on=deadlines.from_now(deviation, "verdict", clock.now()),
        comment=form.comment,
    )
    answer = AnswerForm.model_construct(
        outcome=Outcome(form.outcome),
        cause_areas=[],
        cause=_("Vad parterna enades om: {words}").format(words=proposal.comment),
        consequence=None,
        patient_informed=None,
        actions=[],
        no_action_reason=None,
        follow_up=None,
    )
    # The answer is the receiver's, whichever side spoke last.
    with reaching(db, deviation.receiver_branch_id):
        add_answer(db, deviation, answer)
