"""The days that a county has closed or opened: as they are stored, and which of them mean nothing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import cast

from backend.core.calendar import Calendar


def calendar_of(agreed: Mapping[str, object]) -> Calendar:
    """The calendar of a stored agreement: Sweden's, less its `closed` days, plus its `open` ones."""
    closed, opened = (
        frozenset(date.fromisoformat(day) for day in cast(Sequence[str], agreed.get(key, ())))
        for key in ("closed", "open")
    )
    return Calendar(added=closed, removed=opened)


def days(text: str) -> list[date]:
    """The days of a text that holds one after another. Raises ValueError for what is no day."""
    return sorted({date.fromisoformat(day) for day in text.split()})


def text(of: Iterable[date]) -> str:
    """As `days` reads it."""
    return " ".join(day.isoformat() for day in sorted(of))
