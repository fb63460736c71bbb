"""Lists of cases, and drafts. Every read begins with `visible_to(me)`: the first of the two locks."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from backend.access import Identity, Permission
from backend.agreements.models import Category
from backend.core.errors import NotFoundError
from backend.deviations.filters import Direction, Filters, condition
from backend.deviations.models import (
    Deviation,
    Draft,
    EventKind,
    Side,
    State,
)
from backend.deviations.rules import HELD, visible_to
from backend.directory import queries as directory
from backend.directory.models import Branch, Organisation, Person, Unit

# What lies in the inbox, by what one is to do with it; and "theirs", where the other side has the word.
Group = Literal["acknowledge", "answer", "question", "read", "onward", "settle", "theirs"]
GROUPS: tuple[Group, ...] = get_args(Group)
# What waits for a person lies in a group by its state alone: whose turn it is follows from that.
OF_GROUP: dict[Group, frozenset[State]] = {
    "acknowledge": frozenset({State.SENT}),
    "answer": HELD - {State.SENT},
    "question": frozenset({State.QUESTION}),
    "read": frozenset({State.ANSWERED}),
    "onward": frozenset({State.REDIRECT_PROPOSED, State.DECLINED}),
    "settle": frozenset({State.DISPUTED}),
}
# Where the holder of a case has said its own and waits for the sender.
ASKED = (State.ANSWERED, State.QUESTION, State.REDIRECT_PROPOSED)

PAGE = 50
MOST_COUNTED = 1000


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
    resting: bool
    handler_id: int | None = None
    handler: str | None = None


def inbox(db: Session, me: Identity, limit: int = PAGE + 1, group: Group | None = None) -> list[Row]:
    """What waits for this person, all of it or one group: to acknowledge, to answer, answers to judge; what is late
    first. In "theirs" the person's side waits for the other. One more than a page tells that there are more.
    """
    order = [Deviation.next_due_on, Deviation.id]
    if group == "theirs":
        return _rows(db, me, _awaited(me), order=order, limit=limit)
    wanted = _waiting(me)
    if group is not None:
        wanted = and_(wanted, Deviation.state.in_(sorted(OF_GROUP[group])))
    return _rows(db, me, wanted, order=order, limit=limit)


def inbox_counts(db: Session, me: Identity) -> dict[Group, int]:
    """How many cases lie in each group. Counting stops at MOST_COUNTED, for what waits and for what is waited for."""
    found: dict[Group, int] = dict.fromkeys(GROUPS, 0)
    group_of = {state: group for group, states in OF_GROUP.items() for state in states}
    for state, n in _by_state(db, me, _waiting(me)):
        found[group_of[state]] += n
    found["theirs"] = sum(n for _state, n in _by_state(db, me, _awaited(me)))
    return found


def _by_state(db: Session, me: Identity, wanted: ColumnElement[bool]) -> list[tuple[State, int]]:
    some = select(Deviation.state).where(visible_to(me), wanted).limit(MOST_COUNTED).subquery()
    rows = db.execute(select(some.c.state, func.count()).group_by(some.c.state))
    return [(State(state), n) for state, n in rows]


def _waiting(me: Identity) -> ColumnElement[bool]:
    to_receive = and_(
        Deviation.state.in_(sorted(HELD)),
        # A good example is done once acknowledged.
        or_(Deviation.event_kind != EventKind.GOOD_EXAMPLE, Deviation.state == State.SENT),
        _at(me, Permission.RECEIVE, Deviation.receiver_unit_id, Deviation.receiver_branch_id),
    )
    own = _own_reports(me)
    to_decide = and_(
        Deviation.state.in_([State.ANSWERED, State.QUESTION, State.REDIRECT_PROPOSED, State.DECLINED]),
        or_(
            _at(me, Permission.JUDGE, Deviation.sender_unit_id, Deviation.sender_branch_id),
            and_(
                Deviation.state.in_([State.ANSWERED, State.QUESTION]),
                Deviation.id.in_(own),
                Deviation.sender_branch_id.in_(me.branches),
            ),
        ),
    )
    to_settle = and_(
        Deviation.state == State.DISPUTED,
        or_(
            _at(me, Permission.MANAGE, Deviation.sender_unit_id, Deviation.sender_branch_id),
            _at(me, Permission.MANAGE, Deviation.receiver_unit_id, Deviation.receiver_branch_id),
        ),
    )
    return and_(~Deviation.resting, or_(to_receive, to_decide, to_settle))


def _awaited(me: Identity) -> ColumnElement[bool]:
    """Where this person's side has done its part and waits for the other's."""
    sent = and_(
        Deviation.state.in_(sorted(HELD)),
        or_(Deviation.event_kind != EventKind.GOOD_EXAMPLE, Deviation.state == State.SENT),
        or_(
            _at(me, Permission.JUDGE, Deviation.sender_unit_id, Deviation.sender_branch_id),
            and_(Deviation.id.in_(_own_reports(me)), Deviation.sender_branch_id.in_(me.branches)),
        ),
    )
    asked = and_(
        Deviation.state.in_(ASKED),
        _at(me, Permission.RECEIVE, Deviation.receiver_unit_id, Deviation.receiver_branch_id),
    )
    return and_(~Deviation.resting, or_(sent, asked))


def _own_reports(me: Identity) -> Select[int]:
    return select(Side.deviation_id).where(Side.reporter_id == me.person_id, Side.branch_id.in_(me.branches))


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
    order: list[Any] = [Deviation.sent_at.desc(), Deviation.id.desc()]
    return _rows(db, me, Deviation.id.in_(_own_reports(me)), order=order, limit=limit)


def urgent(db: Session, me: Identity, wanted: ColumnElement[bool], limit: int) -> list[Row]:
    """Living cases that fit, of those this person may see: what waits soonest first, what waits for nobody last."""
    order: list[Any] = [Deviation.next_due_on.asc().nulls_last(), Deviation.id]
    return _rows(db, me, and_(~Deviation.resting, wanted), order=order, limit=limit)


def own_unit(me: Identity) -> ColumnElement[int]:
    """The unit of a case on one's own side."""
    out = Deviation.sender_branch_id.in_(me.branches)
    return case((out, Deviation.sender_unit_id), else_=Deviation.receiver_unit_id)


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
            Deviation.resting,
            Person.id,
            Person.title,
        )
        .outerjoin(Side, and_(Side.deviation_id == Deviation.id, Side.branch_id.in_(me.branches)))
        # Whoever no longer handles at the unit is nobody.
        .outerjoin(
            Person, and_(Person.id == Side.handler_id, directory.handles(Side.handler_id, own_unit(me)))
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


def drafts(db: Session, me: Identity) -> Sequence[Draft]:
    """The person's own drafts, latest first."""
    return db.scalars(
        select(Draft)
        .where(Draft.person_id == me.person_id, Draft.branch_id.in_(me.branches))
        .order_by(Draft.saved_at.desc())
    ).all()


def own_drafts(db: Session, branch_id: int, person_id: int) -> Sequence[Draft]:
    """All that a person is writing in a branch, for a job; locked, so that a save at the same moment waits or wins."""
    return db.scalars(
        select(Draft)
        .where(Draft.person_id == person_id, Draft.branch_id == branch_id)
        .order_by(Draft.submission)
        .with_for_update()
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
