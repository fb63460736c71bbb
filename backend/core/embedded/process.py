"""One server process: is it living, bring it up, bring it down.

Nothing here trusts a pid file. A server answers on its socket or it does not, and its processes are known by
their program and by a mark on their command line, which /proc shows to everybody.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from backend.core.embedded.home import Account, EmbeddedServerError

PATIENCE = 60.0  # seconds for a start or a stop
DEAF = 20.0  # seconds until a living server that gives no answer at all is taken for frozen
LOG_LIMIT = 10_000_000  # bytes; a larger log is set aside at the next start, one generation

Answer = Literal["yes", "soon", "no"]  # soon: it recovers after a crash, or is about to stop

# Held for ever: a dropped Popen warns that its process lives on, which is just what is wanted here.
_launched: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Server:
    """How to start one server, ask it and stop it. `clean` removes what a crash left; `farewell` stops it."""

    program: str
    marks: tuple[str, ...]
    folder: Path
    account: Account
    log: Path
    command: Callable[[], Sequence[str | Path]]
    answers: Callable[[], Answer]
    clean: Callable[[], None]
    farewell: signal.Signals

    def living(self) -> list[int]:
        """Its processes, zombies not counted."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if (entry / "comm").read_text().strip() != self.program:
                    continue
                line = os.fsdecode((entry / "cmdline").read_bytes())
            except OSError:  # ended while we looked
                continue
            if any(mark in line for mark in self.marks):
                found.append(int(entry.name))
        return found

    def up(self) -> None:
        """Adopt the server if it lives, else start it; returns when it answers.

        Raises EmbeddedServerError with the end of the log if it does not.
        """
        if self._comes(lambda: bool(self.living())):
            return
        self.clean()  # nothing lives here any more: what a crash left is in the way
        child = launch(self.command(), self.folder, self.account, self.log)
        if not self._comes(lambda: child.poll() is None):
            raise EmbeddedServerError(
                f"{self.program} did not start; {self.log} ends with:\n{tail(self.log)}"
            )

    def down(self) -> None:
        """Stop the server and wait for it: kindly first, then by force. Does nothing if it is down."""
        self.bid_farewell()
        if not _within(PATIENCE, lambda: not self.living()):
            self._kill()
        for child in _launched:
            child.poll()

    def bid_farewell(self) -> None:
        """Ask the server to stop, without waiting."""
        family = self.living()
        for pid in family:
            if _parent(pid) not in family:
                _send(pid, self.farewell)

    def _comes(self, alive: Callable[[], bool]) -> bool:
        heard = started = time.monotonic()
        while time.monotonic() - started < PATIENCE and time.monotonic() - heard < DEAF:
            answer = self.answers()
            if answer == "yes":
                return True
            if not alive():
                return False
            if answer == "soon":
                heard = time.monotonic()
            time.sleep(0.02)
        self._kill()  # frozen, or its folder was deleted under it; killing costs a recovery, never data
        return False

    def _kill(self) -> None:
        for pid in self.living():
            _send(pid, signal.SIGKILL)
        if not _within(PATIENCE, lambda: not self.living()):
            raise EmbeddedServerError(f"{self.program} cannot be stopped: processes {self.living()}")


def launch(
    command: Sequence[str | Path], folder: Path, account: Account, log: Path
) -> subprocess.Popen[bytes]:
    """Start a program as `account`, apart from our terminal and our environment (PGPORT and its kin)."""
    root = os.geteuid() == 0
    with open_log(log) as out:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            user=account.uid if root else None,
            group=account.gid if root else None,
            extra_groups=[] if root else None,
            umask=0o077,  # for what it writes, Valkey's socket among it
            start_new_session=True,  # Ctrl-C in the terminal is for the launcher, which stops us in order
        )
    _launched.append(child)
    return child


def open_log(log: Path) -> BinaryIO:
    """Open a log for appending; one that has grown large is set aside first."""
    log.parent.mkdir(mode=0o700, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".old.log"))
    return log.open("ab")


def tail(log: Path, lines: int = 10) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _within(seconds: float, done: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None


def _send(pid: int, what: signal.Signals) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return
