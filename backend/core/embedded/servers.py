"""The two servers of a state folder: PostgreSQL 18 for what is owed, Valkey 9 for ringing the bell."""

import os
import secrets
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis
from psycopg import pq
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.core.embedded.home import EmbeddedServerError, Home, furnish, home_of, locked, programs
from backend.core.embedded.process import PATIENCE, Answer, Server, launch, tail

# What went wrong is logged without the values: DETAIL and STATEMENT lines would carry the text of cases.
_SILENT = ["log_error_verbosity=terse", "log_min_error_statement=panic"]
_DISPOSABLE = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"]


@dataclass(frozen=True)
class Servers:
    """Running servers and their addresses.

    `redis_url` is the form of Celery and kombu (`redis+socket:///…`); redis-py wants `unix:///…`.
    """

    database_url: str
    admin_url: str
    redis_url: str
    _home: Home = field(repr=False)

    def stop(self) -> None:
        """Stop both servers cleanly, also under load, whoever started them; returns when they are gone."""
        with locked(self._home.state / "servers.lock"):
            _stop(self._home)


def start(state: Path, *, disposable: bool = False) -> Servers:
    """Bring up the servers of the folder `state`, made if missing; those that live are adopted as they are.

    Everything accepted survives a crash of a server (of Valkey: all but at most its last two seconds). Not so
    with `disposable`, for tests: a crash may then lose the last commits or the whole cluster. Two processes may
    call at once. Linux only. Raises EmbeddedServerError.
    """
    home = home_of(state)
    furnish(home)
    with locked(home.state / "servers.lock"):
        if not home.data.exists():
            _stop(home)  # somebody may have deleted the folder by hand, under living servers
        for server in _both(home, disposable=disposable):
            server.up()
        servers = _servers(home)
        with psycopg.connect(_conninfo(home, "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = 'samsvar'").fetchall():
                # A launcher that was killed just here may have asked for it already.
                with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    connection.execute("CREATE DATABASE samsvar")
    return servers


def find(state: Path) -> Servers | None:
    """The servers of the folder `state` if both answer; starts and changes nothing."""
    home = home_of(state)
    return _servers(home) if _postgres_answers(home) == _valkey_answers(home) == "yes" else None


def remove(state: Path) -> None:
    """Stop the servers of `state` and delete their data, all of it; does nothing if there is none.

    Stopping comes first: a server that outlives its data folder writes into the next one of that name.
    """
    home = home_of(state)
    if not home.folder.exists():
        return
    home.state.mkdir(parents=True, exist_ok=True, mode=0o700)  # root's may be gone with the data elsewhere
    with locked(home.state / "servers.lock"):
        _stop(home)
        for folder in (home.folder, home.run):
            if folder.exists():
                shutil.rmtree(folder)


def _stop(home: Home) -> None:
    servers = _both(home)
    for server in servers:
        server.bid_farewell()
    for server in servers:
        server.down()


def _servers(home: Home) -> Servers:
    database = f"/samsvar?host={home.run}&port=5432"  # the port too: PGPORT would change the socket's name
    return Servers(
        database_url=f"postgresql+psycopg://samsvar_web@{database}",
        admin_url=f"postgresql+psycopg://postgres@{database}",
        redis_url=f"redis+socket://{_valkey_socket(home)}",
        _home=home,
    )


def _both(home: Home, *, disposable: bool = False) -> list[Server]:
    return [
        Server(
            program="postgres",
            marks=(home.mark, str(home.data)),
            folder=home.data.parent,
            account=home.account,
            log=home.state / "log" / "postgres.log",
            command=lambda: _postgres_command(home, disposable=disposable),
            answers=lambda: _postgres_answers(home),
            clean=lambda: _clean_postgres(home),
            farewell=signal.SIGINT,  # "fast": ends the sessions, then a checkpoint
        ),
        Server(
            program="valkey-server",
            marks=(home.mark, str(home.valkey)),
            folder=home.valkey,
            account=home.account,
            log=home.state / "log" / "valkey.log",
            command=lambda: _valkey_command(home, disposable=disposable),
            answers=lambda: _valkey_answers(home),
            clean=lambda: _valkey_socket(home).unlink(missing_ok=True),
            farewell=signal.SIGTERM,
        ),
    ]


def _conninfo(home: Home, database: str) -> str:
    return f"host={home.run} port=5432 user=postgres dbname={database} connect_timeout=2"


def _postgres_answers(home: Home) -> Answer:
    answer = pq.PGconn.ping(_conninfo(home, "postgres").encode())
    return "yes" if answer == pq.Ping.OK else "soon" if answer == pq.Ping.REJECT else "no"


def _postgres_command(home: Home, *, disposable: bool) -> Sequence[str | Path]:
    folder, _ = programs(home)
    if not home.data.exists():
        _make_cluster(home, folder / "initdb", *(["--no-sync"] if disposable else []))
    settings = [
        "listen_addresses=",
        f"unix_socket_directories={home.run}",
        "unix_socket_permissions=0700",
        "port=5432",
        f"cluster_name={home.mark}",  # the mark on the command lines of all its processes
        "timezone=UTC",
        "log_timezone=UTC",
        *_SILENT,
        *(_DISPOSABLE if disposable else []),
    ]
    options = [option for setting in settings for option in ("-c", setting)]
    return [folder / "postgres", "-D", home.data, *options]


def _make_cluster(home: Home, initdb: Path, *options: str) -> None:
    """Make the data folder whole or not at all.

    C.UTF-8, as under plain C neither ILIKE nor full text search knows that Å is å in capitals (and unless the
    system's own locale is C.UTF-8 too, trigrams leave out å, ä and ö). Everybody who gets at the socket is
    trusted: its folder is for one account.
    """
    log = home.state / "log" / "initdb.log"
    for left in home.data.parent.glob("half-*"):
        shutil.rmtree(left, ignore_errors=True)
    # A name of its own each time: the initdb of a launcher that was killed may still be at work.
    half = home.data.with_name(f"half-{secrets.token_hex(4)}")
    locale = ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command: list[str | Path] = [initdb, "-D", half, "--username=postgres", "--auth=trust", *locale, *options]
    if launch(command, home.data.parent, home.account, log).wait(PATIENCE) != 0:
        raise EmbeddedServerError(f"initdb failed; {log} ends with:\n{tail(log)}")
    half.rename(home.data)


def _clean_postgres(home: Home) -> None:
    socket = home.run / ".s.PGSQL.5432"
    for left in (home.data / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
        left.unlink(missing_ok=True)


def _valkey_socket(home: Home) -> Path:
    return home.run / "valkey.sock"


def _valkey_answers(home: Home) -> Answer:
    path = os.fspath(_valkey_socket(home))
    with redis.Redis(unix_socket_path=path, socket_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
        try:
            return "yes" if client.ping() else "no"
        except redis.BusyLoadingError:
            return "soon"
        except redis.RedisError:
            return "no"


def _valkey_command(home: Home, *, disposable: bool) -> Sequence[str | Path]:
    _, program = programs(home)
    options = {
        "port": "0",
        "unixsocket": os.fspath(_valkey_socket(home)),
        "dir": os.fspath(home.valkey),
        "appendonly": "yes",
        "appendfsync": "no" if disposable else "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",  # a full broker says so; it never drops a message in silence
        "proc-title-template": f"{{title}} {home.mark}",
    }
    return [program, *(part for name, value in options.items() for part in (f"--{name}", value))]
