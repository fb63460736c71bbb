"""Ending sessions: one's own that were left open elsewhere, and all of them when a password is changed."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.models import LoginSession
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import NotFoundError


def end_session(db: Session, me: Identity, session_id: int) -> None:
    """Raises NotFoundError for another person's."""
    ended = db.execute(
        update(LoginSession)
        .where(
            LoginSession.id == session_id,
            LoginSession.person_id == me.person_id,
            LoginSession.ended_at.is_(None),
        )
        .values(ended_at=clock.now())
        .returning(LoginSession.id)
    )
    if ended.one_or_none() is None:
        raise NotFoundError
    audit.record(db, me, "accounts.end_session", session=session_id)


def end_other_sessions(db: Session, me: Identity) -> None:
    """All of one's own but the one that asks."""
    end_others(db, me.person_id, but=me.session_id)
    audit.record(db, me, "accounts.end_other_sessions")


def end_others(db: Session, person_id: int, *, but: int | None) -> None:
    """Every session of a person, save one."""
    others = [LoginSession.person_id == person_id, LoginSession.ended_at.is_(None)]
    if but is not None:
        others.append(LoginSession.id != but)
    db.execute(update(LoginSession).where(*others).values(ended_at=clock.now()))
