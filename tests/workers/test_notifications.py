"""Which mail goes to whom and when, from the real actions through the outbox to the caught mail."""

import uuid
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import Engine, text
from structlog.testing import capture_logs

from backend.core import clock, jobs
from backend.core.calendar import at_hour
from backend.core.clock import STOCKHOLM
from backend.core.db import NOBODY, unit_of_work
from backend.deviations import actions, queries
from backend.deviations.forms import (
    AssignForm,
    CommentForm,
    DelayForm,
    QuestionForm,
    VerdictForm,
    WithdrawForm,
)
from backend.deviations.models import VerdictKind
from backend.directory import queries as directory
from backend.settings import settings
from tests.deviations.verbs import HOME_CARE_MANAGER
from tests.people import ALICE, ALICES_UNIT, ANNA, ANSWER, BERIT, BOB, BOBS_UNIT, acting, filed
from tests.workers.post_office import OK, PostOffice, opened
from workers import deviations, notifications
from workers.app import celery

SENT = datetime(2026, 3, 2, 9, 0, tzinfo=STOCKHOLM)
Mail = tuple[str, str]


def work() -> None:
    """What the ticks would have a worker do now, till nothing is due."""
    for _round in range(3):
        for kind in jobs.kinds_due():
            celery.tasks[kind]()


def mails(superuser: Engine) -> list[Mail]:
    """To whom and under which subject, in order."""
    with superuser.connect() as connection:
        rows = connection.execute(text('select "to", subject from caught_mails order by id'))
        return [(row[0][0], row[1]) for row in rows]


def bodies(superuser: Engine) -> list[str]:
    with superuser.connect() as connection:
        return list(connection.execute(text("select body from caught_mails order by id")).scalars())


def outcomes(superuser: Engine) -> list[tuple[str, str | None]]:
    """What became of each notice, in order."""
    with superuser.connect() as connection:
        return [
            (row[0], row[1])
            for row in connection.execute(text("select kind, outcome from notices order by id"))
        ]


def ledger(superuser: Engine) -> list[tuple[str, str, str, str | None]]:
    with superuser.connect() as connection:
        rows = connection.execute(text("select clock, step, role, outcome from reminders order by id"))
        return [(row[0], row[1], row[2], row[3]) for row in rows]


def through(superuser: Engine, first: date, last: date, at: time = time(8, 15)) -> list[tuple[str, str, str]]:
    """Work through every morning of these days. Gives what was sent: day, to whom, subject."""
    found = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        for hour in (time(6), at):
            before = len(mails(superuser))
            with clock.at(at_hour(day, hour)):
                work()
            found += sorted((str(day), to, subject) for to, subject in mails(superuser)[before:])
    return found


def acknowledge(number: str) -> None:
    with acting(BOB) as (db, me):
        actions.acknowledge(db, me, queries.deviation(db, me, number))


def answer(number: str) -> None:
    with acting(BOB) as (db, me):
        actions.answer(db, me, queries.deviation(db, me, number), ANSWER)


def judge(number: str, verdict: VerdictKind) -> None:
    with acting(ANNA) as (db, me):
        form = VerdictForm(verdict=verdict, comment="Skriv vad ni gör.")
        actions.judge(db, me, queries.deviation(db, me, number), form)


def withdraw(number: str) -> None:
    with acting(ANNA) as (db, me):
        actions.withdraw(db, me, queries.deviation(db, me, number), WithdrawForm(comment="Fel patient."))


def leaves(superuser: Engine, email: str, on: date) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text("update people set ended_on = :on where email = :email"), {"on": on, "email": email}
        )


def chooses(superuser: Engine, email: str, digest_at: time, arrivals: str) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into notification_choices (person_id, digest_at, arrivals)"
                " select id, :at, :arrivals from people where email = :email"
            ),
            {"at": digest_at, "arrivals": arrivals, "email": email},
        )


def colleague(superuser: Engine, email: str) -> None:
    """One more who handles what comes to Bob's ward."""
    with superuser.begin() as connection:
        connection.execute(
            text("insert into people (email, title) values (:email, 'Sjuksköterska')"), {"email": email}
        )
        connection.execute(
            text(
                "insert into assignments (person_id, role, unit_id, valid_from) select p.id, 'handler', u.id, '2026-01-01'"
                " from people p, units u where p.email = :email and u.hsa_id = :unit"
            ),
            {"email": email, "unit": BOBS_UNIT},
        )


def link(number: str) -> str:
    return f"{settings().base_url}/deviations/{number}"


WARD = "Medicin avdelning 43 Karlskrona"
ARRIVAL: Mail = (BOB, f"{WARD} har fått ett ärende att kvittera")
RETURNED: Mail = (BOB, f"{WARD} har fått tillbaka ett ärende")
ANSWERED: Mail = (ANNA, "Du har fått svar på ett ärende")
ONE = "Samsvar: ett ärende väntar på er"
TWO = "Samsvar: två ärenden väntar på er"
FOOT = "Mejlet innehåller inget ur ärendet. Det går inte att svara på."
REGION_SAFETY = "patientsakerhet@region.example"


def test_an_arrival_is_told_to_the_units_handlers_with_number_day_and_link_only(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        work()
        work()
    assert mails(superuser) == [ARRIVAL]
    assert bodies(superuser) == [
        f"Ett ärende har kommit till {WARD}.\n\n{number}: kvittera senast måndag 9 mars 2026."
        f"\n\nÖppna ärendet: {link(number)}\n\n{FOOT}\n"
    ]


def test_an_answer_is_told_to_the_reporter(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        number = filed()
        work()
        answer(number)
        work()
    assert mails(superuser) == [ARRIVAL, ANSWERED]


def test_an_answer_to_somebody_who_has_left_is_told_to_their_units_handlers(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        answer(number)
        leaves(superuser, ANNA, SENT.date())
        with superuser.begin() as connection:
            connection.exec_driver_sql(
                "insert into people (email, title) values ('ny@solvesborg.example', 'Sjuksköterska');"
                "insert into assignments (person_id, role, unit_id, valid_from)"
                " select p.id, 'handler', u.id, date '2026-01-01' from people p, units u"
                " where p.email = 'ny@solvesborg.example' and u.hsa_id = 'SE2120000852-V010'"
            )
    with clock.at(SENT + timedelta(days=1)):
        work()
    assert mails(superuser) == [("ny@solvesborg.example", ANSWERED[1])]


def test_an_arrival_at_a_unit_whose_handlers_have_left_is_told_to_the_manager_above(
    blekinge: str, superuser: Engine
) -> None:
    leaves(superuser, BOB, SENT.date())
    with clock.at(SENT + timedelta(days=1)):
        filed()
        work()
    assert mails(superuser) == [(BERIT, ARRIVAL[1])]


def test_news_at_night_and_at_the_weekend_wait_for_the_morning_of_the_next_working_day(
    blekinge: str, superuser: Engine
) -> None:
    # The eve of Epiphany, a Monday whose next day is a holiday; and a Friday night.
    sent = []
    for evening, until in (("2026-01-05T17:01", "2026-01-07"), ("2026-03-06T23:59", "2026-03-09")):
        moment = datetime.fromisoformat(evening).replace(tzinfo=STOCKHOLM)
        with clock.at(moment):
            number = filed()
            work()
        sent += through(superuser, moment.date() + timedelta(days=1), date.fromisoformat(until))
        with clock.at(at_hour(date.fromisoformat(until), time(9))):
            answer(number)
    assert [(day, to) for day, to, _subject in sent] == [("2026-01-07", BOB), ("2026-03-09", BOB)]


def test_news_in_the_daily_letter_for_those_who_want_it_so(blekinge: str, superuser: Engine) -> None:
    chooses(superuser, BOB, time(14, 30), "digest")
    with clock.at(SENT):
        one, other = filed(), filed()
        work()
    assert mails(superuser) == []
    assert through(superuser, SENT.date(), SENT.date(), time(14, 30)) == [(str(SENT.date()), BOB, TWO)]
    (body,) = bodies(superuser)
    first, second = sorted((one, other))
    assert body == (
        "Hej! Två ärenden väntar på er i dag: två att kvittera.\n\n"
        f"{WARD}\n"
        f"- {first}: nytt, att kvittera, senast måndag 9 mars 2026 (om 7 dagar)\n  {link(first)}\n"
        f"- {second}: nytt, att kvittera, senast måndag 9 mars 2026 (om 7 dagar)\n  {link(second)}\n\n"
        f"{FOOT}\n"
    )


def test_twenty_cases_at_once_are_two_letters(blekinge: str, superuser: Engine) -> None:
    for n in range(20):
        with clock.at(SENT + timedelta(seconds=n)):
            filed()
            work()
    assert mails(superuser) == [ARRIVAL]
    with clock.at(SENT + timedelta(minutes=30)):
        work()
    assert mails(superuser) == [ARRIVAL, (BOB, "Samsvar: 19 ärenden väntar på er")]


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
        ("acknowledge", "raised", "head", None),
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
    assert log == ["sent", "acknowledge", "late"]


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
        with acting(BOB) as (db, me):
            form = DelayForm(reason="Utredaren är sjuk.", promised_on=date(2026, 5, 20))
            actions.delay_notice(db, me, queries.deviation(db, me, number), form)
        work()
    sent = through(superuser, date(2026, 3, 3), date(2026, 5, 27))
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


def test_a_letter_that_a_mail_server_has_held_up_does_not_come_at_night(
    blekinge: str, superuser: Engine
) -> None:
    office = PostOffice()
    with opened(office):
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAMSVAR_SMTP_URL", office.url)
        settings.cache_clear()
        with clock.at(datetime(2026, 3, 6, 16, 50, tzinfo=STOCKHOLM)):
            filed()
            work()
        with opened(office):
            for moment in ("2026-03-06T17:30", "2026-03-07T12:00", "2026-03-09T06:59", "2026-03-09T08:14"):
                with clock.at(datetime.fromisoformat(moment).replace(tzinfo=STOCKHOLM)):
                    work()
            assert office.accepted == []
            with clock.at(datetime(2026, 3, 9, 8, 15, tzinfo=STOCKHOLM)):
                work()
    settings.cache_clear()
    assert len(office.accepted) == 1


def test_a_returned_answer_arrives_anew_in_its_own_words_and_has_its_own_reminders(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        work()
    with clock.at(SENT + timedelta(hours=1)):
        answer(number)
        work()
    with clock.at(SENT + timedelta(hours=2)):
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


def test_a_notice_written_while_its_letter_was_on_its_way_is_found(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        filed()
        for kind in notifications.NEWS:
            notifications.due(kind)
        with superuser.begin() as connection:
            connection.execute(text("delete from outbox where kind = 'notifications.letter'"))
    with clock.at(SENT + timedelta(seconds=121)):
        notifications.forgotten()
        work()
    assert mails(superuser) == [ARRIVAL]


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


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    """The mail server of the test, instead of the table that catches mail."""
    with opened(PostOffice()) as office:
        monkeypatch.setenv("SAMSVAR_SMTP_URL", office.url)
        settings.cache_clear()
        yield office
    monkeypatch.undo()
    settings.cache_clear()


CANARIES = {
    "description": "Kanariefågeln sjöng i korridoren hela natten.",
    "consequence_patient": "Kanariesömnen uteblev.",
    "sender_reference": "KANARIE-1",
    "shared_reference": "KANARIE-2",
}


def test_no_word_of_a_case_leaves_with_a_mail(blekinge: str, office: PostOffice) -> None:
    with clock.at(SENT):
        number = filed(**CANARIES)
        work()
        answer(number)
        work()
        judge(number, VerdictKind.RETURNED)
        work()
    for day in (date(2026, 3, 9), date(2026, 3, 16), date(2026, 3, 23)):
        for hour in (time(6), time(8, 15)):
            with clock.at(at_hour(day, hour)):
                work()
    words = ("kanarie", ANSWER.cause, ANSWER.follow_up, "skriv vad ni gör", "läkemedel", "hemsjukvården")
    said = [f"{mail.as_string()} {mail['Subject']} {mail.get_content()}".lower() for mail in office.accepted]
    assert [number.lower() in text for text in said] == [True] * len(said)
    assert len(said) == 6
    assert [word for word in words if word and any(word.lower() in text for text in said)] == []
    assert office.accepted[0]["Subject"] == ARRIVAL[1]


def test_a_mail_that_the_server_will_not_take_yet_goes_out_later_under_the_same_id(
    blekinge: str, superuser: Engine, office: PostOffice
) -> None:
    office.answer = lambda _mail: "451 4.7.1 Canary says later"
    with clock.at(SENT), capture_logs() as logs:
        filed(**CANARIES)
        work()
    assert [(log["event"], log["error"]) for log in logs] == [("job.failed", "SMTPDataError")]
    assert "anarie" not in str(logs) + str(outcomes(superuser))
    assert ("Canary" in str(logs), BOB in str(logs)) == (False, False)
    office.answer = lambda _mail: OK
    with clock.at(SENT + timedelta(seconds=29)):
        work()
        assert office.accepted == []
    with clock.at(SENT + timedelta(seconds=30)):
        work()
        work()
    assert [mail["Message-ID"] for mail in office.came] == office.ids() * 2
    assert outcomes(superuser) == [("arrival", "sent")]


def test_a_mail_waits_for_a_server_that_is_away(blekinge: str, superuser: Engine) -> None:
    office = PostOffice()
    with opened(office):
        pass
    with pytest.MonkeyPatch.context() as patch, clock.at(SENT):
        patch.setenv("SAMSVAR_SMTP_URL", office.url)
        settings.cache_clear()
        with capture_logs() as logs:
            filed()
            work()
        assert [log["error"] for log in logs] == ["ConnectionRefusedError"]
        with opened(office), clock.at(SENT + timedelta(hours=3)):
            work()
    settings.cache_clear()
    assert len(office.accepted) == 1
    assert outcomes(superuser) == [("arrival", "sent")]


def test_no_transaction_is_open_while_the_mail_server_is_spoken_to(
    blekinge: str, superuser: Engine, office: PostOffice
) -> None:
    open_then: list[int | None] = []

    def look(_mail: EmailMessage) -> str:
        with superuser.connect() as connection:
            query = "select count(*) from pg_stat_activity where datname = current_database() and usename = 'samsvar_web' and state <> 'idle'"
            open_then.append(connection.scalar(text(query)))
        return OK

    office.answer = look
    with clock.at(SENT):
        filed()
        work()
    assert open_then == [0]
