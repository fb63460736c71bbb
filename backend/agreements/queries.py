"""Reading what the parties have agreed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from backend.agreements.models import Agreement, Category, SteeringDocument
from backend.core import clock


def agreement_in_force(db: Session, county_id: int, on: date) -> Agreement:
    """The version that counts on a day; before the first, the first."""
    return db.scalars(
        select(Agreement)
        .where(Agreement.county_id == county_id)
        .order_by(
            (Agreement.valid_from <= on).desc(),
            case((Agreement.valid_from <= on, -Agreement.version), else_=Agreement.version),
        )
        .limit(1)
    ).one()


@dataclass(frozen=True)
class CategoryGroup:
    """A category with those below it; where there are some, the group itself may be chosen too."""

    code: str
    label: str
    below: list[tuple[str, str]]


def categories(db: Session, county_id: int) -> list[CategoryGroup]:
    """The living categories in the county's own order."""
    rows = _living(db, county_id)
    below: dict[int, list[tuple[str, str]]] = {}
    for row in rows:
        if row.parent_id is not None:
            below.setdefault(row.parent_id, []).append((row.code, row.label))
    return [
        CategoryGroup(row.code, row.label, below.get(row.id, [])) for row in rows if row.parent_id is None
    ]


def _living(db: Session, county_id: int) -> Sequence[Category]:
    return db.scalars(
        select(Category)
        .where(
            Category.county_id == county_id,
            or_(Category.ended_on.is_(None), Category.ended_on > clock.today()),
        )
        .order_by(Category.position)
    ).all()


def category(db: Session, county_id: int, code: str) -> Category | None:
    return db.scalar(
        select(Category).where(
            Category.county_id == county_id,
            Category.code == code,
            or_(Category.ended_on.is_(None), Category.ended_on > clock.today()),
        )
    )


def steering_documents(db: Session, county_id: int) -> list[tuple[str, str]]:
    """Code and title of each."""
    rows = db.execute(
        select(SteeringDocument.code, SteeringDocument.title)
        .where(SteeringDocument.county_id == county_id, SteeringDocument.ended_on.is_(None))
        .order_by(SteeringDocument.id)
    )
    return [(code, title) for code, title in rows]


def steering_document(db: Session, county_id: int, code: str) -> SteeringDocument | None:
    return db.scalar(
        select(SteeringDocument).where(
            SteeringDocument.county_id == county_id,
            SteeringDocument.code == code,
            SteeringDocument.ended_on.is_(None),
        )
    )
