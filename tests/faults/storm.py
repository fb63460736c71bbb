"""Ten thousand jobs, while workers, Redis and PostgreSQL are killed under them: what is lost, what is doubled.

A job is a letter to one person, of one urgent notice: one mail, at any hour. Each worker has a mail server of its own,
so that of every mail that was accepted we know who had sent it. A double is *allowed* only where that worker was killed
between the server's 250 and its own note of it, which nobody who speaks SMTP can mend: it was killed before the second
mail, and has not said that sending failed. Any other is a fault of ours.
"""

import os
import random
import re
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path

import httpx2
import psycopg

from backend.notifications.actions import LETTER
from tests.core.embedded import probes
from tests.faults.house import House, Process, message_id, owe_letters, wait
from tests.workers.post_office import OK, PostOffice, opened

OURS = "outbox.key like 'storm:%'"
# A busy server may read a mail, and say yes, so many seconds after its sender has died.
READ = 3.0
# What a worker says of a job that failed, to the second.
FAILED = re.compile(r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d).* id=(?P<id>\d+)")


@dataclass(frozen=True)
class Aims:
    jobs: int = 10_000
    workers: int = 200
    brokers: int = 50
    databases: int = 20
    slots: int = 3
    # Seconds from one kill of each sort to the next.
    every: tuple[float, float, float] = (0.3, 7, 18)
    # So many mails a worker may send before it is next.
    life: int = 45


@dataclass
class Tally:
    """What was done to the house, and what it had to do meanwhile."""

    workers: int = 0
    whole: int = 0
    before_claim: int = 0
    after_claim: int = 0
    after_250: int = 0
    brokers: int = 0
    flushed: int = 0
    frozen: int = 0
    databases: int = 0
    beats: int = 0
    refused: int = 0
    hung_up: int = 0
    owed: int = 0
    last_fault: float = 0


@dataclass
class Outcome:
    """What came of it. `lost` are jobs not done or done without an effect, and cases said to be saved that are not, or
    of which nobody is told.
    """

    jobs: int
    filed: int
    lost: list[object]
    doubled: list[str]
    allowed: list[str]
    drained: float
    seconds: float
    slowest: float  # from a 250 to the kill that came before the note of it, at most


@dataclass
class Slot:
    """A place for one worker after the other, with their mail server."""

    number: int
    office: PostOffice
    process: Process
    sent: int = 0  # by the present worker
    gap: str = ""  # where the present worker is to die
    killed: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Accepted:
    at: float
    slot: int


class Storm:
    def __init__(self, house: House, aims: Aims, say: Callable[[str], None]) -> None:
        self.house, self.aims, self.say = house, aims, say
        self.tally, self.slots, self.numbers = Tally(), list[Slot](), list[str]()
        self.accepted: dict[str, list[Accepted]] = defaultdict(list)
        self.chance = random.Random(4)
        self.over = threading.Event()
        self.broken: list[BaseException] = []

    def run(self) -> Outcome:
        started = time.time()
        web = self.house.open()
        self.numbers += [web.file() for _ in range(20)]
        with ExitStack() as stack:
            for number in range(self.aims.slots):
                office = PostOffice()
                stack.enter_context(opened(office))
                self.slots.append(Slot(number, office, self._hired(office)))
                office.answer, office.hangs_up = self._answering(self.slots[-1]), self._hangs_up
            self.house.staff(workers=0, beats=2)
            threads = [
                threading.Thread(target=self._until_over, args=(what,))
                for what in (
                    self._feed,
                    self._file,
                    self._kill_workers,
                    self._kill_brokers,
                    self._kill_databases,
                )
            ]
            for thread in threads:
                thread.start()
            try:
                while not self._met() and not self.broken:
                    time.sleep(5)
                    self._tell()
            except KeyboardInterrupt:
                self.say("Interrupted: no more faults, and what has come of it so far.")
            finally:
                self.over.set()
                for thread in threads:
                    thread.join(60)
            if self.broken:
                raise self.broken[0]
            self._hire_missing()
            self.house.start_broker()
            # From now on at the pace of everyday life: so far one second, so that the storm need not wait for it.
            self.house.kill(*self.house.living("beat"))
            for _ in range(2):
                self.house.start("beat", SAMSVAR_TICK="10")
            wait(lambda: self._left() == 0, 300)
            drained = time.time() - self.tally.last_fault
            time.sleep(2)  # a second mail would come now
            return self._outcome(drained, time.time() - started)

    # What the storm does, each in a thread of its own

    def _until_over(self, what: Callable[[], None]) -> None:
        while not self.over.is_set():
            try:
                what()
            except (psycopg.Error, httpx2.HTTPError, AssertionError):
                time.sleep(0.2)  # the house is down just now, which is what we are here for
            except BaseException as error:
                self.broken.append(error)
                raise

    def _feed(self) -> None:
        """Owe a few hundred at a time, as long as there are faults to come."""
        while not self.over.wait(1):
            if self._left() <= 600:
                self.tally.owed += len(
                    owe_letters(self.house, self.chance.choice(self.numbers), 200, name="storm")
                )

    def _file(self) -> None:
        """People go on working."""
        while not self.over.wait(3):
            self.numbers.append(self.house.open().file())

    def _kill_workers(self) -> None:
        while not self.over.wait(self.aims.every[0]):
            self._hire_missing()
            at_work = [slot for slot in self.slots if slot.sent >= self.aims.life]
            if at_work:
                self._kill_one(max(at_work, key=lambda slot: slot.sent))

    def _kill_one(self, slot: Slot) -> None:
        how = self.chance.choice(["anywhere"] * 4 + ["before_claim", "after_claim", "after_250", "after_250"])
        if how == "before_claim":
            # It has been rung for and wants to claim, and cannot.
            with probes.sql(self.house.servers) as connection, connection.transaction():
                connection.execute("set local lock_timeout = '5s'")
                connection.execute("lock table outbox in access exclusive mode")
                time.sleep(0.2)
                self._kill(slot)
                self.tally.before_claim += 1
        elif how == "anywhere":
            self._kill(slot)
        else:
            slot.gap = how
            with suppress(AssertionError):
                wait(lambda: slot.gap == "", 5)
            slot.gap = ""
        if self.tally.workers % 25 == 24 and self.house.living("beat"):
            self.house.kill(self.house.living("beat")[0])
            self.tally.beats += 1
            self.house.staff(workers=0, beats=2)

    def _answering(self, slot: Slot) -> Callable[[EmailMessage], str]:
        def answer(mail: EmailMessage) -> str:
            gap, sent_id = slot.gap, str(mail["Message-ID"])
            if gap == "after_claim":
                self._kill(slot)
                self.tally.after_claim += 1
                slot.gap = ""
                return "451 Nobody listens any more"
            if self._is_moody(0.01):
                self.tally.refused += 1
                return "451 Try again later"
            self.accepted[sent_id].append(Accepted(time.time(), slot.number))
            slot.sent += 1
            if gap == "after_250":
                self._kill(slot)
                self.tally.after_250 += 1
                slot.gap = ""
            return OK

        return answer

    def _hangs_up(self, _mail: EmailMessage) -> bool:
        hung_up = self._is_moody(0.005)
        self.tally.hung_up += hung_up
        return hung_up

    def _is_moody(self, share: float) -> bool:
        """Whether the mail server fails this time: only in the first half, as what failed waits for minutes."""
        early = self.tally.owed < self.aims.jobs * 0.6 and not self.over.is_set()
        return early and self.chance.random() < share

    def _kill(self, slot: Slot) -> None:
        """One time in three the whole worker, else the processes in which it works, which it then makes anew."""
        whole = self.tally.workers % 3 == 0
        children = _children(slot.process.pid)
        for pid in [slot.process.pid, *children] if whole else children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._fault(slot)
        self.tally.workers += 1
        self.tally.whole += whole
        slot.sent = 0

    def _fault(self, slot: Slot) -> None:
        self.tally.last_fault = time.time()
        slot.killed.append(self.tally.last_fault)

    def _hired(self, office: PostOffice) -> Process:
        return self.house.start("worker", SAMSVAR_SMTP_URL=office.url)

    def _hire_missing(self) -> None:
        for slot in self.slots:
            if slot.process.poll() is not None:
                slot.sent, slot.process = 0, self._hired(slot.office)

    def _kill_brokers(self) -> None:
        while not self.over.wait(self._pause(1, self.tally.brokers >= self.aims.brokers)):
            if self.tally.brokers % 8 == 7:
                with self.house.broker_frozen():
                    time.sleep(2)
                self.tally.frozen += 1
            self.house.stop_broker()
            time.sleep(0.3)
            self.house.start_broker()
            if self.tally.brokers % 3 == 0:
                with self.house.valkey() as broker:
                    broker.flushall()
                self.tally.flushed += 1
            self.tally.brokers += 1
            self.tally.last_fault = time.time()

    def _kill_databases(self) -> None:
        while not self.over.wait(self._pause(2, self.tally.databases >= self.aims.databases)):
            self.house.restart_database()
            self.tally.databases += 1
            self.tally.last_fault = time.time()

    def _pause(self, sort: int, enough: bool) -> float:
        """Once enough of a sort have been killed, it is killed more rarely until the rest has been too."""
        return self.aims.every[sort] * (5 if enough else 1)

    # How it goes, and how it went

    def _left(self) -> int:
        [(number,)] = self.house.ask(f"select count(*) from outbox where done_at is null and {OURS}")
        assert isinstance(number, int)
        return number

    def _met(self) -> bool:
        done, aims = self.tally, self.aims
        return (
            done.owed >= aims.jobs
            and done.workers >= aims.workers
            and done.brokers >= aims.brokers
            and done.databases >= aims.databases
        )

    def _tell(self) -> None:
        done = self.tally
        self.say(
            f"{done.owed} jobs owed, {len(self.accepted)} mails out; killed: {done.workers} workers,"
            f" {done.brokers} Redis, {done.databases} PostgreSQL"
        )

    def _outcome(self, drained: float, seconds: float) -> Outcome:
        rows = self.house.ask(
            "select outbox.id, outbox.outcome, attempts, n.outcome"
            f" from outbox left join notices n on n.letter_id = outbox.id where {OURS}"
        )
        # A worker that was killed between the note on the notice and that on the row leaves a row with nothing to say.
        lost: list[object] = [
            row
            for row in rows
            if row[1] not in ("sent", "nothing left to say")
            or row[3] != "sent"
            or message_id(row[0]) not in self.accepted
        ]
        lost += [number for number in self.numbers if not self._is_told(number)]
        failures = self._failures()
        doubled, allowed, slowest = [], [], 0.0
        for sent_id, times in self.accepted.items():
            for first, second in pairwise(times):
                killed = [at for at in self.slots[first.slot].killed if first.at - READ <= at <= second.at]
                # Said by itself, before it was killed: what is said later is of a later try, that another made.
                end = min(killed, default=second.at - 5)
                failed = [at for at in failures[sent_id] if first.at - 1 < at < end]
                (allowed if killed and not failed else doubled).append(sent_id)
                if killed and not failed:
                    slowest = max(slowest, killed[0] - first.at)
                else:
                    said = "\n".join(self._said_of(sent_id))
                    self.say(f"{sent_id}: {first} and {second}, killed {killed}, failed {failed}\n{said}")
        return Outcome(len(rows), len(self.numbers), lost, doubled, allowed, drained, seconds, slowest)

    def _is_told(self, number: str) -> bool:
        """Whether somebody has been told of a case, or has a letter coming that will."""
        rows = self.house.ask(
            "select n.ended_at is not null or exists (select from outbox o where o.person_id = n.person_id"
            f" and o.branch_id = n.branch_id and o.kind = '{LETTER}' and o.done_at is null and o.given_up_at is null)"
            " from notices n join deviations d on d.id = n.deviation_id"
            f" where n.kind = 'arrival' and d.case_number = '{number}'"
        )
        return bool(rows) and all(told for (told,) in rows)

    def _said_of(self, sent_id: str) -> list[str]:
        """What any worker said of a letter."""
        job = f"id={sent_id.partition('@')[0].rpartition('.')[2]} "
        return [
            f"{process.pid}: {line.strip()}"
            for name, process in self.house.processes
            if name == "worker"
            for line in self.house.said(process).splitlines()
            if job in f"{line} "
        ]

    def _failures(self) -> dict[str, list[float]]:
        """When workers said of a letter that sending it failed."""
        found: dict[str, list[float]] = defaultdict(list)
        for name, process in self.house.processes:
            for line in self.house.said(process).splitlines() if name == "worker" else ():
                if "job.failed" in line and LETTER in line and (one := FAILED.search(line)):
                    at = datetime.fromisoformat(one["at"]).astimezone()
                    found[message_id(one["id"])].append(at.timestamp())
        return found


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has ended
        return []
