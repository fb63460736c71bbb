"""Looking into the local servers from outside, and writing into them until they die."""

import os
import threading
import time
from pathlib import Path

import psycopg
import redis

from backend.core.embedded import Servers


def sql(servers: Servers) -> psycopg.Connection[tuple[object, ...]]:
    """A connection as the database's superuser; autocommit, so that every statement is a promise."""
    address = servers.admin_url.replace("postgresql+psycopg", "postgresql")
    return psycopg.connect(address, autocommit=True)


def valkey(servers: Servers) -> redis.Redis:
    return redis.Redis.from_url(servers.redis_url.replace("redis+socket://", "unix://", 1))


def rows(servers: Servers) -> list[object]:
    with sql(servers) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM promise ORDER BY n")]


def data_folder(servers: Servers) -> Path:
    with sql(servers) as connection:
        found = connection.execute("SHOW data_directory").fetchone()
    assert found is not None
    return Path(str(found[0]))


def postmaster(servers: Servers) -> int:
    return int((data_folder(servers) / "postmaster.pid").read_text().splitlines()[0])


def processes(word: str) -> list[int]:
    """Living processes with `word` on their command line, other than us."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if word.encode() in line:
                found.append(int(entry.name))
    return found


class Load:
    """Writes numbers into both servers, one after the other, and remembers what was accepted."""

    def __init__(self, servers: Servers) -> None:
        with sql(servers) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS promise (n int PRIMARY KEY)")
            first = connection.execute("SELECT coalesce(max(n) + 1, 0) FROM promise").fetchone()
        assert first is not None
        self.first = int(str(first[0]))
        self.accepted: list[int] = []
        self.rung: list[int] = []
        self.threads = [
            threading.Thread(target=self._promise, args=(servers,)),
            threading.Thread(target=self._ring, args=(servers,)),
        ]
        for thread in self.threads:
            thread.start()

    def _promise(self, servers: Servers) -> None:
        try:
            with sql(servers) as connection:
                for number in range(self.first, 1_000_000):
                    connection.execute("INSERT INTO promise VALUES (%s)", [number])
                    self.accepted.append(number)
        except psycopg.Error:
            return

    def _ring(self, servers: Servers) -> None:
        try:
            with valkey(servers) as client:
                for number in range(1_000_000):
                    client.rpush("bell", number)
                    self.rung.append(number)
        except redis.RedisError:
            return

    def wait_for(self, count: int) -> None:
        end = time.monotonic() + 20
        while min(len(self.accepted), len(self.rung)) < count:
            assert time.monotonic() < end
            time.sleep(0.01)

    def over(self) -> None:
        for thread in self.threads:
            thread.join(20)
        assert [thread.is_alive() for thread in self.threads] == [False, False]
