"""The steps of a clock: on which day who is reminded, and to whom it is raised when nobody acts.

The marks come from the county's agreement (`clocks.Terms`). A step on a day off comes on the next working day. What
would have come before the case reached the one who is now waited for is not owed to them; days after the due date
are counted from when they got it, where that is later. A promised date (delay notice) silences everything up to it,
is itself a step, and is what later steps are counted from.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from backend.core.calendar import Calendar
from backend.deviations.clocks import RECEIVING, Kind, Mark, Terms

Role = Literal["reporter", "handler", "manager", "safety", "head"]

# Whoever filed the case is asked first; the rest is for those who handle cases, and a dispute for those who lead.
ASKED: dict[Kind, Role] = {"reply": "reporter", "verdict": "reporter", "settle": "manager"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name (unique with its role on a clock), for whom, and the working day it comes on."""

    name: str
    role: Role
    on: date


def steps(
    kind: Kind,
    started: date,
    due_on: date,
    terms: Terms,
    calendar: Calendar,
    *,
    held_since: date | None = None,
    promised_on: date | None = None,
) -> list[Step]:
    """All steps of a clock, by day. `held_since` is when the one waited for got the case, if after the start."""
    held = max(held_since or started, started)
    silent_to = max(held, promised_on) if promised_on else held
    counted_from = max(due_on, silent_to)
    asked = ASKED.get(kind, "handler")
    found = [
        Step(f"{mark.when}_{mark.n}", asked, _day(mark, started, due_on, counted_from, calendar))
        for mark in terms.reminders.get(kind, ())
    ]
    if promised_on and kind in RECEIVING:
        found.append(Step("promised", asked, calendar.next_working_day(promised_on)))
    if kind in RECEIVING:
        found += [
            Step("raised", escalation.role, calendar.add_working_days(counted_from, escalation.after))
            for escalation in terms.escalation
        ]
    kept = [step for step in found if step.on > silent_to or (step.name == "promised" and step.on > held)]
    return sorted(kept, key=lambda step: step.on)


def untouched(held_since: date, terms: Terms, calendar: Calendar) -> Step:
    """When safety hears of a case that nobody has opened."""
    return Step("untouched", "safety", calendar.add_working_days(held_since, terms.untouched))


def untouched_before(today: date, terms: Terms, calendar: Calendar) -> date:
    """Of what was handed over before that day, safety has heard by `today`, where nobody has opened it."""
    return calendar.add_working_days(today + timedelta(days=1), -terms.untouched)


def _day(mark: Mark, started: date, due_on: date, counted_from: date, calendar: Calendar) -> date:
    if mark.when == "after":
        return calendar.add_working_days(counted_from, mark.n)
    if mark.when == "day":
        return calendar.add_working_days(started, mark.n)
    # A part of a day is the whole of it.
    gone = -((started - due_on).days * mark.n // 100)
    return calendar.next_working_day(started + timedelta(days=gone))
