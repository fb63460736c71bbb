"""Whom a clock reminds and when, from the real actions through ledger, notices and letters to the caught mail."""

import uuid
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, text

from backend.core import clock, jobs
from backend.core.clock import STOCKHOLM
from backend.core.db import NOBODY, unit_of_work
from backend.deviations import actions, queries
from backend.deviations.forms import (
    AssignForm,
    CommentForm,
    DelayForm,
    QuestionForm,
    QuietForm,
    ResendForm,
)
from backend.deviations.models import VerdictKind
from backend.deviations.queries import told
from backend.directory import queries as directory
from tests.deviations.verbs import DECLINE, HOME_CARE_MANAGER, act
from tests.people import ALICE, ALICES_UNIT, ANNA, BERIT, BOB, BOBS_UNIT, acting, filed
from tests.workers.day_by_day import (
    ANSWERED,
    ARRIVAL,
    FOOT,
    ONE,
    REGION_SAFETY,
    RETURNED,
    SENT,
    TWO,
    WARD,
    acknowledge,
    answer,
    bodies,
    colleague,
    judge,
    ledger,
    link,
    mails,
    outcomes,
    through,
    withdraw,
    work,
)
from workers import deviations

HEALTH_CENTRES_NURSE = "vardcentral@region.example"
TWENTY_WORKING_DAYS_LATER = date(2026, 7, 29)


def test_a_case_that_nobody_opens_is_raised_step_by_step_and_then_it_stops(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed(event_kind="good_example")
        work()
    assert through(superuser, date(2026, 3, 3), date(2026, 6, 30)) == [
        ("2026-03-04", REGION_SAFETY, ONE),
        ("2026-03-05", BOB, ONE),
        ("2026-03-09", BOB, ONE),
        ("2026-03-16", BERIT, ONE),
        ("2026-03-23", REGION_SAFETY, ONE),
    ]
    assert ledger(superuser) == [
        ("acknowledge", "untouched", "safety", None),
        ("acknowledge", "day_3", "handler", None),
        ("acknowledge", "day_5", "handler", None),
        ("acknowledge", "raised", "manager", None),
        ("acknowledge", "raised", "safety", None),
        ("acknowledge", "raised", "head", "nobody"),
    ]
    body = bodies(superuser)[4]
    assert body == (
        "God morgon! Ett ärende väntar på er i dag: ett att kvittera.\n\n"
        f"{WARD} – till dig som chef, för att tiden har gått ut\n"
        f"- {number}: kvittera, skulle varit klart måndag 9 mars 2026 (för 7 dagar sedan)\n  {link(number)}\n\n"
        f"{FOOT}\n"
    )


def test_an_answer_is_reminded_of_on_its_marks_once_however_often_it_is_looked_at(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        acknowledge(number)
        work()
        work()
    assert through(superuser, date(2026, 3, 3), date(2026, 6, 30)) == [
        ("2026-04-07", BOB, ONE),
        ("2026-04-22", BOB, ONE),
        ("2026-05-04", BOB, ONE),
        ("2026-05-11", BOB, ONE),
        ("2026-05-11", BERIT, ONE),
        ("2026-05-19", BOB, ONE),
        ("2026-05-19", REGION_SAFETY, ONE),
    ]
    assert (
        f"- {number}: svara, eller skriv när svaret kommer, senast måndag 4 maj 2026 (i dag)"
        in bodies(superuser)[2]
    )
    with acting(BOB) as (db, me):
        log = [one.verb for one in queries.happenings(db, queries.deviation(db, me, number))]
    assert log == ["sent", "acknowledge", "late", "exhausted"]


def test_whoever_opened_the_case_is_reminded_and_the_others_are_not(blekinge: str, superuser: Engine) -> None:
    colleague(superuser, "kollega@region.example")
    with clock.at(SENT):
        number = filed()
        work()
    assert {to for to, _subject in mails(superuser)} == {BOB, "kollega@region.example"}
    with clock.at(SENT + timedelta(hours=1)), acting("kollega@region.example") as (db, me):
        actions.touch(db, me, queries.deviation(db, me, number))
    assert through(superuser, date(2026, 3, 3), date(2026, 3, 9)) == [
        ("2026-03-05", "kollega@region.example", ONE),
        ("2026-03-09", "kollega@region.example", ONE),
    ]


def test_a_case_opened_between_the_look_and_the_letter_is_left_out_of_the_others_letters(
    blekinge: str, superuser: Engine
) -> None:
    colleague(superuser, "kollega@region.example")
    with clock.at(SENT):
        number = filed()
        work()
    with clock.at(datetime(2026, 3, 5, 6, 0, tzinfo=STOCKHOLM)):
        work()
    with clock.at(datetime(2026, 3, 5, 7, 30, tzinfo=STOCKHOLM)), acting(BOB) as (db, me):
        actions.touch(db, me, queries.deviation(db, me, number))
    with clock.at(datetime(2026, 3, 5, 8, 15, tzinfo=STOCKHOLM)):
        work()
    assert mails(superuser)[2:] == [(BOB, ONE)]
    assert ("acknowledge", "somebody else's now") in outcomes(superuser)


def test_whoever_is_assigned_is_reminded_and_their_substitute_while_they_are_away(
    blekinge: str, superuser: Engine
) -> None:
    colleague(superuser, "kollega@region.example")
    with clock.at(SENT):
        number = filed()
        work()
        with acting(BERIT) as (db, me):
            colleague_id = directory.person_by_email(db, "kollega@region.example")
            assert colleague_id is not None
            actions.assign(db, me, queries.deviation(db, me, number), AssignForm(person=colleague_id.id))
    with superuser.begin() as connection:
        connection.exec_driver_sql(
            "insert into substitutes (person_id, substitute_id, branch_id, valid_from, valid_to, made_by_id)"
            " select k.id, b.id, u.branch_id, '2026-03-06', '2026-03-31', b.id from people k, people b, units u"
            f" where k.email = 'kollega@region.example' and b.email = '{BOB}' and u.hsa_id = '{BOBS_UNIT}'"
        )
    sent = through(superuser, date(2026, 3, 3), date(2026, 3, 9))
    assert [(day, to) for day, to, _subject in sent if to != REGION_SAFETY] == [
        ("2026-03-03", "kollega@region.example"),
        ("2026-03-05", "kollega@region.example"),
        ("2026-03-09", BOB),
    ]
    assert mails(superuser)[2] == ("kollega@region.example", f"Du har fått ett ärende vid {WARD}")


def test_no_reminder_is_sent_once_somebody_has_acted(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        number = filed()
        work()
    with clock.at(datetime(2026, 3, 5, 6, 0, tzinfo=STOCKHOLM)):
        work()
    with clock.at(datetime(2026, 3, 5, 7, 59, tzinfo=STOCKHOLM)):
        answer(number)
    with clock.at(datetime(2026, 3, 5, 8, 15, tzinfo=STOCKHOLM)):
        work()
    assert mails(superuser)[1:] == [ANSWERED]
    assert ("acknowledge", "acted meanwhile") in outcomes(superuser)
    # What remains is the sender's to read, once more before it is taken for accepted.
    assert through(superuser, date(2026, 3, 6), date(2026, 4, 30)) == [("2026-03-30", ANNA, ONE)]


def test_a_promised_date_stops_the_reminders_until_then(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        number = filed()
        acknowledge(number)
    with clock.at(datetime(2026, 4, 1, 10, tzinfo=STOCKHOLM)):
        act("delay_notice", number, BOB, DelayForm(reason="Sjuk utredare.", promised_on=date(2026, 5, 20)))
        work()
    sent = through(superuser, date(2026, 4, 2), date(2026, 5, 27))
    assert [(day, to) for day, to, _subject in sent] == [
        ("2026-05-20", BOB),
        ("2026-05-27", BOB),
        ("2026-05-27", BERIT),
    ]


def test_a_question_to_the_sender_leaves_the_receiver_in_peace(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        number = filed()
        with acting(BOB) as (db, me):
            actions.question(
                db, me, queries.deviation(db, me, number), QuestionForm(text="Vilken dag var det?")
            )
        work()
    assert mails(superuser) == [(ANNA, "Hemsjukvården Sölvesborg har fått en fråga om ett ärende")]
    assert through(superuser, date(2026, 3, 3), date(2026, 3, 9)) == [("2026-03-05", ANNA, ONE)]
    assert "svara på mottagarens fråga, senast måndag 9 mars 2026" in bodies(superuser)[1]


def test_the_first_of_the_organisations_list_is_told_last_and_of_no_more_than_they_need(
    blekinge: str, superuser: Engine
) -> None:
    """They may work anywhere in the organisation, so they get the number and the unit, which opens it."""
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into escalation_contacts (organisation_id, person_id, position)"
                " select b.organisation_id, p.id, n.position"
                " from (values (:first, 1), (:second, 2)) n (email, position) join people p on p.email = n.email"
                " join branches b on b.hsa_id = 'SE2321000081-B000'"
            ),
            {"first": HEALTH_CENTRES_NURSE, "second": BERIT},
        )
    with clock.at(SENT):
        number = filed(event_kind="good_example")
        work()
    sent = through(superuser, date(2026, 3, 3), date(2026, 6, 30))
    assert sent[-2:] == [
        ("2026-03-23", REGION_SAFETY, ONE),
        ("2026-03-30", HEALTH_CENTRES_NURSE, ONE),
    ]
    assert ledger(superuser)[-1] == ("acknowledge", "raised", "head", None)
    assert bodies(superuser)[-1] == (
        "God morgon! Ett ärende väntar på er i dag: ett att kvittera.\n\n"
        f"{WARD} – till dig som ytterst ansvarig. Ärendet öppnas av enheten själv\n"
        f"- {number}: kvittera, skulle varit klart måndag 9 mars 2026 (för 21 dagar sedan)\n  {link(number)}\n\n"
        f"{FOOT}\n"
    )


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


def test_who_asked_for_quiet_is_left_in_peace_and_hears_of_it_again_on_the_day_they_named(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        work()
        with superuser.begin() as connection:
            connection.execute(
                text(
                    "insert into sides (deviation_id, branch_id, opened_at, opened_by_id, quiet_at, quiet_until, quiet_reason)"
                    " select d.id, d.receiver_branch_id, :at, p.id, :at, '2026-03-12', 'Väntar på journalutdrag.'"
                    " from deviations d, people p where d.case_number = :number and p.email = :email"
                ),
                {"at": SENT, "number": number, "email": BOB},
            )
    sent = through(superuser, date(2026, 3, 3), date(2026, 3, 16))
    assert [(day, to) for day, to, _subject in sent] == [("2026-03-12", BOB), ("2026-03-16", BERIT)]
    assert ledger(superuser)[:2] == [
        ("acknowledge", "untouched", "safety", "opened"),
        ("acknowledge", "day_3", "handler", "quiet"),
    ]
    # A clock that begins after that day is none of what they wanted to hear of again.
    with clock.at(datetime(2026, 3, 16, 10, tzinfo=STOCKHOLM)):
        answer(number)
        judge(number, VerdictKind.RETURNED)
    through(superuser, date(2026, 3, 17), date(2026, 3, 18))
    assert [(on, step) for on, step, *_ in ledger(superuser) if step.startswith("quiet_")] == [
        ("acknowledge", "quiet_2026-03-12"),
        ("answer", "quiet_2026-03-12"),
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


def test_what_a_stop_has_delayed_is_found_at_once_and_only_the_last_step_is_told(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        one, other = filed(), filed()
        for number in (one, other):
            acknowledge(number)
        work()
    # Down from 3 March to the 23rd of April at 14:03:10, then a tick every ten seconds.
    up = datetime(2026, 4, 23, 14, 3, 10, tzinfo=STOCKHOLM)
    for n in range(10):
        with clock.at(up + timedelta(seconds=10 * n)):
            work()
    assert mails(superuser) == [(BOB, TWO)]
    assert [(step, outcome) for _clock, step, _role, outcome in ledger(superuser)] == [
        ("percent_50", "a later step came at once"),
        ("percent_80", None),
    ] * 2
    # Up on a Saturday night: it waits for Monday.
    with clock.at(datetime(2026, 5, 9, 3, 0, tzinfo=STOCKHOLM)):
        work()
    assert len(mails(superuser)) == 1
    assert through(superuser, date(2026, 5, 10), date(2026, 5, 11)) == [
        ("2026-05-11", BOB, TWO),
        ("2026-05-11", BERIT, TWO),
    ]


def test_a_returned_answer_arrives_anew_in_its_own_words_and_has_its_own_reminders(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        work()
    with clock.at(SENT + timedelta(hours=1)):
        answer(number)
        work()
    with clock.at(SENT + timedelta(hours=5)):
        judge(number, VerdictKind.RETURNED)
        work()
    assert mails(superuser) == [ARRIVAL, ANSWERED, RETURNED]
    assert bodies(superuser)[2].partition("\n\nÖppna")[0] == (
        f"Avsändaren behöver mer i svaret från {WARD}.\n\n{number}: svara på nytt senast måndag 16 mars 2026."
    )
    sent = through(superuser, date(2026, 3, 3), date(2026, 3, 23))
    assert [(day, to) for day, to, _subject in sent] == [
        ("2026-03-09", BOB),
        ("2026-03-16", BOB),
        ("2026-03-23", BOB),
        ("2026-03-23", BERIT),
    ]


def test_a_mail_that_is_no_longer_true_when_its_turn_comes_is_not_sent(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        answer(number)
        judge(number, VerdictKind.ACCEPTED)
        work()
    assert mails(superuser) == []
    assert through(superuser, date(2026, 3, 3), date(2026, 6, 30)) == []


def test_nothing_is_sent_about_a_case_that_was_withdrawn(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        withdraw(filed())
        work()
    assert mails(superuser) == []
    assert through(superuser, date(2026, 3, 3), date(2026, 6, 30)) == []
    assert ledger(superuser) == []


def test_imported_history_is_silent_until_somebody_takes_it_up(history: str, superuser: Engine) -> None:
    with clock.at(SENT):
        deviations.look_after()
        work()
    assert through(superuser, date(2026, 3, 3), date(2026, 3, 4)) == []
    with superuser.connect() as connection:
        assert connection.scalar(text("select count(*) from outbox where kind = 'deviations.chase'")) == 0


def test_a_case_whose_next_look_has_been_lost_is_found(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        filed()
        work()
        with superuser.begin() as connection:
            connection.execute(text("delete from outbox where kind = 'deviations.chase'"))
    with clock.at(datetime(2026, 3, 5, 6, 0, tzinfo=STOCKHOLM)), unit_of_work(NOBODY) as db:
        jobs.owe(db, "deviations.look_after", key="look_after:2026-03-05")
    with clock.at(datetime(2026, 3, 5, 6, 0, tzinfo=STOCKHOLM)):
        deviations.look_after()
    sent = through(superuser, date(2026, 3, 5), date(2026, 3, 5))
    assert [(day, to) for day, to, _subject in sent] == [("2026-03-05", BOB), ("2026-03-05", REGION_SAFETY)]


def test_a_report_for_review_is_told_to_the_manager_and_given_back_to_its_writer(
    blekinge: str, superuser: Engine
) -> None:
    submission = uuid.uuid4()
    with clock.at(SENT):
        with acting(ALICE) as (db, me):
            actions.save_draft(
                db, me, submission, {"sender_unit": [ALICES_UNIT], "description": ["Patienten kom."]}
            )
            actions.hand_over(db, me, submission)
        work()
    with clock.at(SENT + timedelta(hours=1)):
        with acting(HOME_CARE_MANAGER) as (db, me):
            actions.give_back(db, me, submission, CommentForm(comment="Skriv när."))
        work()
    unit = "Hemtjänsten Sölvesborg"
    assert mails(superuser) == [
        (HOME_CARE_MANAGER, f"En rapport från {unit} väntar på dig"),
        (ALICE, f"Din rapport från {unit} är lämnad tillbaka"),
    ]
    assert "Patienten" not in "".join(bodies(superuser))
