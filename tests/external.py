"""Run the suite on Debian's PostgreSQL 15 and Redis 7 instead of the servers of the wheels: `make test-external`.

Both run as an unprivileged user, on free ports of 127.0.0.1, in a folder that is deleted afterwards. PostgreSQL
asks for a password, as in production.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis

POSTGRES = Path("/usr/lib/postgresql/15/bin")
REDIS = Path("/usr/bin/redis-server")


def main(arguments: list[str]) -> int:
    """Run pytest with `arguments`; returns its exit code, or 2 if the servers are not installed."""
    missing = [str(program) for program in (POSTGRES / "initdb", REDIS) if not program.exists()]
    if missing:
        sys.stderr.write(
            f"Not installed: {' '.join(missing)} (Debian: apt install postgresql-15 redis-server)\n"
        )
        return 2
    uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="samsvar-external-"))
    if uid is not None:
        os.chown(folder, uid, -1)
    password = secrets.token_hex(16)
    ports = free_ports(2)
    database_url = f"postgresql+psycopg://postgres:{password}@127.0.0.1:{ports[0]}/samsvar"
    redis_url = f"redis://127.0.0.1:{ports[1]}/0"
    servers: list[subprocess.Popen[bytes]] = []
    try:
        make_cluster(folder, password, uid)
        quick = ["-c", "fsync=off", "-c", "max_connections=200"]
        kept = ["--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"]
        commands: dict[str, list[str | Path]] = {
            "postgres": [POSTGRES / "postgres", "-D", folder / "data", "-k", folder, "-p", ports[0], *quick],
            "redis": [REDIS, "--bind", "127.0.0.1", "--port", ports[1], "--dir", folder, *kept],
        }
        for name, command in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                servers.append(subprocess.Popen(command, cwd=folder, user=uid, stdout=log, stderr=log))
        wait(lambda: create_database(database_url.replace("+psycopg", "").replace("/samsvar", "/postgres")))
        wait(lambda: bool(redis.Redis.from_url(redis_url).ping()))
        environment = {**os.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url}
        suite = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", *arguments]
        return subprocess.run(suite, env=environment, check=False).returncode
    finally:
        for server in servers:
            server.send_signal(signal.SIGINT)
        for server in servers:
            server.wait(60)
        shutil.rmtree(folder)


def make_cluster(folder: Path, password: str, uid: int | None) -> None:
    """Make the data folder; the superuser is postgres with `password`."""
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o600)
    if uid is not None:
        os.chown(secret, uid, -1)
    options = ["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    command: list[str | Path] = [POSTGRES / "initdb", "-D", folder / "data", f"--pwfile={secret}", *options]
    subprocess.run(command, cwd=folder, user=uid, check=True, stdout=subprocess.DEVNULL)


def create_database(url: str) -> bool:
    """Make the database samsvar; True when it is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE samsvar")
    return True


def free_ports(count: int) -> list[str]:
    """Ports that nobody listens on now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def wait(done: Callable[[], bool], seconds: float = 30.0) -> None:
    """Repeat `done` until it is True; its connection errors mean "not yet". Raises the last one when time is out."""
    end = time.monotonic() + seconds
    while True:
        try:
            if done():
                return
        except (psycopg.OperationalError, redis.ConnectionError):
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
