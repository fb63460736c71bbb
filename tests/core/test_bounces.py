"""When an address is taken not to be reachable, and when it is sound again."""

from datetime import datetime, timedelta

import pytest

from backend.core import bounces, clock
from backend.core.clock import STOCKHOLM
from backend.core.db import NOBODY, unit_of_work

START = datetime(2026, 3, 2, 9, 0, tzinfo=STOCKHOLM)
ANNA = "anna@kommun.example"
DAY = timedelta(days=1)


def lived(*events: tuple[float, str]) -> bounces.Run | None:
    """What is known of Anna's address after these: the day, and `taken` or the status that came back."""
    for number, (day, what) in enumerate(events):
        with clock.at(START + day * DAY), unit_of_work(NOBODY) as db:
            if what == "taken":
                bounces.taken(db, [ANNA])
            else:
                bounces.record(db, "mailbox", str(number), [(ANNA, what)])
    with clock.at(START + (events[-1][0] + 0.01) * DAY), unit_of_work(NOBODY) as db:
        return bounces.runs(db).get(ANNA)


@pytest.mark.parametrize(
    ("events", "count", "final", "unreachable"),
    [
        ([(0, "5.1.1")], 1, 1, False),
        ([(0, "5.1.1"), (1, "5.1.1")], 2, 2, False),
        ([(0, "5.1.1"), (1, "5.2.1"), (2, "5.0.0")], 3, 3, True),
        # What was only given up in the end may be a server that was away.
        ([(0, "5.1.1"), (1, "4.4.7"), (2, "5.0.0")], 3, 2, False),
        # The relay takes every mail, and the refusal comes the day after: taken proves nothing.
        ([(0, "5.1.1"), (1, "taken"), (2, "5.1.1"), (3, "taken"), (4, "5.1.1")], 3, 3, True),
        # A week with nothing back does.
        ([(0, "5.1.1"), (1, "5.1.1"), (2, "taken"), (9, "5.1.1")], 1, 1, False),
        ([(0, "5.1.1"), (1, "5.1.1"), (2, "taken"), (8.9, "5.1.1")], 3, 3, True),
        ([(0, "5.1.1"), (1, "5.1.1"), (2, "5.1.1"), (3, "taken"), (9.9, "taken")], 3, 3, True),
    ],
)
def test_three_in_a_row_without_a_quiet_week(
    database: str, events: list[tuple[float, str]], count: int, final: int, unreachable: bool
) -> None:
    run = lived(*events)
    assert run is not None
    assert (run.count, run.final, run.unreachable) == (count, final, unreachable)


def test_after_a_quiet_week_nothing_is_left_of_it(database: str) -> None:
    assert lived((0, "5.1.1"), (1, "5.1.1"), (2, "5.1.1"), (3, "taken"), (10, "taken")) is None


def test_the_same_refusal_is_written_once_and_an_odd_status_is_still_a_refusal(database: str) -> None:
    with unit_of_work(NOBODY) as db:
        failed = [(ANNA, "5.1.1"), (" Anna@Kommun.example", "5.1.1"), ("bob@kommun.example", "'; drop")]
        assert bounces.record(db, "mailbox", "one", failed) == 2
        assert bounces.record(db, "mailbox", "one", failed) == 0
        assert bounces.record(db, "smtp", "one", failed[:1]) == 1
        assert bounces.record(db, "smtp", "one", []) == 0
        assert {run.address: run.count for run in bounces.runs(db).values()} == {
            ANNA: 2,
            "bob@kommun.example": 1,
        }
        assert bounces.runs(db, ["bob@kommun.example"]).keys() == {"bob@kommun.example"}
        bounces.forget(db, ANNA)
        assert bounces.runs(db).keys() == {"bob@kommun.example"}


def test_what_is_older_than_a_year_is_forgotten(database: str) -> None:
    for days, expected in ((364, 1), (366, 0)):
        with clock.at(START), unit_of_work(NOBODY) as db:
            bounces.record(db, "smtp", "old", [(ANNA, "5.1.1")])
        with clock.at(START + days * DAY), unit_of_work(NOBODY) as db:
            bounces.forget_old(db)
            assert len(bounces.runs(db)) == expected
