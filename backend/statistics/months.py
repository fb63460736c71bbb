"""Months: cohorts are the cases sent in a month, by the calendar on a Swedish wall. A month is its first day."""

import re
from datetime import date, datetime, time, timedelta

from babel.dates import format_date

from backend.core.calendar import at_hour, local_date

_CODE = re.compile(r"(\d{4})-(\d{2})")


def month_of(day: date) -> date:
    return day.replace(day=1)


def month_at(moment: datetime) -> date:
    """The month in Sweden at that moment."""
    return month_of(local_date(moment))


def later(month: date, n: int = 1) -> date:
    """The month `n` months after; before it, where n is negative. Raises ValueError outside the years 1–9999."""
    years, index = divmod(month.month - 1 + n, 12)
    return date(month.year + years, index + 1, 1)


def between(first: date, last: date) -> list[date]:
    """Every month from the first to the last, both included."""
    n = (last.year - first.year) * 12 + last.month - first.month
    return [later(first, step) for step in range(n + 1)]


def starts(month: date) -> datetime:
    """The first instant of the month in Sweden: the end of the month before it."""
    return at_hour(month, time())


def last_day(month: date) -> date:
    return later(month) - timedelta(days=1)


def parse(code: str) -> date:
    """The month written 2023-01. Raises ValueError for anything else."""
    if not (found := _CODE.fullmatch(code)):
        raise ValueError("a month is written 2023-01")
    return date(int(found[1]), int(found[2]), 1)


def code(month: date) -> str:
    return f"{month:%Y-%m}"


def name(month: date) -> str:
    """ "januari 2023"."""
    return format_date(month, "MMMM y", locale="sv")
