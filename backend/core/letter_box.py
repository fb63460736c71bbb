"""Where delivery reports come in: a maildir on this machine, or a folder of an IMAP server.

A letter is read, and moved away only when what it says is safe in the database: whoever is killed in between reads it
again. Letters that are no reports are moved away too, unread by anybody.
"""

import imaplib
import re
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from backend.core.delivery_reports import LONGEST

TIMEOUT = 30
HANDLED = "behandlade"
# At one visit; the rest is taken at the next.
MOST = 500


@dataclass(frozen=True)
class Maildir:
    path: Path

    def letters(self) -> Iterator[tuple[str, bytes]]:
        """Those that have come in, oldest first: a name to be told apart by, and as much as a report may need."""
        found = sorted(
            (
                file
                for folder in ("new", "cur")
                for file in (self.path / folder).glob("[!.]*")
                if _is_plain(file)
            ),
            key=lambda file: (file.lstat().st_mtime, file.name),
        )
        for file in found[:MOST]:
            with suppress(FileNotFoundError), file.open("rb") as letter:
                yield f"{file.parent.name}/{file.name}", letter.read(LONGEST)

    def put_away(self, name: str) -> None:
        """To the sub-folder for what is dealt with. Already there, it stays there."""
        for folder in ("tmp", "new", "cur"):
            (self.path / f".{HANDLED}" / folder).mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            (self.path / name).replace(self.path / f".{HANDLED}" / "cur" / Path(name).name)


def _is_plain(file: Path) -> bool:
    """Not a link to somewhere else, nor a pipe that would never end."""
    try:
        return stat.S_ISREG(file.lstat().st_mode)
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class ImapFolder:
    client: imaplib.IMAP4

    def letters(self) -> Iterator[tuple[str, bytes]]:
        _kind, [uids] = self.client.uid("search", "UNDELETED")
        for uid in (uids or b"").split()[:MOST]:
            # Peeked at, so that a letter which was never put away still looks new to a person.
            _kind, parts = self.client.uid("fetch", uid.decode(), f"(BODY.PEEK[]<0.{LONGEST}>)")
            letter = next((part[1] for part in parts if isinstance(part, tuple)), None)
            if letter is not None:
                yield uid.decode(), letter

    def put_away(self, name: str) -> None:
        self.client.create(HANDLED)  # answers NO where it is there already
        answer, _said = self.client.uid("copy", name, HANDLED)
        if answer != "OK":
            raise OSError("the letter could not be moved away")
        self.client.uid("store", name, "+FLAGS.SILENT", r"(\Deleted)")
        self.client.expunge()


LetterBox = Maildir | ImapFolder


@contextmanager
def opened(url: str) -> Iterator[LetterBox]:
    """`maildir:/path`, `imaps://user:password@host/folder`, or `imap://` where the server is on this machine.

    Raises OSError or imaplib.IMAP4.error, whose texts may hold addresses; ValueError for an address that is neither.
    """
    parts = urlsplit(url)
    if parts.scheme == "maildir":
        path = Path(unquote(parts.path))
        if not path.is_dir():
            raise FileNotFoundError("the maildir is not there")
        yield Maildir(path)
        return
    if parts.scheme == "imaps":
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            parts.hostname or "", parts.port or 993, ssl_context=ssl.create_default_context(), timeout=TIMEOUT
        )
    elif parts.scheme == "imap" and parts.hostname in ("localhost", "127.0.0.1", "::1"):
        client = imaplib.IMAP4(parts.hostname, parts.port or 143, timeout=TIMEOUT)
    else:
        raise ValueError("neither maildir: nor imaps://")
    with client:
        client.login(unquote(parts.username or ""), unquote(parts.password or ""))
        folder = re.sub(r'(["\\])', r"\\\1", unquote(parts.path.lstrip("/")) or "INBOX")
        answer, _said = client.select(f'"{folder}"')
        if answer != "OK":
            raise FileNotFoundError("the folder is not there")
        yield ImapFolder(client)
