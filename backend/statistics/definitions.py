"""What is counted, defined once: the page, the command, the exports and the monthly summary all read from here.

A case belongs to the month it was sent, by the Swedish calendar, and counts for the branch that holds it at the
cut-off, or held it last. Earlier holders appear only in what was redirected and in the charged days. Seen from a
cut-off, every case that was sent by then stands in exactly one place (`Standing`), so the numbers of the places
always add up to all that was sent. Rates are given of the matured cases only. What has not happened at the cut-off
has not happened, whenever it was recorded.

A case's own columns tell its present. Of its past they tell all but two things, which are read from what is never
changed: who held it before, from the handovers, and how it had ended before somebody opened it again, from the log.

Only columns are used that the database role `counter` may read: times and places, never a word of text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.orm import InstrumentedAttribute, aliased

from backend.core.calendar import local_date
from backend.deviations.models import Deviation, EndedHow, Event, EventKind, Handover
from backend.directory.models import Branch, Organisation
from backend.statistics.rates import Rate

_AN_INSTANT = timedelta(microseconds=1)
_MOMENT = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None] | ColumnElement[datetime]


class Standing(StrEnum):
    """Where a case stands at a cut-off. The first that fits, in this order."""

    GOOD_EXAMPLE = "good_example"
    """Asks for thanks, not for an answer; also if it got one."""
    EXTERNAL = "external"
    """A party without a login sends or holds it, so its answer comes another way."""
    WITHDRAWN = "withdrawn"
    """Taken back on or before the day the answer was due. Later, it stays among the matured."""
    DISAGREED = "disagreed"
    """Closed as oenighet, and not opened again. Whether it was answered before makes no difference."""
    DECLINED = "declined"
    """The one who held it last said that it was not theirs, and the sender has sent it to nobody else. Nobody holds it,
    so nobody can owe the answer, also where the sender took it back after the day it was due."""
    MATURED = "matured"
    """The end of the day the answer was due is at or before the cut-off: what rates are given of."""
    ONGOING = "ongoing"
    """The rest, also if answered already: to count them early would flatter."""


BESIDE = (Standing.GOOD_EXAMPLE, Standing.EXTERNAL)
"""These wait for no answer here: they are in neither the answer time nor the charged days."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of cases. `sent` is all of them; what follows `matured` is of the matured ones.

    `answered` is the first answer, which no return or reopening undoes; `on_time` came by the end of the due
    day; `accepted` means that the sender said so, and `accepted_by_silence` that the sender let the answer pass and
    has not said so; no reopening undoes either. `imported` is how many of `sent` are history of an older system.
    """

    sent: int = 0
    imported: int = 0
    good_examples: int = 0
    external: int = 0
    withdrawn: int = 0
    disagreed: int = 0
    declined: int = 0
    ongoing: int = 0
    matured: int = 0
    acknowledged: int = 0
    answered: int = 0
    on_time: int = 0
    accepted: int = 0
    accepted_by_silence: int = 0

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


def facts(as_of: datetime, *where: ColumnElement[bool]) -> Subquery:
    """The cases sent at or before the cut-off, one row each, as they then stood. `where` is asked of `Deviation`.

    `receiver_*` is who held the case at the cut-off, or held it last. `until` is the day on which it stopped waiting
    for an answer (answered, closed or withdrawn), else the day of the cut-off; `days` are the calendar days in Sweden
    from its sending, which is day 0, to then, or to its decline where nobody has it; `unanswered` is that it waits
    still. `travelled`: it has left a unit that had it, by today. Comparisons with what never happened are null, which
    a filter takes for no.
    """
    holder, ended = _holders(as_of), _endings(as_of, where)
    receiver_branch = func.coalesce(holder.c.branch_id, Deviation.receiver_branch_id)
    opened_again = Deviation.reopened_at.is_not(None)
    closed_at = case((opened_again, ended.c.closed_at), else_=Deviation.closed_at)
    disagreed = case((opened_again, ended.c.disagreed), else_=Deviation.disagreed_at <= as_of)
    silent = case(
        (opened_again, ended.c.silent),
        else_=and_(Deviation.accepted_by_silence, Deviation.closed_at <= as_of),
    )
    withdrawn = and_(Deviation.withdrawn_at <= as_of, local_day(Deviation.withdrawn_at) <= Deviation.due_on)
    standing = case(
        (Deviation.event_kind == EventKind.GOOD_EXAMPLE, Standing.GOOD_EXAMPLE),
        (_is_external(receiver_branch), Standing.EXTERNAL),
        (withdrawn, Standing.WITHDRAWN),
        (disagreed, Standing.DISAGREED),
        (holder.c.declined_at.is_not(None), Standing.DECLINED),
        # A good example is never due.
        (Deviation.due_on < local_date(as_of), Standing.MATURED),
        else_=Standing.ONGOING,
    )
    stopped = func.least(Deviation.answered_at, closed_at, Deviation.withdrawn_at)
    # A cut-off at the end of a day is the first instant of the next, which nobody has waited into.
    until = local_day(func.least(stopped, as_of - _AN_INSTANT))
    answered, accepted = Deviation.answered_at <= as_of, Deviation.accepted_at <= as_of
    return (
        select(
            Deviation.id,
            Deviation.sender_branch_id,
            Deviation.sender_unit_id,
            receiver_branch.label("receiver_branch_id"),
            func.coalesce(holder.c.unit_id, Deviation.receiver_unit_id).label("receiver_unit_id"),
            Deviation.category_id,
            Deviation.imported,
            Deviation.sent_at,
            Deviation.acknowledged_at,
            Deviation.answered_at,
            local_month(Deviation.sent_at).label("month"),
            standing.label("standing"),
            (Deviation.acknowledged_at <= as_of).label("acknowledged"),
            answered.label("answered"),
            and_(answered, local_day(Deviation.answered_at) <= Deviation.due_on).label("on_time"),
            accepted.label("accepted"),
            and_(silent, accepted.is_not(true())).label("accepted_by_silence"),
            or_(stopped.is_(None), stopped > as_of).label("unanswered"),
            holder.c.deviation_id.is_not(None).label("travelled"),
            until.label("until"),
            _days(local_day(Deviation.sent_at), func.least(until, local_day(holder.c.declined_at))).label(
                "days"
            ),
        )
        .outerjoin(holder, holder.c.deviation_id == Deviation.id)
        .outerjoin(ended, ended.c.deviation_id == Deviation.id)
        .where(Deviation.sent_at <= as_of, *where)
        .subquery("facts")
    )


def _is_external(receiver_branch: ColumnElement[int]) -> ColumnElement[bool]:
    """One of the parties has no login here."""
    return or_(Deviation.sender_branch_id.in_(without_login()), receiver_branch.in_(without_login()))


def without_login() -> Select[int]:
    """The branches of parties outside."""
    return (
        select(Branch.id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(Organisation.kind == "external")
    )


def _days(first: ColumnElement[object], last: ColumnElement[object]) -> ColumnElement[int]:
    return func.greatest(type_coerce(last - first, Integer), 0)


def _travels(leg: type[Handover]) -> ColumnElement[bool]:
    """A leg of a case that has left a unit: of all others the columns of the case itself tell who holds it. The words
    of the index `ix_handovers_travelled`.
    """
    left = leg.ended_how.in_([EndedHow.REDIRECTED, EndedHow.DECLINED, EndedHow.FOLLOWED])
    return or_(leg.position > 1, left)


def _holders(as_of: datetime) -> Subquery:
    """Of the cases that have travelled, the leg they were on at the cut-off, and when it was declined, if it was."""
    leg = aliased(Handover)
    declined = and_(leg.ended_how == EndedHow.DECLINED, leg.ended_at <= as_of)
    return (
        select(
            leg.deviation_id, leg.branch_id, leg.unit_id, case((declined, leg.ended_at)).label("declined_at")
        )
        .ext(distinct_on(leg.deviation_id))
        .where(_travels(leg), leg.sent_at <= as_of)
        .order_by(leg.deviation_id, leg.position.desc())
        .subquery("holders")
    )


_DISAGREED = ("disagree", "disagree_silently")
_CLOSED = ("accept", "accept_silently", *_DISAGREED)


def _endings(as_of: datetime, where: Sequence[ColumnElement[bool]]) -> Subquery:
    """Of the cases that somebody has opened again, how they had ended at the cut-off, from the log: when it was closed,
    if it was, and whether as oenighet; and whether silence had ever accepted the answer.
    """
    opened_again = select(Deviation.id).where(Deviation.reopened_at.is_not(None), *where)
    last = func.array_agg(aggregate_order_by(Event.verb, Event.at.desc(), Event.id.desc()))[1]
    log = (
        select(
            Event.deviation_id,
            last.label("last"),
            func.max(Event.at).label("at"),
            func.bool_or(Event.verb == "accept_silently").label("silent"),
        )
        .where(Event.deviation_id.in_(opened_again), Event.verb.in_([*_CLOSED, "reopen"]), Event.at <= as_of)
        .group_by(Event.deviation_id)
        .subquery("log")
    )
    return select(
        log.c.deviation_id,
        case((log.c.last.in_(_CLOSED), log.c.at)).label("closed_at"),
        log.c.last.in_(_DISAGREED).label("disagreed"),
        log.c.silent,
    ).subquery("endings")


def legs(as_of: datetime, *where: ColumnElement[bool]) -> Subquery:
    """The legs, begun by the cut-off, of the cases of `facts` that have travelled: which unit had the case, and what is
    charged for it. The others' only leg is the row of `facts` itself.

    `days` are from the day the unit got the case to the day it left it or stopped owing an answer: the day of a
    handover counts once, for the one who let go. `days_with_sender` are those for which it then lay declined with the
    sender. Days that a question waited for its reply stay with the one who asked, who held the case: they have already
    moved its due day.
    """
    one = aliased(Handover)
    after = func.lead(one.sent_at).over(partition_by=one.deviation_id, order_by=one.position)
    leg = select(one, after.label("next_at")).where(_travels(one)).subquery("leg").c
    of = facts(as_of, *where, Deviation.id.in_(select(one.deviation_id).where(_travels(one))))
    back = _days(local_day(leg.ended_at), func.least(of.c.until, local_day(leg.next_at)))
    return (
        select(
            leg.deviation_id,
            leg.unit_id,
            leg.branch_id,
            of.c.sender_branch_id,
            of.c.standing,
            and_(leg.ended_how == EndedHow.REDIRECTED, leg.ended_at <= as_of).label("redirected"),
            _days(local_day(leg.sent_at), func.least(of.c.until, local_day(leg.ended_at))).label("days"),
            case((leg.ended_how == EndedHow.DECLINED, back), else_=0).label("days_with_sender"),
        )
        .join(of, of.c.id == leg.deviation_id)
        .where(leg.sent_at <= as_of)
        .subquery("legs")
    )


def tally(of: Subquery, *by: ColumnElement[Any], where: ColumnElement[bool]) -> Subquery:
    """Rows of `facts` counted (`n`) by all that `counts` asks of them: where each stands is then worked out once a case,
    rather than once for every number.
    """
    told = (of.c[name] for name in ("standing", "imported", *_OF_MATURED))
    keys = [*by, *told]
    return select(*keys, func.count().label("n")).where(where).group_by(*keys).subquery("tally")


_OF_MATURED = ("acknowledged", "answered", "on_time", "accepted", "accepted_by_silence")


def counts(of: Subquery) -> list[ColumnElement[int]]:
    """The fields of `Counts` over rows of `facts` or of a `tally`, in their order: one pass, whatever they are grouped by."""
    stands = {standing: of.c.standing == standing for standing in Standing}
    matured = stands[Standing.MATURED]
    which = {
        "imported": of.c.imported,
        "good_examples": stands[Standing.GOOD_EXAMPLE],
        "external": stands[Standing.EXTERNAL],
        "withdrawn": stands[Standing.WITHDRAWN],
        "disagreed": stands[Standing.DISAGREED],
        "declined": stands[Standing.DECLINED],
        "ongoing": stands[Standing.ONGOING],
        "matured": matured,
        **{name: and_(matured, of.c[name]) for name in _OF_MATURED},
    }
    number = func.sum(of.c.n) if "n" in of.c else func.count()
    return [
        func.coalesce(number.filter(which[f.name]) if f.name in which else number, 0).label(f.name)
        for f in fields(Counts)
    ]
