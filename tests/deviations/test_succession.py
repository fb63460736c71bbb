"""A unit that ends leaves no case behind."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations import actions, queries
from backend.deviations.models import State
from backend.deviations.queries import told
from tests.deviations.verbs import ACCEPTED, MONDAY, acknowledge, answer, case, judge
from tests.people import ANNA, BOB, BOBS_UNIT, acting, filed

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
