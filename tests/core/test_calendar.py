"""Working days as the law and the county's agreement have them."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.calendar import Calendar, at_hour, end_of_day, local_date

SWEDEN = Calendar()
DAYS = st.dates(date(2015, 1, 1), date(2045, 12, 31))


def test_the_days_off_of_2026_are_those_of_the_almanac() -> None:
    weekdays = (date(2026, 1, 1) + timedelta(days=n) for n in range(365))
    days_off = {day: SWEDEN.holiday_name(day) for day in weekdays if not SWEDEN.is_working_day(day)}
    assert {day: name for day, name in days_off.items() if day.weekday() < 5} == {
        date(2026, 1, 1): "nyårsdagen",
        date(2026, 1, 6): "trettondedag jul",
        date(2026, 4, 3): "långfredagen",
        date(2026, 4, 6): "annandag påsk",
        date(2026, 5, 1): "första maj",
        date(2026, 5, 14): "Kristi himmelsfärdsdag",
        date(2026, 6, 19): "midsommarafton",
        date(2026, 12, 24): "julafton",
        date(2026, 12, 25): "juldagen",
        date(2026, 12, 31): "nyårsafton",
    }
    assert len(days_off) == 10 + 104


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 4, 5), "påskdagen"),
        (date(2026, 6, 6), "nationaldagen"),
        (date(2026, 10, 31), "alla helgons dag"),
        (date(2008, 5, 1), "första maj och Kristi himmelsfärdsdag"),
        (date(2026, 4, 30), None),
        (date(2026, 5, 15), None),
        (date(2026, 5, 16), None),
    ],
)
def test_a_holiday_is_named_as_in_the_middle_of_a_sentence(day: date, name: str | None) -> None:
    assert SWEDEN.holiday_name(day) == name


def test_the_three_eves_are_days_off_but_no_public_holidays() -> None:
    eves = [date(2026, 6, 19), date(2026, 12, 24), date(2026, 12, 31)]
    assert [SWEDEN.is_working_day(day) for day in eves] == [False] * 3
    assert [SWEDEN.is_public_holiday(day) for day in eves] == [False] * 3
    assert SWEDEN.is_public_holiday(date(2026, 12, 25)) is True


def test_a_county_adds_and_removes_days_off() -> None:
    bridge, epiphany, saturday = date(2026, 5, 15), date(2026, 1, 6), date(2026, 1, 10)
    county = Calendar(added=frozenset({bridge}), removed=frozenset({epiphany, saturday}))
    assert [county.is_working_day(day) for day in (bridge, epiphany, saturday)] == [False, True, True]
    assert [county.holiday_name(day) for day in (bridge, epiphany, saturday)] == [
        "länets lediga dag",
        None,
        None,
    ]
    assert [county.is_public_holiday(day) for day in (bridge, epiphany)] == [False, False]


def test_a_day_both_added_and_removed_is_refused() -> None:
    day = frozenset({date(2026, 5, 15)})
    with pytest.raises(ValueError, match="2026-05-15"):
        Calendar(added=day, removed=day)


@pytest.mark.parametrize(
    ("start", "n", "day"),
    [
        (date(2026, 3, 2), 0, date(2026, 3, 2)),
        (date(2026, 3, 8), 0, date(2026, 3, 8)),
        (date(2026, 3, 8), 1, date(2026, 3, 9)),
        (date(2026, 4, 1), 2, date(2026, 4, 7)),
        (date(2026, 4, 7), -2, date(2026, 4, 1)),
        (date(2026, 12, 30), 1, date(2027, 1, 4)),
    ],
)
def test_the_start_is_day_0(start: date, n: int, day: date) -> None:
    assert SWEDEN.add_working_days(start, n) == day


def test_a_working_day_is_its_own_next() -> None:
    assert SWEDEN.next_working_day(date(2026, 4, 2)) == date(2026, 4, 2)
    assert SWEDEN.next_working_day(date(2026, 4, 3)) == date(2026, 4, 7)


def test_days_between_count_the_last_and_not_the_first() -> None:
    assert SWEDEN.working_days_between(date(2026, 3, 6), date(2026, 3, 9)) == 1
    assert SWEDEN.working_days_between(date(2026, 3, 9), date(2026, 3, 6)) == 0


@given(start=DAYS, n=st.integers(0, 70))
def test_counting_back_what_was_added_gives_the_same_number(start: date, n: int) -> None:
    end = SWEDEN.add_working_days(start, n)
    assert SWEDEN.working_days_between(start, end) == n
    assert n == 0 or SWEDEN.is_working_day(end)


def test_the_local_date_is_the_one_on_a_swedish_wall() -> None:
    assert local_date(datetime(2026, 1, 31, 23, 0, tzinfo=UTC)) == date(2026, 2, 1)
    assert local_date(datetime(2026, 7, 31, 21, 59, tzinfo=UTC)) == date(2026, 7, 31)
    with pytest.raises(ValueError, match="time zone"):
        local_date(datetime(2026, 7, 31, 21, 59))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_a_day_ends_at_the_next_midnight_also_when_the_clocks_change(day: date, hours: int) -> None:
    end = end_of_day(day).astimezone(UTC)
    assert end - end_of_day(day - timedelta(days=1)).astimezone(UTC) == timedelta(hours=hours)
    assert local_date(end) == day + timedelta(days=1)
    assert local_date(end - timedelta(microseconds=1)) == day


def test_an_hour_is_meant_in_swedish_time_and_the_skipped_one_moves_on() -> None:
    assert at_hour(date(2026, 1, 7), time(8, 15)).astimezone(UTC) == datetime(2026, 1, 7, 7, 15, tzinfo=UTC)
    assert at_hour(date(2026, 7, 7), time(8, 15)).astimezone(UTC) == datetime(2026, 7, 7, 6, 15, tzinfo=UTC)
    assert at_hour(date(2026, 3, 29), time(2, 30)).isoformat() == "2026-03-29T03:30:00+02:00"
