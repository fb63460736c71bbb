"""A county for some days, or for a year with `SAMSVAR_DAYS=365`: every reminder once, none at a forbidden hour."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from tests.faults.year import lived

DAYS = int(os.environ.get("SAMSVAR_DAYS") or 6)


def test_every_reminder_comes_once_and_none_at_a_forbidden_hour() -> None:
    seed = int(os.environ.get("SAMSVAR_SEED") or secrets.randbelow(2**32))
    folder = Path(tempfile.mkdtemp(prefix="samsvar-year-")).resolve()
    folder.chmod(0o711)
    try:
        year, came = lived(folder, seed, DAYS)
    finally:
        shutil.rmtree(folder)
    print(
        f"seed {seed}: {DAYS} days, {year.steps} moments, {year.killed} kills, {dict(year.acts)}, {came.reminders} steps,"
        f" {came.letters} letters, mails a person and day {sorted(came.a_day.items())}, 95 % at most {came.p95:g},"
        f" {came.repeated} sent twice after a kill, longest wait {max(year.waits):.1f} s, {dict(year.spent)}"
    )
    print(*came.stories, sep="\n")
    assert (came.missing, came.extra) == (set(), set())
    assert (came.unended, came.untold, came.unmailed, came.forbidden) == (0, [], [], [])
    assert came.repeated <= year.killed
    assert came.p95 <= 2
