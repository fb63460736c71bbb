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
from backend.deviations.forms import VerdictForm, WithdrawForm
from backend.deviations.models import VerdictKind
from backend.settings import settings
from tests.deviations.verbs import ACCEPTED, DECLINE, KARLSKRONA, WHY, act
from tests.people import ANNA, ANSWER, BERIT, BOB, CHARLIE, acting, filed
from tests.workers.post_office import OK, PostOffice, opened
from workers import notifications

SENT = datetime(2026, 3, 2, 9, 0, tzinfo=STOCKHOLM)
JOBS = ("arrival", "answered", "reminder_before", "reminder_after")

Mail = tuple[tuple[str, ...], str]


def work() -> None:
    """What the tick would have a worker do now."""
    for kind in JOBS:
        notifications.due(kind)


def mails(superuser: Engine) -> list[Mail]:
    """To whom and under which subject, in order."""
    with superuser.connect() as connection:
        rows = connection.execute(text('select "to", subject from caught_mails order by id'))
        return [(tuple(row[0]), row[1]) for row in rows]


def bodies(superuser: Engine) -> list[str]:
    with superuser.connect() as connection:
        return list(connection.execute(text("select body from caught_mails order by id")).scalars())


def outcomes(superuser: Engine) -> dict[str, str | None]:
    with superuser.connect() as connection:
        rows = connection.execute(text("select kind, outcome from outbox where kind like 'notifications.%'"))
        return {row[0]: row[1] for row in rows}


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


def link(number: str) -> str:
    return f"{settings().base_url}/deviations/{number}"


WARD = "Medicin avdelning 43 Karlskrona"
ARRIVAL: Mail = ((BOB,), f"{WARD} har fått ett ärende att kvittera")
RETURNED: Mail = ((BOB,), f"{WARD} har fått tillbaka ett ärende")
ANSWERED: Mail = ((ANNA,), "Du har fått svar på ett ärende")
SOON: Mail = ((BOB,), f"Ett ärende hos {WARD} ska snart besvaras")
OVERDUE: Mail = ((BOB,), f"Ett ärende hos {WARD} skulle ha besvarats")
FOOT = "Mejlet innehåller inget ur ärendet. Det går inte att svara på."


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
    assert mails(superuser) == [(("ny@solvesborg.example",), ANSWERED[1])]


def test_an_arrival_at_a_unit_whose_handlers_have_left_is_told_to_the_manager_above(
    blekinge: str, superuser: Engine
) -> None:
    leaves(superuser, BOB, SENT.date())
    with clock.at(SENT + timedelta(days=1)):
        filed()
        work()
    assert mails(superuser) == [((BERIT,), ARRIVAL[1])]


def moments(day: date) -> tuple[datetime, datetime]:
    """Just before and at the hour of reminders."""
    hour = at_hour(day, time(8, 15))
    return hour - timedelta(seconds=1), hour


def test_reminders_go_out_at_a_quarter_past_eight_before_and_after_the_due_date_once(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        work()
        acknowledge(number)
    sent = []
    # Ten working days before Monday 4 May is 17 April, since 1 May is a holiday; one after is 5 May.
    for day in (date(2026, 4, 17), date(2026, 5, 5), date(2026, 6, 1)):
        for moment in moments(day):
            with clock.at(moment):
                work()
            sent.append(len(mails(superuser)))
    assert sent == [1, 2, 2, 3, 3, 3]
    assert mails(superuser) == [ARRIVAL, SOON, OVERDUE]
    soon, overdue = bodies(superuser)[1:]
    assert soon.partition("\n\nÖppna")[0] == (
        f"Ett ärende hos {WARD} väntar på svar.\n\n{number}: svar senast måndag 4 maj 2026, om 17 dagar."
    )
    assert overdue.partition("\n\nÖppna")[0] == (
        f"Svaret på ett ärende hos {WARD} skulle ha kommit i går. Svara nu, så vet avsändaren."
        f"\n\n{number}: svar skulle ha kommit senast måndag 4 maj 2026."
    )


def test_a_reminder_names_the_day_of_the_answer_though_nobody_has_acknowledged(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        work()
    with clock.at(moments(date(2026, 4, 17))[1]):
        work()
    assert f"{number}: svar senast måndag 4 maj 2026, om 17 dagar." in bodies(superuser)[1]


def test_a_reminder_held_up_past_the_due_date_is_left_to_the_one_that_says_so(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        filed()
        work()
    with clock.at(moments(date(2026, 5, 5))[1]):
        work()
    assert mails(superuser) == [ARRIVAL, OVERDUE]
    assert outcomes(superuser)["notifications.reminder_before"] == "too late to be early"


def test_a_returned_answer_due_on_the_first_due_date_has_its_reminders_too(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        work()
    # Ten working days from 17 April is 4 May, the day on which the first answer was due.
    with clock.at(datetime(2026, 4, 17, 10, 0, tzinfo=STOCKHOLM)):
        answer(number)
        judge(number, VerdictKind.RETURNED)
        work()
    for day in (date(2026, 4, 20), date(2026, 5, 5)):
        with clock.at(moments(day)[1]):
            work()
    assert mails(superuser) == [ARRIVAL, RETURNED, SOON, OVERDUE]


def test_no_reminder_is_sent_once_the_case_is_answered(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        number = filed()
        work()
        answer(number)
        work()
    for day in (date(2026, 4, 17), date(2026, 5, 5)):
        with clock.at(moments(day)[1]):
            work()
    assert mails(superuser) == [ARRIVAL, ANSWERED]
    assert outcomes(superuser) == {
        "notifications.arrival": "sent",
        "notifications.answered": "sent",
        "notifications.reminder_before": "answered",
        "notifications.reminder_after": "answered",
    }


def test_a_mail_that_is_no_longer_true_when_its_turn_comes_is_not_sent(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        answer(number)
        judge(number, VerdictKind.ACCEPTED)
        work()
    assert mails(superuser) == []
    kinds = {kind: outcome for kind, outcome in outcomes(superuser).items() if outcome == "no longer true"}
    assert sorted(kinds) == ["notifications.answered", "notifications.arrival"]


def test_nothing_is_sent_about_a_case_that_was_withdrawn(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        withdraw(filed())
    for moment in (SENT, moments(date(2026, 4, 17))[1], moments(date(2026, 5, 5))[1]):
        with clock.at(moment):
            work()
    assert mails(superuser) == []
    assert set(outcomes(superuser).values()) == {"withdrawn"}


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
    assert (mails(superuser), outcomes(superuser)["notifications.reopened"]) == ([], "no longer true")


def test_a_returned_answer_arrives_anew_in_its_own_words_and_has_its_own_reminders(
    blekinge: str, superuser: Engine
) -> None:
    with clock.at(SENT):
        number = filed()
        work()
        answer(number)
        work()
        judge(number, VerdictKind.RETURNED)
        work()
    # Ten working days from 2 March is the 16th: too near for a mail ten days before, so it comes the next morning.
    sent = []
    for day in (date(2026, 3, 3), date(2026, 3, 17)):
        for moment in moments(day):
            with clock.at(moment):
                work()
            sent.append(len(mails(superuser)))
    assert sent == [3, 4, 4, 5]
    assert mails(superuser) == [ARRIVAL, ANSWERED, RETURNED, SOON, OVERDUE]
    assert bodies(superuser)[2].partition("\n\nÖppna")[0] == (
        f"Avsändaren behöver mer i svaret från {WARD}.\n\n{number}: svara på nytt senast måndag 16 mars 2026."
    )


def test_a_good_example_arrives_and_is_never_nagged_about(blekinge: str, superuser: Engine) -> None:
    with clock.at(SENT):
        filed(event_kind="good_example")
        work()
    assert mails(superuser) == [ARRIVAL]
    assert outcomes(superuser) == {"notifications.arrival": "sent"}


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
    for moment in (moments(date(2026, 3, 3))[1], moments(date(2026, 3, 17))[1]):
        with clock.at(moment):
            work()
    words = ("kanarie", ANSWER.cause, ANSWER.follow_up, "skriv vad ni gör", "läkemedel", "hemsjukvården")
    said = [f"{mail.as_string()} {mail['Subject']} {mail.get_content()}".lower() for mail in office.accepted]
    assert [number.lower() in text for text in said] == [True] * 5
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
    assert outcomes(superuser)["notifications.arrival"] == "sent"


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
    assert outcomes(superuser)["notifications.arrival"] == "sent"


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
