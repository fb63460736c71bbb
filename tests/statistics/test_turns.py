"""The figures through every turn that the real actions make, told by the command, on the page, and again afterwards."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from backend import cli
from backend.core import clock
from backend.core.calendar import end_of_day
from backend.core.db import COUNTER, unit_of_work
from backend.deviations.forms import ConfirmRedirectForm, RedirectForm, ResendForm, SettleForm
from backend.statistics import queries
from tests.deviations.verbs import (
    ACCEPTED,
    ASK,
    DECLINE,
    MONDAY,
    PATIENT_SAFETY,
    RETURNED,
    SURGERY,
    TELL,
    TO_KARLSKRONA,
    WHY,
    act,
    case,
    later,
    withdraw,
    work,
)
from tests.people import ANNA, ANSWER, BERIT, BOB, BOBS_UNIT, CHARLIE, MATS, acting, filed
from tests.statistics.reckoning import COUNTED

REGION, KARLSKRONA, CARE = "SE2321000081-R", "SE2120000829-K", "SE2120000852-K"
YES = ConfirmRedirectForm(confirm=True)
TO_SURGERY = RedirectForm(unit=SURGERY, comment="Kirurgen skrev ut patienten.")
BACK_TO_BOB = ResendForm(unit=BOBS_UNIT, comment="Jo, det var ni.")


@pytest.fixture(autouse=True)
def _november(blekinge: str) -> Iterator[None]:
    with later(0):
        yield


def day_of(days: int) -> date:
    return (MONDAY + timedelta(days=days)).date()


def told(*flags: str) -> dict[str, Any]:
    """What the command says, without what is 0; days by the branch without its authority's number."""
    command = ["figures", "answer-rate", "--from", "2026-11", "--to", "2026-11", "--format", "json", *flags]
    found = CliRunner().invoke(cli.app, command)
    assert found.exit_code == 0, found.output
    figures = json.loads(found.stdout)
    numbers = {name: figures[name] for name in COUNTED if figures[name]}
    return {**numbers, "days": {hsa_id[5:]: days for hsa_id, days in figures["charged_days"].items()}}


def on_the_page(email: str, way: str) -> dict[str, int]:
    """What the branch's own page says of one direction, without what is 0."""
    with acting(email) as (db, me):
        found = queries.overview(db, me, date(2026, 11, 1), date(2026, 11, 1), clock.now())
    counts = asdict(getattr(found.whole, way))
    return {name: counts[name] for name in COUNTED if counts.get(name)}


def counted(figures: dict[str, Any]) -> dict[str, int]:
    """Of what the command says, what stands on a case and not on a leg of its route."""
    return {name: n for name, n in figures.items() if name not in ("days", "redirected")}


SIDES: dict[str, tuple[str, ...]] = {
    "all": (),
    "from us": ("--sender", CARE),
    "region": ("--receiver", REGION),
    "karlskrona": ("--receiver", KARLSKRONA),
}
B, K, V = "1000081-B000", "0000829-V000", "0000852-V000"


def test_one_case_through_every_turn_is_counted_right_then_and_ever_after() -> None:
    """Due on day 63, 4 January. Each turn has a day of its own; after it the figures are asked at the end of the day,
    and all of them once more when all is over.
    """
    number = filed()
    turns: list[tuple[int, tuple[Any, ...]]] = [
        (0, ()),
        (2, ("redirect", BOB, TO_SURGERY)),
        (5, ("redirect", PATIENT_SAFETY, TO_KARLSKRONA)),
        (6, ("confirm_redirect", ANNA, YES)),
        (10, ("decline", CHARLIE, DECLINE)),
        (14, ("resend", ANNA, BACK_TO_BOB)),
        (20, ("decline", BOB, DECLINE)),
        (35, ()),  # ten working days, and they have not agreed
        (40, ("reopen", BERIT, WHY)),
        (45, ("question", BOB, ASK)),
        (47, ("reply", ANNA, TELL)),
        (64, ()),  # the day after the answer was due
        (75, ("answer", BOB, ANSWER)),
        (77, ("judge", ANNA, RETURNED)),
        (79, ("answer", BOB, ANSWER)),
        (110, ()),  # twenty working days, and nobody has judged it
        (115, ("reopen", MATS, WHY)),
        (116, ("answer", BOB, ANSWER)),
        (117, ("judge", ANNA, ACCEPTED)),
    ]
    then: dict[int, dict[str, dict[str, Any]]] = {}
    for days, turn in turns:
        with later(days):
            if turn:
                verb, who, form = turn
                act(verb, number, who, form)
            work()
        with clock.at(end_of_day(day_of(days))):
            then[days] = {side: told(*flags) for side, flags in SIDES.items()}
            assert on_the_page(MATS, "outgoing") == counted(then[days]["all"])
            # What was declined is out of the receiver's sight.
            holder, side = (CHARLIE, "karlskrona") if 6 <= days < 14 else (PATIENT_SAFETY, "region")
            seen = {} if days == 10 else counted(then[days][side])
            assert on_the_page(holder, "incoming") == seen
    assert {days: figures["all"] for days, figures in then.items()} == {
        0: {"ongoing": 1, "days": {B: 0}},
        2: {"ongoing": 1, "redirected": 1, "days": {B: 2}},
        5: {"ongoing": 1, "redirected": 1, "days": {B: 5}},
        6: {"ongoing": 1, "redirected": 1, "days": {B: 6, K: 0}},
        10: {"declined": 1, "redirected": 1, "days": {B: 6, K: 4}},
        # Declined, it lay with the sender.
        14: {"ongoing": 1, "redirected": 1, "days": {B: 6, K: 4, V: 4}},
        20: {"ongoing": 1, "redirected": 1, "days": {B: 12, K: 4, V: 4}},
        35: {"disagreed": 1, "redirected": 1, "days": {B: 27, K: 4, V: 4}},
        40: {"ongoing": 1, "redirected": 1, "days": {B: 32, K: 4, V: 4}},
        45: {"ongoing": 1, "redirected": 1, "days": {B: 37, K: 4, V: 4}},
        47: {"ongoing": 1, "redirected": 1, "days": {B: 39, K: 4, V: 4}},
        64: {"matured": 1, "acknowledged": 1, "redirected": 1, "days": {B: 56, K: 4, V: 4}},
        # The answer is too late, and nobody is charged for a day after it.
        **{
            days: {
                "matured": 1,
                "answered": 1,
                "acknowledged": 1,
                **accepted,
                "redirected": 1,
                "days": {B: 67, K: 4, V: 4},
            }
            for days, accepted in {
                75: {},
                77: {},
                79: {},
                110: {"accepted_by_silence": 1},
                115: {"accepted_by_silence": 1},
                116: {"accepted_by_silence": 1},
                117: {"accepted": 1},
            }.items()
        },
    }
    # Whoever held it before has its own days and what it sent on, and nothing else.
    assert [then[days]["region"] for days in (6, 10)] == [{"redirected": 1, "days": {B: 6}}] * 2
    assert then[6]["karlskrona"] == {"ongoing": 1, "days": {K: 0}}
    assert then[10]["karlskrona"] == {"declined": 1, "days": {K: 4}}
    assert then[14]["karlskrona"] == then[117]["karlskrona"] == {"days": {K: 4, V: 4}}
    assert all(figures["from us"] == figures["all"] for figures in then.values())
    for days, figures in then.items():
        afterwards = {side: told("--as-of", day_of(days).isoformat(), *of) for side, of in SIDES.items()}
        assert (days, afterwards) == (days, figures)


def test_two_who_agree_that_they_disagree_are_counted_beside() -> None:
    number = filed()
    act("decline", number, BOB, DECLINE)
    act("resend", number, ANNA, BACK_TO_BOB)
    act("decline", number, BOB, DECLINE)
    with later(1):
        for who in (BERIT, MATS):
            act("settle", number, who, SettleForm(outcome="disagreement", comment="Vi kommer inte längre."))
    with later(70):
        assert told() == {"disagreed": 1, "days": {B: 1}}
        assert on_the_page(MATS, "outgoing") == on_the_page(PATIENT_SAFETY, "incoming") == {"disagreed": 1}


def test_two_who_agree_have_an_answer() -> None:
    number = filed()
    act("decline", number, BOB, DECLINE)
    act("resend", number, ANNA, BACK_TO_BOB)
    act("decline", number, BOB, DECLINE)
    with later(1):
        for who in (BERIT, MATS):
            act("settle", number, who, SettleForm(outcome="agree", comment="Vi ändrar rutinen."))
    with later(70):
        assert told() == {
            "matured": 1,
            "answered": 1,
            "on_time": 1,
            "acknowledged": 1,
            "days": {B: 1},
        }


@pytest.mark.parametrize(
    ("withdrawn", "standing"),
    [
        (5, {"withdrawn": 1, "days": {B: 5}}),
        (63, {"withdrawn": 1, "days": {B: 63}}),
        (64, {"matured": 1, "acknowledged": 1, "days": {B: 64}}),
    ],
)
def test_what_is_taken_back_after_the_last_day_stays_in(withdrawn: int, standing: dict[str, Any]) -> None:
    number = filed()
    with later(1):
        act("acknowledge", number, BOB)
    with later(withdrawn):
        act("withdraw", number, ANNA, WHY)
    with later(70):
        assert told() == standing


@pytest.mark.parametrize(
    ("declined", "withdrawn", "standing"),
    [
        # Twenty working days later it is withdrawn by silence, before or after the day the answer was due.
        (5, 35, {"withdrawn": 1, "days": {B: 5, V: 30}}),
        (60, 94, {"declined": 1, "days": {B: 60, V: 34}}),
    ],
)
def test_what_was_declined_and_left_lying_is_never_the_receivers(
    declined: int, withdrawn: int, standing: dict[str, Any]
) -> None:
    number = filed()
    with later(declined):
        act("decline", number, BOB, DECLINE)
    with later(withdrawn):
        work()
    with later(100):
        assert case(number).state == "withdrawn"
        assert told() == standing


def test_a_question_asked_too_late_does_not_undo_what_has_matured() -> None:
    number = filed()
    with later(65):
        act("question", number, BOB, ASK)
    with later(67):
        act("reply", number, ANNA, TELL)
        assert told() == {"matured": 1, "acknowledged": 1, "days": {B: 67}}
    with later(68):
        act("answer", number, BOB, ANSWER)
        assert told() == {"matured": 1, "acknowledged": 1, "answered": 1, "days": {B: 68}}


def test_a_question_in_time_moves_the_day_and_the_one_who_asked_still_held_it() -> None:
    number = filed()
    with later(10):
        act("question", number, BOB, ASK)
    with later(15):
        act("reply", number, ANNA, TELL)
    # Five days more than 60, and the sixty-fifth is Epiphany.
    with later(66):
        assert told() == {"ongoing": 1, "days": {B: 66}}
    with later(67):
        assert told() == {"matured": 1, "acknowledged": 1, "days": {B: 67}}


def test_what_has_left_the_branch_is_counted_for_it_alone(blekinge: str) -> None:
    """Declined, taken back, sent on within and to another branch: each leg once, in the month its case was sent."""
    declined, taken_back, sent_on, _kept = (filed() for _ in range(4))
    act("decline", declined, BOB, DECLINE)
    withdraw(taken_back)
    act("redirect", sent_on, BOB, TO_SURGERY)
    with later(1):
        act("resend", declined, ANNA, BACK_TO_BOB)
        act("decline", declined, BOB, DECLINE)
    first = date(2026, 11, 1)

    def left(email: str, as_of_day: int = 5, month: date = first) -> tuple[int, ...]:
        with acting(email) as (_db, me), unit_of_work(COUNTER) as counter:
            found = queries.left(counter, me, month, month, end_of_day(day_of(as_of_day)))
        return (found.sent_on_by_us, found.declined_by_us, found.taken_back_from_us, found.sent_on_by_them)

    assert left(BERIT) == (1, 1, 1, 0)
    # The one who sent them sees what the other sent on; what was declined to it lies with it still.
    assert left("mas@solvesborg.example") == (0, 0, 0, 1)
    assert left("mas@karlskrona.example") == (0, 0, 0, 0)
    assert left(BERIT, as_of_day=-1) == (0, 0, 0, 0)
    assert left(BERIT, month=date(2026, 10, 1)) == (0, 0, 0, 0)
