"""`make faults`: the promises about faults, kept or not, in one table. Takes twenty minutes or more; exit 1 on a miss.

Smaller numbers may be given, to see that it works: `python -m tests.faults JOBS WORKERS REDIS POSTGRESQL DAYS`.
"""

import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

os.environ |= {"SAMSVAR_ENV": "test", "DATABASE_URL": "postgresql://unset/unset"}

from rich.console import Console
from rich.table import Table

from tests.faults import pace, storm, year
from tests.faults.house import House
from tests.faults.reckoned import Sent
from tests.workers.post_office import PostOffice, opened

out = Console(width=None if Console().is_terminal else 110)


def main(arguments: list[str]) -> int:
    numbers = [int(argument) for argument in arguments]
    aims, days = storm.Aims(*numbers[:4]), numbers[4] if len(numbers) > 4 else 365
    folder = Path(tempfile.mkdtemp(prefix="samsvar-faults-")).resolve()
    folder.chmod(0o711)
    try:
        with opened(PostOffice()) as office:
            # A PostgreSQL that is killed must keep what it has promised, so no speed is bought here.
            house = House(folder, office, disposable=False)
            try:
                out.print("People at work, with Redis and without …")
                paces, back = pace.measure(house)
                house.kill(*house.living("worker"))
                out.print("The storm …")
                raging = storm.Storm(house, aims, lambda words: out.print(words, style="dim"))
                came = raging.run()
            finally:
                house.close()
        out.print(f"A county, day by day for {days} days …")
        home = folder / "county"
        home.mkdir(mode=0o711)
        lives, told = year.lived(home, secrets.randbelow(2**32), days)
    finally:
        shutil.rmtree(folder)
    rows = [*_pace_rows(paces, back), *_storm_rows(aims, raging.tally, came), *_year_rows(lives, told)]
    table = Table("What", "Promised", "Found", "", title="Nothing lost, nothing doubled")
    for what, promised, found, kept in rows:
        mark = "" if kept is None else "[green]kept[/]" if kept else "[red]MISSED[/]"
        table.add_row(what, promised, found, mark)
    out.print(table)
    wrong: list[tuple[str, list[object]]] = [
        ("Lost", came.lost),
        ("Doubled", [*came.doubled]),
        (f"Reminders missing, seed {lives.seed}", [*told.missing]),
        (f"Reminders too many, seed {lives.seed}", [*told.extra]),
        ("Steps that nobody was to hear of", told.untold),
        ("Marked as sent without a mail", told.unmailed),
        ("At a forbidden hour", [*told.forbidden]),
    ]
    for story in told.stories:
        out.print(story, style="dim")
    for name, listed in wrong:
        if listed:
            out.print(f"{name}: {listed[:20]}", style="red")
    return 0 if all(kept in (True, None) for *_row, kept in rows) else 1


Row = tuple[str, str, str, bool | None]


def _pace_rows(paces: list[pace.Pace], back: float) -> list[Row]:
    rows: list[Row] = []
    for one in paces:
        usual = one.name == "with Redis"
        done = f"{one.done} of {one.tried} filed and answered; p95 {one.p95 * 1000:.0f} ms"
        ratio = "" if usual else f", {one.p95_ratio:.2f} × (median {one.median_ratio:.2f} ×)"
        kept = None if usual else one.done == one.tried and one.p95_ratio <= 1.2
        rows.append((one.name, "" if usual else "100 %, p95 ≤ 1.2 ×", done + ratio, kept))
    rows.append(("Mails out after the return of Redis", "≤ 60 s", f"{back:.1f} s", back <= 60))
    return rows


def _storm_rows(aims: storm.Aims, done: storm.Tally, came: storm.Outcome) -> list[Row]:
    gaps = f"{done.before_claim} before the claim, {done.after_claim} after it, {done.after_250} after SMTP's 250"
    return [
        (
            "Jobs",
            f"≥ {aims.jobs}",
            f"{came.jobs}, and {came.filed} cases filed meanwhile",
            came.jobs >= aims.jobs,
        ),
        (
            "SIGKILLs of workers",
            f"≥ {aims.workers}",
            f"{done.workers}, {done.whole} with the parent too; {gaps}",
            done.workers >= aims.workers,
        ),
        (
            "Kills of Redis",
            f"≥ {aims.brokers}",
            f"{done.brokers}, {done.flushed} with FLUSHALL, and {done.frozen} freezes",
            done.brokers >= aims.brokers,
        ),
        (
            "Immediate restarts of PostgreSQL",
            f"≥ {aims.databases}",
            str(done.databases),
            done.databases >= aims.databases,
        ),
        ("Two beats, one of them killed", "", f"{done.beats} times", None),
        ("Mails put off, or cut off before the 250", "", f"{done.refused}, {done.hung_up}", None),
        ("Lost", "0", str(len(came.lost)), not came.lost),
        ("Doubled, by a fault of ours", "0", str(len(came.doubled)), not came.doubled),
        (
            "Doubled, killed between 250 and note",
            "allowed",
            f"{len(came.allowed)}; killed at most {came.slowest:.1f} s after it",
            None,
        ),
        ("Empty after the last fault", "≤ 60 s", f"{came.drained:.1f} s", came.drained <= 60),
        ("The storm took", "", f"{came.seconds / 60:.1f} min", None),
    ]


def _year_rows(lives: year.Year, told: Sent) -> list[Row]:
    steps = f"{told.reminders} steps, {told.letters} mails, {sum(lives.acts.values())} doings of people"
    return [
        ("Days in the life of a county", "365", f"{lives.days}; {steps}", None),
        ("SIGKILLs of its workers and beats", "≥ 20", str(lives.killed), lives.killed >= lives.days // 18),
        ("Reminders missing", "0", str(len(told.missing)), not told.missing),
        ("Reminders too many", "0", str(len(told.extra)), not told.extra),
        ("Steps that nobody was to hear of", "0", str(len(told.untold)), not told.untold),
        ("Notices due and never ended", "0", str(told.unended), told.unended == 0),
        ("Marked as sent without a mail", "0", str(len(told.unmailed)), not told.unmailed),
        ("At a forbidden hour", "0", str(len(told.forbidden)), not told.forbidden),
        ("Doubled after a kill", "allowed", str(told.repeated), told.repeated <= lives.killed),
        ("Mails to a person on a day with any, p95", "≤ 2", f"{told.p95}", told.p95 <= 2),
        ("The days took", "", f"{lives.seconds / 60:.1f} min", None),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
