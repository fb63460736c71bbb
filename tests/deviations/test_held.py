"""Who had the case for how many days, in calendar days as an almanac has them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.core.calendar import local_date
from backend.deviations.clocks import Held, held
from tests.deviations.test_clocks import at


def legs(*written: str) -> list[tuple[datetime, datetime | None]]:
    found: list[tuple[datetime, datetime | None]] = []
    for leg in written:
        began, ended = leg.split("/")
        found.append((at(began), at(ended) if ended else None))
    return found


@pytest.mark.parametrize(
    ("ways", "until", "charged", "sender"),
    [
        # One holder, to the day of the answer; a minute past midnight is a day more.
        (["2026-03-02/"], "2026-03-10", (8,), 0),
        (["2026-03-02T23:59/"], "2026-03-03T00:01", (1,), 0),
        (["2026-03-02/"], "2026-03-02T16:00", (0,), 0),
        # Handed on: the day of handing over is the giver's, and nobody's twice.
        (["2026-03-02/2026-03-06", "2026-03-06/"], "2026-03-16", (4, 10), 0),
        (["2026-03-02/2026-03-06", "2026-03-06/2026-03-06", "2026-03-06/"], "2026-03-16", (4, 0, 10), 0),
        # Declined and sent on four days later: those days the sender had it.
        (["2026-03-02/2026-03-06", "2026-03-10/"], "2026-03-12", (4, 2), 4),
        # Seen before the end of it all, or before it began.
        (["2026-03-02/2026-03-06", "2026-03-06/"], "2026-03-04", (2, 0), 0),
        (["2026-03-02/"], "2026-03-01", (0,), 0),
        # Over the year's end, a leap day and both changes of the clocks.
        (["2027-12-31/2028-03-01", "2028-03-01/"], "2028-04-01", (61, 31), 0),
        # Declined, and lying with the sender still.
        (["2026-03-28T23:30/2026-10-25T00:30"], "2026-12-01", (211,), 37),
    ],
)  # fmt: skip
def test_each_is_charged_for_the_days_it_held_the_case(
    ways: list[str], until: str, charged: tuple[int, ...], sender: int
) -> None:
    assert held(legs(*ways), at(until)) == Held(charged, sender)


def test_a_case_that_nobody_was_given_is_charged_to_nobody() -> None:
    assert held([], at("2026-03-09")) == Held((), 0)


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
LENGTHS = st.timedeltas(timedelta(), timedelta(days=40))


# A busy machine is slow at drawing too, which says nothing of the days.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    sent=MOMENTS,
    lengths=st.lists(st.tuples(LENGTHS, LENGTHS), min_size=1, max_size=5),
)
def test_every_day_is_charged_once_and_none_is_negative(
    sent: datetime, lengths: list[tuple[timedelta, timedelta]]
) -> None:
    ways: list[tuple[datetime, datetime | None]] = []
    moment = sent
    for between, length in lengths:
        began = moment + between if ways else moment
        moment = began + length
        ways.append((began, moment))
    found = held(ways, moment)
    assert min(*found.legs, found.sender, 0) == 0
    assert sum(found.legs) + found.sender == (local_date(moment) - local_date(sent)).days
