"""What lies on a person's desk beside the inbox, by what their roles are for. Lists of cases; counts are of the list."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Integer, and_, exists, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.access import Identity, Permission
from backend.agreements.models import Agreement
from backend.core import calendar, clock
from backend.deviations import clocks, risk, steps
from backend.deviations.models import (
    AnswerDraft,
    CoInvestigator,
    Deviation,
    Handover,
    Mask,
    RiskFlag,
    Side,
    State,
)
from backend.deviations.queries.lists import Row, own_unit, urgent
from backend.deviations.rules import HELD, is_party, visible_to
from backend.directory import queries as directory

SHOWN = 20
MASKED_LATELY = timedelta(days=30)
OVER = (State.CLOSED, State.WITHDRAWN)
Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Pile:
    name: str
    rows: list[Row]
    more: bool


def piles(db: Session, me: Identity) -> list[Pile]:
    """The piles with something in them, those that only this role can see to first."""
    wanted: list[tuple[str, Callable[[Identity], Condition]]] = [("invited", _invited)]
    if me.may(Permission.RECEIVE):
        wanted = [("assigned", _assigned), *wanted]
    if me.may(Permission.MANAGE):
        wanted = [
            ("to_approve", _to_approve),
            ("disputed", _disputed),
            ("unassigned", _unassigned),
            *wanted,
        ]
    if me.everywhere(Permission.MASK):
        wanted = [
            ("untouched", partial(_untouched, db)),
            ("high_risk", _high_risk),
            ("not_taken_over", _not_taken_over),
            ("masked", _masked),
            *wanted,
        ]
    found = [(name, urgent(db, me, condition(me), SHOWN + 1)) for name, condition in wanted]
    return [Pile(name, there[:SHOWN], len(there) > SHOWN) for name, there in found if there]


def _at(
    me: Identity, permission: Permission, unit: InstrumentedAttribute[int], branch: InstrumentedAttribute[int]
) -> Condition:
    if me.everywhere(permission):
        return branch.in_(me.branches)
    return and_(branch.in_(me.branches), unit.in_(sorted(me.units(permission))))


def _receiving(me: Identity, permission: Permission) -> Condition:
    return _at(me, permission, Deviation.receiver_unit_id, Deviation.receiver_branch_id)


def _either(me: Identity, permission: Permission) -> Condition:
    sending = _at(me, permission, Deviation.sender_unit_id, Deviation.sender_branch_id)
    return or_(_receiving(me, permission), sending)


def _own_side(me: Identity, *conditions: Condition) -> Condition:
    return (
        exists()
        .where(Side.deviation_id == Deviation.id, Side.branch_id.in_(me.branches), *conditions)
        .correlate(Deviation)
    )


def _assigned(me: Identity) -> Condition:
    mine = Side.handler_id == me.person_id, directory.handles(Side.handler_id, own_unit(me))
    return and_(Deviation.state.not_in(OVER), _own_side(me, *mine))


def _invited(me: Identity) -> Condition:
    return and_(
        Deviation.state.not_in(OVER),
        exists()
        .where(
            CoInvestigator.deviation_id == Deviation.id,
            CoInvestigator.branch_id.in_(me.branches),
            CoInvestigator.person_id == me.person_id,
            CoInvestigator.ended_at.is_(None),
        )
        .correlate(Deviation),
    )


def _to_approve(me: Identity) -> Condition:
    waiting = (
        exists()
        .where(
            AnswerDraft.deviation_id == Deviation.id,
            AnswerDraft.branch_id == Deviation.receiver_branch_id,
            AnswerDraft.for_approval_at.is_not(None),
        )
        .correlate(Deviation)
    )
    return and_(Deviation.state.in_(sorted(HELD)), _receiving(me, Permission.MANAGE), waiting)


def _disputed(me: Identity) -> Condition:
    return and_(Deviation.state == State.DISPUTED, _either(me, Permission.MANAGE))


def _unassigned(me: Identity) -> Condition:
    return and_(
        Deviation.state.in_(sorted(HELD)),
        _receiving(me, Permission.MANAGE),
        ~_own_side(me, directory.handles(Side.handler_id, Deviation.receiver_unit_id)),
    )


def _untouched(db: Session, me: Identity) -> Condition:
    """Those that safety has been told of, or would have been: nobody has opened them in the days of their agreement."""
    mine = and_(
        Deviation.state == State.SENT, Deviation.receiver_branch_id.in_(me.branches), ~Deviation.resting
    )
    opened = exists().where(
        Side.deviation_id == Deviation.id,
        Side.branch_id == Handover.branch_id,
        Side.opened_at >= Handover.sent_at,
    )
    came = (
        select(func.greatest(Handover.sent_at, Deviation.clock_started_at))
        .where(
            Handover.deviation_id == Deviation.id,
            Handover.ended_at.is_(None),
            ~opened.correlate(Deviation, Handover),
        )
        .correlate(Deviation)
        .scalar_subquery()
    )
    long_ago: Condition = false()
    for agreement in db.scalars(
        select(Agreement).where(Agreement.id.in_(select(Deviation.agreement_id).where(visible_to(me), mine)))
    ):
        day = steps.untouched_before(clock.today(), *clocks.terms_from(agreement.terms))
        long_ago = or_(
            long_ago, and_(Deviation.agreement_id == agreement.id, came < calendar.at_hour(day, time(0)))
        )
    return and_(mine, long_ago)


def _high_risk(me: Identity) -> Condition:
    limit = func.coalesce(Agreement.terms["risk_threshold"].astext.cast(Integer), risk.THRESHOLD)
    agreed = (
        select(limit).where(Agreement.id == Deviation.agreement_id).correlate(Deviation).scalar_subquery()
    )
    judged = func.coalesce(Side.severity, Deviation.severity) * Side.probability
    return and_(Deviation.state.not_in(OVER), _own_side(me, judged >= agreed))


def _not_taken_over(me: Identity) -> Condition:
    """Those of cases that have left the branch stand on their sealed copies: `flagged_copies`."""
    flagged = (
        exists()
        .where(
            RiskFlag.deviation_id == Deviation.id,
            RiskFlag.branch_id.in_(me.branches),
            RiskFlag.taken_over_at.is_(None),
        )
        .correlate(Deviation)
    )
    return and_(is_party(me), flagged)


def _masked(me: Identity) -> Condition:
    lately = clock.now() - MASKED_LATELY
    return and_(
        _either(me, Permission.MASK),
        exists().where(Mask.deviation_id == Deviation.id, Mask.masked_at >= lately).correlate(Deviation),
    )
