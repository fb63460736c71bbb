"""Run the processes of `make demo` as one: start them, keep them up, stop them all, leave none behind.

The claim on the state folder makes the supervisor the only one there. Every descendant carries the name of that
folder in its environment, so that what a killed supervisor left is found again, also a worker's own children,
and nobody else's process is ever touched.
"""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from backend.core import embedded
from backend.core.embedded.home import locked
from backend.core.embedded.process import open_log

GRACE = 8.0  # seconds from the request to stop until force
SHORT_LIFE = 5.0  # seconds; a child that dies sooner has not really started
SHORT_LIVES = 5  # so many in a row, and the supervisor gives up
LONGEST_PAUSE = 30.0  # seconds between a death and the next start; from half a second, doubled each time
MARK = "SAMSVAR_SUPERVISED"

# Becomes the child. It asks the kernel for SIGTERM when the supervisor dies, also by kill -9; this is done after
# exec, since code between fork and exec can hang in a program with threads. If the supervisor died before that,
# the parent is another already.
_FOLLOW = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(1, 15, 0, 0, 0) != 0:
    sys.exit("PR_SET_PDEATHSIG refused")
if os.getppid() != int(sys.argv[1]):
    sys.exit("the supervisor is gone")
os.execvp(sys.argv[2], sys.argv[2:])
"""


class AlreadyRunning(Exception):  # noqa: N818 - a state of affairs, not an error of the program
    """Somebody else runs in this state folder; the message says who."""


@dataclass(frozen=True)
class Child:
    """A process to keep running. With `url`, it is ready when that address answers with a status below 500."""

    command: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)  # beside the supervisor's own environment
    url: str | None = None


@contextmanager
def claim(state: Path) -> Iterator[None]:
    """Be the only one who runs in `state`, and end what a killed predecessor left there.

    Raises AlreadyRunning at once if somebody else does.
    """
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as held:
        try:
            lock = held.enter_context(locked(state / "demo.lock", wait=False))
        except BlockingIOError:
            raise AlreadyRunning(
                f"Samsvar already runs in {state.resolve()} (process {_holder(state)})"
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        _end_descendants(state)
        yield


def reset(state: Path) -> None:
    """Stop what runs in `state`, then delete the folder with all its data. In this order: see embedded.remove.

    Raises TimeoutError if it does not stop within half a minute.
    """
    end, told = time.monotonic() + 30, None
    while time.monotonic() < end:
        with suppress(AlreadyRunning), claim(state):
            embedded.remove(state)
            shutil.rmtree(state)
            return
        holder = _holder(state)
        if holder is not None and holder != told:  # a second signal would mean: hurry
            with suppress(ProcessLookupError):
                os.kill(holder, signal.SIGTERM)
            told = holder
        time.sleep(0.1)
    raise TimeoutError(f"process {_holder(state)} in {state.resolve()} does not stop")


def supervise(
    children: Mapping[str, Child],
    *,
    state: Path,
    ready: Callable[[], None],
    say: Callable[[str], None],
) -> int:
    """Run `children` until SIGINT, SIGTERM or SIGHUP; call within `claim` and in the main thread.

    `ready` is called once, when every `url` answers. A child that dies is started again after a pause, and `say`
    is told. Returns the exit code: 0 after a signal, 1 if a child never comes up.
    """
    signals: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        signals.append(number)

    before = {
        number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    wards = [_Ward(name, child, state) for name, child in children.items()]
    silent = [ward for ward in wards if ward.child.url]
    announced = False
    try:
        while not signals:
            for ward in wards:
                if not ward.tend(say):
                    say(f"{ward.name} does not stay up: giving up. See {ward.log}")
                    return 1
                if ward in silent:
                    if not _answers(str(ward.child.url)):
                        break  # who is waited for starts first, with the whole machine to itself
                    silent.remove(ward)
            else:
                if not announced:
                    announced = True
                    ready()
            time.sleep(0.1)
        return 0
    finally:
        _stop(wards, state, hurried=lambda: len(signals) > 1)
        for number, handler in before.items():
            signal.signal(number, handler)


class _Ward:
    """A child with its present process and the record of its deaths."""

    def __init__(self, name: str, child: Child, state: Path) -> None:
        self.name, self.child = name, child
        self.state = state.resolve()
        self.log = self.state / "log" / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.started = self.due = 0.0
        self.short_lives = 0

    def tend(self, say: Callable[[str], None]) -> bool:
        """Start the process if it is due, note its death; False if it has died too soon too often."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self._start()
        elif self.process.poll() is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(
                    self.process.pid, signal.SIGKILL
                )  # a dead worker's children take no orders any more
            self.short_lives = self.short_lives + 1 if now - self.started < SHORT_LIFE else 0
            pause = min(0.5 * 2**self.short_lives, LONGEST_PAUSE)
            self.due = now + pause
            say(f"{self.name} ended ({self.process.returncode}); starts again in {pause:g} s. See {self.log}")
            self.process = None
        return self.short_lives < SHORT_LIVES

    def _start(self) -> None:
        self.started = time.monotonic()
        with open_log(self.log) as out:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _FOLLOW, str(os.getpid()), *self.child.command],
                env={**os.environ, **self.child.env, MARK: str(self.state)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only the supervisor, and the group is the child's alone
            )


def _stop(wards: list[_Ward], state: Path, *, hurried: Callable[[], bool]) -> None:
    """TERM to the children, not to their groups: a worker's children must be ended by the worker."""
    running = [ward.process for ward in wards if ward.process is not None and ward.process.poll() is None]
    for process in running:
        process.terminate()
    end = time.monotonic() + GRACE
    while any(process.poll() is None for process in running) and time.monotonic() < end and not hurried():
        time.sleep(0.05)
    _end_descendants(state)
    for process in running:
        process.wait()


def _end_descendants(state: Path) -> None:
    """Kill every process that carries our mark; again, until a look finds none, for they may have forked."""
    mark = f"{MARK}={state.resolve()}".encode()
    while marked := [pid for pid in _processes() if mark in _environment(pid)]:
        for pid in marked:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _processes() -> list[int]:
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and int(entry.name) != os.getpid()
    ]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # ended, or another user's
        return []


def _holder(state: Path) -> int | None:
    try:
        return int((state / "demo.lock").read_text())
    except (OSError, ValueError):
        return None


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=1)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
