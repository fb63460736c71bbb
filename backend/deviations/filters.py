"""What narrows a list, as it stands in the list's address: codes and dates, never a word of a case."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, Self, get_args

from sqlalchemy import ColumnElement, and_, any_, or_, select
from sqlalchemy.orm import aliased

from backend.access import Identity
from backend.agreements.models import Category
from backend.core import clock
from backend.core.clock import STOCKHOLM
from backend.deviations.models import Deviation, EventKind, State
from backend.deviations.rules import WAITS_FOR
from backend.directory.models import Branch, Organisation, Unit

Direction = Literal["in", "out"]
DIRECTIONS = get_args(Direction)


@dataclass(frozen=True)
class Filters:
    """`unit` is one of one's own, `party` the organisation at the other end, both with all below; `sent_from` and
    `sent_to` are days in Sweden, both included; `late` keeps what is past its day.
    """

    direction: Direction | None = None
    state: State | None = None
    unit: str | None = None
    party: str | None = None
    category: str | None = None
    event_kind: EventKind | None = None
    sent_from: date | None = None
    sent_to: date | None = None
    late: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """From an address. What cannot be read is taken as no filter: an old link still opens."""
        return cls(
            direction=query.get("direction") if query.get("direction") in DIRECTIONS else None,  # type: ignore[arg-type]
            state=State(query["state"]) if query.get("state") in set(State) else None,
            unit=_code(query.get("unit")),
            party=_code(query.get("party")),
            category=_code(query.get("category")),
            event_kind=EventKind(query["event_kind"]) if query.get("event_kind") in set(EventKind) else None,
            sent_from=_day(query.get("sent_from")),
            sent_to=_day(query.get("sent_to")),
            late=query.get("late") == "true",
        )

    def query(self, **changed: Any) -> dict[str, str]:
        """As an address carries them; `changed` replaces some and keeps the others."""
        values = {field.name: getattr(self, field.name) for field in fields(self)} | changed
        return {
            name: "true" if value is True else value.isoformat() if isinstance(value, date) else str(value)
            for name, value in values.items()
            if value not in (None, "", False)
        }

    def to(self, direction: Direction | None) -> Self:
        return replace(self, direction=direction)


def _code(value: str | None) -> str | None:
    return value if value and len(value) <= 60 and value.isprintable() else None


def _day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        return None


def condition(me: Identity, filters: Filters) -> ColumnElement[bool]:
    """The filters as SQL. Says nothing of who may see: that is `visible_to`."""
    wanted = [*_where_it_stands(me, filters), *_whose(filters)]
    if filters.category:
        wanted.append(Deviation.category_id.in_(_categories(filters.category, me.county_id)))
    if filters.event_kind:
        wanted.append(Deviation.event_kind == filters.event_kind)
    if filters.sent_from:
        wanted.append(Deviation.sent_at >= _midnight(filters.sent_from))
    if filters.sent_to and filters.sent_to < date.max:
        wanted.append(Deviation.sent_at < _midnight(filters.sent_to + timedelta(days=1)))
    return and_(True, *wanted)


def _where_it_stands(me: Identity, filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.direction == "out":
        wanted.append(Deviation.sender_branch_id.in_(me.branches))
    elif filters.direction == "in":
        wanted.append(Deviation.receiver_branch_id.in_(me.branches))
    if filters.state:
        wanted.append(Deviation.state == filters.state)
    if filters.late:
        wanted += [
            Deviation.next_due_on < clock.today(),
            Deviation.state.in_(list(WAITS_FOR)),
            ~Deviation.imported,
        ]
    return wanted


def _whose(filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.unit:
        root = aliased(Unit)
        units = (
            select(Unit.id).join(root, root.id == any_(Unit.path)).where(root.hsa_id == filters.unit)
        ).scalar_subquery()
        wanted.append(or_(Deviation.sender_unit_id.in_(units), Deviation.receiver_unit_id.in_(units)))
    if filters.party:
        branches = (
            select(Branch.id)
            .join(Organisation, Organisation.id == Branch.organisation_id)
            .where(Organisation.hsa_id == filters.party)
        ).scalar_subquery()
        wanted.append(
            or_(Deviation.sender_branch_id.in_(branches), Deviation.receiver_branch_id.in_(branches))
        )
    return wanted


def _categories(code: str, county_id: int | None) -> Any:
    above = aliased(Category)
    return (
        select(Category.id)
        .outerjoin(above, above.id == Category.parent_id)
        .where(Category.county_id == county_id, or_(Category.code == code, above.code == code))
    ).scalar_subquery()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), STOCKHOLM)
