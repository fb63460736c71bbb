"""Setting a password, and checking one."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts import passwords
from backend.accounts.actions import sessions, throttle
from backend.accounts.models import Password
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import Fault, InvalidError
from backend.core.text import gettext as _
from backend.directory.models import Person

# argon2id, with the library's defaults (RFC 9106, second recommended option).
_hasher = PasswordHasher()


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


def is_right(db: Session, person: Person | None, password: str) -> bool:
    """Whether it is that person's; takes as long for nobody. What was hashed by older rules is hashed anew."""
    stored = db.get(Password, person.id) if person else None
    right = _matches(stored.hash if stored else _nobodys_hash(), password)
    if right and person and stored and _hasher.check_needs_rehash(stored.hash):
        set_password(db, person.id, _hasher.hash(password))
    return right and stored is not None


def has_password(db: Session, person_id: int) -> bool:
    return db.get(Password, person_id) is not None


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def choose_password(db: Session, person: Person, password: str) -> None:
    """A new one, by someone whose identity is shown. Raises InvalidError where it is too easy to guess."""
    if reason := passwords.why_not(password, person.email):
        raise InvalidError(Fault("new_password", reason))
    set_password(db, person.id, _hasher.hash(password))
    throttle.forgive(db, person.email)


def change_password(db: Session, me: Identity, *, password: str, new_password: str, address: str) -> None:
    """One's own. Asks for the old one, as an open screen on a ward is not proof of who sits there, and ends all
    other sessions. Raises TooManyTriesError while guesses at the old one are slowed, as when logging in.
    """
    person = db.get_one(Person, me.person_id)
    throttle.count_try(person.email, address)
    if not is_right(db, person, password):
        raise InvalidError(Fault("password", _("Det är inte ditt nuvarande lösenord.")))
    choose_password(db, person, new_password)
    sessions.end_others(db, person.id, but=me.session_id)
    audit.record(db, me, "accounts.change_password")
