"""A county for some days, or for a year with `SAMSVAR_DAYS=365`: every reminder once, none at a forbidden hour."""

import os
import secrets
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from backend.core import clock, db
from tests.faults.house import House
from tests.faults.reckoned import came_of
from tests.faults.year import Year
from tests.workers.post_office import PostOffice, opened

DAYS = int(os.environ.get("SAMSVAR_DAYS") or 6)
# Over a week-end with the change from summer time, and a month into it All Saints and Advent.
FIRST = date(2027, 10, 27)


def test_every_reminder_comes_once_and_none_at_a_forbidden_hour() -> None:
    seed = int(os.environ.get("SAMSVAR_SEED") or secrets.randbelow(2**32))
    folder = Path(tempfile.mkdtemp(prefix="samsvar-year-")).resolve()
    folder.chmod(0o711)
    try:
        with opened(PostOffice()) as office, clock.at(datetime(2022, 12, 1, tzinfo=UTC)):
            house = House(folder, office)
            try:
                db.use(house.servers.database_url)
                year = Year(house, folder / "clock", seed, FIRST, DAYS, kills=DAYS // 12)
                year.run()
                came = came_of(house, year.now)
            finally:
                house.close()
    finally:
        shutil.rmtree(folder)
    print(
        f"seed {seed}: {DAYS} days, {year.killed} kills, {dict(year.acts)}, {came.reminders} steps, {came.letters} letters,"
        f" mails a person and day {sorted(came.a_day.items())}, 95 % at most {came.p95:g},"
        f" {came.repeated} sent twice after a kill, longest wait {max(year.waits):.1f} s"
    )
    assert (came.missing, came.extra) == (set(), set())
    assert (came.unended, came.unmailed, came.forbidden) == (0, [], [])
    assert came.repeated <= year.killed
    assert came.p95 <= 2
