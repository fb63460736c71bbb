"""Reading the access log."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Integer, and_, any_, func, literal, or_, select, true
from sqlalchemy.orm import Session

from backend.audit.models import AuditEntry

# The pages on which the words of a case can be read; a list shows its number and what it is about.
OPENED = ("deviations.show", "deviations.print", "deviations.pdf")
# Those, and what is kept of it for few: the copy of a case that has left, and what stood behind a mask.
READ = (*OPENED, "deviations.sealed_copy", "deviations.masked")
# A draft that is left alone is thrown away long before.
REVIEWED_AT_MOST = timedelta(days=365)


@dataclass(frozen=True)
class Reading:
    at: datetime
    person_id: int
    action: str


def readers(
    db: Session,
    branches: Collection[int],
    case_number: str,
    spans: Sequence[tuple[datetime, datetime]],
    *,
    report: uuid.UUID | None = None,
) -> Sequence[Reading]:
    """Who, acting in one of the branches, has had words of the case before them in one of the spans of time, both ends
    counted, the earliest first. With `report`, also who read it under that name before it was sent.
    """
    if not spans:
        return []
    begun = min(since for since, _until in spans)
    read = and_(
        AuditEntry.action.in_(READ),
        literal(case_number) == any_(AuditEntry.cases),
        or_(*(AuditEntry.at.between(since, until) for since, until in spans)),
    )
    if report is not None:
        name = str(report)
        reviewed = or_(
            and_(AuditEntry.action == "reviews.show", AuditEntry.details["submission"].astext == name),
            and_(AuditEntry.action == "reviews.list", AuditEntry.details["submissions"].has_key(name)),
        )
        read, begun = or_(read, reviewed), begun - REVIEWED_AT_MOST
    rows = db.execute(
        select(AuditEntry.at, AuditEntry.person_id, AuditEntry.action)
        .where(
            AuditEntry.branch_id.in_(branches),
            AuditEntry.at.between(begun, max(until for _since, until in spans)),
            read,
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
