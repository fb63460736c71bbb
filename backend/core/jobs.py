"""What is owed, and who does it.

The database owes and Celery rings: an action writes the owed row in its own transaction, and only when
that is safe is the worker told to look. A lost message costs a few seconds, until the next tick; a lost
row cannot happen. Rows hold ids only.
"""

import contextvars
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from celery.exceptions import WorkerLostError
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Identity,
    Index,
    Text,
    case,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.core import clock
from backend.core.bell import ring, ring_once
from backend.core.db import NOBODY, Base, after_commit, unit_of_work

log = structlog.get_logger()

# With `failed`'s waits about three days, as mail servers do: a server that is away over a weekend loses nothing.
ATTEMPTS = 80
# Whoever is at work renews the claim every few seconds, however long the work is; what has not been renewed for so
# long belongs to somebody who has died.
RENEWED = 5.0
STUCK = timedelta(seconds=30)
# So long whoever has done something tries to note it, when the database is away just then.
PATIENCE = 120.0
# A worker asked to stop finishes its shift first, and its supervisor waits eight seconds.
SHIFT = 5.0


class Owed(Base):
    """One thing to be done, once. `key` makes doubles impossible where the same thing can be asked twice."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "kind", "due_at", postgresql_where="done_at is null and given_up_at is null"),
        Index("ix_outbox_subject", "subject_id", postgresql_where="done_at is null"),
        Index("ix_outbox_given_up", "given_up_at", postgresql_where="given_up_at is not null"),
        CheckConstraint(
            "dropped_reason in ('told_otherwise', 'no_longer_needed', 'wrong_address', 'other')",
            name="dropped_reason",
        ),
        CheckConstraint(
            "(dropped_reason is null) = (dropped_by_id is null)"
            " and (dropped_reason is null or (given_up_at is not null and done_at is not null))",
            name="dropped",
        ),
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
    # By whom, and why, what was given up is not to be tried again; `done_at` says when.
    dropped_reason: Mapped[str | None] = mapped_column(Text)
    dropped_by_id: Mapped[int | None]


@dataclass(frozen=True)
class Claim:
    """A row that is ours for now: what to do, about what, and as whom."""

    id: int
    kind: str
    subject_id: int | None
    branch_id: int | None
    person_id: int | None
    attempts: int


class LaterError(Exception):
    """Raised by a job that may not be done now, to be asked again at that moment. It counts as no attempt."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


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
        after_commit(db, ring_once(kind))


def waive(db: Session, kinds: Sequence[str], subject_id: int, why: str) -> None:
    """What is no longer owed is marked so, and stays to be seen."""
    db.execute(
        update(Owed)
        .where(Owed.kind.in_(kinds), Owed.subject_id == subject_id, Owed.done_at.is_(None))
        .values(done_at=clock.now(), outcome=why)
    )


def subjects(db: Session, kind: str) -> set[int]:
    """What a kind is owed for and not yet done."""
    rows = select(Owed.subject_id).where(
        Owed.kind == kind, Owed.done_at.is_(None), Owed.given_up_at.is_(None)
    )
    return {subject for subject in db.scalars(rows) if subject is not None}


def untried(db: Session, kind: str) -> set[tuple[int | None, int | None]]:
    """For whom something of a kind is due that nobody has tried yet: person and branch."""
    query = select(Owed.person_id, Owed.branch_id).where(Owed.kind == kind, Owed.attempts == 0)
    return {(person_id, branch_id) for person_id, branch_id in db.execute(query.where(*_due(clock.now())))}


def work(kind: str, do: Callable[[Claim], str]) -> None:
    """Do what is due of a kind, one row at a time, and note what came of each; one that fails stops no other.

    After a shift of five seconds it rings for the rest and gives the worker back. When the database goes away it
    does so at once: what was claimed comes back by itself, and the tick rings.
    """
    end = time.monotonic() + SHIFT
    try:
        while claimed := claim(kind):
            try:
                with _renewing(claimed):
                    outcome = do(claimed)
            except LaterError as later:
                postpone(claimed, later.until)
            except Exception as error:
                if _is_away(error):
                    raise
                failed(claimed, error)
            else:
                _note(claimed, outcome)
            if time.monotonic() > end:
                ring(kind)
                break
    except OperationalError as error:
        if not _is_away(error):
            raise
        log.warning("job.no_database", kind=kind)


@contextmanager
def _renewing(claimed: Claim) -> Iterator[None]:
    """Renew the claim for as long as the work goes on, from a thread that dies with whoever does it."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEWED):
            try:
                with unit_of_work(NOBODY) as db:
                    db.execute(
                        update(Owed)
                        .where(Owed.id == claimed.id, Owed.attempts == claimed.attempts)
                        .where(Owed.done_at.is_(None), Owed.claimed_at.is_not(None))
                        .values(claimed_at=clock.elapsing())
                    )
            except SQLAlchemyError as error:
                log.warning("job.not_renewed", id=claimed.id, error=type(error).__name__)

    # The moment at which the caller stands, if a test has moved it, comes along.
    here = contextvars.copy_context()
    threading.Thread(target=here.run, args=(renew,), daemon=True, name="claim").start()
    try:
        yield
    finally:
        over.set()


def _note(claimed: Claim, outcome: str) -> None:
    def note() -> None:
        with unit_of_work(NOBODY) as db:
            done(db, claimed, outcome)

    surely(note)


def surely(note: Callable[[], None]) -> None:
    """Note what has been done, and again until it is certain: a mail that the server has taken must not be sent twice
    because of what befell the database in that very moment.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            note()
        except DBAPIError as error:
            # A deadlock or a time-out as well as a restart; not what would fail as surely the next time.
            if isinstance(error, DataError | IntegrityError | ProgrammingError) or time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def _is_away(error: Exception) -> bool:
    """Whether it was the database that went: no fault of the row that was at hand."""
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state.startswith(("08", "57P"))


def claim(kind: str) -> Claim | None:
    """Take the oldest row that is due, so that no other worker does; what a dead worker took comes back after a while.

    One at a time: a worker that dies then holds up one row, and a row that kills its worker uses up only its own
    attempts. None when nothing is left.
    """
    now = clock.now()
    # A CTE, as PostgreSQL may run a plain subquery more than once and then lock another row each time.
    due = (
        select(Owed.id)
        .where(Owed.kind == kind, *_due(now))
        .order_by(Owed.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    with unit_of_work(NOBODY) as db:
        row = db.execute(
            update(Owed)
            .where(Owed.id == due.c.id)
            .values(claimed_at=clock.elapsing(), attempts=Owed.attempts + 1)
            .returning(Owed.id, Owed.kind, Owed.subject_id, Owed.branch_id, Owed.person_id, Owed.attempts)
        ).one_or_none()
    if row is None:
        return None
    taken = Claim(*row)
    if taken.attempts <= ATTEMPTS:
        return taken
    # The last try too took its worker along, so nobody was left to say that it failed.
    failed(taken, WorkerLostError())
    return claim(kind)


def _due(now: datetime) -> list[ColumnElement[bool]]:
    return [
        Owed.done_at.is_(None),
        Owed.given_up_at.is_(None),
        Owed.due_at <= now,
        or_(Owed.claimed_at.is_(None), Owed.claimed_at < clock.elapsing() - STUCK),
    ]


def done(db: Session, claim: Claim, outcome: str) -> None:
    db.execute(update(Owed).where(Owed.id == claim.id).values(done_at=clock.now(), outcome=outcome))


def postpone(claim: Claim, until: datetime) -> None:
    with unit_of_work(NOBODY) as db:
        db.execute(
            update(Owed)
            .where(Owed.id == claim.id, Owed.attempts == claim.attempts, Owed.done_at.is_(None))
            .values(claimed_at=None, due_at=until, attempts=Owed.attempts - 1)
        )


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
            # Whoever was so late that another has taken the row since has no say any more.
            .where(Owed.id == claim.id, Owed.attempts == claim.attempts, Owed.done_at.is_(None))
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
        return list(db.scalars(select(Owed.kind).where(*_due(now)).distinct()))
