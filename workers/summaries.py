"""The month is frozen by a job: figures that are shown to others are never live."""

from backend.core import jobs
from backend.core.db import COUNTER, unit_of_work
from backend.summaries import actions
from workers.app import celery


@celery.task(name="summaries.snapshot")
def snapshot() -> None:
    """For each county owed one: every finished month that lacks a snapshot, or has changed since its last."""
    jobs.work("summaries.snapshot", _freeze)


def _freeze(claim: jobs.Claim) -> str:
    with unit_of_work(COUNTER) as db:
        return f"made {len(actions.make_missing(db, claim.subject_id or 0))}"
