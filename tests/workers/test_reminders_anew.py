"""Clocks that begin anew, and what was said before they did: history taken up, another leg, another answer."""

from datetime import date, datetime, timedelta

from sqlalchemy import Engine, text

from backend.core import clock
from backend.core.clock import STOCKHOLM
from backend.deviations import queries
from backend.deviations.forms import (
    DelayForm,
    QuietForm,
    ResendForm,
)
from backend.deviations.models import VerdictKind
from backend.deviations.queries import told
from tests.deviations.verbs import DECLINE, act
from tests.people import ANNA, BERIT, BOB, BOBS_UNIT, acting, filed
from tests.workers.day_by_day import (
    REGION_SAFETY,
    SENT,
    answer,
    colleague,
    judge,
    ledger,
    mails,
    through,
    work,
)

TWENTY_WORKING_DAYS_LATER = date(2026, 7, 29)


def test_history_that_rests_is_reminded_of_to_nobody(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        number = filed()
        work()
        with superuser.begin() as connection:
            connection.execute(text("update deviations set resting = true, next_due_on = null"))
    assert through(superuser, date(2026, 3, 3), date(2026, 6, 30)) == []
    assert ledger(superuser) == []
    # Taken up, it is reminded of like any other, from that day on.
    with clock.at(datetime(2026, 7, 1, 10, tzinfo=STOCKHOLM)):
        act("resume", number, BOB)
    assert [row[:2] for row in through(superuser, date(2026, 7, 2), date(2026, 7, 22))] == [
        ("2026-07-06", BOB),
        ("2026-07-08", BOB),
        ("2026-07-15", BERIT),
        ("2026-07-22", REGION_SAFETY),
    ]


def test_an_answer_that_has_rested_is_judged_from_the_day_it_is_taken_up(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        answer(number)
        work()
        with superuser.begin() as connection:
            connection.execute(text("update deviations set resting = true, next_due_on = null"))
    with clock.at(datetime(2026, 7, 1, 10, tzinfo=STOCKHOLM)):
        act("resume", number, ANNA)
        with acting(ANNA) as (db, me):
            case = queries.deviation(db, me, number)
            [running] = told.running(db, case, clock.now())
            assert (running.kind, running.due_on, case.next_due_on) == (
                "verdict",
                TWENTY_WORKING_DAYS_LATER,
                TWENTY_WORKING_DAYS_LATER,
            )
    # At 80 %, and then silence accepts it.
    assert [row[:2] for row in through(superuser, date(2026, 7, 2), date(2026, 8, 31))] == [
        ("2026-07-24", ANNA)
    ]


def test_quiet_asked_for_on_an_earlier_leg_is_none_of_the_new_units(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        number = filed()
        act("quiet", number, BOB, QuietForm(until=None, reason="Vi väntar på apoteket."))
        work()
    with clock.at(SENT + timedelta(days=1)):
        act("decline", number, BOB, DECLINE)
    with clock.at(SENT + timedelta(days=1, hours=1)):
        act("resend", number, ANNA, ResendForm(unit=BOBS_UNIT, comment="Jo, det var ni."))
        work()
    # Sent anew on Tuesday: its third working day is Friday. Nobody has opened it since, though Bob did before.
    assert [row[:2] for row in through(superuser, date(2026, 3, 4), date(2026, 3, 6))] == [
        ("2026-03-05", REGION_SAFETY),
        ("2026-03-06", BOB),
    ]


def test_a_manager_who_looks_in_does_not_take_the_case_from_whoever_has_it_in_hand(
    blekinge: str, superuser: Engine
) -> None:
    colleague(superuser, "kollega@region.example")
    with clock.at(SENT):
        number = filed()
        work()
    before = len(mails(superuser))
    with clock.at(SENT + timedelta(minutes=5)):
        act("touch", number, BOB)
        act("touch", number, BERIT)
        act("touch", number, REGION_SAFETY)
    assert before == 2
    assert [row[:2] for row in through(superuser, date(2026, 3, 3), date(2026, 3, 5))] == [
        ("2026-03-05", BOB)
    ]


def test_a_promise_is_of_one_answer(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        number = filed()
        act("delay_notice", number, BOB, DelayForm(reason="Semester.", promised_on=date(2026, 4, 30)))
        answer(number)
        judge(number, VerdictKind.RETURNED)
        work()
    sent = through(superuser, date(2026, 3, 3), date(2026, 3, 16))
    assert [row[:2] for row in sent if row[1] == BOB] == [
        # Sent back; half of its time; its last day.
        ("2026-03-03", BOB),
        ("2026-03-09", BOB),
        ("2026-03-16", BOB),
    ]


def test_the_day_on_which_one_wants_to_hear_of_it_again_comes_before_the_next_look_that_was_planned(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        act("acknowledge", number, BOB)
        work()
    through(superuser, date(2026, 3, 3), date(2026, 3, 9))
    with clock.at(datetime(2026, 3, 10, 9, 0, tzinfo=STOCKHOLM)):
        act("quiet", number, BOB, QuietForm(until=date(2026, 3, 16), reason="Vi väntar på apoteket."))
    sent = through(superuser, date(2026, 3, 11), date(2026, 3, 20))
    assert [row[:2] for row in sent] == [("2026-03-16", BOB)]
