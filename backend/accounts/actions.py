"""Logging in, choosing where to act, and logging out."""

import hashlib
import hmac
import ipaddress
import math
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import identity_of, new_token, token_hash
from backend.accounts.models import LoginFailure, LoginSession, Password
from backend.audit import actions as audit
from backend.core import clock
from backend.core.db import witness
from backend.core.errors import Fault, InvalidError, NotFoundError, TooManyTriesError
from backend.core.text import gettext as _
from backend.directory import queries as directory
from backend.directory.models import Person
from backend.settings import settings

# argon2id, with the library's defaults (RFC 9106, second recommended option).
_hasher = PasswordHasher()

WINDOW = timedelta(minutes=15)
FREE_TRIES = 5
NETWORK_FREE_TRIES = 60
LONGEST_WAIT = 60


@cache
def _nobodys_hash() -> str:
    """Checked when the address is unknown, so that known and unknown take the same time."""
    return _hasher.hash("nobody's password")


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def set_password(db: Session, person_id: int, hashed: str) -> None:
    """Replace or set the password of a person."""
    row = {"person_id": person_id, "hash": hashed, "set_at": clock.now()}
    db.execute(
        upsert(Password)
        .values(row)
        .on_conflict_do_update(index_elements=["person_id"], set_={"hash": hashed, "set_at": row["set_at"]})
    )


def log_in(db: Session, *, email: str, password: str, address: str) -> tuple[str, LoginSession]:
    """Check a password and begin a session; returns the cookie's value, known to nobody after this.

    Raises TooManyTriesError while guesses on the account or from the network are slowed, InvalidError
    when address and password do not belong together. Which of the two is wrong is not told.
    """
    if settings().env == "production":
        # A password alone is not enough there, and a demo's passwords are known to all.
        raise InvalidError(Fault("email", _("Här går det inte att logga in med bara lösenord.")))
    account, network = _keyed(email.strip().lower()), _keyed(_network(address))
    # The try is counted before it is heard, in a transaction of its own: guesses sent side by side, or a
    # request that fails, cannot slip past the count.
    with witness() as count:
        _slow_down(count, account, network)
        count.execute(insert(LoginFailure).values(account=account, network=network, at=clock.now()))
    person = directory.person_by_email(db, email)
    stored = db.get(Password, person.id) if person else None
    if not _matches(stored.hash if stored else _nobodys_hash(), password) or person is None or stored is None:
        raise InvalidError(
            Fault("email", _("E-postadressen och lösenordet hör inte ihop. Kontrollera båda."))
        )
    # In the request's own transaction: two connections at once for each login could use up the pool, and stand still.
    db.execute(delete(LoginFailure).where(LoginFailure.account == account))
    if _hasher.check_needs_rehash(stored.hash):
        set_password(db, person.id, _hasher.hash(password))
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


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _slow_down(db: Session, account: bytes, network: bytes) -> None:
    """Five tries are free; each after that doubles the wait, up to a minute. A network has more, as it is shared."""
    for lock in (account, network):
        db.execute(text("select pg_advisory_xact_lock(:key)"), {"key": int.from_bytes(lock[:7])})
    now = clock.now()
    for column, key, free in (
        (LoginFailure.account, account, FREE_TRIES),
        (LoginFailure.network, network, NETWORK_FREE_TRIES),
    ):
        tries, latest = db.execute(
            select(func.count(), func.max(LoginFailure.at)).where(
                column == key, LoginFailure.at > now - WINDOW
            )
        ).one()
        if tries >= free:
            wait = min(2 ** (tries - free), LONGEST_WAIT)
            left = wait - (now - latest).total_seconds()
            if left > 0:
                raise TooManyTriesError(math.ceil(left))


def _keyed(value: str) -> bytes:
    return hmac.digest(settings().secret_key.encode() or b"demo", value.encode(), hashlib.sha256)


def _network(address: str) -> str:
    """The network an address belongs to: one subscriber has a whole /64 of IPv6."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))
