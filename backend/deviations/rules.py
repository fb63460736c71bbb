"""Who may see a case, and what may happen to it next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, and_, exists, false, or_

from backend.access import Identity, Permission
from backend.deviations.models import CoInvestigator, Deviation, EventKind, Side, State
from backend.directory.models import Unit

Party = Literal["sender", "receiver"]
Turn = Literal["sender", "receiver", "both"]

REOPENED_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Move:
    """One allowed move: which party makes it, by what right, from where, to where.

    `reporter` says that whoever filed the case may make it too, whatever their role.
    """

    verb: str
    party: Turn
    permission: Permission
    sources: frozenset[State]
    target: State
    reporter: bool = False


@dataclass(frozen=True)
class Home:
    """Where a case goes by itself when nobody has moved it by the day it waits for."""

    verb: str
    target: State


# Where the receiver has the word.
HELD = frozenset({State.SENT, State.ACKNOWLEDGED, State.IN_REVIEW, State.RETURNED})


def _moves() -> Iterable[Move]:
    receive, judge, manage = Permission.RECEIVE, Permission.JUDGE, Permission.MANAGE
    yield Move("acknowledge", "receiver", receive, frozenset({State.SENT}), State.ACKNOWLEDGED)
    # A slip of the hand: its own rules, of who and how soon, stand with the verb.
    yield Move("unacknowledge", "receiver", receive, frozenset({State.ACKNOWLEDGED}), State.SENT)
    yield Move(
        "review",
        "receiver",
        receive,
        frozenset({State.SENT, State.ACKNOWLEDGED, State.RETURNED}),
        State.IN_REVIEW,
    )
    # An answer or a question implies that the case was read, so both are legal at once.
    yield Move("answer", "receiver", receive, HELD, State.ANSWERED)
    yield Move("question", "receiver", receive, HELD, State.QUESTION)
    yield Move("reply", "sender", judge, frozenset({State.QUESTION}), State.IN_REVIEW, reporter=True)
    # Within the branch at once; to another branch only with the sender's yes, since it is a new disclosure.
    yield Move("redirect", "receiver", receive, HELD, State.SENT)
    yield Move("propose_redirect", "receiver", receive, HELD, State.REDIRECT_PROPOSED)
    yield Move("confirm_redirect", "sender", judge, frozenset({State.REDIRECT_PROPOSED}), State.SENT)
    yield Move("refuse_redirect", "sender", judge, frozenset({State.REDIRECT_PROPOSED}), State.IN_REVIEW)
    # The first time it goes back to the sender, the second time the two have to agree.
    yield Move("decline", "receiver", receive, HELD, State.DECLINED)
    yield Move("dispute", "receiver", receive, HELD, State.DISPUTED)
    yield Move("resend", "sender", judge, frozenset({State.DECLINED}), State.SENT)
    yield Move("settle", "both", manage, frozenset({State.DISPUTED}), State.ANSWERED)
    yield Move("disagree", "both", manage, frozenset({State.DISPUTED}), State.CLOSED)
    yield Move("accept", "sender", judge, frozenset({State.ANSWERED}), State.CLOSED, reporter=True)
    yield Move("return", "sender", judge, frozenset({State.ANSWERED}), State.RETURNED, reporter=True)
    yield Move(
        "withdraw",
        "sender",
        judge,
        frozenset({State.SENT, State.ACKNOWLEDGED, State.DECLINED}),
        State.WITHDRAWN,
        reporter=True,
    )
    yield Move("reopen", "both", manage, frozenset({State.CLOSED}), State.IN_REVIEW)


# The one table of what may happen to a case. A new verb is a new row.
MOVES: dict[str, Move] = {move.verb: move for move in _moves()}

# Nothing waits for ever: each state in which one party waits for the other's word has a way home.
HOMES: dict[State, Home] = {
    State.QUESTION: Home("expire_question", State.IN_REVIEW),
    State.REDIRECT_PROPOSED: Home("expire_redirect", State.IN_REVIEW),
    State.ANSWERED: Home("accept_silently", State.CLOSED),
    State.DECLINED: Home("withdraw_silently", State.WITHDRAWN),
    State.DISPUTED: Home("disagree_silently", State.CLOSED),
}

# Whose turn it is in each state; the rest wait for nobody.
WAITS_FOR: dict[State, Turn] = {
    State.SENT: "receiver",
    State.ACKNOWLEDGED: "receiver",
    State.IN_REVIEW: "receiver",
    State.RETURNED: "receiver",
    State.QUESTION: "sender",
    State.REDIRECT_PROPOSED: "sender",
    State.DECLINED: "sender",
    State.ANSWERED: "sender",
    State.DISPUTED: "both",
}

# In these the receiver sees the case no more: what it had is sealed.
LEFT_RECEIVER = frozenset({State.DECLINED, State.WITHDRAWN})


# What the sender enters for a receiver without a login.
FOR_EXTERNAL = frozenset({"acknowledge", "answer"})


def reported_by(me: Identity, deviation: Deviation) -> bool:
    return any(side.reporter_id == me.person_id and side.branch_id in me.branches for side in deviation.sides)


def invited_to(me: Identity, deviation: Deviation) -> bool:
    """A co-investigator: invited to this case and no other."""
    return any(
        one.person_id == me.person_id and one.branch_id in me.branches and one.ended_at is None
        for one in deviation.co_investigators
    )


def may_see(me: Identity, deviation: Deviation) -> bool:
    """The branch is a visible party, and the person follows the branch or a unit of the case, keeps its register,
    reported the case or is invited to it.

    A branch that commissioned a unit of the case is visible too, for those alone who follow all of it (`safety`),
    also where the same branch has been the receiver and the case has left it.
    """
    mine = set(me.branches)
    if not mine & set(deviation.visible_branches):
        return False
    if me.everywhere(Permission.SEE_CASES):
        return True
    held = State(deviation.state) not in LEFT_RECEIVER
    if deviation.sender_branch_id not in mine and not (held and deviation.receiver_branch_id in mine):
        return False
    units = me.units(Permission.SEE_CASES)
    return (
        me.everywhere(Permission.REGISTER)
        or deviation.sender_unit_id in units
        or deviation.receiver_unit_id in units
        or reported_by(me, deviation)
        or invited_to(me, deviation)
    )


def visible_to(me: Identity) -> ColumnElement[bool]:
    """`may_see` as SQL: one test holds the two together."""
    if not me.branches:
        return false()
    circle: ColumnElement[bool] = Deviation.visible_branches.overlap(list(me.branches))
    if me.everywhere(Permission.SEE_CASES):
        return circle
    party = and_(circle, is_party(me))
    if me.everywhere(Permission.REGISTER):
        return party
    units = sorted(me.units(Permission.SEE_CASES))
    mine: list[ColumnElement[bool]] = [
        exists()
        .where(
            Side.deviation_id == Deviation.id,
            Side.reporter_id == me.person_id,
            Side.branch_id.in_(me.branches),
        )
        .correlate(Deviation),
        exists()
        .where(
            CoInvestigator.deviation_id == Deviation.id,
            CoInvestigator.person_id == me.person_id,
            CoInvestigator.branch_id.in_(me.branches),
            CoInvestigator.ended_at.is_(None),
        )
        .correlate(Deviation),
    ]
    if units:
        mine = [Deviation.sender_unit_id.in_(units), Deviation.receiver_unit_id.in_(units), *mine]
    return and_(party, or_(*mine))


def is_party(me: Identity) -> ColumnElement[bool]:
    """The sender, or the receiver that still has the case; not who only follows it."""
    held = Deviation.state.not_in(sorted(LEFT_RECEIVER))
    return or_(
        Deviation.sender_branch_id.in_(me.branches), and_(Deviation.receiver_branch_id.in_(me.branches), held)
    )


def reaches(me: Identity, deviation: Deviation, permission: Permission) -> Party | None:
    """The side of the case on which the person has the permission: the receiver's or the sender's, or neither."""
    held = State(deviation.state) not in LEFT_RECEIVER
    if held and me.reaches(permission, deviation.receiver_unit_id, deviation.receiver_branch_id):
        return "receiver"
    if me.reaches(permission, deviation.sender_unit_id, deviation.sender_branch_id):
        return "sender"
    return None


def may_move(me: Identity, deviation: Deviation, move: Move) -> bool:
    """Whether this person may make the move, whatever state the case is in."""
    if move.reporter and reported_by(me, deviation):
        return True
    side = reaches(me, deviation, move.permission)
    if side == "sender" and move.verb in FOR_EXTERNAL and is_external(deviation):
        return True
    return side is not None and move.party in (side, "both")


def is_external(deviation: Deviation) -> bool:
    """The receiver has no login here: the sender sends it the case by other ways and enters what it says."""
    return deviation.receiver_branch.organisation.kind == "external"


def is_open(deviation: Deviation, move: Move, now: datetime) -> bool:
    """Whether the case stands where the move begins. Imported history rests until somebody takes it up."""
    if deviation.resting or State(deviation.state) not in move.sources:
        return False
    if move.verb == "reopen":
        return deviation.closed_at is not None and now <= deviation.closed_at + REOPENED_WITHIN
    return True


def moves_open_to(me: Identity, deviation: Deviation, now: datetime) -> list[str]:
    """The verbs this person may use on the case as it stands."""
    return [
        verb
        for verb, move in MOVES.items()
        if is_open(deviation, move, now) and may_move(me, deviation, move)
    ]


def may_mask(me: Identity, deviation: Deviation) -> bool:
    """Safety of either side, and whoever filed the case, so that a slip can be hidden by the one who sees it first."""
    return reaches(me, deviation, Permission.MASK) is not None or reported_by(me, deviation)


def may_send_report(me: Identity, unit: Unit) -> bool:
    """Whether this person's report leaves at once: where the branch wants reports reviewed, its managers' alone."""
    return not unit.branch.review_before_sending or me.reaches(Permission.MANAGE, unit.id, unit.branch_id)


def may_send_answer(me: Identity, deviation: Deviation) -> bool:
    """Whether this person's answer leaves at once: the unit's handlers, or its managers alone where the branch wants
    every answer approved. A co-investigator writes, and somebody else sends.
    """
    if not may_move(me, deviation, MOVES["answer"]):
        return False
    return (
        not deviation.receiver_branch.approve_answers
        or reaches(me, deviation, Permission.MANAGE) == "receiver"
    )


def may_work_on(me: Identity, deviation: Deviation) -> bool:
    """Write notes and the answer's draft: whoever handles the case for a side, and its co-investigators."""
    return (
        reaches(me, deviation, Permission.RECEIVE) is not None
        or invited_to(me, deviation)
        or reported_by(me, deviation)
    )


def party_of(branches: Iterable[int], deviation: Deviation) -> Party | None:
    """The side one stands on; None for a branch that only follows a unit it has commissioned."""
    mine = set(branches)
    if deviation.sender_branch_id in mine:
        return "sender"
    return "receiver" if deviation.receiver_branch_id in mine else None


def waits_for(deviation: Deviation, party: Party | None) -> bool:
    """Whether it is that party's turn."""
    return party is not None and WAITS_FOR.get(State(deviation.state)) in (party, "both")


def needs_answer(event_kind: str) -> bool:
    """A good example asks for thanks, not for an answer."""
    return event_kind != EventKind.GOOD_EXAMPLE
