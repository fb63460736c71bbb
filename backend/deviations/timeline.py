"""Where a case has been, day by day, as lanes of bars: who had the word, and who held the case while they waited.

Places along the picture are per cent of its width, so that the same drawing fits a telephone, a screen and paper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from backend.core.calendar import end_of_day, local_date
from backend.deviations.models import State
from backend.deviations.rules import HELD

What = Literal["has", "waits"]
# A bar of an hour in a year must still be seen.
THINNEST = 0.8
# In these the sender has the word; while the first two last, the receiver still holds the case and waits.
_RECEIVER_WAITS = frozenset({State.QUESTION, State.REDIRECT_PROPOSED})
_SENDER_HAS = _RECEIVER_WAITS | {State.DECLINED, State.ANSWERED}


@dataclass(frozen=True, slots=True)
class Turn:
    """From that moment the case was in that state, on that leg of its route."""

    at: datetime
    state: State
    leg: int


@dataclass(frozen=True, slots=True)
class Stay:
    """A time that somebody had the case: with the word ("has"), or waiting for the other side ("waits")."""

    lane: int  # 0 is the sender's, and a leg's number the receiver's of that leg
    unit: str
    what: What
    start: datetime
    end: datetime

    @property
    def days(self) -> int:
        """Whole days by the calendar: the day it came is day 0."""
        return (local_date(self.end) - local_date(self.start)).days


@dataclass(frozen=True, slots=True)
class Bar:
    what: What
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Lane:
    unit: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """`due` is where the last day for an answer ends, None where that lies outside."""

    lanes: tuple[Lane, ...]
    first: date
    last: date
    due: float | None


def stays(turns: Sequence[Turn], units: Mapping[int, str], sender: str, now: datetime) -> list[Stay]:
    """Who had the case when, in the order in which it came to them. `units` names the unit of each leg that the
    reader may know; a turn on another leg is left out. What lasts is drawn up to `now`.
    """
    ordered = sorted(turns, key=lambda turn: turn.at)
    ends = [turn.at for turn in ordered[1:]] + [now]
    found: list[Stay] = []
    for turn, end in zip(ordered, ends, strict=True):
        receiver = units.get(turn.leg)
        parts: list[tuple[int, str, What]] = []
        if receiver is not None and (turn.state in HELD or turn.state is State.DISPUTED):
            parts.append((turn.leg, receiver, "has"))
        if receiver is not None and turn.state in _RECEIVER_WAITS:
            parts.append((turn.leg, receiver, "waits"))
        if turn.state in _SENDER_HAS or turn.state is State.DISPUTED:
            parts.append((0, sender, "has"))
        for lane, unit, what in parts:
            _lengthen(found, Stay(lane, unit, what, turn.at, end))
    return found


def _lengthen(found: list[Stay], new: Stay) -> None:
    """The same turn of the same unit is one bar, whatever happened in the middle of it."""
    for place, old in enumerate(found):
        if (old.lane, old.unit, old.what, old.end) == (new.lane, new.unit, new.what, new.start):
            found[place] = Stay(old.lane, old.unit, old.what, old.start, new.end)
            return
    found.append(new)


def picture(found: Sequence[Stay], due_on: date | None) -> Picture | None:
    """The lanes, the sender's first; None for a case that has not been anywhere for a whole day."""
    if not found:
        return None
    first, last = min(stay.start for stay in found), max(stay.end for stay in found)
    if local_date(first) == local_date(last):
        return None
    due_at = end_of_day(due_on) if due_on else None
    if due_at is not None and due_at > last:
        last = due_at
    whole = (last - first).total_seconds()

    def place(moment: datetime) -> float:
        return round(100 * (moment - first).total_seconds() / whole, 2)

    lanes = []
    for lane in sorted({stay.lane for stay in found}):
        own = [stay for stay in found if stay.lane == lane]
        bars = []
        for stay in own:
            width = max(THINNEST, round(place(stay.end) - place(stay.start), 2))
            bars.append(Bar(stay.what, min(place(stay.start), round(100 - width, 2)), width))
        lanes.append(Lane(own[0].unit, tuple(bars)))
    due = place(due_at) if due_at is not None and due_at > first else None
    # The end of a due date is midnight; the day it speaks of is the one before.
    return Picture(
        tuple(lanes), local_date(first), due_on if due_on and due_at == last else local_date(last), due
    )


def held(found: Sequence[Stay]) -> list[tuple[str, int, int]]:
    """For each receiving unit in order: its name, how many days it held the case, and how many of them it waited."""
    lanes: dict[int, tuple[str, int, int]] = {}
    for stay in found:
        if stay.lane == 0:
            continue
        unit, days, waited = lanes.get(stay.lane, (stay.unit, 0, 0))
        lanes[stay.lane] = (
            unit,
            days + stay.days,
            waited + (stay.days if stay.what == "waits" else 0),
        )
    return [lanes[lane] for lane in sorted(lanes)]
