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

SWEDEN = ZoneInfo("Europe/Stockholm")
BLEKINGE = COUNTIES / "blekinge"


@dataclass(frozen=True)
class Case:
    sender: str
    receiver: str
    category: str
    sent_at: datetime
    due_on: date | None
    good_example: bool = False
    external: bool = False
    imported: bool = False
    acknowledged_at: datetime | None = None
    answered_at: datetime | None = None
    accepted_at: datetime | None = None
    closed_at: datetime | None = None
    withdrawn_at: datetime | None = None

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
    if case.external:
        return "external"
    assert case.due_on is not None
    withdrawn = case.withdrawn_at
    if withdrawn is not None and happened(withdrawn, cut_off) and withdrawn < end_of(case.due_on):
        return "withdrawn"
    return "matured" if end_of(case.due_on) <= cut_off else "ongoing"


def days_held(case: Case, cut_off: datetime) -> int:
    ends = [
        at for at in (case.answered_at, case.closed_at, case.withdrawn_at) if at and happened(at, cut_off)
    ]
    # At the very end of a day, that day is the last one waited.
    last = day(min(ends)) if ends else day(cut_off - timedelta(seconds=1))
    return max(0, (last - day(case.sent_at)).days)


def reckon(cases: Iterable[Case], cut_off: datetime, branch_of: dict[str, str]) -> dict[str, Any]:
    """Every field of the contract that a list of cases decides."""
    n: Counter[str] = Counter()
    held: list[tuple[int, bool]] = []
    charged: Counter[str] = Counter()
    for case in cases:
        if not happened(case.sent_at, cut_off):
            continue
        where = standing(case, cut_off)
        n[where] += 1
        if where in ("matured", "ongoing", "withdrawn"):
            days = days_held(case, cut_off)
            held.append((days, happened(case.answered_at, cut_off)))
            charged[branch_of[case.receiver]] += days
        if where == "matured":
            n["acknowledged"] += happened(case.acknowledged_at, cut_off)
            n["accepted"] += happened(case.accepted_at, cut_off)
            if happened(case.answered_at, cut_off):
                assert case.answered_at is not None
                assert case.due_on is not None
                n["answered"] += 1
                n["on_time"] += day(case.answered_at) <= case.due_on
    median = median_answer_time(held)
    return {
        **{
            name: n[name]
            for name in ("matured", "answered", "on_time", "acknowledged", "accepted", "ongoing", "withdrawn")
        },
        "accepted_by_silence": 0,
        "redirected": 0,
        "declined": 0,
        "disagreed": 0,
        "good_examples": n["good_examples"],
        "external": n["external"],
        "answer_rate": n["answered"] / n["matured"] if n["matured"] else None,
        "interval": list(wilson(n["answered"], n["matured"])),
        "median_days": median.value,
        "median_interval": [median.low, median.high],
        "charged_days": dict(charged),
    }


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
