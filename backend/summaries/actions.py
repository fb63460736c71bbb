"""Freezing a month. Run in the scope `COUNTER`: it counts over all branches, and can read no text."""

from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.core import clock, jobs
from backend.core.errors import ConflictError
from backend.core.jobs import Owed
from backend.core.text import gettext as _
from backend.directory import queries as directory
from backend.statistics import months
from backend.summaries import queries
from backend.summaries.models import Snapshot


class Reason(StrEnum):
    MONTH_ENDED = "month_ended"
    CHANGED = "changed"
    """What was counted has changed since the last issue, as when older cases were imported."""


def make(db: Session, county_id: int, month: date, reason: str) -> Snapshot:
    """Freeze the month as its next issue. Raises ConflictError while the month goes on.

    Two workers at once cannot both write an issue: the table refuses the second, whose job then finds it done.
    """
    cut_off = months.starts(months.later(month))
    if cut_off > clock.now():
        raise ConflictError(_("{month} är inte slut än.").format(month=months.name(month).capitalize()))
    before = queries.latest(db, county_id, month)
    snapshot = Snapshot(
        county_id=county_id,
        month=month,
        issue=before.issue + 1 if before else 1,
        cut_off=cut_off,
        made_at=clock.now(),
        reason=reason,
        figures=queries.month_figures(db, county_id, month),
    )
    db.add(snapshot)
    db.flush()
    return snapshot


def make_missing(db: Session, county_id: int) -> list[Snapshot]:
    """Freeze every finished month that has no snapshot, and anew those whose figures have changed since.

    What was frozen is never touched: a change is a new issue. An organisation's new name is no change.
    """
    first = queries.first_month(db, county_id)
    if first is None:
        return []
    made = []
    for month in months.between(first, months.later(months.month_of(clock.today()), -1)):
        before = queries.latest(db, county_id, month)
        if before is None:
            made.append(make(db, county_id, month, Reason.MONTH_ENDED))
        elif before.figures["ways"] != queries.month_figures(db, county_id, month)["ways"]:
            made.append(make(db, county_id, month, Reason.CHANGED))
    return made


def owe_past_month(db: Session) -> None:
    """Owe each county the snapshot of the month that has ended, once. Cheap enough to be asked at every tick."""
    month = months.code(months.later(months.month_of(clock.today()), -1))
    owed = {f"snapshot:{county.code}:{month}": county.id for county in directory.counties(db)}
    there = set(db.scalars(select(Owed.key).where(Owed.key.in_(owed))))
    for key, county_id in owed.items():
        if key not in there:
            jobs.owe(db, "summaries.snapshot", subject_id=county_id, key=key)
