"""The case register of a branch: every case it has sent or received, and the copies sealed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from backend.access import Identity, Permission
from backend.deviations.models import Deviation, Handover, RiskFlag, SealedCopy, Side, State
from backend.deviations.queries.lists import PAGE
from backend.deviations.rules import is_party, visible_to
from backend.directory.models import Branch, Organisation, Unit

Kept = Literal["in", "out", "unregistered"]
KEPT = get_args(Kept)


@dataclass(frozen=True)
class Registered:
    """A case as the register lists it. `at` is when it was sent, or came to the branch."""

    case_number: str
    registry_number: str | None
    direction: Literal["in", "out"] | None
    sender: str
    receiver: str
    at: datetime
    state: State
    resting: bool


def register(db: Session, me: Identity, kept: Kept | None = None, page: int = 1) -> list[Registered]:
    """The latest first. One more than a page tells that there are more."""
    out, into = Deviation.sender_branch_id.in_(me.branches), Deviation.receiver_branch_id.in_(me.branches)
    wanted: dict[Kept | None, ColumnElement[bool]] = {
        None: or_(out, into),
        "in": into,
        "out": out,
        "unregistered": and_(or_(out, into), _unregistered()),
    }
    sender, sender_of = aliased(Unit), aliased(Organisation)
    receiver, receiver_of = aliased(Unit), aliased(Organisation)
    sender_branch, receiver_branch = aliased(Branch), aliased(Branch)
    came = aliased(Handover)
    rows = db.execute(
        select(
            Deviation.case_number,
            Side.registry_number,
            case((out, "out"), (into, "in"), else_=None),
            sender.name + ", " + sender_of.name,
            receiver.name + ", " + receiver_of.name,
            case((out, Deviation.sent_at), else_=func.coalesce(came.sent_at, Deviation.sent_at)),
            Deviation.state,
            Deviation.resting,
        )
        .outerjoin(Side, and_(Side.deviation_id == Deviation.id, Side.branch_id.in_(me.branches)))
        .outerjoin(came, and_(came.deviation_id == Deviation.id, came.position == Deviation.first_leg))
        .join(sender, sender.id == Deviation.sender_unit_id)
        .join(sender_branch, sender_branch.id == sender.branch_id)
        .join(sender_of, sender_of.id == sender_branch.organisation_id)
        .join(receiver, receiver.id == Deviation.receiver_unit_id)
        .join(receiver_branch, receiver_branch.id == receiver.branch_id)
        .join(receiver_of, receiver_of.id == receiver_branch.organisation_id)
        .where(visible_to(me), wanted[kept])
        .order_by(Deviation.sent_at.desc(), Deviation.id.desc())
        .limit(PAGE + 1)
        .offset((page - 1) * PAGE)
    )
    return [Registered(r[0], r[1], r[2], r[3], r[4], r[5], State(r[6]), r[7]) for r in rows]


def _unregistered() -> ColumnElement[bool]:
    return and_(Side.registry_number.is_(None), ~Deviation.resting)


# A copy has the number it was given, else the one that its branch gave the case while it was there.
_NUMBER = func.coalesce(SealedCopy.registry_number, Side.registry_number)
_SAME = and_(Side.deviation_id == SealedCopy.deviation_id, Side.branch_id == SealedCopy.branch_id)


def number_of_copy(db: Session, copy: SealedCopy) -> str | None:
    side = db.get(Side, (copy.deviation_id, copy.branch_id))
    return copy.registry_number or (side.registry_number if side else None)


@dataclass(frozen=True)
class Sealed:
    """A sealed copy as the register lists it: what it holds is read on a page of its own."""

    id: int
    case_number: str
    registry_number: str | None
    unit: str
    left_how: str
    received_at: datetime
    sealed_at: datetime


def sealed(db: Session, me: Identity, page: int = 1) -> Sequence[Sealed]:
    """The copies sealed for the branch, the latest first; none for whoever is neither registrar nor safety."""
    if not me.everywhere(Permission.SEALED):
        return []
    rows: Any = db.execute(
        select(
            SealedCopy.id,
            SealedCopy.case_number,
            _NUMBER,
            Unit.name,
            SealedCopy.left_how,
            SealedCopy.received_at,
            SealedCopy.sealed_at,
        )
        .join(Unit, Unit.id == SealedCopy.unit_id)
        .outerjoin(Side, _SAME)
        .where(SealedCopy.branch_id.in_(me.branches))
        .order_by(SealedCopy.sealed_at.desc(), SealedCopy.id.desc())
        .limit(PAGE + 1)
        .offset((page - 1) * PAGE)
    )
    return [Sealed(*row) for row in rows]


@dataclass(frozen=True)
class FlaggedCopy:
    """The latest copy of a case that left with a flag nobody has taken over."""

    id: int
    case_number: str
    laws: list[str]
    sender: str
    left_how: str


def flagged_copies(db: Session, me: Identity, limit: int) -> Sequence[FlaggedCopy]:
    """Where lex Maria or lex Sarah may apply, nobody has taken over, and the case has left the branch: its page shows
    it no more. The latest left first; none for whoever may not take over.
    """
    if not me.everywhere(Permission.FLAG):
        return []
    later = aliased(SealedCopy)
    report = SealedCopy.content["report"]
    open_laws = (
        select(func.array_agg(RiskFlag.law.distinct()))
        .where(
            RiskFlag.deviation_id == SealedCopy.deviation_id,
            RiskFlag.branch_id == SealedCopy.branch_id,
            RiskFlag.taken_over_at.is_(None),
        )
        .correlate(SealedCopy)
        .scalar_subquery()
    )
    rows = db.execute(
        select(
            SealedCopy.id,
            SealedCopy.case_number,
            open_laws,
            report["sender_unit"].astext + ", " + report["sender_organisation"].astext,
            SealedCopy.left_how,
        )
        .where(
            SealedCopy.branch_id.in_(me.branches),
            open_laws.is_not(None),
            ~exists().where(Deviation.id == SealedCopy.deviation_id, is_party(me)),
            ~exists().where(
                later.deviation_id == SealedCopy.deviation_id,
                later.branch_id == SealedCopy.branch_id,
                later.id > SealedCopy.id,
            ),
        )
        .order_by(SealedCopy.sealed_at.desc(), SealedCopy.id.desc())
        .limit(limit)
    )
    return [FlaggedCopy(*row) for row in rows]


def unregistered_counts(db: Session, me: Identity) -> tuple[int, int]:
    """How many cases, and how many sealed copies, have no registry number yet."""
    cases = (
        select(func.count())
        .select_from(Deviation)
        .outerjoin(Side, and_(Side.deviation_id == Deviation.id, Side.branch_id.in_(me.branches)))
        .where(
            visible_to(me),
            or_(Deviation.sender_branch_id.in_(me.branches), Deviation.receiver_branch_id.in_(me.branches)),
            _unregistered(),
        )
    )
    copies = (
        select(func.count(SealedCopy.id))
        .outerjoin(Side, _SAME)
        .where(SealedCopy.branch_id.in_(me.branches), _NUMBER.is_(None))
    )
    return db.scalar(cases) or 0, db.scalar(copies) or 0
