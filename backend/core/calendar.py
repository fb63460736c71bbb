"""Swedish working days, and the local time in which every date of the trade is meant.

Source: lagen (1989:253) om allmänna helgdagar, and semesterlagen (1977:480) 7 §, which puts midsommarafton,
julafton and nyårsafton on a par with Sundays. The days themselves come from the package `holidays`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from holidays import DE_FACTO, PUBLIC, country_holidays

from backend.core.clock import STOCKHOLM, local

_DAY = timedelta(days=1)
_SATURDAY = 5
_PROPER_NAMES = ("Kristi", "Marie")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of one county: the national ones, less the days off it adds, plus those it removes.

    `added` are days off on top of the national ones; `removed` are national days off (a weekend too, if so
    agreed) that the county works. Raises ValueError when a day is in both.
    """

    added: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if both := self.added & self.removed:
            raise ValueError(
                f"both added to and removed from the days off: {', '.join(map(str, sorted(both)))}"
            )

    def is_working_day(self, day: date) -> bool:
        """Not a Saturday, a Sunday, a public holiday or one of the three eves; the county has the last word."""
        if day in self.added:
            return False
        return day in self.removed or (day.weekday() < _SATURDAY and day not in _national(day.year))

    def is_public_holiday(self, day: date) -> bool:
        """A "helgdag" in the words of the law; the three eves, and a county's own days off, are none."""
        return day in _public(day.year) and day not in self.removed

    def holiday_name(self, day: date) -> str | None:
        """What the day is called in the middle of a Swedish sentence; None for any other day and for weekends."""
        if day in self.removed:
            return None
        return _national(day.year).get(day) or ("länets lediga dag" if day in self.added else None)

    def next_working_day(self, day: date) -> date:
        """The day itself if it is a working day, otherwise the first one after it."""
        while not self.is_working_day(day):
            day += _DAY
        return day

    def add_working_days(self, start: date, n: int) -> date:
        """The n-th working day after `start` (before it, where n is negative).

        `start` is day 0, working day or not, so n = 0 gives it back unchanged.
        """
        day, step = start, _DAY if n > 0 else -_DAY
        for _ in range(abs(n)):
            day += step
            while not self.is_working_day(day):
                day += step
        return day

    def working_days_between(self, a: date, b: date) -> int:
        """The number of working days after `a`, up to and including `b`; 0 where b is not after a."""
        return sum(self.is_working_day(a + timedelta(days=n)) for n in range(1, (b - a).days + 1))


def national_days_off(year: int) -> Mapping[date, str]:
    """The public holidays and the three eves of a year, by name, also those that fall on a weekend."""
    return dict(sorted(_national(year).items()))


def local_date(moment: datetime) -> date:
    """The date in Sweden at that moment. Raises ValueError for a naive time, which could mean any day."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return local(moment).date()


def end_of_day(day: date) -> datetime:
    """The first instant that no longer belongs to the day: in time is what comes before it."""
    return at_hour(day + _DAY, time())


def at_hour(day: date, hour: time) -> datetime:
    """That wall-clock time in Sweden. In the hour that spring skips, the time an hour later."""
    return local(datetime.combine(day, hour, STOCKHOLM).astimezone(UTC))


@cache
def _national(year: int) -> Mapping[date, str]:
    return _named(year, PUBLIC, DE_FACTO)


@cache
def _public(year: int) -> Mapping[date, str]:
    return _named(year, PUBLIC)


def _named(year: int, *categories: str) -> Mapping[date, str]:
    days = country_holidays("SE", years=year, categories=categories, language="sv")
    # Two holidays may share a day: in 2008 första maj was Kristi himmelsfärdsdag too.
    return {day: " och ".join(map(_mid_sentence, name.split("; "))) for day, name in days.items()}


def _mid_sentence(name: str) -> str:
    return name if name.startswith(_PROPER_NAMES) else name[0].lower() + name[1:]
