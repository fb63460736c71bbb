"""The yearly letter to a county's coordinators. Just before sending it is asked whether somebody has looked already."""

from backend.agreements import letters
from backend.agreements import queries as agreements
from backend.core import jobs
from backend.core.db import NOBODY, unit_of_work
from backend.deviations.queries.told import calendar_in
from backend.directory import queries as directory
from backend.directory.models import County
from backend.notifications import actions as notifications
from workers.app import celery


@celery.task(name="agreements.calendar_check")
def calendar_check() -> None:
    jobs.work("agreements.calendar_check", _send)


def _send(claim: jobs.Claim) -> str:
    with unit_of_work(NOBODY) as db:
        county = db.get_one(County, claim.subject_id or 0)
        years, name = agreements.calendars_to_check(db, county.id), county.name
        to = [one.email for one in directory.coordinators_of(db, county.id)]
        calendar = calendar_in(db, county.id)
    if not years:
        return "looked at already"
    if not to:
        return "nobody to write to"
    notifications.hold_till_open(calendar)
    letters.send_calendar_check(to, name, years[-1], f"calendar_check.{claim.id}")
    return "sent"
