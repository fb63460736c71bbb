"""Reading cases. Every read begins with `visible_to(me)`: the first of the two locks."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, joinedload, selectinload

from backend.access import Identity, Permission
from backend.agreements.models import Category
from backend.core.errors import NotFoundError
from backend.deviations.filters import Direction, Filters, condition
from backend.deviations.models import (
    Answer,
    Deviation,
    Draft,
    Event,
    EventActor,
    EventKind,
    Handover,
    Side,
    State,
)
from backend.deviations.rules import visible_to
from backend.directory.models import Branch, Organisation, Person, Unit

PAGE = 50
MOST_COUNTED = 1000


def deviation(db: Session, me: Identity, case_number: str) -> Deviation:
    """The case with that number, if this person may see it; otherwise as if it did not exist."""
    branch = joinedload(Deviation.sender_branch), joinedload(Deviation.receiver_branch)
    found = db.scalar(
        select(Deviation)
        .where(Deviation.case_number == case_number.upper(), visible_to(me))
        .options(
            joinedload(Deviation.sender_unit),
            joinedload(Deviation.receiver_unit),
            *(option.joinedload(Branch.organisation) for option in branch),
            joinedload(Deviation.category),
            joinedload(Deviation.steering_document),
            joinedload(Deviation.agreement),
            selectinload(Deviation.sides),
        )
    )
    if found is None:
        raise NotFoundError
    return found


def by_submission(db: Session, me: Identity, submission: uuid.UUID) -> Deviation | None:
    """The case that this very form became, if it was sent before by the same person."""
    return db.scalar(
        select(Deviation)
        .join(Side, and_(Side.deviation_id == Deviation.id, Side.branch_id == Deviation.sender_branch_id))
        .where(Deviation.submission == submission, Side.reporter_id == me.person_id, visible_to(me))
    )


@dataclass(frozen=True)
class Row:
    """A case as a list shows it."""

    case_number: str
    state: State
    event_kind: str
    category: str
    direction: Direction | None
    other_unit: str
    other_organisation: str
    sent_at: datetime
    due_on: date | None
    next_due_on: date | None
    imported: bool


def inbox(db: Session, me: Identity, limit: int = PAGE + 1) -> list[Row]:
    """What waits for this person: to acknowledge, to answer, answers to judge; soonest first. One more than a page
    tells that there are more.
    """
    return _rows(db, me, _waiting(me), order=[Deviation.next_due_on, Deviation.id], limit=limit)


def _waiting(me: Identity) -> ColumnElement[bool]:
    to_receive = and_(
        Deviation.state.in_([State.SENT, State.ACKNOWLEDGED, State.RETURNED]),
        # A good example is done once acknowledged.
        or_(Deviation.event_kind != EventKind.GOOD_EXAMPLE, Deviation.state == State.SENT),
        _at(me, Permission.RECEIVE, Deviation.receiver_unit_id, Deviation.receiver_branch_id),
    )
    own = select(Side.deviation_id).where(Side.reporter_id == me.person_id, Side.branch_id.in_(me.branches))
    to_judge = and_(
        Deviation.state == State.ANSWERED,
        or_(
            _at(me, Permission.JUDGE, Deviation.sender_unit_id, Deviation.sender_branch_id),
            and_(Deviation.id.in_(own), Deviation.sender_branch_id.in_(me.branches)),
        ),
    )
    return and_(~Deviation.imported, or_(to_receive, to_judge))


def _at(
    me: Identity, permission: Permission, unit: InstrumentedAttribute[int], branch: InstrumentedAttribute[int]
) -> ColumnElement[bool]:
    if me.everywhere(permission):
        return branch.in_(me.branches)
    return unit.in_(sorted(me.units(permission)))


def listing(db: Session, me: Identity, filters: Filters, page: int = 1) -> list[Row]:
    """All the cases this person may see, newest first. One more than a page tells that there are more."""
    wanted = condition(me, filters)
    order: list[Any] = [Deviation.sent_at.desc(), Deviation.id.desc()]
    return _rows(db, me, wanted, order=order, limit=PAGE + 1, offset=(page - 1) * PAGE)


def counted(db: Session, me: Identity, filters: Filters) -> int:
    """How many cases the list holds. Counting stops at MOST_COUNTED: an exact thousand helps nobody."""
    some = select(Deviation.id).where(visible_to(me), condition(me, filters)).limit(MOST_COUNTED)
    return db.scalar(select(func.count()).select_from(some.subquery())) or 0


def these(db: Session, me: Identity, ids: Sequence[int]) -> list[Row]:
    """Those of the cases that this person may see, newest first."""
    order: list[Any] = [Deviation.sent_at.desc(), Deviation.id.desc()]
    # As rows and not as a list, so that each is one look by its key; the index of the walls would be read whole.
    wanted = Deviation.id.in_(select(func.unnest(literal(ids, ARRAY(BigInteger)))))
    return _rows(db, me, wanted, order=order, limit=len(ids))


def own_reports(db: Session, me: Identity, limit: int) -> list[Row]:
    """What this person has filed themselves, latest first."""
    own = select(Side.deviation_id).where(Side.reporter_id == me.person_id, Side.branch_id.in_(me.branches))
    order: list[Any] = [Deviation.sent_at.desc(), Deviation.id.desc()]
    return _rows(db, me, Deviation.id.in_(own), order=order, limit=limit)


def _rows(
    db: Session,
    me: Identity,
    wanted: ColumnElement[bool],
    *,
    order: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]],
    limit: int,
    offset: int = 0,
) -> list[Row]:
    out = Deviation.sender_branch_id.in_(me.branches)
    other_unit, other_branch = aliased(Unit), aliased(Branch)
    query: Select[Any] = (
        select(
            Deviation.case_number,
            Deviation.state,
            Deviation.event_kind,
            Category.label,
            case((out, "out"), (Deviation.receiver_branch_id.in_(me.branches), "in"), else_=None),
            other_unit.name,
            Organisation.name,
            Deviation.sent_at,
            Deviation.due_on,
            Deviation.next_due_on,
            Deviation.imported,
        )
        .join(Category, Category.id == Deviation.category_id)
        .join(
            other_unit,
            other_unit.id == case((out, Deviation.receiver_unit_id), else_=Deviation.sender_unit_id),
        )
        .join(other_branch, other_branch.id == other_unit.branch_id)
        .join(Organisation, Organisation.id == other_branch.organisation_id)
        .where(visible_to(me), wanted)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )
    return [Row(row[0], State(row[1]), *row[2:]) for row in db.execute(query)]


def waiting_count(db: Session, me: Identity) -> int:
    """How many cases wait for this person."""
    return db.scalar(select(func.count()).select_from(Deviation).where(visible_to(me), _waiting(me))) or 0


@dataclass(frozen=True)
class Happening:
    """An event as the case's log shows it: the other party is a unit and a profession, never a name."""

    verb: str
    at: datetime
    unit: str
    who: str | None
    comment: str | None
    to_state: State


def happenings(db: Session, deviation: Deviation) -> list[Happening]:
    """What has happened to the case, oldest first."""
    rows = db.execute(
        select(Event.verb, Event.at, Unit.name, Person.title, Event.profession, Event.comment, Event.to_state)
        .join(Unit, Unit.id == Event.unit_id)
        # The policy on event_actors hides the other party's people, so their title never comes along.
        .outerjoin(EventActor, EventActor.event_id == Event.id)
        .outerjoin(Person, Person.id == EventActor.person_id)
        .where(Event.deviation_id == deviation.id)
        .order_by(Event.id)
    )
    return [Happening(r[0], r[1], r[2], r[3] or r[4], r[5], State(r[6])) for r in rows]


def answers(db: Session, deviation: Deviation) -> Sequence[Answer]:
    """Every answer given, oldest first, with its actions."""
    return db.scalars(
        select(Answer)
        .where(Answer.deviation_id == deviation.id)
        .options(selectinload(Answer.actions))
        .order_by(Answer.answered_at, Answer.id)
    ).all()


def handover(db: Session, deviation: Deviation) -> Handover:
    """The leg the case is on now."""
    return db.scalars(
        select(Handover)
        .where(Handover.deviation_id == deviation.id)
        .order_by(Handover.position.desc())
        .limit(1)
    ).one()


def drafts(db: Session, me: Identity) -> Sequence[Draft]:
    """The person's own drafts, latest first."""
    return db.scalars(
        select(Draft)
        .where(Draft.person_id == me.person_id, Draft.branch_id.in_(me.branches))
        .order_by(Draft.saved_at.desc())
    ).all()


def draft(db: Session, me: Identity, submission: uuid.UUID) -> Draft:
    found = db.scalar(
        select(Draft).where(
            Draft.submission == submission, Draft.person_id == me.person_id, Draft.branch_id.in_(me.branches)
        )
    )
    if found is None:
        raise NotFoundError
    return found


@dataclass(frozen=True)
class Owing:
    """What a mail about a case may say and must know: its number, where it stands, and whose turn it is."""

    case_number: str
    state: State
    event_kind: str
    unit_id: int
    unit: str
    next_due_on: date | None
    answer_due_on: date | None
    reporter_id: int | None


def owing(db: Session, deviation_id: int, branch_id: int) -> Owing | None:
    """The case as one branch's mail needs it, or None when the branch does not see it any more."""
    row = db.execute(
        select(
            Deviation.case_number,
            Deviation.state,
            Deviation.event_kind,
            Unit.id,
            Unit.name,
            Deviation.next_due_on,
            # A returned answer is due anew; until then the first answer's clock counts.
            case((Deviation.state == State.RETURNED, Deviation.next_due_on), else_=Deviation.due_on),
            Side.reporter_id,
        )
        .join(
            Unit,
            Unit.id
            == case(
                (Deviation.sender_branch_id == branch_id, Deviation.sender_unit_id),
                else_=Deviation.receiver_unit_id,
            ),
        )
        .outerjoin(Side, and_(Side.deviation_id == Deviation.id, Side.branch_id == branch_id))
        .where(Deviation.id == deviation_id, Deviation.visible_branches.contains([branch_id]))
    ).one_or_none()
    return Owing(row[0], State(row[1]), *row[2:]) if row else None
