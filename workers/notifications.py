"""Mail that is owed. Before sending, the case is asked whether the mail is still true."""

from sqlalchemy.orm import Session

from backend.core import clock, jobs
from backend.core.db import Scope, unit_of_work
from backend.deviations import queries as deviations
from backend.deviations.models import State
from backend.deviations.rules import HELD
from backend.directory import queries as directory
from backend.notifications import actions
from workers.app import celery

# In which states a mail still says what is true; a kind that is not here is true for as long as the branch sees
# the case.
STILL_TRUE = {
    "arrival": frozenset({State.SENT, State.RETURNED}),
    "answered": frozenset({State.ANSWERED}),
    "question": frozenset({State.QUESTION}),
    "reply": HELD,
    "redirect_proposed": frozenset({State.REDIRECT_PROPOSED}),
    "redirect_refused": HELD,
    "declined": frozenset({State.DECLINED}),
    "disputed": frozenset({State.DISPUTED}),
    "settle_proposed": frozenset({State.DISPUTED}),
    "for_approval": HELD,
    "reminder_before": HELD,
    "reminder_after": HELD,
}
# Who filed the case hears of it first; the rest goes to whoever handles what comes to the unit.
TO_REPORTER = frozenset({"answered", "question", "delay_notice"})
# Only those who settle, approve or follow secrecy.
TO_MANAGERS = frozenset({"disputed", "settle_proposed", "for_approval"})
TO_SAFETY = frozenset({"masked"})
KINDS = (*STILL_TRUE, "delay_notice", "reopened", "masked", "mention", "assigned", "invited", "external")


def due(kind: str) -> None:
    """Send every mail of a kind that is due now."""
    jobs.work(f"notifications.{kind}", _send)


def _job(kind: str) -> None:
    def send_due() -> None:
        due(kind)

    celery.task(send_due, name=f"notifications.{kind}")


for _kind in KINDS:
    _job(_kind)


def _send(claim: jobs.Claim) -> str:
    """Send one mail, as the branch it is for; no transaction is open while the mail server is spoken to."""
    branch_id, case_id = claim.branch_id or 0, claim.subject_id or 0
    name = claim.kind.rpartition(".")[2]
    with unit_of_work(Scope(branches=(branch_id,))) as db:
        case = deviations.owing(db, case_id, branch_id)
        if case is None or (name in STILL_TRUE and case.state not in STILL_TRUE[name]):
            return "no longer true"
        if name == "invited" and not deviations.is_invited(db, case_id, branch_id, claim.person_id or 0):
            return "no longer true"
        late = case.answer_due_on is not None and case.answer_due_on < clock.today()
        if name == "reminder_before" and late:
            return "too late to be early"
        to = _recipients(db, name, case, branch_id, claim.person_id)
    if not to:
        return "nobody to write to"
    kind = "returned" if name == "arrival" and case.state is State.RETURNED else name
    due_on = case.answer_due_on if name.startswith("reminder") else case.next_due_on
    actions.send(actions.write(kind, case.case_number, case.unit, due_on), to, f"{name}.{claim.id}")
    return "sent"


def _recipients(
    db: Session, name: str, case: deviations.Owing, branch_id: int, person_id: int | None
) -> list[str]:
    if person_id is not None:
        email = directory.email_of(db, person_id)
        return [email] if email else []
    if name in TO_REPORTER and case.reporter_id is not None:
        email = directory.email_of(db, case.reporter_id)
        return [email] if email else directory.recipients(db, case.unit_id)
    if name in TO_SAFETY:
        return directory.safety_of(db, branch_id)
    if name == "external":
        intake = directory.intake_of(db, branch_id)
        return directory.recipients(db, intake if intake is not None else case.unit_id)
    if name in TO_MANAGERS:
        return directory.managers_of(db, case.unit_id) or directory.safety_of(db, branch_id)
    return directory.recipients(db, case.unit_id)
