"""Adding to the access log."""

from collections.abc import Iterable, Mapping

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.audit.models import AuditEntry
from backend.core import clock
from backend.core.db import Scope, witness


def record(
    db: Session,
    me: Identity,
    action: str,
    *,
    cases: Iterable[str] = (),
    **details: str | int | list[str] | None,
) -> None:
    """One row, in the transaction of what it tells of: if the deed is undone, so is its record.

    `details` never hold free text of a case.
    """
    _add(db, me, action, list(cases), details)


def record_refusal(me: Identity, action: str, *, cases: Iterable[str] = ()) -> None:
    """A refused try, in a transaction of its own: the request it belongs to is rolled back."""
    with witness(me.scope) as db:
        _add(db, me, action, list(cases), {})


def record_system(
    db: Session, action: str, *, branch_id: int | None = None, **details: str | int | None
) -> None:
    """Something the system did by itself, or an operator at the command line."""
    _insert(db, action, None, None, [], branch_id, [], details)


def record_person(db: Session, person_id: int, action: str, **details: str | int | None) -> None:
    """Something a person did before choosing where to act: logging in and out."""
    with_person = Scope(person=person_id)
    _insert(db, action, with_person.person, None, [], None, [], details)


def _add(db: Session, me: Identity, action: str, cases: list[str], details: Mapping[str, object]) -> None:
    branch = me.branches[0] if me.branches else None
    _insert(db, action, me.person_id, me.session_id, sorted(me.roles), branch, cases, details)


def _insert(
    db: Session,
    action: str,
    person_id: int | None,
    session_id: int | None,
    roles: list[str],
    branch_id: int | None,
    cases: list[str],
    details: object,
) -> None:
    # Inline: nothing is read back, since whoever may add to the log need not be allowed to read it.
    db.execute(
        insert(AuditEntry)
        .inline()
        .values(
            at=clock.now(),
            action=action,
            person_id=person_id,
            session_id=session_id,
            roles=roles,
            branch_id=branch_id,
            cases=cases,
            details=details,
        )
    )
