"""A branch's own figures, both directions, in every cut of its page."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.agreements.models import Category
from backend.core.text import sort_key
from backend.deviations.models import Deviation, EndedHow, Handover
from backend.directory.models import Branch, Organisation, Unit
from backend.statistics import months
from backend.statistics.definitions import BESIDE, Counts, counts, facts
from backend.statistics.queries.answers import median_of, sent_in
from backend.statistics.rates import Median


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
    stayed: Mapping[tuple[bool, int], int]
    """The days charged for the cases that never left whom they were sent to, by whether they came to us and the branch at
    the other end. Those of the others stand on their legs: see `held`.
    """


def overview(db: Session, me: Identity, first: date, last: date, as_of: datetime) -> Overview:
    """The branch's figures: two passes over its cases, however many tables come of them.

    Units and counterparts come in alphabetical order and categories in the county's own: it is no league table.
    """
    of = facts(as_of, _own(me), sent_in(first, last))
    incoming = of.c.receiver_branch_id.in_(me.branches)
    own = or_(incoming, of.c.sender_branch_id.in_(me.branches))
    own_unit = case((incoming, of.c.receiver_unit_id), else_=of.c.sender_unit_id)
    counterpart = case((incoming, of.c.sender_branch_id), else_=of.c.receiver_branch_id)
    # Named inside, so that what is grouped by is a column and not an expression with parameters of its own.
    cases = (
        select(
            of,
            incoming.label("incoming"),
            own_unit.label("own_unit"),
            counterpart.label("counterpart"),
        )
        .where(own)
        # Where each stands is worked out once a case, rather than once for every number.
        .offset(0)
        .subquery("cases")
    )
    c = cases.c
    cuts = [c.month, c.own_unit, c.category_id, c.counterpart]
    rows = db.execute(
        select(func.grouping(*cuts), c.incoming, *cuts, *counts(cases)).group_by(
            func.grouping_sets(tuple_(c.incoming), *(tuple_(c.incoming, cut) for cut in cuts))
        )
    ).all()
    waited = db.execute(
        select(c.incoming, c.days, c.answered.is_(True), func.count(), c.counterpart, c.travelled)
        .where(c.standing.not_in(BESIDE))
        .group_by(c.incoming, c.days, c.answered.is_(True), c.counterpart, c.travelled)
    ).all()
    stayed: Counter[tuple[bool, int]] = Counter()
    for came, days, _answered, n, branch_id, travelled in waited:
        if not travelled:
            stayed[came, branch_id] += days * n

    # grouping() sets a bit, the last cut's lowest, for every cut that a row is not grouped by.
    every = (1 << len(cuts)) - 1
    found: dict[int, dict[Any, dict[bool, Counts]]] = {}
    for row in rows:
        key = next((value for value in row[2:6] if value is not None), None)
        found.setdefault(every - row[0], {}).setdefault(key, {})[row[1]] = Counts(*row[6:])
    by_month, by_unit, by_category, by_counterpart = (found.get(1 << bit, {}) for bit in (3, 2, 1, 0))
    return Overview(
        whole=_line("", [found.get(0, {}).get(None, {})]),
        incoming_median=median_of(row[1:4] for row in waited if row[0]),
        outgoing_median=median_of(row[1:4] for row in waited if not row[0]),
        by_month=_lines(
            by_month, [(months.name(m), [m]) for m in months.between(first, last)], keep_empty=True
        ),
        by_unit=_lines(by_unit, _units(db, by_unit)),
        by_category=_lines(by_category, _categories(db, me)),
        by_counterpart=_lines(by_counterpart, _counterparts(db, by_counterpart)),
        stayed=stayed,
    )


@dataclass(frozen=True)
class Left:
    """Of the cases sent in the months asked for, how many have been sent on by whoever had them, and what has left the
    branch's own sight, which therefore stands on none of its lines: what it has declined, and what was taken back from
    it. Each is what became of a leg, and stays so whatever happened to the case later.
    """

    sent_on_by_us: int
    declined_by_us: int
    taken_back_from_us: int
    sent_on_by_them: int


def left(db: Session, me: Identity, first: date, last: date, as_of: datetime) -> Left:
    """Run in the scope `COUNTER`, since a branch no longer sees a case that has left it: numbers of the branch's own
    doings, and of what became of those it sent, which it sees on each of them.
    """
    sent_on, declined, withdrawn = (
        Handover.ended_how == how for how in (EndedHow.REDIRECTED, EndedHow.DECLINED, EndedHow.WITHDRAWN)
    )
    ours, theirs = Handover.branch_id.in_(me.branches), Deviation.sender_branch_id.in_(me.branches)
    wanted = (and_(ours, sent_on), and_(ours, declined), and_(ours, withdrawn), and_(theirs, sent_on))
    row = db.execute(
        select(*(func.count(Deviation.id.distinct()).filter(one) for one in wanted))
        .join(Handover, Handover.deviation_id == Deviation.id)
        .where(sent_in(first, last), or_(ours, theirs), Handover.ended_at <= as_of)
    ).one()
    return Left(*map(int, row))


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
