"""A report that is being written, kept as it stands."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic_core import PydanticCustomError
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock
from backend.core.errors import ConflictError, Fault, InvalidError
from backend.core.text import gettext as _
from backend.deviations import queries
from backend.deviations.forms import ReportForm, screened
from backend.deviations.models import Draft

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
    return now


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
