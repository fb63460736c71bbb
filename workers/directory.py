"""Whether mail reaches those who receive: bounces looked for each hour, and the organisation told of what is wrong."""

from urllib.parse import urlsplit

from backend.core import bounces, clock, jobs, letter_box, text
from backend.core.db import NOBODY, unit_of_work
from backend.core.delivery_reports import failures
from backend.core.text import gettext as _
from backend.deviations.queries.told import calendar_in
from backend.directory import actions, health, letters, queries
from backend.directory.models import Branch, Organisation, Person, Unit
from backend.notifications import actions as notifications
from backend.settings import settings
from workers.app import celery


@celery.task(name="directory.bounces")
def look_for_bounces() -> None:
    jobs.work("directory.bounces", _read)


@celery.task(name="directory.unreachable")
def unreachable() -> None:
    jobs.work("directory.unreachable", _tell_of_unreachable)


@celery.task(name="directory.no_receiver")
def no_receiver() -> None:
    jobs.work("directory.no_receiver", _tell_of_no_receiver)


@celery.task(name="directory.no_substitutes")
def no_substitutes() -> None:
    jobs.work("directory.no_substitutes", _tell_of_no_substitutes)


def _read(_claim: jobs.Claim) -> str:
    """Read the box, and see which addresses have stopped working. A letter is put away when it is safe."""
    host, new = urlsplit(settings().base_url).hostname or "localhost", 0
    if settings().bounces:
        with letter_box.opened(settings().bounces) as box:
            for name, letter in box.letters():
                with unit_of_work(NOBODY) as db:
                    new += actions.note_report(db, letter, failures(letter, host=host))
                box.put_away(name)
    with unit_of_work(NOBODY) as db:
        bounces.forget_old(db)
        actions.tell_of_unreachable(db)
    return f"new {new}"


def _tell_of_unreachable(claim: jobs.Claim) -> str:
    """No transaction is open while the mail server is spoken to."""
    with unit_of_work(NOBODY) as db:
        person = db.get(Person, claim.person_id or 0)
        units = queries.handled_by(db, claim.person_id or 0, claim.subject_id or 0)
        run = bounces.runs(db, [person.email]).get(person.email) if person else None
        if person is None or run is None or not run.unreachable or not units:
            return "no longer true"
        told = queries.told_of(db, claim.subject_id or 0, {unit.branch_id for unit in units})
        to = [address for address in told if address != person.email]
        words = {
            "email": person.email,
            "title": person.title,
            "count": text.count(run.final, _("gång"), _("gånger"), one=_("en")),
            "day": text.long_date(clock.local(run.latest).date()),
            "units": text.join([unit.name for unit in units]),
        }
    return _send("unreachable", to, claim, claim.subject_id or 0, **words)


def _tell_of_no_receiver(claim: jobs.Claim) -> str:
    unit_id = claim.subject_id or 0
    with unit_of_work(NOBODY) as db:
        if not queries.lacks_receiver(db, [unit_id]):
            return "no longer true"
        unit = db.get_one(Unit, unit_id)
        organisation_id = db.get_one(Branch, unit.branch_id).organisation_id
        to = [one.email for one in queries.safety_of(db, unit.branch_id)] or queries.told_of(
            db, organisation_id
        )
        name = unit.name
    return _send("no_receiver", to, claim, organisation_id, units=name)


def _tell_of_no_substitutes(claim: jobs.Claim) -> str:
    organisation_id = claim.subject_id or 0
    with unit_of_work(NOBODY) as db:
        found = queries.reached(db, Branch.organisation_id == organisation_id)
        lacking = [one for one in found if health.lacks_substitute(one)]
        to = queries.told_of(db, organisation_id)
    if not lacking:
        return "nothing to say"
    units = "\n".join(f"{one.unit}, {one.branch}" for one in lacking)
    season = _("sommaren") if clock.today().month < 9 else _("jul och nyår")
    return _send("no_substitutes", to, claim, organisation_id, units=units, season=season)


def _send(kind: str, to: list[str], claim: jobs.Claim, organisation_id: int, **words: str) -> str:
    if not to:
        return "nobody to write to"
    with unit_of_work(NOBODY) as db:
        calendar = calendar_in(db, db.get_one(Organisation, organisation_id).county_id)
    notifications.hold_till_open(calendar)
    letters.send(kind, to, f"{kind}.{claim.id}", **words)
    return "sent"
