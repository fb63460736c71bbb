"""A real mail server for the tests, in a thread of this process, that can be told to misbehave."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

OK = "250 OK"


@dataclass
class PostOffice:
    """What came, what was accepted, and what to say: to a mail, to a recipient, to a goodbye.

    While `holds` is true of a mail, its sender waits for an answer; where `hangs_up` is, none comes. With no `goodbye` it
    hangs up on whoever takes leave.
    """

    port: int = 0
    answer: Callable[[EmailMessage], str] = lambda _mail: OK
    recipient: Callable[[str], str] = lambda _address: OK
    holds: Callable[[EmailMessage], bool] = lambda _mail: False
    hangs_up: Callable[[EmailMessage], bool] = lambda _mail: False
    goodbye: str = "221 Bye"
    came: list[EmailMessage] = field(default_factory=list)
    accepted: list[EmailMessage] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def ids(self) -> list[str]:
        """The Message-IDs of what was accepted, in order."""
        return [str(mail["Message-ID"]) for mail in list(self.accepted)]

    async def handle_RCPT(  # noqa: N802  the names are aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if (said := self.recipient(address)) == OK:
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.came.append(mail)
        while self.holds(mail):
            await asyncio.sleep(0.02)  # cancelled when the sender hangs up
        if self.hangs_up(mail):
            server.transport.abort()
            return OK  # to nobody
        if (said := self.answer(mail)) == OK:
            self.accepted.append(mail)
            self.envelopes.append(list(envelope.rcpt_tos))
            self.raw.append(envelope.content)
        return said

    async def handle_QUIT(self, server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        if not self.goodbye:
            server.transport.abort()
        return self.goodbye or OK

    def log_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword
    ) -> AuthResult:
        self.logins.append((given.login, given.password))
        return AuthResult(success=True)


@contextmanager
def opened(office: PostOffice) -> Iterator[PostOffice]:
    """Serve on the office's port, or on a free one; opened again, it is the same one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def session() -> SMTP:
        # A name of its own, since looking up this machine's may take seconds where there is no network.
        return SMTP(
            office,
            hostname="post.test",
            auth_require_tls=False,
            authenticator=office.log_in,
            loop=loop,
            decode_data=False,
        )

    async def listen() -> asyncio.Server:
        return await loop.create_server(session, "127.0.0.1", office.port)

    async def close(server: asyncio.Server) -> None:
        server.close()
        for task in asyncio.all_tasks(loop) - {asyncio.current_task(loop)}:
            task.cancel()
        await asyncio.sleep(0.02)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        asyncio.run_coroutine_threadsafe(close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
