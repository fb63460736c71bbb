"""What a crash leaves is adopted or cleaned up, and nothing accepted is lost.

Where nothing is asked of the data the clusters are disposable: those may lose their last commits.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backend.core import embedded
from backend.core.embedded.home import home_of
from tests.core.embedded.probes import Load, data_folder, postmaster, processes, rows, sql, valkey

pytestmark = pytest.mark.faults


def test_a_stale_pid_file_does_not_stop_a_start(shared: Path) -> None:
    servers = embedded.start(shared, disposable=True)
    data, account = data_folder(servers), home_of(shared).account
    lines = (data / "postmaster.pid").read_text().splitlines(keepends=True)
    gone = int(lines[0])
    root = os.geteuid() == 0
    # PostgreSQL takes a pid for its own kind only if the same user owns it.
    foreign = subprocess.Popen(["sleep", "60"], user=account.uid if root else None)
    try:
        for left in (
            f"{gone}\n{''.join(lines[1:])}",
            f"{foreign.pid}\n{''.join(lines[1:])}",
            f"{foreign.pid}\n/tr",
            str(foreign.pid)[:1],
            "",
        ):
            servers.stop()
            (data / "postmaster.pid").write_text(left)
            Path(home_of(shared).run, ".s.PGSQL.5432.lock").write_text(left)
            servers = embedded.start(shared, disposable=True)
            with sql(servers) as connection:
                assert connection.execute("SELECT 1").fetchall() == [(1,)]
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_killed_servers_lose_nothing_that_was_accepted(shared: Path) -> None:
    """PostgreSQL alone, Valkey alone, both, and PostgreSQL with all its processes: each under load."""
    embedded.start(shared).stop()
    servers = embedded.start(shared)
    expected: list[object] = []
    victims_so_far: list[str] = []
    for victims in ("postgres", "valkey", "both", "family"):
        victims_so_far.append(victims)
        load = Load(servers)
        load.wait_for(30)
        with valkey(servers) as client:
            bell = int(client.info("server")["process_id"])
            client.rpush("flushed", victims)
            client.execute_command("WAITAOF", 1, 0, 10_000)  # until it is on the disk
        chief = postmaster(servers)
        pids = {"postgres": [chief], "valkey": [bell], "both": [chief, bell]}.get(
            victims, processes(home_of(shared).mark)
        )
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        servers_again = embedded.start(shared)
        assert servers_again == servers
        if chief not in pids or bell not in pids:
            servers.stop()  # ends the load on the one that lives
            embedded.start(shared)
        load.over()
        kept = rows(servers)
        assert kept[: len(expected) + len(load.accepted)] == expected + load.accepted
        expected = kept
        with valkey(servers) as client:
            rung = [int(number) for number in client.lrange("bell", 0, -1)]
            flushed = [name.decode() for name in client.lrange("flushed", 0, -1)]
            client.delete("bell")
        assert rung == list(range(len(rung)))  # the end may be missing, nothing in between
        assert flushed == victims_so_far


def test_the_servers_outlive_a_killed_launcher_and_are_adopted(shared: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from backend.core import embedded; "
        "embedded.start(Path(sys.argv[1]), disposable=True); print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, shared], stdout=subprocess.PIPE, text=True
    ) as launcher:
        assert launcher.stdout is not None
        assert launcher.stdout.readline() == "up\n"
        launcher.kill()
    servers = embedded.find(shared)
    assert servers is not None
    pid = postmaster(servers)
    assert postmaster(embedded.start(shared, disposable=True)) == pid
    servers.stop()
    assert processes(home_of(shared).mark) == []


def test_a_launcher_killed_at_any_moment_leaves_nothing_that_hinders_the_next(state: Path) -> None:
    program = "import sys; from pathlib import Path; from backend.core import embedded; print(flush=True); embedded.start(Path(sys.argv[1]), disposable=True)"
    for delay in (0.1, 0.6):
        with subprocess.Popen([sys.executable, "-c", program, state], stdout=subprocess.PIPE) as launcher:
            assert launcher.stdout is not None
            launcher.stdout.readline()
            time.sleep(delay)
            launcher.kill()
        servers = embedded.start(state, disposable=True)
        with sql(servers) as connection:
            assert connection.execute("SELECT current_database()::text").fetchall() == [("samsvar",)]
        assert len(processes(str(data_folder(servers)))) == 1
        embedded.remove(state)


def test_a_frozen_server_is_replaced(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.core.embedded.process.DEAF", 1.0)
    embedded.start(shared).stop()
    servers = embedded.start(shared)
    with sql(servers) as connection:
        connection.execute("CREATE TABLE frozen AS SELECT 7 AS n")
    pid = postmaster(servers)
    os.kill(pid, signal.SIGSTOP)
    assert embedded.find(shared) is None
    servers = embedded.start(shared)
    assert postmaster(servers) != pid
    with sql(servers) as connection:
        assert connection.execute("SELECT n FROM frozen").fetchall() == [(7,)]
