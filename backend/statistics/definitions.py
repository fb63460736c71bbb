"""What is counted, defined once: the page, the command, the exports and the monthly summary all read from here.

A case belongs to the month it was sent, by the Swedish calendar, and counts for the branch that holds it. Seen
from a cut-off, every case that was sent by then stands in exactly one place (`Standing`), so the numbers of the
five places always add up to all that was sent. Rates are given of the matured cases only. What has not happened
at the cut-off has not happened, whenever it was recorded.

Only columns are used that the database role `counter` may read: times and places, never a word of text.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Subquery,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute

from backend.core.calendar import local_date
from backend.deviations.models import Deviation, EventKind
from backend.directory.models import Branch, Organisation
from backend.statistics.rates import Rate

_AN_INSTANT = timedelta(microseconds=1)
_MOMENT = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None] | ColumnElement[datetime]


class Standing(StrEnum):
    """Where a case stands at a cut-off. The first that fits, in this order."""

    GOOD_EXAMPLE = "good_example"
    """Asks for thanks, not for an answer; also if it got one."""
    EXTERNAL = "external"
    """A party without a login sends or receives it, so its answer comes another way."""
    WITHDRAWN = "withdrawn"
    """Taken back on or before the day the answer was due. Later, it stays among the matured."""
    MATURED = "matured"
    """The end of the day the answer was due is at or before the cut-off: what rates are given of."""
    ONGOING = "ongoing"
    """The rest, also if answered already: to count them early would flatter."""


ASKING = (Standing.WITHDRAWN, Standing.MATURED, Standing.ONGOING)


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of cases. `sent` is all of them; what follows `matured` is of the matured ones.

    `answered` is the first answer, which no return or reopening undoes; `on_time` came by the end of the due
    day; `accepted` means that the sender said so. `imported` is how many of `sent` are history of an older system.
    """

    sent: int = 0
    imported: int = 0
    good_examples: int = 0
    external: int = 0
    withdrawn: int = 0
    ongoing: int = 0
    matured: int = 0
    acknowledged: int = 0
    answered: int = 0
    on_time: int = 0
    accepted: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)))

    @property
    def answer_rate(self) -> Rate:
        return Rate(self.answered, self.matured)

    @property
    def on_time_rate(self) -> Rate:
        return Rate(self.on_time, self.matured)


def local_day(moment: _MOMENT) -> ColumnElement[object]:
    """The date in Sweden at that moment, as SQL."""
    return cast(func.timezone("Europe/Stockholm", moment), Date)


def local_month(moment: _MOMENT) -> ColumnElement[object]:
    """The first day of the month in Sweden at that moment, as SQL."""
    return cast(func.date_trunc("month", func.timezone("Europe/Stockholm", moment)), Date)


def is_external() -> ColumnElement[bool]:
    """One of the parties has no login here."""
    without_login = (
        select(Branch.id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(Organisation.kind == "external")
    )
    return or_(Deviation.sender_branch_id.in_(without_login), Deviation.receiver_branch_id.in_(without_login))


def is_overdue(as_of: datetime) -> ColumnElement[bool]:
    """The end of the due day has come. A good example is never due."""
    return Deviation.due_on < local_date(as_of)


def is_on_time() -> ColumnElement[bool]:
    return local_day(Deviation.answered_at) <= Deviation.due_on


def facts(as_of: datetime, *where: ColumnElement[bool]) -> Subquery:
    """The cases sent at or before the cut-off, one row each, as they then stood.

    `days` are those the receiver has had the case: calendar days in Sweden, the sending day being day 0, until
    it was answered, closed or withdrawn, else until the cut-off. Comparisons with what never happened are null,
    which a filter takes for no.
    """
    withdrawn = and_(Deviation.withdrawn_at <= as_of, local_day(Deviation.withdrawn_at) <= Deviation.due_on)
    standing = case(
        (Deviation.event_kind == EventKind.GOOD_EXAMPLE, Standing.GOOD_EXAMPLE),
        (is_external(), Standing.EXTERNAL),
        (withdrawn, Standing.WITHDRAWN),
        (is_overdue(as_of), Standing.MATURED),
        else_=Standing.ONGOING,
    )
    # A cut-off at the end of a day is the first instant of the next, which nobody has waited into.
    until = func.least(
        Deviation.answered_at, Deviation.closed_at, Deviation.withdrawn_at, as_of - _AN_INSTANT
    )
    days = type_coerce(local_day(until) - local_day(Deviation.sent_at), Integer)
    return (
        select(
            Deviation.sender_branch_id,
            Deviation.sender_unit_id,
            Deviation.receiver_branch_id,
            Deviation.receiver_unit_id,
            Deviation.category_id,
            Deviation.imported,
            local_month(Deviation.sent_at).label("month"),
            standing.label("standing"),
            (Deviation.acknowledged_at <= as_of).label("acknowledged"),
            (Deviation.answered_at <= as_of).label("answered"),
            and_(Deviation.answered_at <= as_of, is_on_time()).label("on_time"),
            (Deviation.accepted_at <= as_of).label("accepted"),
            func.greatest(days, 0).label("days"),
        )
        .where(Deviation.sent_at <= as_of, *where)
        .subquery("facts")
    )


def counts(of: Subquery) -> list[ColumnElement[int]]:
    """The fields of `Counts` over rows of `facts`, in their order: one pass, whatever they are grouped by."""
    stands = {standing: of.c.standing == standing for standing in Standing}
    matured = stands[Standing.MATURED]
    which = {
        "imported": of.c.imported,
        "good_examples": stands[Standing.GOOD_EXAMPLE],
        "external": stands[Standing.EXTERNAL],
        "withdrawn": stands[Standing.WITHDRAWN],
        "ongoing": stands[Standing.ONGOING],
        "matured": matured,
        "acknowledged": and_(matured, of.c.acknowledged),
        "answered": and_(matured, of.c.answered),
        "on_time": and_(matured, of.c.on_time),
        "accepted": and_(matured, of.c.accepted),
    }
    return [
        (func.count().filter(which[f.name]) if f.name in which else func.count()).label(f.name)
        for f in fields(Counts)
    ]
