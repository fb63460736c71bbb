"""From the cookie of a request to the identity that acts in it."""

import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.models import LoginSession
from backend.core import clock
from backend.core.db import Db, narrow
from backend.core.errors import LoginRequiredError, PlaceRequiredError
from backend.directory import queries as directory
from backend.directory.models import Person
from backend.settings import settings

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=10)
SEEN_EVERY = timedelta(minutes=1)


def cookie_name() -> str:
    """`__Host-` binds the cookie to this host and to https; browsers refuse it without, as in the demo."""
    return "__Host-session" if settings().secure else "session"


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def living_session(db: Session, token: str | None) -> LoginSession | None:
    """The session of a cookie, unless it was ended, left idle for 30 minutes, is 10 hours old, or the person has left."""
    if not token:
        return None
    now = clock.now()
    session = db.scalar(
        select(LoginSession)
        .join(Person, Person.id == LoginSession.person_id)
        .where(
            LoginSession.token_hash == token_hash(token),
            LoginSession.ended_at.is_(None),
            LoginSession.seen_at > now - IDLE,
            LoginSession.started_at > now - ABSOLUTE,
            or_(Person.ended_on.is_(None), Person.ended_on > clock.today()),
        )
    )
    # Noted once a minute at most: reading a page should not cost a write each time.
    if session is not None and session.seen_at < now - SEEN_EVERY:
        db.execute(update(LoginSession).where(LoginSession.id == session.id).values(seen_at=now))
    return session


def identity_of(db: Session, session: LoginSession) -> Identity | None:
    """Who acts, or None where the assignment has ended, or none is chosen yet."""
    if session.place is None or session.place_id is None:
        return None
    me = identity_in(db, session.person_id, session.place, session.place_id)
    return replace(me, session_id=session.id, several=session.several) if me else None


def identity_in(db: Session, person_id: int, place: str, place_id: int) -> Identity | None:
    """The person as they act there today, or None where they have nothing to do there any more."""
    grants = directory.grants(db, person_id, place, place_id)
    if not grants:
        return None
    person = db.get_one(Person, person_id)
    name, county_id = directory.place_name(db, place, place_id)
    return Identity(
        person_id=person.id,
        title=person.title,
        place=place,  # type: ignore[arg-type]
        place_id=place_id,
        place_name=name,
        county_id=county_id,
        branches=(place_id,) if place == "branch" else (),
        grants=grants,
    )


def current(request: Request, db: Db) -> Identity:
    """The guard of every page that is not public. From here on the unit of work is this person's."""
    session = living_session(db, request.cookies.get(cookie_name()))
    me = identity_of(db, session) if session else None
    if session and me is None and directory.places(db, session.person_id):
        raise PlaceRequiredError
    if me is None:
        raise LoginRequiredError
    narrow(db, me.scope)
    request.state.me = me
    return me


Me = Annotated[Identity, Depends(current)]
