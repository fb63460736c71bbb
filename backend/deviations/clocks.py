"""The clocks of a deviation: when something is due, why that day, and how late it is.

The rule, from the county's agreement: the day something was sent is day 0, and what comes before the end of the
due date is in time. Days of the clock's own kind during which the receiver waited for the sender are added
first; a date that then falls on a day off moves to the next working day. Days are Swedish calendar days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast, get_args

from backend.agreements.closing import calendar_of
from backend.core.calendar import Calendar, local_date
from backend.core.text import day_and_month, days_of_months, long_date
from backend.core.text import gettext as _

Kind = Literal[
    "acknowledge", "answer", "returned_answer", "verdict", "reply", "confirm_redirect", "declined", "settle"
]
Unit = Literal["working", "calendar"]
Cause = Literal["question"]
Reader = Literal["receiver", "sender"]
When = Literal["day", "percent", "after"]
Escalated = Literal["manager", "safety", "head"]

PAUSES_GIVEN = 2


@dataclass(frozen=True, slots=True)
class Span:
    """A number of working days or calendar days. Raises ValueError for a negative one."""

    n: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("a span cannot be negative")


@dataclass(frozen=True, slots=True)
class Mark:
    """When on a clock to remind: on its n-th working day, when n per cent of its time has gone, or n working days
    after it has run out. Raises ValueError for what is none of these.
    """

    when: When
    n: int

    def __post_init__(self) -> None:
        least, most = {"day": (1, 250), "percent": (1, 100), "after": (1, 250)}[self.when]
        if not least <= self.n <= most:
            raise ValueError(f"{self.when} {self.n} is no mark on a clock")


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is told when a date has passed, so many working days after it."""

    role: Escalated
    after: int


def _marks(**of: Sequence[tuple[When, int]]) -> Mapping[Kind, tuple[Mark, ...]]:
    return {cast(Kind, kind): tuple(Mark(*mark) for mark in marks) for kind, marks in of.items()}


REMINDERS = _marks(
    acknowledge=[("day", 3), ("day", 5)],
    answer=[("percent", 50), ("percent", 80), ("percent", 100), ("after", 5), ("after", 10)],
    returned_answer=[("percent", 50), ("percent", 100), ("after", 5), ("after", 10)],
    reply=[("day", 3)],
    verdict=[("percent", 80)],
    declined=[("percent", 80)],
    settle=[("percent", 50)],
)
# The receiver's clocks: when one has run out it is raised, step by step. The sender's go home by themselves.
RECEIVING: frozenset[Kind] = frozenset({"acknowledge", "answer", "returned_answer"})
ESCALATION = (Escalation("manager", 5), Escalation("safety", 10), Escalation("head", 15))


@dataclass(frozen=True, slots=True)
class Terms:
    """The times of one version of an agreement, with the defaults of a county that has not set its own.

    `reminders` are marks on each clock; `escalation` follows the receiver's clocks, each role once; `untouched` is
    after how many working days safety hears of a case that nobody has opened.
    """

    acknowledge: Span = Span(5, "working")
    answer: Span = Span(60, "calendar")
    verdict: Span = Span(20, "working")
    returned_answer: Span = Span(10, "working")
    reply: Span = Span(5, "working")
    confirm_redirect: Span = Span(2, "working")
    declined: Span = Span(20, "working")
    settle: Span = Span(10, "working")
    by_severity: Mapping[Kind, Mapping[int, Span]] = field(default_factory=dict, hash=False)
    reminders: Mapping[Kind, tuple[Mark, ...]] = field(default_factory=lambda: REMINDERS, hash=False)
    escalation: tuple[Escalation, ...] = ESCALATION
    untouched: int = 2

    def span(self, kind: Kind, severity: int | None = None) -> Span:
        """The time that clock has: by the severity (1–4, None = not known) where so agreed, else its own."""
        agreed: Span = getattr(self, kind)
        return agreed if severity is None else self.by_severity.get(kind, {}).get(severity, agreed)


@dataclass(frozen=True, slots=True)
class Pause:
    """The time a clock stood still and why; `end` is None while it still does. ValueError if it ends first."""

    start: datetime
    end: datetime | None
    cause: Cause = "question"

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError("a pause cannot end before it starts")


@dataclass(frozen=True, slots=True)
class Due:
    """The last day, and the Swedish sentences that say why it is that one."""

    due_on: date
    explanation: str


def due(
    kind: Kind,
    started: datetime,
    span: Span,
    calendar: Calendar,
    pauses: Sequence[Pause] = (),
    *,
    as_of: datetime | None = None,
    reader: Reader = "receiver",
) -> Due:
    """When the clock runs out, explained to `reader`.

    `pauses` are all those of the case, in order; the first two count, no day twice. A pause still open counts
    up to `as_of` (the working day after it, on a day off), so that a clock cannot run out while its owner waits;
    without `as_of` it is a ValueError, as is a naive time.
    """
    start = local_date(started)
    waited = _days_waited(start, span.unit, calendar, pauses[:PAUSES_GIVEN], as_of)
    ends_on = _days_after(start, span.n + waited, span.unit, calendar)
    due_on = calendar.next_working_day(ends_on)

    reason = _("{days} från {start}").format(
        days=days_in_words(span.n, span.unit), start=day_and_month(start)
    )
    if waited:
        reason = _("{reason}, plus {days} {waiting}").format(
            reason=reason, days=days_in_words(waited, span.unit), waiting=_WAITING[pauses[0].cause, reader]()
        )
    if due_on != ends_on:
        # What is said of a pause stands between commas.
        moved = (
            _("{reason}, slutar på {day}, så fristen flyttas till nästa arbetsdag")
            if waited
            else _("{reason} slutar på {day}, så fristen flyttas till nästa arbetsdag")
        )
        reason = moved.format(reason=reason, day=_day_off(ends_on, calendar))
    sentence = f"{_LAST_DAY[kind]().format(day=long_date(due_on))}: {reason}."
    if span.unit == "working" and (skipped := _days_off_skipped(start, ends_on, calendar)):
        sentence += " " + _why_skipped(skipped, calendar)
    return Due(due_on, sentence)


def is_late(due_on: date, now: datetime) -> bool:
    """From the first instant after the due date, Swedish time."""
    return local_date(now) > due_on


def days_late(due_on: date, now: datetime) -> int:
    """Calendar days since the due date; 0 while there is time."""
    return max(0, (local_date(now) - due_on).days)


def days_left(due_on: date, now: datetime) -> int:
    """Calendar days until the due date; 0 on the day itself and after."""
    return max(0, (due_on - local_date(now)).days)


def due_words(due_on: date, now: datetime, kind: Kind = "answer") -> str:
    """Three words for a list: "Svar i dag", "3 dagar kvar", "5 dagar försenat"."""
    if late := days_late(due_on, now):
        return _("{days} försenat").format(days=days_in_words(late, "calendar"))
    if left := days_left(due_on, now):
        return _("{days} kvar").format(days=days_in_words(left, "calendar"))
    return _TODAY[kind]()


def _days_waited(
    start: date, unit: Unit, calendar: Calendar, pauses: Sequence[Pause], as_of: datetime | None
) -> int:
    """Days of the clock's own kind after each question, up to and including the day of the reply."""
    waited, counted_to = 0, start
    for pause in pauses:
        first, last = max(local_date(pause.start), counted_to), _last_day_waited(pause, calendar, as_of)
        if last > first:
            waited += calendar.working_days_between(first, last) if unit == "working" else (last - first).days
            counted_to = last
    return waited


def _last_day_waited(pause: Pause, calendar: Calendar, as_of: datetime | None) -> date:
    if pause.end is not None:
        return local_date(pause.end)
    if as_of is None:
        raise ValueError("an open pause needs as_of")
    # Over a weekend nobody replies, and a clock asked on its last day must not run out on the Saturday.
    return calendar.next_working_day(local_date(as_of))


def _days_after(start: date, n: int, unit: Unit, calendar: Calendar) -> date:
    return calendar.add_working_days(start, n) if unit == "working" else start + timedelta(days=n)


def _days_off_skipped(start: date, end: date, calendar: Calendar) -> list[date]:
    """The days off on the way that no weekend explains."""
    way = (start + timedelta(days=n) for n in range(1, (end - start).days))
    return [day for day in way if day.weekday() < 5 and not calendar.is_working_day(day)]


def _why_skipped(days: Sequence[date], calendar: Calendar) -> str:
    listed = days_of_months(days)
    if all(map(calendar.is_public_holiday, days)):
        template = _("{days} är helgdag.") if len(days) == 1 else _("{days} är helgdagar.")
    else:
        template = _("{days} är ingen arbetsdag.") if len(days) == 1 else _("{days} är inga arbetsdagar.")
    return template.format(days=listed)


def _day_off(day: date, calendar: Calendar) -> str:
    return calendar.holiday_name(day) or (_("en lördag") if day.weekday() == 5 else _("en söndag"))


def days_in_words(n: int, unit: Unit) -> str:
    """Always in figures: a deadline is checked by counting."""
    if unit == "working":
        return _("1 arbetsdag") if n == 1 else _("{n} arbetsdagar").format(n=n)
    return _("1 dag") if n == 1 else _("{n} dagar").format(n=n)


@dataclass(frozen=True, slots=True)
class Held:
    """Calendar days charged: to each leg's holder, in the order of the legs, and to the sender."""

    legs: tuple[int, ...]
    sender: int


def held(legs: Sequence[tuple[datetime, datetime | None]], until: datetime) -> Held:
    """Which party had the case for how many days, up to `until`: what the figures call charged days.

    A leg is charged with the calendar days from the one it began on to the one it ended on, in Sweden, so that the day
    of a hand-over is the giver's and nobody's twice; also while its holder waits for a reply, which moves the due date
    and not the case. Those between two legs, and after the last one has ended (declined, not yet sent on), are the
    sender's. Together they are the days from the first leg's beginning to `until`, when nobody owed an answer any more.
    """
    end = local_date(until)
    ways = [(local_date(began), min(end, local_date(ended or until))) for began, ended in legs]
    charged = [max(0, (last - first).days) for first, last in ways]
    whole = max(0, (end - ways[0][0]).days) if ways else 0
    return Held(tuple(charged), whole - sum(charged))


# Asked for when needed: a text looked up while the module loads would keep the language of that moment.
_LAST_DAY = {
    "acknowledge": lambda: _("Kvittera senast {day}"),
    "answer": lambda: _("Svar senast {day}"),
    "returned_answer": lambda: _("Nytt svar senast {day}"),
    "verdict": lambda: _("Bedöm svaret senast {day}"),
    "reply": lambda: _("Svara på frågan senast {day}"),
    "confirm_redirect": lambda: _("Säg ja eller nej senast {day}"),
    "declined": lambda: _("Skicka vidare eller återta senast {day}"),
    "settle": lambda: _("Kom överens senast {day}"),
}
_TODAY = {
    "acknowledge": lambda: _("Kvittera i dag"),
    "answer": lambda: _("Svar i dag"),
    "returned_answer": lambda: _("Nytt svar i dag"),
    "verdict": lambda: _("Bedöm i dag"),
    "reply": lambda: _("Svara på frågan i dag"),
    "confirm_redirect": lambda: _("Säg ja eller nej i dag"),
    "declined": lambda: _("Skicka vidare eller återta i dag"),
    "settle": lambda: _("Kom överens i dag"),
}
_WAITING = {
    ("question", "receiver"): lambda: _("medan ni väntade på vår komplettering"),
    ("question", "sender"): lambda: _("medan mottagaren väntade på er komplettering"),
}


SPANS: tuple[Kind, ...] = get_args(Kind)


def terms_from(agreed: Mapping[str, object]) -> tuple[Terms, Calendar]:
    """The times and the calendar of a stored agreement; what it leaves out has the default.

    `{"acknowledge": [5, "working"], …, "by_severity": {"answer": {"4": [30, "calendar"]}},
    "reminders": {"answer": [["percent", 50], ["after", 5]]}, "escalation": [["manager", 5]], "untouched": 2,
    "closed": ["2026-06-05"], "open": []}`.
    """

    def span(value: object) -> Span:
        n, unit = cast(tuple[int, Unit], value)
        return Span(n, unit)

    own: dict[str, Any] = {kind: span(agreed[kind]) for kind in SPANS if kind in agreed}
    # Versions from before other clocks than the answer's could differ say it in another way.
    said = agreed.get("by_severity") or {"answer": agreed.get("answer_by_severity", {})}
    severities = cast(Mapping[Kind, Mapping[str, object]], said)
    own["by_severity"] = {
        kind: {int(severity): span(value) for severity, value in of.items()}
        for kind, of in severities.items()
    }
    if "reminders" in agreed:
        own["reminders"] = {**REMINDERS, **_marks(**cast(dict[str, Any], agreed["reminders"]))}
    if "escalation" in agreed:
        steps = cast(Sequence[tuple[Escalated, int]], agreed["escalation"])
        own["escalation"] = tuple(Escalation(role, after) for role, after in steps)
    if "untouched" in agreed:
        own["untouched"] = agreed["untouched"]
    return Terms(**own), calendar_of(agreed)
