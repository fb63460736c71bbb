"""What was given up, for a person to look at; what waits; and what nobody needs to remember.

The outbox stands outside row-level security, so every function here that reads rows for a person is given `mine`,
the rows that this person answers for, and looks at no other.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from backend.core import clock
from backend.core.bell import ring_once
from backend.core.db import after_commit
from backend.core.jobs import Owed, owe

# How long what is done can be looked up, and how long what was dropped can be taken back.
KEPT = timedelta(days=90)
BATCH = 10_000
REASONS = ("told_otherwise", "no_longer_needed", "wrong_address", "other")

Mine = ColumnElement[bool]


@dataclass(frozen=True)
class Waiting:
    """How much of a kind waits that should have been done by now, since when, and with what trouble."""

    kind: str
    count: int
    since: datetime
    failed: int
    outcome: str | None


def given_up(db: Session, mine: Mine) -> list[Owed]:
    """What nobody tries any more, and no person has looked at yet; the latest first."""
    found = select(Owed).where(Owed.given_up_at.is_not(None), Owed.done_at.is_(None), mine)
    return list(db.scalars(found.order_by(Owed.given_up_at.desc(), Owed.id.desc()).limit(500)))


def count(db: Session, mine: Mine) -> int:
    found = select(func.count()).where(Owed.given_up_at.is_not(None), Owed.done_at.is_(None), mine)
    return db.scalar(found) or 0


def dropped(db: Session, mine: Mine) -> list[Owed]:
    """What was given up and then dropped, as long as it can be taken back; the latest first."""
    found = select(Owed).where(Owed.given_up_at.is_not(None), Owed.dropped_reason.is_not(None), mine)
    return list(db.scalars(found.order_by(Owed.done_at.desc(), Owed.id.desc()).limit(100)))


def waiting(db: Session, mine: Mine) -> list[Waiting]:
    """What is due and not done, by kind; what has waited longest first."""
    failed = Owed.outcome.is_not(None)
    found = (
        select(
            Owed.kind,
            func.count(),
            func.min(Owed.due_at),
            func.count().filter(failed),
            func.max(Owed.outcome).filter(failed),
        )
        .where(Owed.done_at.is_(None), Owed.given_up_at.is_(None), mine)
        .where((Owed.due_at <= clock.now()) | failed)
        .group_by(Owed.kind)
        .order_by(func.min(Owed.due_at))
    )
    return [Waiting(*row) for row in db.execute(found)]


def chosen(db: Session, ids: Collection[int], mine: Mine) -> list[Owed]:
    """Those of the rows that were given up and are this person's, held so that two cannot choose at once."""
    found = select(Owed).where(Owed.id.in_(ids), Owed.given_up_at.is_not(None), mine)
    return list(db.scalars(found.order_by(Owed.id).with_for_update()))


def retry(db: Session, rows: Collection[Owed]) -> None:
    """Begin anew with what was given up or dropped, now, and with as many tries as at first."""
    for row in rows:
        row.given_up_at = row.done_at = row.claimed_at = row.dropped_reason = row.dropped_by_id = None
        row.attempts, row.due_at = 0, clock.now()
        after_commit(db, ring_once(row.kind))


def drop(rows: Collection[Owed], reason: str, by: int) -> None:
    """It is not to be tried again, and a person has said why. What is dropped already keeps its first reason."""
    for row in rows:
        if row.dropped_reason is None:
            row.done_at, row.dropped_reason, row.dropped_by_id = clock.now(), reason, by


def prune(db: Session) -> int:
    """Forget some of what was done long ago; gives how many rows. What was given up stays until it is handled."""
    old = select(Owed.id).where(Owed.done_at < clock.now() - KEPT).limit(BATCH)
    return len(db.scalars(delete(Owed).where(Owed.id.in_(old)).returning(Owed.id)).all())


def owe_pruning(db: Session) -> None:
    """Once a day. Cheap enough to be asked at every tick."""
    key = f"prune:{clock.today().isoformat()}"
    if db.scalar(select(Owed.id).where(Owed.key == key)) is None:
        owe(db, "upkeep.prune", key=key)
