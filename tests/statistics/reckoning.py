"""The figures once more, in plain Python over plain rows, by hand from the words of the definitions.

It shares nothing with the SQL but the working days of the calendar, and the estimators of `rates`, which are
tested against published values of their own.
"""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from backend.core.calendar import Calendar
from backend.exchange import COUNTIES
from backend.statistics.rates import median_answer_time, wilson

Units = set[str] | None
# The unit of a party without a login.
EXTERNAL = "EXTERNAL"
SWEDEN = ZoneInfo("Europe/Stockholm")
BLEKINGE = COUNTIES / "blekinge"


@dataclass(frozen=True)
class Leg:
    """A unit got the case, and how and when it left that unit, if it did."""

    unit: str
    sent_at: datetime
    ended_at: datetime | None = None
    ended_how: str | None = None


@dataclass(frozen=True)
class Case:
    """A whole life, told by when things happened. `receiver` is the first one; of a case that moved, `legs` has them all.

    `endings` are the times when it was closed or opened again, and how: accept, accept_silently, disagree,
    disagree_silently or reopen.
    """

    sender: str
    receiver: str
    category: str
    sent_at: datetime
    due_on: date | None
    good_example: bool = False
    imported: bool = False
    acknowledged_at: datetime | None = None
    answered_at: datetime | None = None
    accepted_at: datetime | None = None
    closed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    legs: tuple[Leg, ...] = ()
    endings: tuple[tuple[datetime, str], ...] = ()

    @property
    def route(self) -> tuple[Leg, ...]:
        return self.legs or (Leg(self.receiver, self.sent_at),)

    def leg_at(self, cut_off: datetime) -> Leg:
        """The leg it was on."""
        return [leg for leg in self.route if leg.sent_at <= cut_off][-1]

    def declined_at(self, cut_off: datetime) -> datetime | None:
        """When its last receiver declined it, if it lies so."""
        leg = self.leg_at(cut_off)
        return leg.ended_at if leg.ended_how == "declined" and happened(leg.ended_at, cut_off) else None

    def ended(self, cut_off: datetime) -> tuple[datetime, str] | None:
        """How it is closed, if it is."""
        past = [ending for ending in self.endings if ending[0] <= cut_off]
        return past[-1] if past and past[-1][1] != "reopen" else None

    @property
    def month(self) -> str:
        return f"{self.sent_at.astimezone(SWEDEN):%Y-%m}"


def day(moment: datetime) -> date:
    return moment.astimezone(SWEDEN).date()


def end_of(last: date) -> datetime:
    return datetime(*(last + timedelta(days=1)).timetuple()[:3], tzinfo=SWEDEN)


def happened(moment: datetime | None, cut_off: datetime) -> bool:
    return moment is not None and moment <= cut_off


def standing(case: Case, cut_off: datetime) -> str:
    if case.good_example:
        return "good_examples"
    if EXTERNAL in (case.sender, case.leg_at(cut_off).unit):
        return "external"
    assert case.due_on is not None
    withdrawn = case.withdrawn_at
    if withdrawn is not None and happened(withdrawn, cut_off) and withdrawn < end_of(case.due_on):
        return "withdrawn"
    ended = case.ended(cut_off)
    if ended is not None and ended[1].startswith("disagree"):
        return "disagreed"
    if case.declined_at(cut_off) is not None:
        return "declined"
    return "matured" if end_of(case.due_on) <= cut_off else "ongoing"


def last_day(case: Case, cut_off: datetime) -> date:
    """The last day on which somebody owed an answer."""
    ended = case.ended(cut_off)
    closed = ended[0] if ended else case.closed_at
    ends = [at for at in (case.answered_at, closed, case.withdrawn_at) if at and happened(at, cut_off)]
    # At the very end of a day, that day is the last one waited.
    return day(min([*ends, cut_off - timedelta(microseconds=1)]))


def waited(case: Case, cut_off: datetime) -> int:
    """The days until the answer, or until nobody waited for it any more."""
    last = last_day(case, cut_off)
    if (declined := case.declined_at(cut_off)) is not None:
        last = min(last, day(declined))
    return max(0, (last - day(case.sent_at)).days)


def charge(case: Case, cut_off: datetime, places: dict[str, str], units: Units) -> Counter[str]:
    """Every day to the branch that had the case when it began, until nobody owed an answer."""
    charged: Counter[str] = Counter()
    last, route = last_day(case, cut_off), [leg for leg in case.route if leg.sent_at <= cut_off]
    for number, leg in enumerate(route):
        if units is not None and leg.unit not in units:
            continue
        until = min(day(leg.ended_at), last) if happened(leg.ended_at, cut_off) and leg.ended_at else last
        charged[places[leg.unit]] += max(0, (until - day(leg.sent_at)).days)
        if leg.ended_how == "declined" and leg.ended_at and happened(leg.ended_at, cut_off):
            back = min(day(route[number + 1].sent_at), last) if number + 1 < len(route) else last
            if (lay := (back - day(leg.ended_at)).days) > 0:
                charged[places[case.sender]] += lay
    return charged


def reckon(
    cases: Iterable[Case], cut_off: datetime, branch_of: dict[str, str], receivers: Units = None
) -> dict[str, Any]:
    """Every field of the contract that a list of cases decides; of the cases that `receivers` hold or have held, if
    they are asked for.
    """
    n: Counter[str] = Counter()
    held: list[tuple[int, bool]] = []
    charged: Counter[str] = Counter()
    for case in cases:
        if not happened(case.sent_at, cut_off):
            continue
        where = standing(case, cut_off)
        if where not in ("good_examples", "external"):
            for branch, days in charge(case, cut_off, branch_of, receivers).items():
                charged[branch] += days
        n["redirected"] += any(
            leg.ended_how == "redirected" and happened(leg.ended_at, cut_off)
            for leg in case.route
            if receivers is None or leg.unit in receivers
        )
        if receivers is not None and case.leg_at(cut_off).unit not in receivers:
            continue
        n[where] += 1
        if where not in ("good_examples", "external"):
            held.append((waited(case, cut_off), happened(case.answered_at, cut_off)))
        if where == "matured":
            n["acknowledged"] += happened(case.acknowledged_at, cut_off)
            accepted = happened(case.accepted_at, cut_off)
            n["accepted"] += accepted
            n["accepted_by_silence"] += not accepted and any(
                how == "accept_silently" and happened(at, cut_off) for at, how in case.endings
            )
            if happened(case.answered_at, cut_off):
                assert case.answered_at is not None
                assert case.due_on is not None
                n["answered"] += 1
                n["on_time"] += day(case.answered_at) <= case.due_on
    median = median_answer_time(held)
    return {
        **{name: n[name] for name in COUNTED},
        "answer_rate": n["answered"] / n["matured"] if n["matured"] else None,
        "interval": list(wilson(n["answered"], n["matured"])),
        "median_days": median.value,
        "median_interval": [median.low, median.high],
        "charged_days": dict(charged),
    }


def held(cases: Iterable[Case], cut_off: datetime, places: "Directory", mine: str) -> dict[str, Counter[str]]:
    """By the organisation at the other end, of the cases that a branch has sent or had: the days with it and with them,
    and how many each has sent on.
    """
    found: dict[str, Counter[str]] = {}

    def between(unit: str) -> Counter[str]:
        return found.setdefault(places.name[places.organisation[unit]], Counter())

    for case in cases:
        if not happened(case.sent_at, cut_off):
            continue
        sent = places.branch[case.sender] == mine
        legs = [leg for leg in case.route if leg.sent_at <= cut_off]
        # Two branches of one party may have sent it on: a case, once.
        sent_on: dict[str, Counter[str]] = {}
        for branch in {places.branch[leg.unit] for leg in legs}:
            if not sent and branch != mine:
                continue
            units = {unit for unit in places.branch if places.branch[unit] == branch}
            here = [leg for leg in legs if leg.unit in units]
            unit = here[0].unit if sent else case.sender
            party = between(unit)
            if any(leg.ended_how == "redirected" and happened(leg.ended_at, cut_off) for leg in here):
                sent_on[places.organisation[unit]] = party
            days = charge(case, cut_off, places.branch, units)
            where = standing(case, cut_off)
            if sent and where not in ("good_examples", "external"):
                party["with_them"] += days[branch]
                party["back_with_us"] += days[mine]
            elif not sent and where != "good_examples" and case.sender != EXTERNAL:
                party["with_us"] += days[mine]
        for party in sent_on.values():
            party["sent_on_by_them" if sent else "sent_on_by_us"] += 1
    return found


COUNTED = (
    "matured",
    "answered",
    "on_time",
    "acknowledged",
    "accepted",
    "accepted_by_silence",
    "ongoing",
    "redirected",
    "declined",
    "withdrawn",
    "disagreed",
    "good_examples",
    "external",
)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def history(*years: int) -> list[Case]:
    """The files of those years: 60 days to answer, and on to the next working day."""
    cases = []
    for year in years:
        for row in _rows(BLEKINGE / f"deviations-{year}.csv"):
            sent_at = datetime.fromisoformat(row["sent_at"])
            cases.append(
                Case(
                    sender=row["sender_unit"],
                    receiver=row["receiver_unit"],
                    category=row["category"],
                    sent_at=sent_at,
                    due_on=Calendar().next_working_day(day(sent_at) + timedelta(days=60)),
                    good_example=row["event_kind"] == "good_example",
                    imported=True,
                    acknowledged_at=_moment(row["acknowledged_at"]),
                    answered_at=_moment(row["answered_at"]),
                    accepted_at=_moment(row["closed_at"]),
                    closed_at=_moment(row["closed_at"]),
                )
            )
    return cases


@dataclass(frozen=True)
class Directory:
    """Where each unit belongs."""

    branch: dict[str, str]
    organisation: dict[str, str]
    parent: dict[str, str]
    name: dict[str, str]

    def below(self, top: str) -> set[str]:
        """The units of an organisation, or a unit with all below it."""
        if top in self.organisation.values():
            return {unit for unit, owner in self.organisation.items() if owner == top}
        found = {top}
        while more := {unit for unit, parent in self.parent.items() if parent in found} - found:
            found |= more
        return found


def directory() -> Directory:
    units = _rows(BLEKINGE / "units.csv")
    return Directory(
        branch={row["hsa_id"]: row["branch_hsa_id"] for row in units},
        organisation={row["hsa_id"]: row["organisation_hsa_id"] for row in units},
        parent={row["hsa_id"]: row["parent_hsa_id"] for row in units},
        name={row["hsa_id"]: row["name"] for row in units}
        | {row["hsa_id"]: row["name"] for row in _rows(BLEKINGE / "organisations.csv")},
    )
