"""Reading the access log."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, any_, func, literal, select, true
from sqlalchemy.orm import Session

from backend.audit.models import AuditEntry

# The pages on which the words of a case can be read; a list shows its number and what it is about.
OPENED = ("deviations.show", "deviations.print", "deviations.pdf")


@dataclass(frozen=True)
class Reading:
    at: datetime
    person_id: int
    action: str


def readers(db: Session, branches: Collection[int], case_number: str, since: datetime) -> Sequence[Reading]:
    """Who, acting in one of the branches, has had a page with the words of the case before them since then, the
    earliest first.
    """
    rows = db.execute(
        select(AuditEntry.at, AuditEntry.person_id, AuditEntry.action)
        .where(
            AuditEntry.branch_id.in_(branches),
            AuditEntry.at >= since,
            AuditEntry.action.in_(OPENED),
            literal(case_number) == any_(AuditEntry.cases),
            AuditEntry.person_id.is_not(None),
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    return [Reading(row[0], row[1] or 0, row[2]) for row in rows]


def last_opened(db: Session, branches: Collection[int], person_ids: Collection[int]) -> dict[int, datetime]:
    """When each of them, acting in one of the branches, last had a case before them; who never did is left out."""
    people = select(func.unnest(list(person_ids), type_=Integer).label("id")).subquery()
    latest = (
        select(AuditEntry.at)
        .where(
            AuditEntry.person_id == people.c.id,
            AuditEntry.branch_id.in_(branches),
            AuditEntry.action.in_(OPENED),
        )
        .order_by(AuditEntry.at.desc())
        .limit(1)
        .lateral()
    )
    rows = db.execute(select(people.c.id, latest.c.at).join(latest, true()))
    return {row[0]: row[1] for row in rows}
