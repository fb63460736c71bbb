"""Writing what the parties have agreed. Nothing is deleted: cases speak of it for as long as they are kept."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.agreements.models import Agreement, Category, SteeringDocument
from backend.directory.actions import Fates, Values, hang, settle
from backend.directory.models import County

FIRST_DAY = date(2000, 1, 1)


def put_first_agreement(db: Session, county: County) -> Fates:
    """A county that has agreed on nothing of its own has the default terms, in force for all of its history."""
    if db.scalar(select(Agreement.id).where(Agreement.county_id == county.id).limit(1)) is not None:
        return {}
    db.add(Agreement(county_id=county.id, version=1, valid_from=FIRST_DAY, terms={}))
    db.flush()
    return {1: "added"}


def put_categories(
    db: Session, county: County, wanted: Mapping[str, Values], parents: Mapping[str, str]
) -> Fates:
    """By code; `parents` names the category that each is below, or nothing."""
    there = {one.code: one for one in db.scalars(select(Category).where(Category.county_id == county.id))}
    fates = settle(db, Category, there, wanted)
    hang(there, parents, fates)
    db.flush()
    return fates


def put_steering_documents(db: Session, county: County, wanted: Mapping[str, Values]) -> Fates:
    """By code."""
    found = db.scalars(select(SteeringDocument).where(SteeringDocument.county_id == county.id))
    return settle(db, SteeringDocument, {one.code: one for one in found}, wanted)
