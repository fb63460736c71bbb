"""Whether what is sent to a unit reaches somebody: what is known of it, and what is wrong, the worst first.

Pure: who receives, and how they have been reached, is looked up elsewhere. A unit without people of its own is served
by those of the nearest unit above, and what is wrong with those people is told where they are, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from backend.core.bounces import Run
from backend.core.calendar import Calendar, local_date

Kind = Literal[
    "no_receiver", "unreachable", "unanswered", "silent", "bounces", "no_substitute", "unconfirmed"
]

# How much worse one thing is than another: the first is the worst.
WORST_FIRST: tuple[Kind, ...] = (
    "no_receiver",
    "unreachable",
    "unanswered",
    "silent",
    "bounces",
    "no_substitute",
    "unconfirmed",
)
CONFIRMED_FOR = timedelta(days=365)
NEW_FOR = timedelta(days=30)
SILENT_AFTER = timedelta(days=60)
# One late answer may be anything; this many in a row is a pattern.
STREAK = 2


@dataclass(frozen=True)
class Receiver:
    """Someone who handles what comes to a unit. `since` is the first day of their assignment, `covered` whether
    somebody is named to stand in for them, now or later.
    """

    id: int
    title: str
    email: str
    since: date
    confirmed_at: datetime | None
    covered: bool = False
    bounces: Run | None = None


@dataclass(frozen=True)
class Reach:
    """Who receives at a unit. `receivers` are written to; `colleagues` are all who handle or lead there, them too.
    `at` is the unit above whose people they are, None where they are the unit's own.
    """

    unit_id: int
    hsa_id: str
    unit: str
    intake: bool
    branch_id: int
    branch: str
    receivers: tuple[Receiver, ...] = ()
    colleagues: tuple[Receiver, ...] = ()
    at: str | None = None
    last_login: datetime | None = None
    last_opened: datetime | None = None
    streak: int = 0

    @property
    def bounced(self) -> tuple[Receiver, ...]:
        return tuple(one for one in self.receivers if one.bounces)


@dataclass(frozen=True)
class Finding:
    """Something wrong, and with whom; nobody where it is with the unit."""

    kind: Kind
    people: tuple[Receiver, ...] = field(default=())


def is_due(confirmed_at: datetime | None, since: date, today: date) -> bool:
    """Whether somebody should say again that mail reaches them: 365 days after the last time, or 30 days after the
    assignment began.
    """
    if confirmed_at is None:
        return since + NEW_FOR <= today
    return local_date(confirmed_at) + CONFIRMED_FOR <= today


def findings(reach: Reach, now: datetime) -> list[Finding]:
    """What is wrong, the worst first."""
    today = local_date(now)
    if not reach.receivers:
        found = [Finding("no_receiver")]
        return [*found, Finding("unanswered")] if reach.streak >= STREAK else found
    found = []
    gone = tuple(one for one in reach.receivers if one.bounces and one.bounces.unreachable)
    if len(gone) == len(reach.receivers):
        found.append(Finding("unreachable", gone))
    if reach.streak >= STREAK:
        found.append(Finding("unanswered"))
    if reach.at is None:
        found += _of_people(reach, now, today, gone if len(gone) == len(reach.receivers) else ())
    return sorted(found, key=lambda finding: WORST_FIRST.index(finding.kind))


def _of_people(reach: Reach, now: datetime, today: date, told: tuple[Receiver, ...]) -> list[Finding]:
    found = []
    old_enough = all(one.since + NEW_FOR <= today for one in reach.receivers)
    if old_enough and (reach.last_login is None or reach.last_login + SILENT_AFTER <= now):
        found.append(Finding("silent", reach.receivers))
    if bounced := tuple(one for one in reach.bounced if one not in told):
        found.append(Finding("bounces", bounced))
    if lacks_substitute(reach):
        found.append(Finding("no_substitute", reach.colleagues))
    if due := tuple(one for one in reach.colleagues if is_due(one.confirmed_at, one.since, today)):
        found.append(Finding("unconfirmed", due))
    return found


def lacks_substitute(reach: Reach) -> bool:
    """Whether all rests on one person of the unit's own, for whom nobody is named to stand in."""
    return reach.at is None and len(reach.colleagues) == 1 and not reach.colleagues[0].covered


def weight(found: Sequence[Finding]) -> tuple[int, ...]:
    """To sort units by: the one with the worst first, and of two alike the one with more."""
    return (*(WORST_FIRST.index(finding.kind) for finding in found), len(WORST_FIRST))


def half_year_day(today: date, calendar: Calendar) -> date:
    """The next day on which an organisation is told of units without substitutes, today included: the first working
    day of May, before the summer, and of November, before Christmas.
    """
    for year in (today.year, today.year + 1):
        for month in (5, 11):
            day = calendar.next_working_day(date(year, month, 1))
            if day >= today:
                return day
    raise AssertionError("next year's May is always ahead")
