"""Who may see a case, and what may happen to it next."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, and_, exists, false, or_

from backend.access import Identity, Permission
from backend.deviations.models import Deviation, EventKind, Side, State

Party = Literal["sender", "receiver"]


@dataclass(frozen=True)
class Move:
    """One allowed move: which party makes it, by what right, from where, to where."""

    verb: str
    party: Party
    permission: Permission
    sources: frozenset[State]
    target: State


# The one table of what may happen to a case. A new verb is a new row.
MOVES: dict[str, Move] = {
    move.verb: move
    for move in (
        Move("acknowledge", "receiver", Permission.RECEIVE, frozenset({State.SENT}), State.ACKNOWLEDGED),
        # An answer implies that the case was read, so it is legal at once.
        Move(
            "answer",
            "receiver",
            Permission.RECEIVE,
            frozenset({State.SENT, State.ACKNOWLEDGED, State.RETURNED}),
            State.ANSWERED,
        ),
        Move("accept", "sender", Permission.JUDGE, frozenset({State.ANSWERED}), State.CLOSED),
        Move("return", "sender", Permission.JUDGE, frozenset({State.ANSWERED}), State.RETURNED),
        Move("withdraw", "sender", Permission.JUDGE, frozenset({State.SENT}), State.WITHDRAWN),
    )
}

# Whose turn it is in each state; the rest wait for nobody.
WAITS_FOR: dict[State, Party] = {
    State.SENT: "receiver",
    State.ACKNOWLEDGED: "receiver",
    State.RETURNED: "receiver",
    State.ANSWERED: "sender",
}


def reported_by(me: Identity, deviation: Deviation) -> bool:
    return any(side.reporter_id == me.person_id and side.branch_id in me.branches for side in deviation.sides)


def may_see(me: Identity, deviation: Deviation) -> bool:
    """The branch is a visible party, and the person follows the branch or a unit of the case, or reported it."""
    if not set(me.branches) & set(deviation.visible_branches):
        return False
    units = me.units(Permission.SEE_CASES)
    return (
        me.everywhere(Permission.SEE_CASES)
        or deviation.sender_unit_id in units
        or deviation.receiver_unit_id in units
        or reported_by(me, deviation)
    )


def visible_to(me: Identity) -> ColumnElement[bool]:
    """`may_see` as SQL: one test holds the two together."""
    if not me.branches:
        return false()
    circle: ColumnElement[bool] = Deviation.visible_branches.overlap(list(me.branches))
    if me.everywhere(Permission.SEE_CASES):
        return circle
    units = sorted(me.units(Permission.SEE_CASES))
    mine = (
        exists()
        .where(
            Side.deviation_id == Deviation.id,
            Side.reporter_id == me.person_id,
            Side.branch_id.in_(me.branches),
        )
        .correlate(Deviation)
    )
    return and_(
        circle,
        or_(Deviation.sender_unit_id.in_(units), Deviation.receiver_unit_id.in_(units), mine)
        if units
        else mine,
    )


def may_move(me: Identity, deviation: Deviation, move: Move) -> bool:
    """Whether this person may make the move, whatever state the case is in."""
    if move.party == "receiver":
        return me.reaches(move.permission, deviation.receiver_unit_id, deviation.receiver_branch_id)
    return reported_by(me, deviation) or me.reaches(
        move.permission, deviation.sender_unit_id, deviation.sender_branch_id
    )


def moves_open_to(me: Identity, deviation: Deviation) -> list[str]:
    """The verbs this person may use on the case as it stands. Imported history rests."""
    if deviation.imported:
        return []
    return [
        verb
        for verb, move in MOVES.items()
        if State(deviation.state) in move.sources and may_move(me, deviation, move)
    ]


def party_of(branches: Iterable[int], deviation: Deviation) -> Party | None:
    """The side one stands on; None for a branch that only follows a unit it has commissioned."""
    mine = set(branches)
    if deviation.sender_branch_id in mine:
        return "sender"
    return "receiver" if deviation.receiver_branch_id in mine else None


def needs_answer(event_kind: str) -> bool:
    """A good example asks for thanks, not for an answer."""
    return event_kind != EventKind.GOOD_EXAMPLE
