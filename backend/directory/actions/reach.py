"""Seeing to it that what is sent reaches somebody: addresses confirmed, the organisation told, the list of the last."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, time

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.audit import actions as audit
from backend.core import bounces, clock, jobs
from backend.core.calendar import Calendar, at_hour
from backend.core.errors import Fault, InvalidError, NotFoundError
from backend.core.jobs import Owed
from backend.core.text import gettext as _
from backend.directory import health, queries
from backend.directory.forms import ContactForm
from backend.directory.models import EscalationContact, Person, Unit

# When somebody may be written to, in Swedish time, on working days.
FIRST_HOUR, LAST_HOUR = time(7), time(17)
MORNING = time(8, 15)


def confirm_address(db: Session, me: Identity) -> None:
    """This person says that mail to their address reaches them. What came back before is past."""
    email = queries.email_of(db, me.person_id)
    if email is None:
        raise NotFoundError
    db.execute(update(Person).where(Person.id == me.person_id).values(address_confirmed_at=clock.now()))
    bounces.forget(db, email)
    audit.record(db, me, "directory.confirm_address", subject=me.person_id)


def add_contact(db: Session, me: Identity, form: ContactForm) -> None:
    """One more at the end of the organisation's list, or back at the place they had."""
    organisation = queries.own_organisation(db, me)
    person = db.scalar(
        select(Person.id).where(
            Person.id == form.person,
            queries.active(Person.ended_on),
            queries.of_organisation(organisation.id),
        )
    )
    if person is None:
        raise InvalidError(Fault("person", _("Välj någon som arbetar hos er.")))
    listed = [one.person_id for one in queries.escalation_list(db, organisation.id)]
    if form.person in listed:
        raise InvalidError(Fault("person", _("Personen står redan på listan.")))
    at = len(listed) if form.position is None else min(form.position, len(listed))
    db.add(EscalationContact(organisation_id=organisation.id, person_id=person, position=len(listed)))
    db.flush()
    _number(db, organisation.id, [*listed[:at], person, *listed[at:]])
    audit.record(db, me, "directory.add_contact", subject=person)


def move_contact(db: Session, me: Identity, person_id: int) -> None:
    """One step up the list: told before the one who stood above."""
    organisation, listed = _listed(db, me, person_id)
    at = listed.index(person_id)
    if at:
        listed[at - 1], listed[at] = listed[at], listed[at - 1]
        _number(db, organisation, listed)
    audit.record(db, me, "directory.move_contact", subject=person_id)


def remove_contact(db: Session, me: Identity, person_id: int) -> int:
    """Off the list. Gives the place they had, so that it can be undone."""
    organisation, listed = _listed(db, me, person_id)
    at = listed.index(person_id)
    db.execute(
        delete(EscalationContact).where(
            EscalationContact.organisation_id == organisation, EscalationContact.person_id == person_id
        )
    )
    _number(db, organisation, [one for one in listed if one != person_id])
    audit.record(db, me, "directory.remove_contact", subject=person_id)
    return at


def _listed(db: Session, me: Identity, person_id: int) -> tuple[int, list[int]]:
    organisation = queries.own_organisation(db, me)
    listed = [one.person_id for one in queries.escalation_list(db, organisation.id)]
    if person_id not in listed:
        raise NotFoundError
    return organisation.id, listed


def _number(db: Session, organisation_id: int, listed: list[int]) -> None:
    for position, person_id in enumerate(listed):
        db.execute(
            update(EscalationContact)
            .where(
                EscalationContact.organisation_id == organisation_id,
                EscalationContact.person_id == person_id,
            )
            .values(position=position)
        )


def tell_of_no_receiver(db: Session, unit_id: int) -> None:
    """Something has come to the unit. If nobody handles it there, its organisation is told, once a working day."""
    if not queries.lacks_receiver(db, [unit_id]):
        return
    when = _office_hours(clock.now(), Calendar())
    branch_id = db.scalar(select(Unit.branch_id).where(Unit.id == unit_id))
    jobs.owe(
        db,
        "directory.no_receiver",
        subject_id=unit_id,
        branch_id=branch_id,
        due_at=when,
        key=f"no_receiver:{unit_id}:{clock.local(when).date()}",
    )


def _office_hours(now: datetime, calendar: Calendar) -> datetime:
    """Now, where people are at work; else the next morning that they are."""
    here = clock.local(now)
    if calendar.is_working_day(here.date()) and FIRST_HOUR <= here.time() < LAST_HOUR:
        return now
    if calendar.is_working_day(here.date()) and here.time() < FIRST_HOUR:
        return at_hour(here.date(), MORNING)
    return at_hour(calendar.add_working_days(here.date(), 1), MORNING)


def note_report(db: Session, letter: bytes, failed: Sequence[tuple[str, str]]) -> int:
    """Note what a delivery report says of the people here; it may name anybody. Gives how many were new."""
    known = set(db.scalars(select(Person.email).where(Person.email.in_([one for one, _status in failed]))))
    ours = [(address, status) for address, status in failed if address in known]
    return bounces.record(db, "mailbox", hashlib.sha256(letter).hexdigest(), ours)


def tell_of_unreachable(db: Session) -> int:
    """Owe word of each address that has stopped working, once per organisation and run of bounces. Gives how many."""
    found = queries.unreachable(db)
    when = _office_hours(clock.now(), Calendar())
    for one in found:
        jobs.owe(
            db,
            "directory.unreachable",
            subject_id=one.organisation_id,
            person_id=one.person_id,
            due_at=when,
            key=f"unreachable:{one.person_id}:{one.organisation_id}:{one.began}",
        )
    return len(found)


def owe_upkeep(db: Session) -> None:
    """Owe what comes by the clock: the look for bounces each hour, and the half-yearly list of units without
    substitutes. Cheap enough to be asked at every tick.
    """
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    day = health.half_year_day(clock.today(), Calendar())
    owed: Mapping[str, tuple[str, int | None, datetime]] = {
        f"bounces:{hour:%Y-%m-%dT%H}": ("directory.bounces", None, hour),
        **{
            f"no_substitutes:{organisation_id}:{day:%Y-%m}": (
                "directory.no_substitutes",
                organisation_id,
                at_hour(day, MORNING),
            )
            for organisation_id in queries.taking_part(db)
        },
    }
    there = set(db.scalars(select(Owed.key).where(Owed.key.in_(owed))))
    for key, (kind, subject_id, due_at) in owed.items():
        if key not in there:
            jobs.owe(db, kind, subject_id=subject_id, due_at=due_at, key=key)
