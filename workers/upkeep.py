"""What nobody needs to remember is forgotten, once a day."""

from backend.accounts import actions as accounts
from backend.core import jobs, stuck
from backend.core.db import NOBODY, unit_of_work
from workers.app import celery


@celery.task(name="upkeep.prune")
def prune() -> None:
    jobs.work("upkeep.prune", _prune)


def _prune(_claim: jobs.Claim) -> str:
    """In small transactions, so that no claim waits for it."""
    forgotten = 0
    while True:
        with unit_of_work(NOBODY) as db:
            rows = stuck.prune(db)
        forgotten += rows
        if rows < stuck.BATCH:
            break
    with unit_of_work(NOBODY) as db:
        tries = accounts.prune_tries(db)
    return f"forgot {forgotten} and {tries}"
