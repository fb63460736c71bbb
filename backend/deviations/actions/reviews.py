"""A report that a manager reads before it leaves: handed over, sent, or given back with a word of why."""

import uuid
from collections.abc import Mapping

from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import ConflictError, Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.deviations import queries
from backend.deviations.actions.report import report
from backend.deviations.forms import CommentForm, ReportForm
from backend.deviations.models import Deviation, Draft
from backend.deviations.queries import told
from backend.directory import queries as directory
from backend.notifications import actions as notifications
from backend.notifications.actions import About


def hand_over(db: Session, me: Identity, submission: uuid.UUID) -> Draft:
    """Let the unit's managers read a draft of one's own and send it. Writing on takes it back.

    Raises InvalidError where the draft names no unit, ForbiddenError for a unit one does not report from.
    """
    draft = queries.draft(db, me, submission)
    unit = directory.unit_by_hsa_id(db, str(draft.typed.get("sender_unit", "")))
    if unit is None:
        raise InvalidError(Fault("sender_unit", _("Välj vilken enhet rapporten kommer från.")))
    if not me.reaches(Permission.FILE, unit.id, unit.branch_id):
        raise ForbiddenError(_("Du kan inte rapportera från den enheten i det uppdrag du valt."))
    draft.unit_id, draft.for_review_at, draft.returned_comment = unit.id, clock.now(), None
    about = About(
        "report_for_review",
        "handler",
        unit.branch_id,
        f"review:{submission}:{draft.for_review_at.isoformat()}",
        unit_id=unit.id,
        submission=submission,
    )
    for manager in directory.managers_of(db, unit.id) or directory.safety_of(db, unit.branch_id):
        notifications.notify(db, manager.person_id, about, told.branch_calendar(db, unit.branch_id))
    audit.record(db, me, "deviations.hand_over", submission=str(submission))
    return draft


def send_reviewed(db: Session, me: Identity, submission: uuid.UUID, form: ReportForm) -> Deviation:
    """Send a reviewed report. Whoever wrote it stays its reporter: they follow it, reply and judge the answer.

    Raises NotFoundError for a draft that is not handed to this manager; as `report` does for the rest.
    """
    draft = queries.review(db, me, submission)
    writer = draft.person_id
    deviation = report(db, me, form.model_copy(update={"submission": submission}), reporter_id=writer)
    audit.record(db, me, "deviations.send_reviewed", cases=[deviation.case_number], person=writer)
    return deviation


def mask_reviewed(db: Session, me: Identity, submission: uuid.UUID, texts: Mapping[str, str]) -> Draft:
    """Put the texts of a reviewed report as they read when what points out somebody is masked. The rest of it, and
    when its writer last wrote, stand as they were.
    """
    draft = queries.review(db, me, submission)
    if draft.returned_comment is not None:
        raise ConflictError(_("Rapporten är redan lämnad tillbaka."))
    draft.typed = {**draft.typed, **texts}
    audit.record(db, me, "deviations.mask_reviewed", submission=str(submission), person=draft.person_id)
    return draft


def give_back(db: Session, me: Identity, submission: uuid.UUID, form: CommentForm) -> Draft:
    """Give a report back to its writer, with what it needs. It is sent by nobody until it is handed over again."""
    draft = queries.review(db, me, submission)
    if draft.returned_comment is not None:
        raise ConflictError(_("Rapporten är redan lämnad tillbaka."))
    draft.returned_comment = form.comment
    about = About(
        "report_given_back",
        "reporter",
        draft.branch_id,
        f"given_back:{submission}:{clock.now().isoformat()}",
        unit_id=draft.unit_id,
        submission=submission,
    )
    notifications.notify(db, draft.person_id, about, told.branch_calendar(db, draft.branch_id))
    audit.record(db, me, "deviations.give_back", submission=str(submission), person=draft.person_id)
    return draft
