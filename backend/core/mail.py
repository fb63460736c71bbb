"""Handing a mail to a server, or catching it where there is none."""

import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import ARRAY, BigInteger, Identity, Text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from backend.core import bounces, clock
from backend.core.db import NOBODY, Base, unit_of_work
from backend.settings import settings

log = structlog.get_logger()

# Seconds for each step. A server may read a mail before it says yes, and who hangs up first sends twice.
TIMEOUT = 60


class RefusedError(Exception):
    """The server will never take the mail for any of its recipients: to try again would only refuse them again."""


class CaughtMail(Base):
    """Mail that was not sent on, because no server is named: the demo shows it at `/demo/post`."""

    __tablename__ = "caught_mails"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    message_id: Mapped[str] = mapped_column(Text, unique=True)
    to: Mapped[list[str]] = mapped_column(ARRAY(Text))
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    caught_at: Mapped[datetime]


def send(*, to: Sequence[str], subject: str, body: str, message_id: str) -> None:
    """Hand one mail over, to all its recipients in one SMTP transaction.

    `message_id` is the same at every try, so that a mail sent twice after a crash between the server's yes
    and our note of it can be recognised as one. So can one that a server took for some and "not yet" for
    others, which is sent to all again; whom it refuses for good is logged, by number, and noted as a bounce of that
    address. Raises OSError or smtplib.SMTPException, whose texts may hold addresses.
    """
    url = settings().smtp_url
    if not url:
        _catch(to, subject, body, message_id)
        return
    message = EmailMessage()
    message["From"] = settings().mail_from
    message["To"] = ", ".join(to)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(clock.local(clock.now()))
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body, cte="quoted-printable")  # not every relay takes eight bits
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port
    if parts.scheme == "smtps":
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port or 465, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    else:
        client = smtplib.SMTP(host, port or 25, timeout=TIMEOUT)
    with closing(client):
        if parts.scheme == "smtp+starttls":
            client.starttls(context=ssl.create_default_context())
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
        refused = _said_yes(client, message, to, message_id)
        with suppress(OSError, smtplib.SMTPException):
            client.quit()  # it has said yes already; an error here would send the mail again
    _note(to, refused, message_id)
    if any(code < 500 for code, _words in refused.values()):
        raise smtplib.SMTPRecipientsRefused(refused)
    if refused:
        log.warning("mail.refused", message_id=message_id, recipients=len(refused))


def _said_yes(
    client: smtplib.SMTP, message: EmailMessage, to: Sequence[str], message_id: str
) -> dict[str, tuple[int, bytes]]:
    """Hand the letter over; gives whom of several the server refused. Raises RefusedError where it will never get
    anywhere, which is noted as bounces; SMTPException where it may, later.
    """
    try:
        return client.send_message(message, to_addrs=list(to))
    except smtplib.SMTPRecipientsRefused as all_refused:
        _note(to, all_refused.recipients, message_id)
        if all(code >= 500 for code, _words in all_refused.recipients.values()):
            raise RefusedError from None
        raise
    except smtplib.SMTPDataError as refusal:
        # Said of the letter and not of an address. With one address it comes to the same: it will never get there.
        if refusal.smtp_code < 500 or len(to) > 1:
            raise
        words = refusal.smtp_error
        words = words if isinstance(words, bytes) else words.encode()
        _note(to, {to[0]: (refusal.smtp_code, words)}, message_id)
        raise RefusedError from None


_ENHANCED = re.compile(rb"5\.\d{1,3}\.\d{1,3}(?!\d)")


def _note(to: Sequence[str], refused: Mapping[str, tuple[int, bytes]], message_id: str) -> None:
    """Whom the server refused for good, and whom it took. Never what stops a mail: it may have been taken already."""
    final = [
        (address, said.group().decode() if (said := _ENHANCED.match(words)) else "5.0.0")
        for address, (code, words) in refused.items()
        if code >= 500
    ]
    try:
        with unit_of_work(NOBODY) as db:
            bounces.record(db, "smtp", message_id, final)
            bounces.taken(db, [address for address in to if address not in refused])
    except SQLAlchemyError as error:
        log.warning("mail.unnoted", message_id=message_id, error=type(error).__name__)


def _catch(to: Sequence[str], subject: str, body: str, message_id: str) -> None:
    row = {
        "message_id": message_id,
        "to": list(to),
        "subject": subject,
        "body": body,
        "caught_at": clock.now(),
    }
    with unit_of_work(NOBODY) as db:
        db.execute(insert(CaughtMail).values(row).on_conflict_do_nothing(index_elements=["message_id"]))
