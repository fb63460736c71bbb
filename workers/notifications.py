"""News that is spread to those it is for, and the letters that people get."""

from backend.core import clock, jobs
from backend.core.db import COUNTER, NOBODY, Scope, unit_of_work
from backend.core.mail import RefusedError
from backend.deviations import actions as deviations
from backend.directory import queries as directory
from backend.notifications import actions, letters
from workers.app import celery

NEWS = (
    *("arrival", "answered", "question", "reply", "redirect_proposed", "redirect_refused", "declined"),
    *("disputed", "settle_proposed", "for_approval", "delay_notice", "reopened", "masked", "mention"),
    *("assigned", "invited", "external", "thanked", "disagreed", "unsettled", "settled", "withdrawn"),
)


def due(kind: str) -> None:
    """Spread all news of a kind."""
    jobs.work(f"notifications.{kind}", deviations.spread)


def _job(kind: str) -> None:
    def spread_due() -> None:
        due(kind)

    celery.task(spread_due, name=f"notifications.{kind}")


for _kind in NEWS:
    _job(_kind)


@celery.task(name=actions.LETTER)
def letter() -> None:
    jobs.work(actions.LETTER, _send)


@celery.task(name="notifications.forgotten")
def forgotten() -> None:
    with unit_of_work(COUNTER) as db:
        left = actions.forgotten(db)
    with unit_of_work(NOBODY) as db:
        for person_id, branch_id in set(left) - jobs.untried(db, actions.LETTER):
            actions.owe_letter(db, person_id, branch_id, clock.now())


def _send(claim: jobs.Claim) -> str:
    """Send one person's letter, as the branch it is for; no transaction is open while the mail server is spoken to."""
    scope = Scope(branches=(claim.branch_id or 0,), person=claim.person_id)
    try:
        with unit_of_work(scope) as db:
            lines = deviations.lines_of(db, claim)
            email = directory.email_of(db, claim.person_id or 0)
    except jobs.LaterError as later:
        with unit_of_work(scope) as db:
            actions.put_off(db, claim.person_id or 0, claim.branch_id or 0, later.until)
        raise
    if not lines:
        return "nothing left to say"
    if email is None:
        return "nobody to write to"
    outcome = "sent"
    try:
        actions.send(letters.write(lines, clock.now()), [email], f"letter.{claim.id}")
    except RefusedError:
        outcome = "refused"  # noted as a bounce, of which the organisation hears

    def note() -> None:
        with unit_of_work(scope) as db:
            actions.mark(db, claim.id, outcome)

    jobs.surely(note)
    return outcome
