"""A unit that ends leaves no case behind."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations import actions, queries
from backend.deviations.models import State
from backend.deviations.queries import told
from tests.deviations.verbs import ACCEPTED, MONDAY, WHY, acknowledge, act, answer, case, judge, sees
from tests.people import ANNA, BOB, BOBS_UNIT, MATS, acting, filed
from workers import deviations as jobs

SURGERY = "SE2321000081-S021"
PATIENT_SAFETY = "patientsakerhet@region.example"


@pytest.fixture(autouse=True)
def _november(blekinge: str) -> Iterator[None]:
    with clock.at(MONDAY):
        yield


def end(superuser: Engine, unit: str, successor: str) -> tuple[int, int]:
    with superuser.begin() as connection:
        row = connection.execute(
            text(
                "update units u set ended_on = '2026-11-02', successor_id = s.id from units s"
                " where u.hsa_id = :unit and s.hsa_id = :successor returning u.id, u.branch_id"
            ),
            {"unit": unit, "successor": successor},
        ).one()
    return row[0], row[1]


def test_open_cases_go_to_the_unit_that_took_over_with_their_clocks(superuser: Engine) -> None:
    held, over, sent = filed(), filed(), filed(BOB, sender_unit=BOBS_UNIT, receiver_unit="SE2120000852-V010")
    acknowledge(held)
    answer(over)
    judge(over, ACCEPTED)
    before = case(held)
    ended = end(superuser, BOBS_UNIT, SURGERY)
    assert actions.follow_successor(*ended) == "moved 2"
    assert actions.follow_successor(*ended) == "moved 0"
    after = case(held)
    assert (after.state, after.due_on, after.next_due_on) == (
        State.ACKNOWLEDGED,
        before.due_on,
        before.next_due_on,
    )
    with acting(PATIENT_SAFETY) as (db, me):
        units = [queries.deviation(db, me, number).receiver_unit.hsa_id for number in (held, over)]
        assert units == [SURGERY, BOBS_UNIT]
        assert queries.deviation(db, me, sent).sender_unit.hsa_id == SURGERY
        assert [leg.unit.hsa_id for leg in queries.handovers(db, queries.deviation(db, me, held))] == [
            BOBS_UNIT,
            SURGERY,
        ]


def test_whoever_takes_over_has_as_long_to_acknowledge_as_anybody(superuser: Engine) -> None:
    number = filed()
    with clock.at(MONDAY + timedelta(days=3)):
        ended = end(superuser, BOBS_UNIT, SURGERY)
        assert actions.follow_successor(*ended) == "moved 1"
        with acting(PATIENT_SAFETY) as (db, me):
            found = queries.deviation(db, me, number)
            running = [
                one.due_on for one in told.running(db, found, clock.now()) if one.kind == "acknowledge"
            ]
            assert [found.next_due_on] == running == [date(2026, 11, 12)]


def test_a_unit_that_was_reopened_keeps_its_cases(superuser: Engine) -> None:
    number = filed()
    ended = end(superuser, BOBS_UNIT, SURGERY)
    with superuser.begin() as connection:
        connection.execute(
            text("update units set ended_on = null, successor_id = null where hsa_id = :unit"),
            {"unit": BOBS_UNIT},
        )
    assert actions.follow_successor(*ended) == "nobody to follow"
    with acting(ANNA) as (db, me):
        assert queries.deviation(db, me, number).receiver_unit.hsa_id == BOBS_UNIT


def test_the_new_units_reminders_come_on_their_days_however_far_away_the_next_look_was(
    superuser: Engine,
) -> None:
    filed(event_kind="good_example")
    for day in range(1, 40):
        with clock.at(MONDAY + timedelta(days=day, hours=-3)):
            jobs.chase()
    with clock.at(MONDAY + timedelta(days=40)):
        assert actions.follow_successor(*end(superuser, BOBS_UNIT, SURGERY)) == "moved 1"
    for day in range(41, 52):
        with clock.at(MONDAY + timedelta(days=day, hours=-3)):
            jobs.chase()
    with superuser.connect() as connection:
        late = connection.execute(
            text(
                "select step, planned_at::date, made_at::date from reminders where leg = 2 and planned_at::date <> made_at::date"
            )
        ).all()
        steps = connection.scalars(text("select step from reminders where leg = 2 order by id")).all()
    assert (late, steps) == ([], ["untouched", "day_3", "day_5"])


def test_a_case_opened_again_after_its_unit_has_ended_goes_to_the_one_that_took_over(
    superuser: Engine,
) -> None:
    number = filed()
    answer(number)
    judge(number, ACCEPTED)
    ended = end(superuser, BOBS_UNIT, SURGERY)
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update assignments set unit_id = (select id from units where hsa_id = :surgery)"
                " where unit_id = (select id from units where hsa_id = :ward)"
            ),
            {"surgery": SURGERY, "ward": BOBS_UNIT},
        )
    assert actions.follow_successor(*ended) == "moved 0"
    act("reopen", number, MATS, WHY)
    assert not sees(number, BOB)
    jobs.follow_successor()
    assert sees(number, BOB)


def test_what_came_to_a_unit_as_it_ended_is_found_the_day_after(superuser: Engine) -> None:
    number = filed()
    end(superuser, BOBS_UNIT, SURGERY)
    assert actions.look_after() == "found 0, 0, 1"
    jobs.follow_successor()
    with acting(PATIENT_SAFETY) as (db, me):
        assert queries.deviation(db, me, number).receiver_unit.hsa_id == SURGERY
    assert actions.look_after() == "found 0, 0, 0"
