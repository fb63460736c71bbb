"""Which mail goes to whom and when, from the real actions through the outbox to the caught mail."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import Engine, text
from structlog.testing import capture_logs

from backend.core import clock
from backend.core.calendar import at_hour
from backend.core.clock import STOCKHOLM
from backend.deviations import actions, queries
from backend.deviations.forms import AssignForm, InviteForm, RedirectForm
from backend.deviations.models import VerdictKind
from backend.directory import queries as directory
from backend.settings import settings
from tests.deviations.verbs import ACCEPTED, DECLINE, KARLSKRONA, SURGERY, WHY, act
from tests.people import ANNA, ANSWER, BERIT, BOB, CHARLIE, acting, filed
from tests.workers.day_by_day import (
    ANSWERED,
    ARRIVAL,
    FOOT,
    ONE,
    REGION_SAFETY,
    SENT,
    TWO,
    WARD,
    acknowledge,
    answer,
    bodies,
    chooses,
    judge,
    leaves,
    link,
    mails,
    outcomes,
    through,
    work,
)
from tests.workers.post_office import OK, PostOffice, opened
from workers import notifications


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
    with clock.at(SENT + timedelta(hours=5)):
        work()
    assert mails(superuser) == [ARRIVAL, (BOB, "Samsvar: 19 ärenden väntar på er")]


def test_a_letter_that_had_nothing_left_to_say_delays_no_news(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        number = filed()
        work()
    thursday = SENT + timedelta(days=3)
    with clock.at(thursday.replace(hour=6)):
        work()
    with clock.at(thursday.replace(hour=7, minute=30)):
        acknowledge(number)
    with clock.at(thursday.replace(hour=8, minute=15)):
        work()
    before = len(mails(superuser))
    with clock.at(thursday.replace(hour=9)):
        filed()
        work()
    assert mails(superuser)[before:] == [ARRIVAL]


def test_whoever_only_follows_a_case_that_has_left_it_gets_no_mail_about_it(
    blekinge: str, superuser: Engine
) -> None:
    """Karlskrona has commissioned the unit that sent the case, so that it sees what it has declined."""
    with clock.at(SENT):
        number = filed("chef@exempel.example", sender_unit="SE0000000001-A010", receiver_unit=KARLSKRONA)
        act("answer", number, CHARLIE, ANSWER)
        act("judge", number, "chef@exempel.example", ACCEPTED)
        act("reopen", number, "chef@exempel.example", WHY)
        act("decline", number, CHARLIE, DECLINE)
        notifications.due("reopened")
        notifications.letter()
    assert (mails(superuser), outcomes(superuser)) == ([], [])


def test_a_case_sent_on_within_the_branch_is_no_longer_its_former_handlers(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        with acting(BERIT) as (db, me):
            bob = directory.person_by_email(db, BOB)
            assert bob is not None
            actions.assign(db, me, queries.deviation(db, me, number), AssignForm(person=bob.id))
            actions.redirect(
                db,
                me,
                queries.deviation(db, me, number),
                RedirectForm(unit=SURGERY, comment="Hör till kirurgen."),
            )
        work()
    sent = through(superuser, SENT.date(), date(2026, 3, 5))
    assert BOB not in {to for _day, to, _subject in sent}
    assert (str(date(2026, 3, 5)), REGION_SAFETY, ONE) in sent


def test_nobody_is_written_to_about_a_case_they_would_not_be_let_into(
    blekinge: str, superuser: Engine
) -> None:
    chooses(superuser, "vardcentral@region.example", time(8, 15), "digest")
    with clock.at(SENT):
        number = filed()
        with acting(BOB) as (db, me):
            actions.invite(
                db, me, queries.deviation(db, me, number), InviteForm(email="vardcentral@region.example")
            )
        work()
    with clock.at(SENT + timedelta(hours=8)), acting(BOB) as (db, me):
        found = queries.deviation(db, me, number)
        actions.end_invitation(db, me, found, queries.invited(db, me, found)[0][0].id)
    through(superuser, SENT.date() + timedelta(days=1), SENT.date() + timedelta(days=1))
    assert mails(superuser) == [ARRIVAL]
    assert ("invited", "no longer theirs") in outcomes(superuser)


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
