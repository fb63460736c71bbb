"""Letters with a one-time link. The link is asked just before sending whether it still opens anything."""

from backend.accounts import actions, letters
from backend.accounts.models import OneTimeLink
from backend.core import clock, jobs, text
from backend.core.db import NOBODY, unit_of_work
from backend.directory import queries as directory
from backend.settings import settings
from workers.app import celery


@celery.task(name="accounts.invitation")
def invitation() -> None:
    jobs.work("accounts.invitation", _send)


@celery.task(name="accounts.reset")
def reset() -> None:
    jobs.work("accounts.reset", _send)


def _send(claim: jobs.Claim) -> str:
    """Send one letter; no transaction is open while the mail server is spoken to."""
    with unit_of_work(NOBODY) as db:
        link = db.get(OneTimeLink, claim.subject_id or 0)
        if link is None or link.used_at is not None or link.expires_at <= clock.now():
            return "no longer opens"
        email = directory.email_of(db, link.person_id) if link.person_id else None
        if email is None:
            return "nobody to write to"
        address = f"{settings().base_url}/login/link/{actions.token_of(link)}"
        purpose, until = link.purpose, text.moment(link.expires_at)
    letters.send(purpose, email, address, until, f"{purpose}.{claim.id}")
    return "sent"
