"""Reading one's own sessions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import ABSOLUTE, IDLE
from backend.accounts.models import LoginSession
from backend.core import clock
from backend.directory import queries as directory


@dataclass(frozen=True)
class OpenSession:
    """Somewhere the person is logged in. `place` is None where none is chosen yet."""

    id: int
    place: str | None
    started_at: datetime
    seen_at: datetime
    here: bool


def open_sessions(db: Session, me: Identity) -> list[OpenSession]:
    """One's own that still open something, the one that asks first."""
    now = clock.now()
    rows = db.scalars(
        select(LoginSession)
        .where(
            LoginSession.person_id == me.person_id,
            LoginSession.ended_at.is_(None),
            LoginSession.seen_at > now - IDLE,
            LoginSession.started_at > now - ABSOLUTE,
        )
        .order_by(LoginSession.seen_at.desc())
    )
    found = [
        OpenSession(
            row.id,
            directory.place_name(db, row.place, row.place_id)[0] if row.place and row.place_id else None,
            row.started_at,
            row.seen_at,
            row.id == me.session_id,
        )
        for row in rows
    ]
    return sorted(found, key=lambda session: not session.here)


def last_log_ins(db: Session, person_ids: Collection[int]) -> dict[int, datetime]:
    """When each of them last logged in; who never did is left out."""
    rows = db.execute(
        select(LoginSession.person_id, func.max(LoginSession.started_at))
        .where(LoginSession.person_id.in_(person_ids))
        .group_by(LoginSession.person_id)
    )
    return {row[0]: row[1] for row in rows}
