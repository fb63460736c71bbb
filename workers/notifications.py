"""Mail that is owed. Before sending, the case is asked whether the mail is still true."""

from backend.core import clock, jobs
from backend.core.db import Scope, unit_of_work
from backend.deviations import queries as deviations
from backend.deviations.models import State
from backend.directory import queries as directory
from backend.notifications import actions
from workers.app import celery

TO_RECEIVE = frozenset({State.SENT, State.ACKNOWLEDGED, State.RETURNED})
STILL_TRUE = {
    "notifications.arrival": frozenset({State.SENT, State.RETURNED}),
    "notifications.answered": frozenset({State.ANSWERED}),
    "notifications.reminder_before": TO_RECEIVE,
    "notifications.reminder_after": TO_RECEIVE,
}


@celery.task(name="notifications.arrival")
def arrival() -> None:
    jobs.work("notifications.arrival", _send)


@celery.task(name="notifications.answered")
def answered() -> None:
    jobs.work("notifications.answered", _send)


@celery.task(name="notifications.reminder_before")
def reminder_before() -> None:
    jobs.work("notifications.reminder_before", _send)


@celery.task(name="notifications.reminder_after")
def reminder_after() -> None:
    jobs.work("notifications.reminder_after", _send)


def _send(claim: jobs.Claim) -> str:
    """Send one mail, as the branch it is for; no transaction is open while the mail server is spoken to."""
    branch_id, case_id = claim.branch_id or 0, claim.subject_id or 0
    with unit_of_work(Scope(branches=(branch_id,))) as db:
        case = deviations.owing(db, case_id, branch_id)
        if case is None or case.state not in STILL_TRUE[claim.kind]:
            return "no longer true"
        late = case.answer_due_on is not None and case.answer_due_on < clock.today()
        if claim.kind == "notifications.reminder_before" and late:
            return "too late to be early"
        if claim.kind == "notifications.answered" and case.reporter_id is not None:
            email = directory.email_of(db, case.reporter_id)
            to = [email] if email else directory.recipients(db, case.unit_id)
        else:
            to = directory.recipients(db, case.unit_id)
    if not to:
        return "nobody to write to"
    name = claim.kind.rpartition(".")[2]
    kind = "returned" if name == "arrival" and case.state is State.RETURNED else name
    due_on = case.answer_due_on if name.startswith("reminder") else case.next_due_on
    actions.send(actions.write(kind, case.case_number, case.unit, due_on), to, f"{name}.{claim.id}")
    return "sent"
