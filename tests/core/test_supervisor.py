"""The supervisor of `make demo`, with small stand-ins for web and worker."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from backend.core import embedded
from backend.core.supervisor import MARK, AlreadyRunning, claim, reset
from tests.core.embedded.probes import postmaster

BOSS = """
import json, sys
from pathlib import Path
from backend.core import supervisor
state = Path(sys.argv[1])
children = {name: supervisor.Child(**child) for name, child in json.loads(sys.argv[2]).items()}
supervisor.GRACE, supervisor.LONGEST_PAUSE = 1.0, 0.1
def say(line): print(line, flush=True)
try:
    with supervisor.claim(state):
        say("claimed")
        sys.exit(supervisor.supervise(children, state=state, ready=lambda: say("ready"), say=say))
except supervisor.AlreadyRunning as problem:
    say(str(problem))
    sys.exit(1)
"""
# Each stand-in writes its pid to a file named by its first argument.
NOTE = "import os, pathlib, signal, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid()));"
CALM = NOTE + "print('hello', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + CALM
WEB = NOTE + (
    "import http.server; time.sleep(0.5);"
    "http.server.HTTPServer(('127.0.0.1', int(sys.argv[2])), http.server.SimpleHTTPRequestHandler).serve_forever()"
)
# A worker with a child of its own that hears no TERM; with a third argument that child has left the group too.
WORKER = NOTE + (
    "import subprocess;"
    f"subprocess.Popen([sys.executable, '-c', {STUBBORN!r}, sys.argv[2]], start_new_session=len(sys.argv) > 3);"
    "time.sleep(60)"
)


@pytest.fixture
def state() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="samsvar-test-")).resolve()
    yield folder / "state"
    with claim(folder / "state"):  # ends what a failed test left
        shutil.rmtree(folder)


def python(program: str, *arguments: object) -> dict[str, object]:
    return {"command": [sys.executable, "-c", program, *map(str, arguments)]}


def boss(state: Path, children: Mapping[str, object]) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", BOSS, str(state), json.dumps(children)], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    return started


def lines(started: subprocess.Popen[str]) -> list[str]:
    said, _ = started.communicate(timeout=30)
    return said.splitlines()


def wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def pid_in(file: Path, other_than: int = 0) -> int:
    wait(lambda: file.exists() and file.read_text() not in {"", str(other_than)})
    return int(file.read_text())


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # empty: a zombie
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("farewell", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_children_and_is_a_good_end(state: Path, farewell: signal.Signals) -> None:
    files = [state.with_name(name) for name in ("web", "beat")]
    started = boss(state, {file.name: python(CALM, file) for file in files})
    pids = [pid_in(file) for file in files]
    started.send_signal(farewell)
    assert lines(started) == ["claimed", "ready"]
    assert (started.returncode, [runs(pid) for pid in pids]) == (0, [False, False])


def test_ready_is_said_once_and_only_when_web_answers(state: Path) -> None:
    port = free_port()
    web = {**python(WEB, state.with_name("web"), port), "url": f"http://127.0.0.1:{port}/"}
    started = boss(state, {"web": web, "beat": python(CALM, state.with_name("beat"))})
    assert started.stdout is not None
    assert [started.stdout.readline() for _ in range(2)] == ["claimed\n", "ready\n"]
    with socket.create_connection(("127.0.0.1", port), timeout=2):
        time.sleep(0.5)
    started.terminate()
    assert lines(started) == []


def test_what_a_child_says_is_in_its_log(state: Path) -> None:
    started = boss(state, {"beat": python(CALM, state.with_name("beat"))})
    wait(lambda: (state / "log/beat.log").exists() and (state / "log/beat.log").read_text() == "hello\n")
    started.terminate()
    assert lines(started)[0] == "claimed"


def test_a_child_that_dies_is_started_again(state: Path) -> None:
    file = state.with_name("web")
    started = boss(state, {"web": python(CALM, file)})
    first = pid_in(file)
    os.kill(first, signal.SIGKILL)
    second = pid_in(file, other_than=first)
    assert (runs(first), runs(second)) == (False, True)
    started.terminate()
    assert f"web ended (-9); starts again in 0.1 s. See {state}/log/web.log" in lines(started)


def test_a_dead_workers_own_children_die_before_it_is_started_again(state: Path) -> None:
    worker, grandchild = state.with_name("worker"), state.with_name("grandchild")
    started = boss(state, {"worker": python(WORKER, worker, grandchild)})
    first, orphan = pid_in(worker), pid_in(grandchild)
    os.kill(first, signal.SIGKILL)
    pid_in(worker, other_than=first)
    assert runs(orphan) is False
    started.terminate()
    started.communicate(timeout=20)


def test_a_child_that_never_stays_up_ends_the_supervisor(state: Path) -> None:
    file = state.with_name("beat")
    started = boss(state, {"beat": python(CALM, file), "web": python("raise SystemExit('port taken')")})
    assert lines(started)[-1] == f"web does not stay up: giving up. See {state}/log/web.log"
    assert (started.returncode, runs(pid_in(file))) == (1, False)
    assert (state / "log/web.log").read_text() == "port taken\n" * 5


def test_who_does_not_stop_when_asked_is_killed_after_the_grace(state: Path) -> None:
    file, worker, grandchild = (state.with_name(name) for name in ("deaf", "worker", "grandchild"))
    children = {"deaf": python(STUBBORN, file), "worker": python(WORKER, worker, grandchild, "far")}
    started = boss(state, children)
    pids = [pid_in(file), pid_in(worker), pid_in(grandchild)]
    asked = time.monotonic()
    started.terminate()
    assert "ready" in lines(started)
    assert (started.returncode, [runs(pid) for pid in pids]) == (0, [False] * 3)
    assert 1.0 <= time.monotonic() - asked < 3.0


def test_children_follow_a_killed_supervisor_and_the_next_one_ends_the_rest(state: Path) -> None:
    calm, worker, grandchild = (state.with_name(name) for name in ("calm", "worker", "grandchild"))
    started = boss(state, {"calm": python(CALM, calm), "worker": python(WORKER, worker, grandchild, "far")})
    followers, stray = [pid_in(calm), pid_in(worker)], pid_in(grandchild)
    bystander = subprocess.Popen(["sleep", "60"], env={MARK: f"{state}2"})
    try:
        started.kill()
        started.communicate(timeout=20)
        wait(lambda: not any(map(runs, followers)))
        assert runs(stray) is True
        with claim(state):
            assert (runs(stray), bystander.poll()) == (False, None)
    finally:
        bystander.kill()
        bystander.wait()


def test_a_second_one_in_the_same_folder_is_told_who_runs(state: Path) -> None:
    started = boss(state, {"beat": python(CALM, state.with_name("beat"))})
    pid = pid_in(state.with_name("beat"))
    second = boss(state, {})
    assert lines(second) == [f"Samsvar already runs in {state} (process {started.pid})"]
    assert (second.returncode, runs(pid)) == (1, True)
    started.terminate()
    started.communicate(timeout=20)
    with claim(state), pytest.raises(AlreadyRunning), claim(state):
        raise AssertionError


def test_a_reset_stops_everything_and_then_deletes_the_folder(state: Path) -> None:
    state.parent.chmod(0o711)
    servers = embedded.start(state, disposable=True)
    database = postmaster(servers)
    started = boss(state, {"beat": python(CALM, state.with_name("beat"))})
    pid = pid_in(state.with_name("beat"))
    reset(state)
    assert "ready" in lines(started)
    assert (started.returncode, runs(pid), runs(database), state.exists()) == (0, False, False, False)
    assert embedded.find(state) is None
    assert embedded.start(state, disposable=True) == servers
    reset(state)
    reset(state)  # nothing there: nothing to do
    assert state.exists() is False
