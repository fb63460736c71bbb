"""Answering questions about how cases were handled. The definitions are those of `definitions` and `rates`."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, any_, case, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from backend.access import Identity
from backend.agreements.models import Category
from backend.core import clock
from backend.core.calendar import end_of_day
from backend.core.errors import Fault, InvalidError
from backend.core.text import gettext as _
from backend.core.text import sort_key
from backend.deviations.models import Deviation
from backend.directory import queries as directory
from backend.directory.models import Branch, County, Organisation, Unit
from backend.statistics import months
from backend.statistics.definitions import ASKING, Counts, counts, facts
from backend.statistics.rates import Median, median_of_counts


@dataclass(frozen=True)
class Question:
    """Which cases: of a county, sent in the months `first` to `last`, as they stood at `as_of`.

    `sender` and `receiver` are ids of units, `categories` of categories; None asks for all.
    """

    county_id: int
    first: date
    last: date
    as_of: datetime
    sender: tuple[int, ...] | None = None
    receiver: tuple[int, ...] | None = None
    categories: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Figures:
    """The answer: numbers, the median answer time in days, and the days each holding branch is charged with.

    `charged_days` is by the HSA-id of the branch, since that is who a case counts for: over the cases that ask
    for an answer, the calendar days from sending to the answer, the withdrawal or the cut-off.
    """

    counts: Counts
    median: Median
    charged_days: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """The figures under the names of the contract; proportions as fractions. Nothing is rounded.

        A case can be neither redirected, declined, disputed nor accepted by silence yet: those are 0.
        """
        n = self.counts
        return {
            "matured": n.matured,
            "answered": n.answered,
            "on_time": n.on_time,
            "acknowledged": n.acknowledged,
            "accepted": n.accepted,
            "accepted_by_silence": 0,
            "ongoing": n.ongoing,
            "redirected": 0,
            "declined": 0,
            "withdrawn": n.withdrawn,
            "disagreed": 0,
            "good_examples": n.good_examples,
            "external": n.external,
            "answer_rate": n.answer_rate.value,
            "interval": list(n.answer_rate.interval),
            "median_days": self.median.value,
            "median_interval": [self.median.low, self.median.high],
            "charged_days": self.charged_days,
        }


def sent_in(first: date, last: date) -> ColumnElement[bool]:
    """Sent in one of the months, by the Swedish calendar."""
    return and_(
        Deviation.sent_at >= months.starts(first), Deviation.sent_at < months.starts(months.later(last))
    )


def answer_figures(db: Session, question: Question) -> Figures:
    """The figures of the cases asked for, as far as the database role of this unit of work may see them."""
    wanted = {
        Deviation.sender_unit_id: question.sender,
        Deviation.receiver_unit_id: question.receiver,
        Deviation.category_id: question.categories,
    }
    of = facts(
        question.as_of,
        Deviation.county_id == question.county_id,
        sent_in(question.first, question.last),
        *(column.in_(ids) for column, ids in wanted.items() if ids is not None),
    )
    total = Counts(*db.execute(select(*counts(of))).one())
    waited = db.execute(
        select(Branch.hsa_id, of.c.days, of.c.answered.is_(True), counts(of)[0])
        .join(Branch, Branch.id == of.c.receiver_branch_id)
        .where(of.c.standing.in_(ASKING))
        .group_by(Branch.hsa_id, of.c.days, of.c.answered.is_(True))
        .order_by(Branch.hsa_id)
    ).all()
    charged: Counter[str] = Counter()
    for hsa_id, days, _answered, n in waited:
        charged[hsa_id] += days * n
    return Figures(total, _median(row[1:] for row in waited), dict(charged))


def _median(waited: Iterable[Any]) -> Median:
    """From rows of (days, answered, number of cases)."""
    answered: Counter[int] = Counter()
    ongoing: Counter[int] = Counter()
    for days, has_answer, n in waited:
        (answered if has_answer else ongoing)[days] += n
    return median_of_counts(answered, ongoing)


def cut_off(day: date | None) -> datetime:
    """The end of that day in Sweden; without a day, now."""
    return clock.now() if day is None else end_of_day(day)


def answer_rate(
    db: Session,
    *,
    county: str | None,
    first: date,
    last: date,
    sender: str | None = None,
    receiver: str | None = None,
    category: str | None = None,
    as_of: date | None = None,
) -> dict[str, Any]:
    """The figures as the command and the API give them, from codes and HSA-ids.

    `as_of` is told as the day it is the end of, or, where no day was asked for, as the present moment. Run over
    all branches in the scope `COUNTER`. Raises InvalidError naming what does not exist.
    """
    found = _county(db, county)
    if last < first:
        raise InvalidError(Fault("to", _("Sista månaden ligger före den första.")))
    end = cut_off(as_of)
    figures = answer_figures(
        db,
        Question(
            county_id=found.id,
            first=months.month_of(first),
            last=months.month_of(last),
            as_of=end,
            sender=units_of(db, found.id, sender, "sender") if sender else None,
            receiver=units_of(db, found.id, receiver, "receiver") if receiver else None,
            categories=categories_of(db, found.id, category) if category else None,
        ),
    )
    return {
        "from": months.code(first),
        "to": months.code(last),
        "as_of": (as_of or clock.local(end).replace(microsecond=0)).isoformat(),
        "sender": sender,
        "receiver": receiver,
        "category": category,
        **figures.as_json(),
    }


def _county(db: Session, code: str | None) -> County:
    if code is not None:
        if (found := directory.county_by_code(db, code)) is None:
            raise InvalidError(Fault("county", _("Länet {code} finns inte.").format(code=code)))
        return found
    counties = directory.counties(db)
    if len(counties) != 1:
        raise InvalidError(Fault("county", _("Ange vilket län det gäller.")))
    return counties[0]


def units_of(db: Session, county_id: int, hsa_id: str, field: str) -> tuple[int, ...]:
    """The units of an organisation, or a unit with all below it; ended ones too, since they have a history."""
    top = select(Unit.id).where(Unit.hsa_id == hsa_id).scalar_subquery()
    found = db.scalars(
        select(Unit.id)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(
            Organisation.county_id == county_id,
            or_(Organisation.hsa_id == hsa_id, top == any_(Unit.path)),
        )
        .order_by(Unit.id)
    ).all()
    if not found:
        raise InvalidError(
            Fault(field, _("{hsa_id} är ingen organisation eller enhet här.").format(hsa_id=hsa_id))
        )
    return tuple(found)


def categories_of(db: Session, county_id: int, code: str) -> tuple[int, ...]:
    """A category with all below it."""
    top = select(Category.id).where(Category.county_id == county_id, Category.code == code)
    tree = top.cte("tree", recursive=True)
    below = aliased(Category)
    tree = tree.union(select(below.id).join(tree, below.parent_id == tree.c.id))
    found = tuple(db.scalars(select(tree.c.id).order_by(tree.c.id)))
    if not found:
        raise InvalidError(Fault("category", _("Kategorin {code} finns inte.").format(code=code)))
    return found


@dataclass(frozen=True)
class Line:
    """A row of a table: what came in to the branch beside what went out from it."""

    name: str
    incoming: Counts
    outgoing: Counts


@dataclass(frozen=True)
class Overview:
    """A branch's own cases, sent in the months asked for, as they stand at the cut-off; both directions."""

    whole: Line
    incoming_median: Median
    outgoing_median: Median
    by_month: list[Line]
    by_unit: list[Line]
    by_category: list[Line]
    by_counterpart: list[Line]


def overview(db: Session, me: Identity, first: date, last: date, as_of: datetime) -> Overview:
    """The branch's figures: two passes over its cases, however many tables come of them.

    Units and counterparts come in alphabetical order and categories in the county's own: it is no league table.
    """
    of = facts(as_of, _own(me), sent_in(first, last))
    incoming = of.c.receiver_branch_id.in_(me.branches)
    own_unit = case((incoming, of.c.receiver_unit_id), else_=of.c.sender_unit_id)
    counterpart = case((incoming, of.c.sender_branch_id), else_=of.c.receiver_branch_id)
    # Named inside, so that what is grouped by is a column and not an expression with parameters of its own.
    cases = select(
        of,
        incoming.label("incoming"),
        own_unit.label("own_unit"),
        counterpart.label("counterpart"),
    ).subquery("cases")
    c = cases.c
    cuts = [c.month, c.own_unit, c.category_id, c.counterpart]
    rows = db.execute(
        select(func.grouping(*cuts), c.incoming, *cuts, *counts(cases)).group_by(
            func.grouping_sets(tuple_(c.incoming), *(tuple_(c.incoming, cut) for cut in cuts))
        )
    ).all()
    waited = db.execute(
        select(c.incoming, c.days, c.answered.is_(True), func.count())
        .where(c.standing.in_(ASKING))
        .group_by(c.incoming, c.days, c.answered.is_(True))
    ).all()

    # grouping() sets a bit, the last cut's lowest, for every cut that a row is not grouped by.
    every = (1 << len(cuts)) - 1
    found: dict[int, dict[Any, dict[bool, Counts]]] = {}
    for row in rows:
        key = next((value for value in row[2:6] if value is not None), None)
        found.setdefault(every - row[0], {}).setdefault(key, {})[row[1]] = Counts(*row[6:])
    by_month, by_unit, by_category, by_counterpart = (found.get(1 << bit, {}) for bit in (3, 2, 1, 0))
    return Overview(
        whole=_line("", [found.get(0, {}).get(None, {})]),
        incoming_median=_median(row[1:] for row in waited if row[0]),
        outgoing_median=_median(row[1:] for row in waited if not row[0]),
        by_month=_lines(
            by_month, [(months.name(m), [m]) for m in months.between(first, last)], keep_empty=True
        ),
        by_unit=_lines(by_unit, _units(db, by_unit)),
        by_category=_lines(by_category, _categories(db, me)),
        by_counterpart=_lines(by_counterpart, _counterparts(db, by_counterpart)),
    )


def last_month(db: Session, me: Identity) -> date | None:
    """The month of the branch's latest case, to point to where the months asked for are empty."""
    latest = db.scalar(select(func.max(Deviation.sent_at)).where(_own(me)))
    return months.month_at(latest) if latest else None


def _own(me: Identity) -> ColumnElement[bool]:
    """The cases that the branch holds or has sent; not those it only follows because it commissioned a unit."""
    return or_(Deviation.receiver_branch_id.in_(me.branches), Deviation.sender_branch_id.in_(me.branches))


def _line(name: str, parts: Iterable[Mapping[bool, Counts]]) -> Line:
    both = list(parts)
    incoming, outgoing = (sum((part.get(way, Counts()) for part in both), Counts()) for way in (True, False))
    return Line(name, incoming, outgoing)


def _lines(
    found: Mapping[Any, Mapping[bool, Counts]],
    named: Iterable[tuple[str, list[Any]]],
    *,
    keep_empty: bool = False,
) -> list[Line]:
    """One row for each name, of all the keys that it stands for."""
    return [
        _line(name, [found[key] for key in keys if key in found])
        for name, keys in named
        if keep_empty or any(key in found for key in keys)
    ]


def _units(db: Session, ids: Iterable[int]) -> list[tuple[str, list[int]]]:
    rows = db.execute(select(Unit.name, Unit.id).where(Unit.id.in_(list(ids)))).all()
    return sorted(((name, [unit_id]) for name, unit_id in rows), key=lambda item: sort_key(item[0]))


def _counterparts(db: Session, ids: Iterable[int]) -> list[tuple[str, list[int]]]:
    """The organisations of the branches: the parties one works with."""
    rows = db.execute(
        select(Organisation.name, func.array_agg(Branch.id))
        .join(Branch, Branch.organisation_id == Organisation.id)
        .where(Branch.id.in_(list(ids)))
        .group_by(Organisation.id)
    ).all()
    return sorted(((name, list(branches)) for name, branches in rows), key=lambda item: sort_key(item[0]))


def _categories(db: Session, me: Identity) -> list[tuple[str, list[int]]]:
    """The topmost categories in the county's order, each with all below it."""
    rows = db.execute(
        select(Category.id, Category.parent_id, Category.label)
        .where(Category.county_id == me.county_id)
        .order_by(Category.position)
    ).all()
    parents = {row[0]: row[1] for row in rows}

    def top(category_id: int) -> int:
        parent: int | None = parents[category_id]
        return category_id if parent is None else top(parent)

    return [
        (label, [one for one in parents if top(one) == category_id])
        for category_id, parent, label in rows
        if parent is None
    ]
