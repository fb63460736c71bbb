"""What is wrong with how a unit is reached, the worst first: the rule itself, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from backend.core.bounces import Run
from backend.core.calendar import Calendar
from backend.directory.health import Reach, Receiver, findings, half_year_day, is_due, weight

NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
DAY = timedelta(days=1)
DEAD = Run("a@x.example", 3, 3, NOW - 9 * DAY, NOW - DAY)
ONCE = Run("a@x.example", 1, 1, NOW - DAY, NOW - DAY)
ANNA = Receiver(1, "Sjuksköterska", "a@x.example", date(2024, 1, 1), NOW - 10 * DAY, covered=True)
EVA = replace(ANNA, id=2, email="e@x.example", covered=False)
GOOD = Reach(1, "SE-1", "Enheten", False, 1, "Vård", (ANNA,), (ANNA,), last_login=NOW - 10 * DAY)


def wrong(reach: Reach) -> list[tuple[str, list[int]]]:
    return [(finding.kind, [person.id for person in finding.people]) for finding in findings(reach, NOW)]


def with_people(*people: Receiver, **changed: object) -> Reach:
    return replace(GOOD, receivers=people, colleagues=people, **changed)  # type: ignore[arg-type]


ALONE = replace(ANNA, covered=False)
OLD = replace(ANNA, confirmed_at=NOW - 365 * DAY)


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (GOOD, []),
        (with_people(), [("no_receiver", [])]),
        (with_people(streak=2), [("no_receiver", []), ("unanswered", [])]),
        (replace(GOOD, streak=1), []),
        (replace(GOOD, streak=2), [("unanswered", [])]),
        (replace(GOOD, last_login=NOW - 60 * DAY), [("silent", [1])]),
        (replace(GOOD, last_login=None), [("silent", [1])]),
        (with_people(replace(ANNA, since=date(2026, 10, 20)), last_login=None), []),  # has just come
        (with_people(replace(ANNA, bounces=ONCE)), [("bounces", [1])]),
        (with_people(replace(ANNA, bounces=DEAD)), [("unreachable", [1])]),
        # One of two is reached: the unit is, but somebody should mend the other's address.
        (with_people(replace(ANNA, bounces=DEAD), EVA), [("bounces", [1])]),
        (with_people(ALONE), [("no_substitute", [1])]),
        (with_people(ALONE, EVA), []),
        (with_people(OLD), [("unconfirmed", [1])]),
        (
            with_people(replace(OLD, covered=False, bounces=DEAD), streak=3, last_login=None),
            [
                ("unreachable", [1]),
                ("unanswered", []),
                ("silent", [1]),
                ("no_substitute", [1]),
                ("unconfirmed", [1]),
            ],
        ),
        # Those of the unit above are told of where they are; here only what strikes this unit.
        (with_people(replace(OLD, covered=False), at="Ovanför", last_login=None), []),
        (with_people(replace(OLD, bounces=DEAD), at="Ovanför"), [("unreachable", [1])]),
    ],
)
def test_what_is_wrong_and_with_whom(reach: Reach, expected: list[tuple[str, list[int]]]) -> None:
    assert wrong(reach) == expected


def test_the_worst_stand_first_and_of_two_alike_the_one_with_more() -> None:
    nobody, streak, both, fine = with_people(), replace(GOOD, streak=2), with_people(ALONE, streak=2), GOOD
    found = sorted((fine, streak, both, nobody), key=lambda one: weight(findings(one, NOW)))
    assert found == [nobody, both, streak, fine]


@pytest.mark.parametrize(
    ("confirmed", "since", "expected"),
    [
        (None, date(2026, 10, 6), False),
        (None, date(2026, 10, 5), True),
        (datetime(2025, 11, 4, 23, 30, tzinfo=UTC), date(2020, 1, 1), False),  # the fifth, in Sweden
        (datetime(2025, 11, 4, 9, tzinfo=UTC), date(2020, 1, 1), True),
        (datetime(2025, 11, 4, 9, tzinfo=UTC), date(2026, 11, 1), True),
    ],
)
def test_an_address_is_confirmed_for_365_days_and_a_new_assignment_has_30(
    confirmed: datetime | None, since: date, expected: bool
) -> None:
    assert is_due(confirmed, since, date(2026, 11, 4)) is expected


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 1, 1), date(2026, 5, 4)),  # första maj is a Friday
        (date(2026, 5, 4), date(2026, 5, 4)),
        (date(2026, 5, 5), date(2026, 11, 2)),  # the first is a Sunday
        (date(2026, 11, 2), date(2026, 11, 2)),
        (date(2026, 11, 3), date(2027, 5, 3)),
        (date(2027, 12, 31), date(2028, 5, 2)),
    ],
)
def test_the_half_yearly_list_comes_on_the_first_working_day_of_may_and_november(
    today: date, expected: date
) -> None:
    assert half_year_day(today, Calendar()) == expected
