"""Handing a mail to a real server, and what the server may answer."""

import smtplib
import socket
from collections.abc import Callable, Iterator
from smtplib import SMTPDataError, SMTPRecipientsRefused

import pytest
from sqlalchemy import Engine, text
from structlog.testing import capture_logs

from backend.core import mail
from backend.core.mail import RefusedError
from backend.settings import settings
from tests.workers.post_office import OK, PostOffice, opened

ANNA, BOB = "anna@region.example", "bob@region.example"


@pytest.fixture
def office(database: str) -> Iterator[PostOffice]:
    with opened(PostOffice()) as office:
        yield office


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """`use(url)`: the mail server of this test."""

    def of(url: str) -> None:
        monkeypatch.setenv("SAMSVAR_SMTP_URL", url)
        settings.cache_clear()

    yield of
    monkeypatch.undo()
    settings.cache_clear()


def send(*to: str, message_id: str = "<arrival.1@samsvar.test>") -> None:
    mail.send(to=to or [ANNA], subject="Ärende på väg", body="Läs det här: åäö\n", message_id=message_id)


def test_a_mail_arrives_as_it_was_written(office: PostOffice, use: Callable[[str], None]) -> None:
    use(office.url)
    send(ANNA, BOB)
    [letter] = office.accepted
    assert office.envelopes == [[ANNA, BOB]]
    headers = ("From", "To", "Subject", "Message-ID", "Auto-Submitted")
    assert [letter[name] for name in headers] == [
        "samsvar@localhost",
        f"{ANNA}, {BOB}",
        "Ärende på väg",
        "<arrival.1@samsvar.test>",
        "auto-generated",
    ]
    assert letter.get_content() == "Läs det här: åäö\r\n"
    assert office.raw[0].isascii()


def test_every_try_carries_the_same_message_id(office: PostOffice, use: Callable[[str], None]) -> None:
    use(office.url)
    office.answer = lambda _mail: "451 Try again later"
    with pytest.raises(SMTPDataError):
        send()
    office.answer = lambda _mail: OK
    send()
    assert [letter["Message-ID"] for letter in office.came] == ["<arrival.1@samsvar.test>"] * 2
    assert len(office.accepted) == 1


def test_a_letter_refused_for_good_after_it_was_read_is_a_bounce_of_its_one_address(
    office: PostOffice, use: Callable[[str], None], superuser: Engine
) -> None:
    use(office.url)
    office.answer = lambda _mail: "554 5.7.1 Not wanted here"
    with pytest.raises(RefusedError):
        send(ANNA)
    with pytest.raises(SMTPDataError):
        send(ANNA, BOB)  # of two nobody knows for whom it was said
    with superuser.connect() as connection:
        assert connection.execute(text("select address, status from bounces")).all() == [(ANNA, "5.7.1")]


def test_a_server_that_is_away_is_an_oserror(use: Callable[[str], None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    use(f"smtp://127.0.0.1:{port}")
    with pytest.raises(ConnectionRefusedError):
        send()


def test_a_server_that_does_not_answer_is_given_up_in_the_end(
    office: PostOffice, use: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT", 0.3)
    use(office.url)
    office.holds = lambda _mail: True
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send()
    assert (len(office.came), office.accepted) == (1, [])


def test_a_server_that_hangs_up_before_its_yes_has_not_taken_the_mail(
    office: PostOffice, use: Callable[[str], None]
) -> None:
    use(office.url)
    office.hangs_up = lambda _mail: True
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send()
    assert (len(office.came), office.accepted) == (1, [])


def test_a_name_and_a_password_are_taken_from_the_address(
    office: PostOffice, use: Callable[[str], None]
) -> None:
    use(f"smtp://samsvar%40region:p%40ss%2Fw%3Ard@127.0.0.1:{office.port}")
    send()
    assert (office.logins, len(office.accepted)) == ([(b"samsvar@region", b"p@ss/w:rd")], 1)


@pytest.mark.parametrize("goodbye", ["421 Closing", "500 What", ""])
def test_what_a_server_says_after_its_yes_does_not_make_the_mail_fail(
    office: PostOffice, use: Callable[[str], None], goodbye: str
) -> None:
    use(office.url)
    office.goodbye = goodbye
    send()
    assert len(office.accepted) == 1


def test_a_mail_refused_for_now_to_one_of_its_readers_is_to_be_sent_again(
    office: PostOffice, use: Callable[[str], None]
) -> None:
    use(office.url)
    office.recipient = lambda address: "450 Greylisted" if address == BOB else OK
    with pytest.raises(SMTPRecipientsRefused):
        send(ANNA, BOB)
    assert office.envelopes == [[ANNA]]


def test_a_mail_refused_for_good_to_one_of_its_readers_is_sent_and_logged_without_the_address(
    office: PostOffice, use: Callable[[str], None]
) -> None:
    use(office.url)
    office.recipient = lambda address: "550 No such user" if address == BOB else OK
    with capture_logs() as logs:
        send(ANNA, BOB)
    assert office.envelopes == [[ANNA]]
    assert logs == [
        {
            "event": "mail.refused",
            "log_level": "warning",
            "message_id": "<arrival.1@samsvar.test>",
            "recipients": 1,
        }
    ]


def test_without_a_server_a_mail_is_caught_once_however_often_it_is_sent(
    database: str, superuser: Engine
) -> None:
    send(ANNA, BOB)
    send(ANNA, BOB)
    send(ANNA, message_id="<arrival.2@samsvar.test>")
    with superuser.connect() as connection:
        rows = connection.execute(
            text('select message_id, "to", subject, body from caught_mails order by id')
        )
        caught = [tuple(row) for row in rows]
    rest = ("Ärende på väg", "Läs det här: åäö\n")
    assert caught == [
        ("<arrival.1@samsvar.test>", [ANNA, BOB], *rest),
        ("<arrival.2@samsvar.test>", [ANNA], *rest),
    ]


def noted(superuser: Engine) -> list[tuple[object, ...]]:
    with superuser.connect() as connection:
        rows = connection.execute(
            text("select address, status, source, accepted_at is not null from bounces order by id")
        )
        return [tuple(row) for row in rows]


def test_whom_a_server_refuses_for_good_is_noted_once_a_mail_and_nothing_of_the_mail(
    office: PostOffice, use: Callable[[str], None], superuser: Engine
) -> None:
    use(office.url)
    office.recipient = lambda address: "550 5.1.1 No such user" if address == BOB else OK
    send(ANNA, BOB)
    send(ANNA, BOB)
    send(ANNA, BOB, message_id="<arrival.2@samsvar.test>")
    assert noted(superuser) == [(BOB, "5.1.1", "smtp", False)] * 2


def test_a_mail_that_everybody_is_refused_is_noted_and_still_fails(
    office: PostOffice, use: Callable[[str], None], superuser: Engine
) -> None:
    use(office.url)
    office.recipient = lambda address: "450 Greylisted" if address == ANNA else "552 Full"
    with pytest.raises(SMTPRecipientsRefused):
        send(ANNA, BOB)
    assert noted(superuser) == [(BOB, "5.0.0", "smtp", False)]


def test_a_mail_that_is_taken_begins_the_quiet_week_of_those_who_have_bounced(
    office: PostOffice, use: Callable[[str], None], superuser: Engine
) -> None:
    use(office.url)
    office.recipient = lambda address: "550 No such user" if address == BOB else OK
    send(ANNA, BOB)
    office.recipient = lambda _address: OK
    send(BOB, message_id="<arrival.2@samsvar.test>")
    assert noted(superuser) == [(BOB, "5.0.0", "smtp", True)]


def test_a_mail_that_was_taken_does_not_fail_because_that_could_not_be_noted(
    office: PostOffice, use: Callable[[str], None], superuser: Engine
) -> None:
    use(office.url)
    with superuser.begin() as connection:
        connection.execute(text("revoke all on bounces from samsvar_app"))
    with capture_logs() as logs:
        send(ANNA)
    assert len(office.accepted) == 1
    assert [one["event"] for one in logs] == ["mail.unnoted"]
