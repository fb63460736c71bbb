"""At what moment somebody is written to: worked out by hand from an almanac."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.calendar import Calendar, local_date
from backend.core.clock import STOCKHOLM, local
from backend.notifications import hours

SWEDEN = Calendar()
QUARTER = time(8, 15)


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=STOCKHOLM)


@pytest.mark.parametrize(
    ("now", "letter"),
    [
        ("2026-03-02T08:14:59", "2026-03-02T08:15"),
        ("2026-03-02T08:15", "2026-03-03T08:15"),
        ("2026-03-06T12:00", "2026-03-09T08:15"),
        ("2026-03-07T03:00", "2026-03-09T08:15"),
        # Easter, Christmas, and the day before each change of the clock.
        ("2026-04-02T12:00", "2026-04-07T08:15"),
        ("2026-12-23T12:00", "2026-12-28T08:15"),
        ("2026-03-27T12:00", "2026-03-30T08:15"),
        ("2026-10-23T12:00", "2026-10-26T08:15"),
    ],
)
def test_the_days_letter(now: str, letter: str) -> None:
    assert hours.next_letter(at(now), QUARTER, SWEDEN) == at(letter)


@pytest.mark.parametrize(
    ("now", "latest", "told"),
    [
        ("2026-03-02T10:00", None, "2026-03-02T10:00"),
        ("2026-03-02T13:00", "2026-03-02T08:00", "2026-03-02T13:00"),
        ("2026-03-02T13:00", "2026-03-02T08:01", "2026-03-02T13:01"),
        # One is on its way already: this goes with it.
        ("2026-03-02T10:00", "2026-03-02T10:20", "2026-03-02T10:20"),
        ("2026-03-02T06:59", None, "2026-03-02T08:15"),
        ("2026-03-02T17:00", None, "2026-03-02T17:00"),
        ("2026-03-02T17:01", None, "2026-03-03T08:15"),
        ("2026-03-02T16:50", "2026-03-02T16:45", "2026-03-03T08:15"),
        ("2026-03-07T12:00", None, "2026-03-09T08:15"),
    ],
)
def test_news_come_at_once_in_the_hours_of_work_and_not_one_by_one(
    now: str, latest: str | None, told: str
) -> None:
    assert hours.news(at(now), QUARTER, SWEDEN, at(latest) if latest else None) == at(told)


@pytest.mark.parametrize(
    ("now", "planned", "told"),
    [
        ("2026-03-02T06:00", "2026-03-02", "2026-03-02T08:15"),
        # Found after a stop: on the day itself, a day late, at the weekend, and too late in the day.
        ("2026-03-02T14:03:10", "2026-03-02", "2026-03-02T14:04"),
        ("2026-03-03T06:00", "2026-03-02", "2026-03-03T08:15"),
        ("2026-03-03T14:03:30", "2026-03-02", "2026-03-03T14:04:30"),
        ("2026-03-07T14:00", "2026-03-06", "2026-03-09T08:15"),
        ("2026-03-02T16:59:45", "2026-03-02", "2026-03-03T08:15"),
    ],
)
def test_a_reminder_comes_in_its_days_letter_or_as_soon_as_may_be(now: str, planned: str, told: str) -> None:
    assert hours.reminder(at(now), QUARTER, SWEDEN, date.fromisoformat(planned)) == at(told)


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31), timezones=st.just(STOCKHOLM))  # noqa: DTZ001
CHOSEN = st.integers(7 * 4, 17 * 4).map(lambda quarters: time(quarters // 4, quarters % 4 * 15))


@given(now=MOMENTS, hour=CHOSEN, ago=st.none() | st.integers(-300, 600), late=st.integers(0, 20))
def test_nobody_is_written_to_at_night_at_the_weekend_or_on_a_holiday(
    now: datetime, hour: time, ago: int | None, late: int
) -> None:
    latest = None if ago is None else now - timedelta(minutes=ago)
    planned = local_date(now) - timedelta(days=late)
    for told in (
        hours.next_letter(now, hour, SWEDEN),
        hours.news(now, hour, SWEDEN, latest),
        hours.reminder(now, hour, SWEDEN, planned),
    ):
        assert told >= now
        assert SWEDEN.is_working_day(local_date(told))
        assert time(7) <= local(told).time() <= time(17)
        assert hours.is_open(told, SWEDEN)


@given(now=MOMENTS, hour=CHOSEN)
def test_what_is_found_late_in_the_hours_of_work_is_told_within_ninety_seconds(
    now: datetime, hour: time
) -> None:
    told = hours.reminder(now, hour, SWEDEN, local_date(now) - timedelta(days=1))
    letter = hours.next_letter(now, hour, SWEDEN)
    open_still = hours.is_open(now + timedelta(seconds=90), SWEDEN) and hours.is_open(now, SWEDEN)
    if open_still and local_date(letter) > local_date(now):
        assert told - now <= timedelta(seconds=90)
