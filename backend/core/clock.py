"""The one place that knows what time it is.

Everything that writes or compares a time asks here, so that a test or the seeding of the demo can
stand at another moment and run the real actions there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

STOCKHOLM = ZoneInfo("Europe/Stockholm")

_held: ContextVar[datetime | None] = ContextVar("held", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _held.get() or datetime.now(UTC)


def today() -> date:
    """The present day in Sweden."""
    return local(now()).date()


def local(moment: datetime) -> datetime:
    """The same moment as a clock on a Swedish wall shows it."""
    return moment.astimezone(STOCKHOLM)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Stand at another moment, in this thread or task only."""
    token = _held.set(moment)
    try:
        yield
    finally:
        _held.reset(token)
