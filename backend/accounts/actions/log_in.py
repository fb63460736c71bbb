"""Logging in, choosing where to act, and logging out."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.actions import passwords, throttle
from backend.accounts.identity import identity_of, new_token, token_hash
from backend.accounts.models import LoginSession
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import Fault, InvalidError, NotFoundError
from backend.core.text import gettext as _
from backend.directory import queries as directory
from backend.directory.models import Person
from backend.settings import settings


def log_in(db: Session, *, email: str, password: str, address: str) -> tuple[str, LoginSession]:
    """Check a password and begin a session; returns the cookie's value, known to nobody after this.

    Raises TooManyTriesError while guesses on the account or from the network are slowed, InvalidError
    when address and password do not belong together. Which of the two is wrong is not told.
    """
    if settings().env == "production":
        # A password alone is not enough there, and a demo's passwords are known to all.
        raise InvalidError(Fault("email", _("Här går det inte att logga in med bara lösenord.")))
    account = email.strip().lower()
    throttle.count_try(account, address)
    person = directory.person_by_email(db, email)
    if not passwords.is_right(db, person, password) or person is None:
        raise InvalidError(
            Fault("email", _("E-postadressen och lösenordet hör inte ihop. Kontrollera båda."))
        )
    throttle.forgive(db, account)
    return start(db, person)


def start(db: Session, person: Person) -> tuple[str, LoginSession]:
    """Begin a session for someone whose identity is shown, by whatever way of logging in.

    With one place to act in, that is chosen already. Raises InvalidError for a person with none.
    """
    places = directory.places(db, person.id)
    if not places:
        raise InvalidError(Fault("email", _("Du har inget uppdrag just nu. Kontakta din administratör.")))
    token, now = new_token(), clock.now()
    session = LoginSession(
        token_hash=token_hash(token),
        person_id=person.id,
        several=len(places) > 1,
        started_at=now,
        seen_at=now,
    )
    if len(places) == 1:
        session.place, session.place_id = places[0].kind, places[0].id
    db.add(session)
    audit.record_person(db, person.id, "accounts.log_in")
    return token, session


def choose(db: Session, session: LoginSession, key: str) -> str:
    """Act in another place from now on. Begins a new session, so that no cookie ever changes what it opens."""
    place = next((place for place in directory.places(db, session.person_id) if place.key == key), None)
    if place is None:
        raise NotFoundError
    token = new_token()
    session.ended_at = clock.now()
    db.add(
        LoginSession(
            token_hash=token_hash(token),
            person_id=session.person_id,
            place=place.kind,
            place_id=place.id,
            several=session.several,
            started_at=session.started_at,
            seen_at=clock.now(),
        )
    )
    audit.record_person(db, session.person_id, "accounts.choose", place=place.key)
    return token


def log_out(db: Session, session: LoginSession) -> None:
    db.execute(update(LoginSession).where(LoginSession.id == session.id).values(ended_at=clock.now()))
    audit.record_person(db, session.person_id, "accounts.log_out")


def stand_in(db: Session, email: str, place: str | None = None) -> Identity:
    """The identity of a person without their password, for the seeding of the demo. Nothing of it is kept."""
    person = directory.person_by_email(db, email)
    if person is None or not settings().demo_people_allowed:
        raise NotFoundError
    found = next(p for p in directory.places(db, person.id) if place in (None, p.key))
    session = LoginSession(id=None, person_id=person.id, place=found.kind, place_id=found.id, several=False)
    me = identity_of(db, session)
    if me is None:
        raise NotFoundError
    return me
