"""Cases that go home by themselves, since a waiting state waits for nobody for ever."""

from backend.core import jobs
from backend.deviations import actions
from workers.app import celery


@celery.task(name="deviations.go_home")
def go_home() -> None:
    jobs.work("deviations.go_home", lambda claim: actions.go_home(claim.subject_id or 0))


@celery.task(name="deviations.chase")
def chase() -> None:
    jobs.work("deviations.chase", lambda claim: actions.chase(claim.subject_id or 0))


@celery.task(name="deviations.look_after")
def look_after() -> None:
    jobs.work("deviations.look_after", lambda _claim: actions.look_after())


@celery.task(name="deviations.follow_successor")
def follow_successor() -> None:
    jobs.work(
        "deviations.follow_successor",
        lambda claim: actions.follow_successor(claim.subject_id or 0, claim.branch_id or 0),
    )


@celery.task(name="deviations.draft_ends")
def draft_ends() -> None:
    jobs.work(
        "deviations.draft_ends",
        lambda claim: actions.end_drafts(claim.branch_id or 0, claim.person_id or 0),
    )
