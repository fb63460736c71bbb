"""The frozen month against an independent reckoning over the rows of the history."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.core import clock, db, jobs
from backend.deviations import actions
from backend.deviations import queries as cases
from backend.directory import queries as directory_queries
from backend.statistics import queries as statistics
from backend.statistics.rates import wilson
from backend.summaries import queries
from backend.summaries.queries import Handled
from tests.people import ANSWER, BOB, acting, filed
from tests.statistics.reckoning import Case, day, directory, end_of, history, reckon
from workers import deviations

KEYS = ("sent", "acknowledged", "answered", "on_time", "overdue", "imported")


def county_id() -> int:
    with db.unit_of_work(db.COUNTER) as session:
        county = directory_queries.county_by_code(session, "BLE")
        assert county is not None
        return county.id


def frozen(month: date) -> dict[str, Any]:
    with db.unit_of_work(db.COUNTER) as session:
        return queries.month_figures(session, county_id(), month)


def by_hand(cases: list[Case], month: date, last: date) -> dict[tuple[str, str], dict[str, Any]]:
    """What each ordered pair of organisations did, said without SQL."""
    places, cut_off, code = directory(), end_of(last), f"{month:%Y-%m}"

    def in_month(moment: datetime | None) -> bool:
        return moment is not None and f"{day(moment):%Y-%m}" == code

    year = {
        f"{y}-{m:02}"
        for y, m in (
            (month.year + (month.month - 1 - n) // 12, (month.month - 1 - n) % 12 + 1) for n in range(12)
        )
    }
    ways: dict[tuple[str, str], Counter[str]] = {}
    cohorts: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        if case.good_example or case.sent_at >= cut_off:
            continue
        way = (places.organisation[case.sender], places.organisation[case.receiver])
        assert case.due_on is not None
        n = ways.setdefault(way, Counter())
        n["sent"] += in_month(case.sent_at)
        n["imported"] += in_month(case.sent_at)
        n["acknowledged"] += in_month(case.acknowledged_at)
        n["answered"] += in_month(case.answered_at)
        n["on_time"] += in_month(case.answered_at) and day(case.answered_at or case.sent_at) <= case.due_on
        n["overdue"] += end_of(case.due_on) <= cut_off and (
            case.answered_at is None or case.answered_at > cut_off
        )
        if case.month in year:
            cohorts.setdefault(way, []).append(case)
    told = {}
    for way, n in ways.items():
        matured = reckon(cohorts.get(way, []), cut_off, places.branch)
        if any(n.values()) or matured["matured"]:
            told[way] = {
                "month": {key: n[key] for key in KEYS},
                "year": {
                    "matured": matured["matured"],
                    "answered": matured["answered"],
                    "rate": matured["answer_rate"],
                    "interval": list(wilson(matured["answered"], matured["matured"])),
                },
            }
    return told


@pytest.mark.parametrize(
    ("month", "last"),
    [
        (date(2023, 1, 1), date(2023, 1, 31)),
        (date(2024, 2, 1), date(2024, 2, 29)),
        # Summer time ends within it.
        (date(2024, 10, 1), date(2024, 10, 31)),
        (date(2025, 3, 1), date(2025, 3, 31)),
    ],
)
def test_every_pair_equals_the_reckoning_both_ways(history: str, month: date, last: date) -> None:
    figures = frozen(month)
    assert {
        (way["from"], way["to"]): {"month": way["month"], "year": way["year"]} for way in figures["ways"]
    } == (by_hand(_history(), month, last))


def _history() -> list[Case]:
    return history(2023, 2024)


def test_what_was_withdrawn_is_no_longer_late(history: str, superuser: Engine) -> None:
    before = queries.told(frozen(date(2024, 11, 1))).month
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update deviations set withdrawn_at = '2024-11-30 23:30+01' where sent_at < '2024-06-01'"
                " and event_kind <> 'good_example' and answered_at is null"
            )
        )
        late = connection.scalar(text("select count(*) from deviations where withdrawn_at is not null"))
    after = queries.told(frozen(date(2024, 11, 1))).month
    assert (late or 0, after) == (before.overdue - after.overdue, replace(before, overdue=after.overdue))
    assert queries.told(frozen(date(2024, 10, 1))).month.overdue > after.overdue


def test_a_party_without_a_login_is_not_in_it(history: str, superuser: Engine) -> None:
    with superuser.begin() as connection:
        connection.execute(text("update organisations set kind = 'external' where name like 'Ronneby%'"))
    figures = frozen(date(2024, 11, 1))
    assert "SE2120000837-K" not in figures["organisations"]
    assert len(queries.told(figures).pairs) == 4


def test_the_year_is_that_of_the_figures_page(history: str) -> None:
    told = queries.told(frozen(date(2024, 11, 1)))
    with db.unit_of_work(db.COUNTER) as session:
        figures = statistics.answer_rate(
            session, county="BLE", first=date(2023, 12, 1), last=date(2024, 11, 1), as_of=date(2024, 11, 30)
        )
    assert (told.year.whole, told.year.part) == (figures["matured"], figures["answered"])
    assert told.year.whole > 300


def test_pairs_stand_in_alphabetical_order_with_the_region_second(history: str) -> None:
    told = queries.told(frozen(date(2024, 11, 1)))
    assert [pair.names for pair in told.pairs] == [
        (f"{name} kommun", "Region Blekinge")
        for name in ("Karlshamns", "Karlskrona", "Olofströms", "Ronneby", "Sölvesborgs")
    ]
    assert all(
        pair.ways[0].sender == pair.names[0] and pair.ways[1].sender == pair.names[1] for pair in told.pairs
    )


def test_a_direction_in_which_nothing_went_stands_empty_beside_the_other() -> None:
    way = {"from": "K", "to": "R", "month": {"sent": 2}, "year": {"matured": 1, "answered": 1}}
    names = {"K": {"name": "Kommunen", "kind": "municipality"}, "R": {"name": "Regionen", "kind": "region"}}
    (pair,) = queries.told({"organisations": names, "ways": [way]}).pairs
    assert [(one.sender, one.month, one.year.whole) for one in pair.ways] == [
        ("Kommunen", Handled(sent=2), 1),
        ("Regionen", Handled(), 0),
    ]


def test_before_the_first_case_there_is_nothing_to_tell(history: str) -> None:
    assert frozen(date(2022, 12, 1)) == {"form": 1, "organisations": {}, "ways": []}


def test_a_snapshot_holds_numbers_and_names_of_organisations_and_nothing_else(history: str) -> None:
    figures = frozen(date(2024, 11, 1))
    assert set(figures) == {"form", "organisations", "ways"}
    assert {key for way in figures["ways"] for key in way} == {"from", "to", "month", "year"}
    assert {key for way in figures["ways"] for key in way["month"]} == set(KEYS)
    assert {key for way in figures["ways"] for key in way["year"]} == {
        "matured",
        "answered",
        "rate",
        "interval",
    }
    assert {key for one in figures["organisations"].values() for key in one} == {"name", "kind"}


def test_what_everybody_has_been_reminded_of_stands_in_the_month_until_it_is_answered(blekinge: str) -> None:
    with clock.at(datetime(2026, 3, 2, 9, tzinfo=UTC)):
        number = filed()
    # The due day is 4 May; the last step comes on the 26th.
    for morning in (date(2026, 4, 7), date(2026, 5, 5), date(2026, 5, 25), date(2026, 5, 26)):
        with clock.at(datetime.combine(morning, time(8), UTC)):
            while "deviations.chase" in jobs.kinds_due():
                deviations.chase()
        if morning < date(2026, 5, 26):
            assert queries.told(frozen(date(2026, 5, 1))).month.exhausted == 0
    may = frozen(date(2026, 5, 1))
    assert queries.told(may).month == Handled(overdue=1, exhausted=1)
    assert frozen(date(2026, 4, 1))["ways"] == []
    with clock.at(datetime(2026, 6, 1, 9, tzinfo=UTC)), acting(BOB) as (session, me):
        actions.answer(session, me, cases.deviation(session, me, number), ANSWER)
    assert frozen(date(2026, 5, 1)) == may
    assert queries.told(frozen(date(2026, 6, 1))).month == Handled(acknowledged=1, answered=1)
