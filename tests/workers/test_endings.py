"""However a case ends, whoever reported it hears of it, and both sides of a dispute: from the action to the caught mail."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations import actions, queries
from backend.deviations.forms import SettleForm
from tests.deviations.verbs import DECLINE, HOME_CARE_MANAGER, act, disputed, withdraw
from tests.people import ALICE, ALICES_UNIT, ANNA, BERIT, BOB, acting, filed
from tests.workers.day_by_day import (
    ANSWERED,
    FOOT,
    SENT,
    WARD,
    Mail,
    bodies,
    chooses,
    link,
    mails,
    outcomes,
    through,
    work,
)

HOME_NURSING, HOME_CARE = "Hemsjukvården Sölvesborg", "Hemtjänsten Sölvesborg"
DISAGREE = SettleForm(outcome="disagreement", comment="Vi ser olika på det.")
PARTLY = SettleForm(outcome="partly", comment="Båda kunde ha ringt.")
AGREED = "Den andra parten sade ja om ett ärende vid {}"
TIME_IS_UP = "Ett ärende vid {} är avslutat som oenighet"
DISAGREED: Mail = (ANNA, f"Ett ärende från {HOME_NURSING} är avslutat som oenighet")


def just(superuser: Engine, before: int) -> list[Mail]:
    """What has been sent since, in an order of its own."""
    return sorted(mails(superuser)[before:])


@pytest.mark.parametrize("thanks", ["Vad fint gjort!", None])
def test_thanks_for_a_good_example_reach_whoever_gave_it(
    blekinge: str, superuser: Engine, thanks: str | None
) -> None:
    with clock.at(SENT):
        number = filed(event_kind="good_example")
        work()
        before = len(mails(superuser))
        with acting(BOB) as (db, me):
            actions.acknowledge(db, me, queries.deviation(db, me, number), thanks)
        work()
    assert just(superuser, before) == [(ANNA, f"Mottagaren av ett ärende från {HOME_NURSING} tackar")]
    assert bodies(superuser)[before:] == [
        "Mottagaren har läst det ni skrev, och tackar."
        f"\n\n{number}\n\nÖppna ärendet: {link(number)}\n\n{FOOT}\n"
    ]


def test_thanks_that_were_taken_back_before_they_were_told_are_not_told(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed(event_kind="good_example")
        work()
        before = len(mails(superuser))
        act("acknowledge", number, BOB)
        act("unacknowledge", number, BOB)
        work()
    assert just(superuser, before) == []


def test_an_acknowledgement_that_asks_for_an_answer_is_no_news(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        number = filed()
        work()
        before = len(mails(superuser))
        act("acknowledge", number, BOB)
        work()
    assert just(superuser, before) == []


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (BERIT, HOME_CARE_MANAGER, [DISAGREED, (BERIT, AGREED.format(WARD))]),
        (HOME_CARE_MANAGER, BERIT, [DISAGREED, (HOME_CARE_MANAGER, AGREED.format(HOME_NURSING))]),
    ],
)
def test_a_disagreement_that_both_agreed_on_is_told_to_the_reporter_and_to_whoever_proposed_it(
    blekinge: str, superuser: Engine, first: str, second: str, told: list[Mail]
) -> None:
    with clock.at(SENT):
        number = disputed()
        act("settle", number, first, DISAGREE)
        work()
    before = len(mails(superuser))
    with clock.at(SENT + timedelta(days=1)):
        act("settle", number, second, DISAGREE)
        work()
    assert just(superuser, before) == sorted(told)
    assert (
        "Parterna ser olika på det som hände, och ärendet är avslutat som oenighet. Läs vad båda skrev."
        f"\n\n{number}\n\nÖppna ärendet: {link(number)}\n\n{FOOT}\n"
    ) in bodies(superuser)[before:]


def test_a_settlement_is_told_as_an_answer_and_to_whoever_proposed_it(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = disputed()
        act("settle", number, BERIT, PARTLY)
        work()
    before = len(mails(superuser))
    with clock.at(SENT + timedelta(days=1)):
        act("settle", number, HOME_CARE_MANAGER, PARTLY)
        work()
    assert just(superuser, before) == sorted([ANSWERED, (BERIT, AGREED.format(WARD))])
    assert (
        "Ni är överens om hur ärendet slutar, och förslaget gäller."
        f"\n\n{number}\n\nÖppna ärendet: {link(number)}\n\n{FOOT}\n"
    ) in bodies(superuser)[before:]


def test_a_dispute_that_time_has_ended_is_told_to_the_reporter_and_to_both_sides(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        disputed()
        work()
    through(superuser, SENT.date() + timedelta(days=1), date(2026, 3, 16))
    before = len(mails(superuser))
    through(superuser, date(2026, 3, 17), date(2026, 3, 17))
    assert just(superuser, before) == sorted(
        [
            DISAGREED,
            (BERIT, TIME_IS_UP.format(WARD)),
            (HOME_CARE_MANAGER, TIME_IS_UP.format(HOME_NURSING)),
        ]
    )


def test_a_declined_case_that_its_sender_left_is_told_to_whoever_reported_it_and_to_nobody_else(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed(ALICE, sender_unit=ALICES_UNIT)
        act("decline", number, BOB, DECLINE)
        work()
    through(superuser, SENT.date() + timedelta(days=1), date(2026, 3, 30))
    before = len(mails(superuser))
    assert through(superuser, date(2026, 3, 31), date(2026, 3, 31)) == [
        ("2026-03-31", ALICE, f"Ett ärende från {HOME_CARE} är återtaget")
    ]
    assert bodies(superuser)[before:] == [
        "Ärendet är avslutat utan svar från mottagaren. Läs varför."
        f"\n\n{number}\n\nÖppna ärendet: {link(number)}\n\n{FOOT}\n"
    ]


@pytest.mark.parametrize(
    ("by", "told"),
    [(HOME_CARE_MANAGER, [(ALICE, f"Ett ärende från {HOME_CARE} är återtaget")]), (ALICE, [])],
)
def test_a_report_that_another_takes_back_is_told_to_whoever_wrote_it(
    blekinge: str, superuser: Engine, by: str, told: list[Mail]
) -> None:
    with clock.at(SENT):
        number = filed(ALICE, sender_unit=ALICES_UNIT)
        work()
        before = len(mails(superuser))
        withdraw(number, by=by)
        work()
    assert just(superuser, before) == told


def test_the_end_of_a_case_is_told_to_nobody_who_would_no_longer_be_let_into_it(
    blekinge: str, superuser: Engine
) -> None:
    chooses(superuser, BERIT, time(8, 15), "digest")
    with clock.at(SENT):
        number = disputed()
        act("settle", number, BERIT, DISAGREE)
        act("settle", number, HOME_CARE_MANAGER, DISAGREE)
        work()
    assert ("settled", None) in outcomes(superuser)
    with superuser.begin() as connection:
        connection.execute(
            text("delete from assignments where person_id = (select id from people where email = :email)"),
            {"email": BERIT},
        )
    sent = through(superuser, SENT.date() + timedelta(days=1), SENT.date() + timedelta(days=1))
    assert BERIT not in {to for _day, to, _subject in sent}
    assert ("settled", "no longer theirs") in outcomes(superuser)
