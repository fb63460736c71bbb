"""Reports handed over for review. A draft is given back by its comment: `for_review_at` stays, so that both the writer
and the manager who wrote the comment still see it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.core.errors import NotFoundError
from backend.deviations.models import Draft
from backend.directory.models import Person, Unit


@dataclass(frozen=True)
class Review:
    draft: Draft
    writer: str
    unit: str


def reviews(db: Session, me: Identity) -> Sequence[Review]:
    """The reports that wait for this manager, the oldest first."""
    rows = db.execute(
        select(Draft, Person.title, Unit.name)
        .join(Person, Person.id == Draft.person_id)
        .join(Unit, Unit.id == Draft.unit_id)
        .where(_handed_to(me), Draft.returned_comment.is_(None))
        .order_by(Draft.for_review_at)
    )
    return [Review(*row) for row in rows]


def review(db: Session, me: Identity, submission: uuid.UUID) -> Draft:
    """One of them, held until the work is done: of two managers who send at once, one finds it gone."""
    found = db.scalar(select(Draft).where(Draft.submission == submission, _handed_to(me)).with_for_update())
    if found is None:
        raise NotFoundError
    return found


def _handed_to(me: Identity) -> ColumnElement[bool]:
    everywhere = Draft.branch_id.in_(me.branches) if me.everywhere(Permission.MANAGE) else None
    units = Draft.unit_id.in_(sorted(me.units(Permission.MANAGE)))
    reach = units if everywhere is None else or_(everywhere, units)
    return and_(Draft.for_review_at.is_not(None), reach)
