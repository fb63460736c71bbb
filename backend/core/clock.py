"""The one place that knows what time it is.

Everything that writes or compares a time asks here, so that a test or the seeding of the demo can
stand at another moment and run the real actions there.
"""

import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from backend.settings import settings

STOCKHOLM = ZoneInfo("Europe/Stockholm")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_held: ContextVar[datetime | None] = ContextVar("held", default=None)


def _opened(file: Path | None) -> "memoryview[int] | None":
    if file is None:
        return None
    if settings().env != "test":
        raise SystemExit("SAMSVAR_TEST_CLOCK får bara vara satt när SAMSVAR_ENV är test.")
    with file.open("r+b") as clock:
        return memoryview(mmap.mmap(clock.fileno(), 8)).cast("q")


# The clock that a test holds for several processes: eight bytes of microseconds, read and written whole.
_shared = _opened(settings().test_clock)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    if _shared is not None and _held.get() is None:
        return EPOCH + timedelta(microseconds=_shared[0])
    return elapsing()


def elapsing() -> datetime:
    """As `now`, but of a clock that no test turns forward: only for how long somebody has been at work."""
    return _held.get() or datetime.now(UTC)


def set_shared(file: Path, moment: datetime) -> None:
    """Turn the clock of all processes whose SAMSVAR_TEST_CLOCK names the file; make it where there is none."""
    micros = (moment - EPOCH) // timedelta(microseconds=1)
    if not file.exists():
        file.write_bytes(micros.to_bytes(8, sys.byteorder, signed=True))
    with file.open("r+b") as clock, memoryview(mmap.mmap(clock.fileno(), 8)).cast("q") as hands:
        hands[0] = micros


def read_shared(file: Path) -> datetime:
    """What that clock shows, for whoever has another one."""
    micros = int.from_bytes(file.read_bytes(), sys.byteorder, signed=True)
    return EPOCH + timedelta(microseconds=micros)


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
