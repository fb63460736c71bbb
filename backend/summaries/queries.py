"""The month between organisations: how it is counted when it is frozen, and reading what was frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from backend.core.errors import NotFoundError
from backend.core.text import sort_key
from backend.deviations.models import Deviation, Event
from backend.directory.models import Branch, County, Organisation
from backend.statistics import months
from backend.statistics.definitions import BESIDE, Counts, Standing, counts, facts
from backend.statistics.queries import sent_in
from backend.statistics.rates import Rate
from backend.summaries.models import Snapshot

FORM = 1
YEAR = 12


@dataclass(frozen=True, slots=True)
class Handled:
    """What was done in one month with the cases from one organisation to another.

    `sent`, `acknowledged` and `answered` (for the first time) happened in the month, whenever the case was sent;
    `on_time` is how many of those answers came by the due day. `overdue` were unanswered at the end of the month
    with the due day behind them, `exhausted` those of them that everybody has been reminded of. `imported` is how many of the sent are history of an older system. Good
    examples, which ask for no answer, and parties without a login are not in it. Exact numbers: they describe
    organisations, never what happened to anyone.
    """

    sent: int = 0
    acknowledged: int = 0
    answered: int = 0
    on_time: int = 0
    overdue: int = 0
    imported: int = 0
    exhausted: int = 0

    def __add__(self, other: "Handled") -> "Handled":
        return Handled(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Handled)))


def month_figures(db: Session, county_id: int, month: date) -> dict[str, Any]:
    """The figures to freeze: for each ordered pair of organisations that month, and the rate of the last year.

    The cut-off is the end of the month. The year is the twelve months that end with it: the matured cases sent
    in them and how many of those were answered, as `statistics.definitions` has it. Run in the scope `COUNTER`.
    """
    cut_off = months.starts(months.later(month))
    organisations = {
        branch_id: (hsa_id, name, kind)
        for branch_id, hsa_id, name, kind in db.execute(
            select(Branch.id, Organisation.hsa_id, Organisation.name, Organisation.kind).join(
                Organisation, Organisation.id == Branch.organisation_id
            )
        )
    }
    month_of: dict[tuple[str, str], Handled] = {}
    year_of: dict[tuple[str, str], Counts] = {}
    for sender, receiver, *numbers in _handled(db, county_id, month, cut_off):
        way = (organisations[sender][0], organisations[receiver][0])
        month_of[way] = month_of.get(way, Handled()) + Handled(*numbers)
    for sender, receiver, *numbers in _year(db, county_id, month, cut_off):
        way = (organisations[sender][0], organisations[receiver][0])
        year_of[way] = year_of.get(way, Counts()) + Counts(*numbers)
    # A pair with nothing to tell is left out: it comes back in the month that it has something.
    told = sorted(
        way
        for way in month_of.keys() | year_of.keys()
        if month_of.get(way, Handled()) != Handled() or year_of.get(way, Counts()).matured
    )
    mentioned = {hsa_id for way in told for hsa_id in way}
    return {
        "form": FORM,
        "organisations": {
            hsa_id: {"name": name, "kind": kind}
            for hsa_id, name, kind in sorted(organisations.values())
            if hsa_id in mentioned
        },
        "ways": [
            {
                "from": way[0],
                "to": way[1],
                "month": _told_of(month_of.get(way, Handled())),
                "year": _frozen(year_of.get(way, Counts()).answer_rate),
            }
            for way in told
        ],
    }


def _handled(db: Session, county_id: int, month: date, cut_off: datetime) -> Sequence[Any]:
    of = facts(cut_off, Deviation.county_id == county_id)

    def happened(moment: ColumnElement[Any]) -> ColumnElement[bool]:
        return and_(moment >= months.starts(month), moment < cut_off)

    exhausted = (
        select(Event.id)
        .where(Event.deviation_id == of.c.id, Event.verb == "exhausted", Event.at < cut_off)
        .correlate(of)
        .exists()
    )
    which = {
        "sent": happened(of.c.sent_at),
        "acknowledged": happened(of.c.acknowledged_at),
        "answered": happened(of.c.answered_at),
        "on_time": and_(happened(of.c.answered_at), of.c.on_time),
        "overdue": and_(of.c.standing == Standing.MATURED, of.c.unanswered),
        "imported": and_(happened(of.c.sent_at), of.c.imported),
        "exhausted": and_(of.c.standing == Standing.MATURED, of.c.unanswered, exhausted),
    }
    numbers = [func.count().filter(which[f.name]) for f in fields(Handled)]
    ways = (of.c.sender_branch_id, of.c.receiver_branch_id)
    return db.execute(select(*ways, *numbers).where(of.c.standing.not_in(BESIDE)).group_by(*ways)).all()


def _year(db: Session, county_id: int, month: date, cut_off: datetime) -> Sequence[Any]:
    of = facts(cut_off, Deviation.county_id == county_id, sent_in(months.later(month, 1 - YEAR), month))
    ways = (of.c.sender_branch_id, of.c.receiver_branch_id)
    return db.execute(select(*ways, *counts(of)).group_by(*ways)).all()


def _told_of(handled: Handled) -> dict[str, int]:
    """Months from before anything was exhausted say nothing of it, so that they need not be frozen anew."""
    numbers = asdict(handled)
    return numbers if handled.exhausted else {key: n for key, n in numbers.items() if key != "exhausted"}


def _frozen(rate: Rate) -> dict[str, Any]:
    return {
        "matured": rate.whole,
        "answered": rate.part,
        "rate": rate.value,
        "interval": list(rate.interval),
    }


def first_month(db: Session, county_id: int) -> date | None:
    """The month of the county's first case."""
    first = db.scalar(select(func.min(Deviation.sent_at)).where(Deviation.county_id == county_id))
    return months.month_at(first) if first else None


def latest(db: Session, county_id: int, month: date) -> Snapshot | None:
    """The newest issue of a month."""
    return db.scalar(
        select(Snapshot)
        .where(Snapshot.county_id == county_id, Snapshot.month == month)
        .order_by(Snapshot.issue.desc())
        .limit(1)
    )


def listing(db: Session, county_id: int) -> Sequence[Snapshot]:
    """The newest issue of every month that has one, newest month first."""
    return db.scalars(
        select(Snapshot)
        .ext(distinct_on(Snapshot.month))
        .where(Snapshot.county_id == county_id)
        .order_by(Snapshot.month.desc(), Snapshot.issue.desc())
    ).all()


def snapshot(
    db: Session, county_code: str, own_county_id: int | None, month: date
) -> tuple[County, Snapshot]:
    """The month of one's own county. Another county's, or a month without one, is as if it did not exist."""
    county = db.scalar(select(County).where(County.code == county_code.upper(), County.id == own_county_id))
    found = latest(db, county.id, month) if county else None
    if county is None or found is None:
        raise NotFoundError
    return county, found


@dataclass(frozen=True)
class Way:
    """One direction of a pair, as it was frozen."""

    sender: str
    month: Handled
    year: Rate


@dataclass(frozen=True)
class Pair:
    """Two organisations, and what went each way between them."""

    names: tuple[str, str]
    ways: tuple[Way, Way]


@dataclass(frozen=True)
class Told:
    """A snapshot, read back."""

    pairs: list[Pair]
    month: Handled
    year: Rate


def told(figures: Mapping[str, Any]) -> Told:
    """What a snapshot says, with both directions of each pair beside each other.

    Alphabetical, and the region second in its pairs: no order says who did well.
    """
    organisations: dict[str, dict[str, str]] = figures["organisations"]

    def place(hsa_id: str) -> tuple[bool, str]:
        return organisations[hsa_id]["kind"] == "region", sort_key(organisations[hsa_id]["name"])

    ways = {
        (way["from"], way["to"]): Way(
            organisations[way["from"]]["name"], Handled(**way["month"]), _thawed(way["year"])
        )
        for way in figures["ways"]
    }
    pairs = []
    for one, other in sorted(
        {tuple(sorted(way, key=place)) for way in ways}, key=lambda pair: [*map(place, pair)]
    ):
        there, back = (
            ways.get(way) or Way(organisations[way[0]]["name"], Handled(), Rate(0, 0))
            for way in ((one, other), (other, one))
        )
        pairs.append(Pair((there.sender, back.sender), (there, back)))
    return Told(
        pairs=pairs,
        month=sum((way.month for way in ways.values()), Handled()),
        year=Rate(sum(way.year.part for way in ways.values()), sum(way.year.whole for way in ways.values())),
    )


def _thawed(year: Mapping[str, Any]) -> Rate:
    return Rate(year["answered"], year["matured"])
