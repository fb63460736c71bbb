"""A report that is being written, kept as it stands."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from pydantic_core import PydanticCustomError
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.audit import actions as audit
from backend.core import clock, jobs
from backend.core.calendar import at_hour, local_date
from backend.core.db import Scope, unit_of_work
from backend.core.errors import ConflictError, Fault, InvalidError
from backend.core.text import gettext as _
from backend.deviations import queries
from backend.deviations.deadlines import DRAFT_KEPT, DRAFT_WARNED, draft_ends_on, is_dying
from backend.deviations.forms import ReportForm, screened
from backend.deviations.models import Draft
from backend.deviations.queries import told
from backend.notifications import actions as notifications
from backend.notifications.actions import About

KEPT = tuple(name for name in ReportForm.model_fields if name != "submission")
LONGEST = 5000


def save_draft(
    db: Session, me: Identity, submission: uuid.UUID, typed: Mapping[str, Sequence[str]]
) -> datetime:
    """Keep a half-written report, however much is missing.

    Raises InvalidError, and keeps nothing, where a field holds a personnummer; ConflictError where the report is
    sent already, since a slow autosave must not bring back what is done.
    """
    kept = {name: typed[name][-1][:LONGEST] for name in KEPT if typed.get(name) and typed[name][-1].strip()}
    refuse_personnummer({name: [value] for name, value in kept.items()})
    if queries.by_submission(db, me, submission) is not None:
        raise ConflictError(_("Rapporten är redan skickad."))
    now = clock.now()
    kept = {name: value.replace("\x00", "") for name, value in kept.items()}
    row = {
        "submission": submission,
        "person_id": me.person_id,
        "branch_id": me.branches[0],
        "typed": kept,
        "saved_at": now,
    }
    db.execute(
        insert(Draft)
        .values(row)
        # What is written on is the writer's again: a manager reviews what was handed over, and nothing later.
        .on_conflict_do_update(
            index_elements=["submission"], set_={"typed": kept, "saved_at": now, "for_review_at": None}
        )
    )
    _owe_end(db, submission, me.branches[0], me.person_id, local_date(now) + DRAFT_KEPT - DRAFT_WARNED)
    return now


def _owe_end(db: Session, submission: uuid.UUID, branch_id: int, person_id: int, on: date) -> None:
    jobs.owe(
        db,
        "deviations.draft_ends",
        branch_id=branch_id,
        person_id=person_id,
        due_at=at_hour(on, time()),
        key=f"draft_ends:{submission}:{on}",
    )


def end_drafts(branch_id: int, person_id: int) -> str:
    """Look at a person's drafts: warn of those that nobody has written on for 23 days, delete those of 30.

    Asked too early, or of a draft that has been saved since, it does nothing but look again when that one's time
    comes. Gives what became of them, for the job's row.
    """
    warned = deleted = 0
    with unit_of_work(Scope(branches=(branch_id,), person=person_id)) as db:
        for draft in queries.own_drafts(db, branch_id, person_id):
            ends_on = draft_ends_on(draft)
            if clock.today() >= ends_on:
                db.delete(draft)
                audit.record_system(
                    db, "deviations.draft_ends", branch_id=branch_id, submission=str(draft.submission)
                )
                deleted += 1
                continue
            if is_dying(draft, clock.today()):
                about = About(
                    "draft_ends",
                    "reporter",
                    branch_id,
                    f"draft_ends:{draft.submission}:{ends_on}",
                    unit_id=draft.unit_id,
                    submission=draft.submission,
                )
                notifications.notify(db, person_id, about, told.branch_calendar(db, branch_id))
                warned += 1
            look_on = ends_on if is_dying(draft, clock.today()) else ends_on - DRAFT_WARNED
            _owe_end(db, draft.submission, branch_id, person_id, look_on)
    return f"warned of {warned}, deleted {deleted}"


def refuse_personnummer(typed: Mapping[str, Sequence[str]]) -> None:
    """Raises InvalidError, by field, where a half-written text holds a certain personnummer."""
    faults = []
    for name, values in typed.items():
        for value in values:
            try:
                screened(value)
            except PydanticCustomError as error:
                faults.append(Fault(name, error.message()))
    if faults:
        raise InvalidError(*faults)


def discard_draft(db: Session, me: Identity, submission: uuid.UUID) -> None:
    """Throw a draft away. Raises NotFoundError for one that is not this person's."""
    draft = queries.draft(db, me, submission)
    db.execute(delete(Draft).where(Draft.submission == draft.submission))
