"""Months as the calendar on a Swedish wall has them."""

from datetime import UTC, date, datetime

import pytest

from backend.core import clock
from backend.core.errors import InvalidError
from backend.statistics import forms, months


def test_a_month_begins_at_midnight_in_sweden() -> None:
    assert months.starts(date(2024, 1, 1)) == datetime(2023, 12, 31, 23, tzinfo=UTC)
    assert months.starts(date(2024, 7, 1)) == datetime(2024, 6, 30, 22, tzinfo=UTC)
    assert months.month_at(datetime(2024, 6, 30, 22, tzinfo=UTC)) == date(2024, 7, 1)
    assert months.month_at(datetime(2024, 6, 30, 21, 59, tzinfo=UTC)) == date(2024, 6, 1)


def test_months_are_counted_over_the_years() -> None:
    assert (months.later(date(2024, 12, 1)), months.later(date(2024, 1, 1), -13)) == (
        date(2025, 1, 1),
        date(2022, 12, 1),
    )
    assert months.between(date(2023, 11, 1), date(2024, 2, 1)) == [
        date(2023, 11, 1),
        date(2023, 12, 1),
        date(2024, 1, 1),
        date(2024, 2, 1),
    ]
    assert months.between(date(2024, 2, 1), date(2024, 1, 1)) == []
    assert months.last_day(date(2024, 2, 1)) == date(2024, 2, 29)


def test_a_month_is_written_with_its_year_first() -> None:
    assert (months.parse("2024-02"), months.code(date(2024, 2, 1))) == (date(2024, 2, 1), "2024-02")
    assert months.name(date(2024, 2, 1)) == "februari 2024"


@pytest.mark.parametrize("code", ["2024-2", "2024-13", "24-02", "2024-02-01", "", "0000-01", "2024-02\n"])
def test_anything_else_is_no_month(code: str) -> None:
    with pytest.raises(ValueError):
        months.parse(code)


NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "period"),
    [
        # It is December in Sweden already.
        (("", ""), (date(2026, 1, 1), date(2026, 12, 1))),
        (("2023-01", "2023-12"), (date(2023, 1, 1), date(2023, 12, 1))),
        ((" 2026-12 ", "2026-12"), (date(2026, 12, 1), date(2026, 12, 1))),
        (("2023-03", ""), (date(2023, 3, 1), date(2024, 2, 1))),
        (("2026-10", ""), (date(2026, 10, 1), date(2026, 12, 1))),
        (("2025-01", "2026-12"), (date(2025, 1, 1), date(2026, 12, 1))),
    ],
)
def test_the_period_is_the_months_typed_or_the_last_twelve(
    typed: tuple[str, str], period: tuple[date, date]
) -> None:
    with clock.at(NOW):
        assert forms.period(*typed) == period


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        (("januari", "2023-12"), ["from"]),
        (("x", "y"), ["from", "to"]),
        (("2023-02", "2023-01"), ["to"]),
        (("", "2020-01"), ["to"]),
        (("2024-01", "2026-01"), ["to"]),
    ],
)
def test_a_period_that_cannot_be_drawn_is_refused(typed: tuple[str, str], fields: list[str]) -> None:
    with clock.at(NOW), pytest.raises(InvalidError) as error:
        forms.period(*typed)
    assert [fault.field for fault in error.value.faults] == fields
