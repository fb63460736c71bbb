"""One-time links by mail: an invitation, and the way back for one who has forgotten the password.

The token of a link is kept nowhere. It is an HMAC of the link's salt under the installation's secret, worked out
when the mail is written; what the database holds is the salt and a hash, which open nothing.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.actions import sessions, throttle
from backend.accounts.actions.passwords import choose_password
from backend.accounts.identity import token_hash
from backend.accounts.models import OneTimeLink, Purpose
from backend.audit import actions as audit
from backend.core import clock, jobs
from backend.core.errors import NotFoundError
from backend.directory import queries as directory
from backend.directory.models import Person

LIVES: dict[Purpose, timedelta] = {"invitation": timedelta(days=7), "reset": timedelta(hours=1)}
KEPT = timedelta(days=30)


def invite(db: Session, me: Identity, person: Person) -> None:
    """Mail a person of one's organisation the way in. An earlier link of theirs opens nothing from now on."""
    directory.administered_person(db, me, person.id)
    link = _make(db, "invitation", person)
    jobs.owe(db, "accounts.invitation", subject_id=link.id, person_id=person.id)
    audit.record(db, me, "accounts.invite", subject=person.id)


def ask_reset(db: Session, *, email: str, address: str) -> None:
    """Mail a way back to the address, if it is somebody's.

    For an unknown address the same rows are written and the same job is owed, so that neither the answer nor its
    time tells the two apart. Raises TooManyTriesError, known or not, for one who asks again and again.
    """
    throttle.count_try(f"reset:{email.strip().lower()}", address)
    person = directory.person_by_email(db, email)
    link = _make(db, "reset", person)
    jobs.owe(db, "accounts.reset", subject_id=link.id, person_id=person.id if person else None)


def _make(db: Session, purpose: Purpose, person: Person | None) -> OneTimeLink:
    now, salt = clock.now(), secrets.token_bytes(32)
    person_id = person.id if person else None
    # One at a time: an older mail that is found later is worth nothing.
    unused = and_(
        OneTimeLink.person_id == person_id, OneTimeLink.purpose == purpose, OneTimeLink.used_at.is_(None)
    )
    db.execute(delete(OneTimeLink).where(or_(unused, OneTimeLink.expires_at < now - KEPT)))
    link = OneTimeLink(
        person_id=person_id,
        purpose=purpose,
        salt=salt,
        token_hash=token_hash(_token(purpose, salt)),
        made_at=now,
        expires_at=now + LIVES[purpose],
    )
    db.add(link)
    db.flush()
    return link


def token_of(link: OneTimeLink) -> str:
    """What stands in the mail."""
    return _token(link.purpose, link.salt)


def _token(purpose: str, salt: bytes) -> str:
    digest = hmac.digest(throttle.secret(), purpose.encode() + b":" + salt, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def living_link(db: Session, token: str) -> tuple[OneTimeLink, Person]:
    """A link that still opens, and whose it is. Raises NotFoundError for one that is used, old, or never was."""
    row = db.execute(
        select(OneTimeLink, Person)
        .join(Person, Person.id == OneTimeLink.person_id)
        .where(
            OneTimeLink.token_hash == token_hash(token),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > clock.now(),
            directory.active(Person.ended_on),
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError
    link, person = row
    return link, person


def use_link(db: Session, token: str, new_password: str) -> Person:
    """Set the password, once, and end every session and every other link the person has.

    Raises NotFoundError as `living_link`, InvalidError for a password that is too easy; then the link still lives.
    """
    link, person = living_link(db, token)
    with db.begin_nested():
        used = db.execute(
            update(OneTimeLink)
            .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
            .values(used_at=clock.now())
            .returning(OneTimeLink.id)
        )
        # Of two who press at once, the second finds it used.
        if used.one_or_none() is None:
            raise NotFoundError
        choose_password(db, person, new_password)
    db.execute(delete(OneTimeLink).where(OneTimeLink.person_id == person.id, OneTimeLink.used_at.is_(None)))
    sessions.end_others(db, person.id, but=None)
    audit.record_person(db, person.id, f"accounts.use_{link.purpose}")
    return person
