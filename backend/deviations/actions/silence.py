"""What happens when nobody says anything: each waiting state goes home by itself, and says that it did."""

from sqlalchemy.orm import Session

from backend.core import clock
from backend.deviations import clocks, queries, rules, searching
from backend.deviations.actions.judge import end_pause
from backend.deviations.actions.moving import (
    as_both,
    move_by_itself,
    set_answer_due,
    tell,
)
from backend.deviations.models import Deviation, State, VerdictKind


def go_home(deviation_id: int) -> str:
    """Take the case home if it still waits and the day has passed. Asked too early, or for a case that has moved on, it
    does nothing. Gives what became of it, in a word or two for the job's row.
    """
    return as_both(deviation_id, _go_home)


def _go_home(db: Session, deviation: Deviation) -> str:
    state = State(deviation.state)
    if state not in rules.HOMES or deviation.resting or deviation.next_due_on is None:
        return "no longer true"
    if not clocks.is_late(deviation.next_due_on, clock.now()):
        return "no longer true"
    return _HOME[state](db, deviation)


def _question(db: Session, deviation: Deviation) -> str:
    asked = queries.open_question(db, deviation)
    due_on = end_pause(db, deviation)
    verb = move_by_itself(db, deviation, next_due_on=due_on)
    if asked is not None:
        asked.ended_at = deviation.updated_at
    tell(db, deviation, "reply", deviation.receiver_branch_id)
    return verb


def _redirect(db: Session, deviation: Deviation) -> str:
    proposal = queries.open_proposal(db, deviation, "redirect")
    due_on = set_answer_due(db, deviation, clock.now())
    verb = move_by_itself(db, deviation, next_due_on=due_on)
    proposal.decided_at, proposal.decision = deviation.updated_at, "silence"
    tell(db, deviation, "redirect_refused", deviation.receiver_branch_id)
    return verb


def _verdict(db: Session, deviation: Deviation) -> str:
    verb = move_by_itself(db, deviation, next_due_on=None)
    deviation.closed_at, deviation.accepted_by_silence = deviation.updated_at, True
    latest = queries.latest_answer(db, deviation)
    if latest is not None:
        latest.verdict, latest.verdict_at = VerdictKind.ACCEPTED, deviation.updated_at
    return verb


def _declined(db: Session, deviation: Deviation) -> str:
    verb = move_by_itself(db, deviation, next_due_on=None)
    deviation.withdrawn_at = deviation.updated_at
    searching.index(db, deviation)
    tell(db, deviation, "withdrawn", deviation.sender_branch_id)
    return verb


def _dispute(db: Session, deviation: Deviation) -> str:
    standing = queries.find_proposal(db, deviation, "settle")
    verb = move_by_itself(db, deviation, next_due_on=None)
    deviation.disagreed_at = deviation.closed_at = deviation.updated_at
    if standing is not None:
        standing.decided_at, standing.decision = deviation.updated_at, "silence"
    tell(db, deviation, "disagreed", deviation.sender_branch_id)
    for branch_id in (deviation.sender_branch_id, deviation.receiver_branch_id):
        tell(db, deviation, "unsettled", branch_id)
    return verb


_HOME = {
    State.QUESTION: _question,
    State.REDIRECT_PROPOSED: _redirect,
    State.ANSWERED: _verdict,
    State.DECLINED: _declined,
    State.DISPUTED: _dispute,
}
