"""Answering questions about how cases were handled. The definitions are those of `definitions` and `rates`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, any_, func, or_, select, true, tuple_
from sqlalchemy.orm import Session, aliased

from backend.agreements.models import Category
from backend.core import clock
from backend.core.calendar import end_of_day
from backend.core.errors import Fault, InvalidError
from backend.core.text import gettext as _
from backend.deviations.models import Deviation
from backend.directory import queries as directory
from backend.directory.models import Branch, County, Organisation, Unit
from backend.statistics import months
from backend.statistics.definitions import BESIDE, Counts, counts, facts, legs, tally
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
    """The answer: numbers, the median answer time in days, and the days each branch is charged with.

    `redirected` is how many of the cases a unit asked for has sent on, whether within its branch or to another, and
    whoever holds them now. `charged_days` is by the HSA-id of the branch, over the cases that ask for an answer: the
    days that the units asked for held them, until the first answer, the closing, the withdrawal or the cut-off, and
    for the sender's branch those that they lay declined with it.
    """

    counts: Counts
    redirected: int
    median: Median
    charged_days: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """The figures under the names of the contract; proportions as fractions. Nothing is rounded."""
        n = self.counts
        return {
            "matured": n.matured,
            "answered": n.answered,
            "on_time": n.on_time,
            "acknowledged": n.acknowledged,
            "accepted": n.accepted,
            "accepted_by_silence": n.accepted_by_silence,
            "ongoing": n.ongoing,
            "redirected": self.redirected,
            "declined": n.declined,
            "withdrawn": n.withdrawn,
            "disagreed": n.disagreed,
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
    """The figures of the cases asked for, as far as the database role of this unit of work may see them.

    What is asked of the receiver is asked of whoever held the case at the cut-off; of redirects and charged days, of
    whoever has held it.
    """
    wanted = {Deviation.sender_unit_id: question.sender, Deviation.category_id: question.categories}
    cohort = (
        Deviation.county_id == question.county_id,
        sent_in(question.first, question.last),
        *(column.in_(ids) for column, ids in wanted.items() if ids is not None),
    )
    of, leg = facts(question.as_of, *cohort), legs(question.as_of, *cohort)

    def by(unit_id: ColumnElement[int]) -> ColumnElement[bool]:
        return true() if question.receiver is None else unit_id.in_(question.receiver)

    of_them = tally(of, where=by(of.c.receiver_unit_id))
    total = Counts(*map(int, db.execute(select(*counts(of_them))).one()))
    waited = db.execute(
        select(of.c.days, of.c.answered.is_(True), of.c.travelled, of.c.receiver_branch_id, func.count())
        .where(of.c.standing.not_in(BESIDE), by(of.c.receiver_unit_id))
        .group_by(of.c.days, of.c.answered.is_(True), of.c.travelled, of.c.receiver_branch_id)
    ).all()
    handed = db.execute(
        select(
            leg.c.branch_id,
            leg.c.sender_branch_id,
            func.sum(leg.c.days).filter(leg.c.standing.not_in(BESIDE)),
            func.sum(leg.c.days_with_sender).filter(leg.c.standing.not_in(BESIDE)),
            func.count(leg.c.deviation_id.distinct()).filter(leg.c.redirected),
        )
        .where(by(leg.c.unit_id))
        # And all of them together, since a case may have been sent on twice.
        .group_by(func.grouping_sets(tuple_(leg.c.branch_id, leg.c.sender_branch_id), tuple_()))
    ).all()
    charged: Counter[int] = Counter()
    redirected = 0
    for days, _answered, travelled, branch_id, n in waited:
        if not travelled:
            charged[branch_id] += days * n
    for branch_id, sender_id, days, days_with_sender, sent_on in handed:
        if branch_id is None:
            redirected = sent_on
        elif days is not None:
            charged[branch_id] += days
            if days_with_sender:
                charged[sender_id] += days_with_sender
    names = dict(db.execute(select(Branch.id, Branch.hsa_id).where(Branch.id.in_(charged))).all())
    return Figures(
        counts=total,
        redirected=redirected,
        median=median_of((days, answered, n) for days, answered, _travelled, _branch, n in waited),
        charged_days=dict(sorted((names[branch_id], days) for branch_id, days in charged.items())),
    )


def median_of(waited: Iterable[Any]) -> Median:
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
