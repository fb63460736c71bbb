"""The secret address of one's calendar: made, made anew, and ended. It is shown once, and a hash of it is kept."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import new_token, token_hash
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import NotFoundError
from backend.deviations.models import CalendarFeed


def open_calendar(db: Session, me: Identity) -> str:
    """Give the token of a new address for what waits for this person in this branch. An earlier one leads nowhere from
    now on. Raises NotFoundError outside a branch, where no case waits.
    """
    _end(db, me)
    token = new_token()
    db.add(
        CalendarFeed(
            person_id=me.person_id,
            branch_id=me.branches[0],
            token_hash=token_hash(token),
            made_at=clock.now(),
        )
    )
    audit.record(db, me, "calendar.open")
    return token


def close_calendar(db: Session, me: Identity) -> None:
    """Let the address lead nowhere. Where there is none, nothing changes."""
    _end(db, me)
    audit.record(db, me, "calendar.close")


def _end(db: Session, me: Identity) -> None:
    if not me.branches:
        raise NotFoundError
    db.execute(
        delete(CalendarFeed).where(
            CalendarFeed.person_id == me.person_id, CalendarFeed.branch_id == me.branches[0]
        )
    )
