"""A whole house to break: its own PostgreSQL and Valkey, a mail server, and web, worker and beat as they are run."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import redis

from backend.core import clock, db, embedded, migrate
from backend.exchange import COUNTIES
from backend.exchange import actions as exchange
from backend.notifications.actions import LETTER
from backend.settings import ROOT
from tests.core.embedded import probes
from tests.people import ANNA, ANNAS_UNIT, ANSWER, BOB, BOBS_UNIT, MATS
from tests.workers.post_office import OK, PostOffice

Process = subprocess.Popen[bytes]


class House:
    """Its processes live on from test to test, since each takes seconds to start. Every one is in a group of its
    own, so that a kill takes a worker's children along.
    """

    def __init__(
        self, folder: Path, office: PostOffice, *, disposable: bool = True, hands: Path | None = None
    ) -> None:
        """With `disposable` servers a killed PostgreSQL may lose its last commits. `hands` is the clock of all its
        processes, if a test turns one.
        """
        self.folder, self.state, self.office, self.disposable = folder, folder / "state", office, disposable
        self.hands = hands
        self.servers = embedded.start(self.state, disposable=disposable)
        self.processes: list[tuple[str, Process]] = []
        self.web: Web | None = None
        migrate.upgrade(self.servers.admin_url)
        db.use(self.servers.admin_url)
        with db.unit_of_work(db.OPERATOR) as session:
            assert exchange.import_directory(session, COUNTIES / "blekinge", "BLE").faults == []
        db.engine().dispose()

    def start(self, command: str, *, port: int = 0, cwd: Path = ROOT, **settings: str) -> Process:
        """`samsvar COMMAND` with this house's servers; what it says is in `said(process)`."""
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "SAMSVAR_ENV": "test",
            "SAMSVAR_STATE": str(self.state),
            "DATABASE_URL": self.servers.database_url,
            "REDIS_URL": self.servers.redis_url,
            "SAMSVAR_SMTP_URL": self.office.url,
            "SAMSVAR_TICK": "1",
            **({"PORT": str(port)} if port else {}),
            **({"SAMSVAR_TEST_CLOCK": str(self.hands)} if self.hands else {}),
            **settings,
        }
        log = (self.folder / f"{len(self.processes)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "backend", command],
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append((command, process))
        return process

    def open(self) -> "Web":
        """The web process, started anew if a test has killed it."""
        if self.web and self.web.process.poll() is not None:
            self.web.close()
            self.web = None
        self.web = self.web or Web(self)
        return self.web

    def living(self, command: str) -> list[Process]:
        return [process for name, process in self.processes if name == command and process.poll() is None]

    def staff(self, *, workers: int = 1, beats: int = 1) -> tuple[list[Process], list[Process]]:
        """At least so many workers and beats; those that live stay."""
        for command, wanted in (("worker", workers), ("beat", beats)):
            for _ in range(wanted - len(self.living(command))):
                self.start(command)
        return self.living("worker"), self.living("beat")

    def said(self, process: Process) -> str:
        number = next(n for n, (_, known) in enumerate(self.processes) if known is process)
        return (self.folder / f"{number}.log").read_text(errors="replace")

    def kill(self, *processes: Process) -> None:
        """SIGKILL to each and to its children."""
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)

    def settle(self) -> None:
        """Until what a first tick owes of itself, once a day or a year, is done: there may be a mail among it."""
        done = "select 1 from outbox where kind = 'deviations.look_after' and done_at is not null"
        wait(lambda: self.ask(done) == [(1,)] and self.waiting() == 0, 60)

    def tidy(self) -> None:
        """Nothing owed, an empty queue, an honest mail server with nothing in it."""
        self.start_broker()
        for table, ended in (("outbox", "done_at"), ("notices", "ended_at")):
            self.order(f"update {table} set {ended} = now() where {ended} is null")
        self.office.answer = lambda _mail: OK
        self.office.holds = self.office.hangs_up = lambda _mail: False
        for pile in (self.office.came, self.office.accepted, self.office.envelopes, self.office.raw):
            pile.clear()
        with self.valkey() as broker:
            broker.delete("celery")

    def close(self) -> None:
        if self.web:
            self.web.close()
        self.kill(*(process for _, process in self.processes))
        embedded.remove(self.state)

    # The database, past all walls

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with probes.sql(self.servers) as connection:
            return list(connection.execute(query).fetchall())

    def order(self, statement: str) -> None:
        with probes.sql(self.servers) as connection:
            connection.execute(statement)

    def waiting(self) -> int:
        """How much is due now, by the clock that the house goes by."""
        now = clock.read_shared(self.hands) if self.hands else clock.now()
        [(number,)] = self.ask(
            f"select count(*) from outbox where done_at is null and due_at <= '{now.isoformat()}'"
        )
        assert isinstance(number, int)
        return number

    def told(self, case_number: str) -> list[object]:
        """Who has been told, or will be in the morning, that the case has come."""
        rows = self.ask(
            "select p.email from notices n join people p on p.id = n.person_id"
            " join deviations d on d.id = n.deviation_id"
            f" where n.kind = 'arrival' and d.case_number = '{case_number}' order by 1"
        )
        return [email for (email,) in rows]

    def let_claims_run_out(self) -> None:
        """Half a minute passes, for whoever has died with something in hand. Nobody else may have."""
        self.order("update outbox set claimed_at = claimed_at - interval '31 seconds' where done_at is null")

    # The broker

    def messages(self) -> int:
        with self.valkey() as broker:
            return int(broker.llen("celery"))

    def valkey(self) -> redis.Redis:
        return probes.valkey(self.servers)

    def _broker(self) -> int:
        with self.valkey() as broker:
            return int(broker.info("server")["process_id"])

    def stop_broker(self) -> None:
        pid = self._broker()
        os.kill(pid, signal.SIGKILL)
        wait(lambda: pid not in probes.processes("valkey-server"), 20)

    def start_broker(self) -> None:
        embedded.start(self.state, disposable=self.disposable)

    def restart_database(self) -> None:
        """At once, as by a power cut: nothing is finished, and it recovers from its log as it starts."""
        pid = probes.postmaster(self.servers)
        os.kill(pid, signal.SIGQUIT)
        wait(lambda: not Path(f"/proc/{pid}").exists() or pid in zombies(), 20)
        embedded.start(self.state, disposable=self.disposable)

    @contextmanager
    def broker_stopped(self) -> Iterator[None]:
        self.stop_broker()
        try:
            yield
        finally:
            self.start_broker()

    @contextmanager
    def broker_frozen(self) -> Iterator[None]:
        pid = self._broker()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


def owe_letters(house: House, case_number: str, number: int, name: str = "fault") -> list[str]:
    """So many letters about the case, all of them due now and urgent, so that they leave at any hour: each has one
    notice, and is one mail. Nobody rings: the tick must find them. Gives their Message-IDs.
    """
    rows = house.ask(
        "with owed as ("
        " insert into outbox (kind, key, branch_id, person_id, due_at, owed_at)"
        f" select '{LETTER}', '{name}:' || gen_random_uuid(), d.sender_branch_id, p.id, now(), now()"
        f" from deviations d, people p, generate_series(1, {number})"
        f" where d.case_number = '{case_number}' and p.email = '{MATS}'"
        " returning id, branch_id, person_id)"
        " insert into notices"
        " (key, person_id, branch_id, unit_id, deviation_id, kind, role, due_at, made_at, letter_id)"
        " select 'fault:' || o.id, o.person_id, o.branch_id, d.sender_unit_id, d.id, 'masked', 'safety', now(), now(), o.id"
        f" from owed o, deviations d where d.case_number = '{case_number}'"
        " returning letter_id"
    )
    assert len(rows) == number
    return [message_id(letter) for (letter,) in rows]


def message_id(letter: object) -> str:
    return f"<letter.{letter}@127.0.0.1>"


class Web:
    """A running web process, and Anna and Bob logged in to it."""

    def __init__(self, house: House, **settings: str) -> None:
        self.port = free_port()
        self.process = house.start("serve", port=self.port, **settings)
        wait(self._answers, 60)
        self.anna, self.bob = self._browser(ANNA), self._browser(BOB)

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the web did not start"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _browser(self, email: str) -> httpx2.Client:
        headers = {"Sec-Fetch-Site": "same-origin"}
        limits = httpx2.Limits(keepalive_expiry=1)  # the web hangs up after five idle seconds
        client = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=30, limits=limits
        )
        answer = client.post("/login", data={"email": email, "password": "samsvar-demo"})
        assert answer.status_code == 303
        return client

    def file(self) -> str:
        """A case from Anna to Bob. Gives its number once the web has said that it is saved."""
        form = {
            "description": "Patienten kom hem utan läkemedelslista.",
            "category": "medication.list",
            "sender_unit": ANNAS_UNIT,
            "receiver_unit": BOBS_UNIT,
            "occurred_on": clock.today().isoformat(),
            "target_group": "older",
        }
        answer = self.anna.post("/deviations", data=form)
        assert answer.status_code == 303
        return answer.headers["Location"].rpartition("/")[2]

    def answer(self, number: str) -> None:
        form = ANSWER.model_dump(mode="json", exclude_none=True, exclude={"actions"})
        assert self.bob.post(f"/deviations/{number}/answer", data=form).status_code == 303

    def close(self) -> None:
        self.anna.close()
        self.bob.close()


def wait(done: Callable[[], bool], seconds: float) -> float:
    """Until `done`; gives the seconds it took, and fails when there were too many."""
    started = time.monotonic()
    while not done():
        assert time.monotonic() - started < seconds, f"not within {seconds} s"
        time.sleep(0.1)
    return time.monotonic() - started


def zombies() -> list[int]:
    """Our children that have ended and not been asked for."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if entry.read_text().rpartition(")")[2].split()[0] == "Z":
                found.append(int(entry.parent.name))
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def timed(what: Callable[[], object]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started
