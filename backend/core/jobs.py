"""What is owed, and the bell that says so.

The database owes and Celery rings: an action writes the owed row in its own transaction, and only when
that is safe is the worker told to look. A lost message costs a few seconds, until the next tick; a lost
row cannot happen. Rows hold ids only.
"""

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial

import structlog
from celery import Celery
from sqlalchemy import BigInteger, Identity, Index, Text, case, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.core import clock, embedded
from backend.core.db import NOBODY, Base, after_commit, unit_of_work
from backend.settings import settings

log = structlog.get_logger()

ATTEMPTS = 8
STUCK = timedelta(minutes=5)


class Owed(Base):
    """One thing to be done, once. `key` makes doubles impossible where the same thing can be asked twice."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "kind", "due_at", postgresql_where="done_at is null and given_up_at is null"),
        Index("ix_outbox_subject", "subject_id", postgresql_where="done_at is null"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str | None] = mapped_column(Text, unique=True)
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    branch_id: Mapped[int | None]
    person_id: Mapped[int | None]
    due_at: Mapped[datetime]
    owed_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    done_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True)
class Claim:
    """A row that is ours for now: what to do, about what, and as whom."""

    id: int
    kind: str
    subject_id: int | None
    branch_id: int | None
    person_id: int | None
    attempts: int


def owe(
    db: Session,
    kind: str,
    *,
    subject_id: int | None = None,
    branch_id: int | None = None,
    person_id: int | None = None,
    due_at: datetime | None = None,
    key: str | None = None,
) -> None:
    """Write the debt beside the change that caused it; ring if it is due already."""
    now = clock.now()
    row = {
        "kind": kind,
        "key": key,
        "subject_id": subject_id,
        "branch_id": branch_id,
        "person_id": person_id,
        "due_at": due_at or now,
        "owed_at": now,
    }
    db.execute(insert(Owed).values(row).on_conflict_do_nothing(index_elements=["key"]))
    if due_at is None or due_at <= now:
        after_commit(db, _ring_once(kind))


def waive(db: Session, kinds: Sequence[str], subject_id: int, why: str) -> None:
    """What is no longer owed is marked so, and stays to be seen."""
    db.execute(
        update(Owed)
        .where(Owed.kind.in_(kinds), Owed.subject_id == subject_id, Owed.done_at.is_(None))
        .values(done_at=clock.now(), outcome=why)
    )


def claim(kind: str, limit: int = 50) -> list[Claim]:
    """Take what is due, so that no other worker does; what a dead worker took comes back after a while."""
    now = clock.now()
    due = (
        select(Owed.id)
        .where(
            Owed.kind == kind,
            Owed.done_at.is_(None),
            Owed.given_up_at.is_(None),
            Owed.due_at <= now,
            or_(Owed.claimed_at.is_(None), Owed.claimed_at < now - STUCK),
        )
        .order_by(Owed.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    with unit_of_work(NOBODY) as db:
        rows = db.execute(
            update(Owed)
            .where(Owed.id.in_(due.scalar_subquery()))
            .values(claimed_at=now, attempts=Owed.attempts + 1)
            .returning(Owed.id, Owed.kind, Owed.subject_id, Owed.branch_id, Owed.person_id, Owed.attempts)
        )
        return [Claim(*row) for row in rows]


def done(db: Session, claim: Claim, outcome: str) -> None:
    db.execute(update(Owed).where(Owed.id == claim.id).values(done_at=clock.now(), outcome=outcome))


def failed(claim: Claim, error: Exception) -> None:
    """Try again later, longer and longer apart; after the last attempt it waits for a person.

    Only the error's class is kept: its text may quote what was being sent.
    """
    now = clock.now()
    wait = timedelta(seconds=min(15 * 2**claim.attempts, 3600))
    log.warning(
        "job.failed", kind=claim.kind, id=claim.id, attempt=claim.attempts, error=type(error).__name__
    )
    with unit_of_work(NOBODY) as db:
        db.execute(
            update(Owed)
            .where(Owed.id == claim.id)
            .values(
                claimed_at=None,
                due_at=now + wait,
                outcome=type(error).__name__,
                given_up_at=case((Owed.attempts >= ATTEMPTS, now), else_=None),
            )
        )


def kinds_due() -> list[str]:
    """The kinds that have something to be done now: what the tick rings for."""
    now = clock.now()
    with unit_of_work(NOBODY) as db:
        return list(
            db.scalars(
                select(Owed.kind)
                .where(
                    Owed.done_at.is_(None),
                    Owed.given_up_at.is_(None),
                    Owed.due_at <= now,
                    or_(Owed.claimed_at.is_(None), Owed.claimed_at < now - STUCK),
                )
                .distinct()
            )
        )


@cache
def broker_url() -> str:
    """Where the bell hangs: `REDIS_URL`, else the embedded server of this folder. Looked up once."""
    if url := settings().redis_url:
        return url
    servers = embedded.find(settings().state)
    return servers.redis_url if servers else ""


class Bell:
    """Rings from a thread of its own, so that a broker that is down or frozen slows no request.

    The same kind asked for many times before the thread gets to it is rung once: the job takes
    everything that is due.
    """

    def __init__(self, url: str) -> None:
        self._celery = Celery(broker=url, set_as_current=False)
        self._celery.conf.broker_transport_options = {
            "socket_timeout": 0.5,
            "socket_connect_timeout": 0.5,
            "max_retries": 0,
        }
        self._celery.conf.broker_connection_timeout = 0.5
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._asked: set[str] = set()
        threading.Thread(target=self._run, daemon=True, name="bell").start()

    def ring(self, kind: str) -> None:
        if kind not in self._asked:
            self._asked.add(kind)
            self._waiting.put(kind)

    def _run(self) -> None:
        while True:
            kind = self._waiting.get()
            self._asked.discard(kind)
            try:
                self._celery.send_task(kind, retry=False, ignore_result=True)
            except Exception as error:  # noqa: BLE001  the tick will find the row; a bell may fail in any way
                log.warning("bell.silent", kind=kind, error=type(error).__name__)


@cache
def _bell(url: str) -> Bell:
    return Bell(url)


def ring(kind: str) -> None:
    if url := broker_url():
        _bell(url).ring(kind)


@cache
def _ring_once(kind: str) -> "partial[None]":
    # Cached, so that ten debts of one kind in one unit of work are one entry to ring for.
    return partial(ring, kind)
