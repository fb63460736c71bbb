"""The month is frozen by a job: figures that are shown to others are never live."""

from backend.core import jobs
from backend.core.db import COUNTER, NOBODY, unit_of_work
from backend.summaries import actions
from workers.app import celery


@celery.task(name="summaries.snapshot")
def snapshot() -> None:
    """For each county owed one: every finished month that lacks a snapshot, or has changed since its last."""
    while claims := jobs.claim("summaries.snapshot"):
        for claim in claims:
            try:
                with unit_of_work(COUNTER) as db:
                    made = len(actions.make_missing(db, claim.subject_id or 0))
            except Exception as error:  # noqa: BLE001  one county that fails must not stop the others
                jobs.failed(claim, error)
            else:
                with unit_of_work(NOBODY) as db:
                    jobs.done(db, claim, f"made {made}")
