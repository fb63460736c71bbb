"""The local servers in ordinary times: up, adopted, found, down."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from kombu import Connection
from sqlalchemy import create_engine, text

from backend.core import embedded
from backend.core.embedded.home import home_of
from tests.core.embedded.probes import Load, data_folder, postmaster, processes, rows, sql, valkey


def test_the_addresses_serve_sqlalchemy_celery_and_redis(shared: Path) -> None:
    servers = embedded.start(shared, disposable=True)
    with sql(servers) as connection:
        connection.execute("CREATE ROLE samsvar_web LOGIN")
    engine = create_engine(servers.database_url)
    with engine.connect() as web:
        assert web.execute(text("SELECT current_user::text, current_database()::text")).one() == (
            "samsvar_web",
            "samsvar",
        )
    engine.dispose()
    with Connection(servers.redis_url) as broker, broker.SimpleQueue("bell") as queue:
        queue.put("ring")
        assert queue.get(timeout=2).payload == "ring"
    with valkey(servers) as client:
        assert client.config_get("maxmemory-policy", "appendonly") == {
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
        }


def test_no_server_listens_on_a_port_and_no_other_user_gets_at_the_sockets(shared: Path) -> None:
    servers = embedded.start(shared, disposable=True)
    with sql(servers) as connection, valkey(servers) as client:
        assert connection.execute("SHOW listen_addresses").fetchall() == [("",)]
        assert client.config_get("port") == {"port": "0"}
    run = home_of(shared).run
    places = (run, run / ".s.PGSQL.5432", run / "valkey.sock")
    assert [place.stat().st_mode & 0o777 for place in places] == [0o700] * 3


def test_the_environment_neither_disturbs_the_servers_nor_is_handed_to_them(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.start(shared).stop()
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("SAMSVAR_SECRET_KEY", "canary")
    servers = embedded.start(shared, disposable=True)
    with sql(servers) as connection:
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
    assert embedded.find(shared) == servers
    assert b"canary" not in Path(f"/proc/{postmaster(servers)}/environ").read_bytes()


def test_the_database_knows_swedish_letters(shared: Path) -> None:
    servers = embedded.start(shared, disposable=True)
    with sql(servers) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        found = connection.execute(
            "SELECT 'ÄRENDE' ILIKE 'ärende', lower('ÅÄÖ'), current_setting('server_encoding')"
        )
        assert found.fetchall() == [(True, "åäö", "UTF8")]
        search = connection.execute(
            "SELECT to_tsvector('swedish', 'ÅTGÄRDEN') @@ to_tsquery('swedish', 'åtgärd')"
        )
        assert search.fetchall() == [(True,)]
        assert connection.execute("SELECT similarity('ÅÄÖ', 'åäö'), similarity('å', 'ö')").fetchall() == [
            (1, 0)
        ]


def test_the_log_tells_of_an_error_without_the_values(shared: Path) -> None:
    servers = embedded.start(shared, disposable=True)
    with sql(servers) as connection:
        connection.execute("CREATE TABLE told (word text PRIMARY KEY)")
        connection.execute("INSERT INTO told VALUES ('canary')")
        with pytest.raises(Exception, match="told_pkey"):
            connection.execute("INSERT INTO told VALUES ('canary')")
    log = (shared / "log" / "postgres.log").read_text()
    assert ("told_pkey" in log, "canary" in log) == (True, False)


def test_real_data_is_flushed_and_disposable_data_is_not(state: Path) -> None:
    settings = "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes')"
    servers = embedded.start(state)
    with sql(servers) as connection:
        assert connection.execute(settings).fetchall() == [("on", "on", "on")]
    servers.stop()
    with sql(embedded.start(state, disposable=True)) as connection:
        assert connection.execute(settings).fetchall() == [("off", "off", "off")]
        assert connection.execute("SHOW max_connections").fetchall() == [("200",)]


def test_find_tells_if_the_servers_are_up_and_starts_nothing(state: Path) -> None:
    assert embedded.find(state) is None
    assert state.exists() is False
    servers = embedded.start(state, disposable=True)
    assert embedded.find(state) == servers
    servers.stop()
    assert embedded.find(state) is None


def test_a_second_start_adopts_the_living_servers(shared: Path) -> None:
    first = embedded.start(shared, disposable=True)
    pid = postmaster(first)
    second = embedded.start(shared)
    assert (second, postmaster(second)) == (first, pid)


def test_two_processes_starting_at_once_get_one_cluster(state: Path) -> None:
    program = "import sys; from pathlib import Path; from backend.core import embedded; print(embedded.start(Path(sys.argv[1])))"
    both = [
        subprocess.Popen([sys.executable, "-c", program, state], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert ([process.returncode for process in both], said[0]) == ([0, 0], said[1])
    servers = embedded.find(state)
    assert servers is not None
    data = str(data_folder(servers))
    assert processes(data) == [postmaster(servers)]


def test_two_folders_side_by_side_never_meet(state: Path) -> None:
    other = state.with_name("other")
    try:
        here, there = embedded.start(state, disposable=True), embedded.start(other, disposable=True)
        with sql(here) as connection, valkey(here) as client:
            connection.execute("CREATE TABLE only_here ()")
            client.set("only", "here")
        with sql(there) as connection, valkey(there) as client:
            assert connection.execute("SELECT to_regclass('only_here')").fetchall() == [(None,)]
            assert client.get("only") is None
        here.stop()
        assert (embedded.find(state), embedded.find(other)) == (None, there)
    finally:
        embedded.remove(other)


def test_stopping_under_load_loses_nothing(shared: Path) -> None:
    servers = embedded.start(shared, disposable=True)  # a clean stop flushes by itself
    load = Load(servers)
    load.wait_for(50)
    servers.stop()
    load.over()
    servers = embedded.start(shared, disposable=True)
    assert rows(servers)[: len(load.accepted)] == load.accepted
    with valkey(servers) as client:
        assert client.llen("bell") >= len(load.rung)
    assert "automatic recovery" not in (shared / "log" / "postgres.log").read_text()


def test_removing_stops_the_servers_before_their_data_goes(state: Path) -> None:
    servers = embedded.start(state, disposable=True)
    load = Load(servers)
    load.wait_for(20)
    data, pid = data_folder(servers), postmaster(servers)
    embedded.remove(state)
    load.over()
    assert (data.exists(), Path(f"/proc/{pid}").exists() and _runs(pid)) == (False, False)
    log = (state / "log" / "postgres.log").read_text()
    assert "database system is shut down" in log  # and not: could not open file
    assert "could not" not in log
    embedded.remove(state)  # nothing left: nothing to do


def test_a_data_folder_deleted_by_hand_under_living_servers_does_not_harm_the_next(state: Path) -> None:
    servers = embedded.start(state, disposable=True)
    data, old = data_folder(servers), postmaster(servers)
    for entry in sorted(data.parent.parent.rglob("*"), reverse=True):
        entry.rmdir() if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    servers = embedded.start(state, disposable=True)
    assert _runs(old) is False
    with sql(servers) as connection:
        connection.execute("CREATE TABLE anew AS SELECT 1 AS n")
        connection.execute("CHECKPOINT")
    servers.stop()
    with sql(embedded.start(state, disposable=True)) as connection:
        assert connection.execute("SELECT n FROM anew").fetchall() == [(1,)]


def test_what_is_in_the_way_is_told_and_left_alone() -> None:
    with tempfile.TemporaryDirectory(prefix="samsvar-test-") as folder:
        state = Path(folder, "state")
        state.mkdir()
        (state / "servers").write_text("mine")
        with pytest.raises(embedded.EmbeddedServerError):
            embedded.start(state)
        assert (state / "servers").read_text() == "mine"


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # empty: a zombie
    except OSError:
        return False
