"""One verb on many cases at once, told case by case, and taken back while nothing else has happened."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock
from backend.core.errors import ConflictError, ForbiddenError, NotFoundError, SamsvarError
from backend.core.text import gettext as _
from backend.deviations import deadlines, queries
from backend.deviations.actions.moving import lock, move, what_happened
from backend.deviations.actions.respond import acknowledge
from backend.deviations.actions.team import assign, unassign
from backend.deviations.forms import AssignForm, BatchForm
from backend.deviations.models import Batch, Deviation, Event, EventActor

UNDONE_WITHIN = timedelta(minutes=10)
KEPT = timedelta(days=1)

# Gives what an undo needs to know: how it was before, and what it became.
Known = dict[str, int | None]
Verb = Callable[[Session, Identity, Deviation], Known]


def bulk(db: Session, me: Identity, form: BatchForm) -> Batch:
    """Do the verb to each case by itself: what fails stops no other, and says why. To assign without saying to whom is
    to take the cases oneself.

    The batch remembers which were done, so that they can be taken back together.
    """
    to = form.person or me.person_id

    def acknowledged(db: Session, me: Identity, deviation: Deviation) -> Known:
        acknowledge(db, me, deviation)
        return {}

    def assigned(db: Session, me: Identity, deviation: Deviation) -> Known:
        before = queries.handler_id(db, me, deviation)
        assign(db, me, deviation, AssignForm(person=to))
        return {"before": before, "given": to}

    verb: Verb = acknowledged if form.verb == "acknowledge" else assigned
    db.execute(delete(Batch).where(Batch.person_id == me.person_id, Batch.made_at < clock.now() - KEPT))
    # In one order, so that two who choose the same cases cannot wait for each other.
    outcomes = [_one(db, me, verb, number) for number in sorted(set(form.case_number))]
    batch = Batch(
        id=uuid.uuid4(),
        person_id=me.person_id,
        branch_id=me.branches[0],
        verb=form.verb,
        made_at=clock.now(),
        outcomes=outcomes,
    )
    db.add(batch)
    db.flush()
    return batch


def undo(db: Session, me: Identity, batch: Batch) -> Batch:
    """Take the whole batch back, case by case: one in which something else has happened stays as it is.

    Raises ConflictError when it is done already or too late.
    """
    if batch.undone_at is not None:
        raise ConflictError(_("Det är redan ångrat."))
    if clock.now() - batch.made_at > UNDONE_WITHIN:
        raise ConflictError(_("Det har gått mer än tio minuter, så det går inte att ångra här."))
    batch.outcomes = [
        outcome
        if outcome["why"]
        else {**_one(db, me, _back(batch.verb, outcome), outcome["number"]), "taken_back": True}
        for outcome in batch.outcomes
    ]
    batch.undone_at = clock.now()
    db.flush()
    return batch


def _back(verb: str, outcome: dict[str, Any]) -> Verb:
    def unacknowledged(db: Session, me: Identity, deviation: Deviation) -> Known:
        unacknowledge(db, me, deviation)
        return {}

    def unassigned(db: Session, me: Identity, deviation: Deviation) -> Known:
        unassign(db, me, deviation, given=outcome.get("given"), before=outcome.get("before"))
        return {}

    return unacknowledged if verb == "acknowledge" else unassigned


def _one(db: Session, me: Identity, verb: Verb, number: str) -> dict[str, Any]:
    why, known = None, Known()
    try:
        with db.begin_nested():
            known = verb(db, me, queries.deviation(db, me, number))
    except NotFoundError:
        why = _("Ärendet finns inte eller hör till ett annat uppdrag.")
    except (ForbiddenError, ConflictError) as error:
        why = error.text or _("Ditt uppdrag räcker inte till det här.")
    except SamsvarError:
        why = _("Det gick inte. Öppna ärendet och försök igen.")
    return {"number": number, "why": why, "taken_back": False, **known}


def unacknowledge(db: Session, me: Identity, deviation: Deviation) -> Deviation:
    """Take back one's own acknowledgement, within ten minutes and while nothing else has happened to the case.

    Raises ForbiddenError where it is another's, ConflictError where the case has moved on or it is too late.
    """
    lock(db, deviation)
    leg = queries.handover(db, deviation)
    last = db.execute(
        select(Event.verb, Event.at, EventActor.person_id)
        .outerjoin(EventActor, EventActor.event_id == Event.id)
        .where(Event.deviation_id == deviation.id)
        .order_by(Event.id.desc())
        .limit(1)
    ).one()
    if last.verb != "acknowledge" or deviation.updated_at != last.at:
        raise ConflictError(what_happened(db, deviation))
    if last.person_id != me.person_id:
        raise ForbiddenError(_("Bara den som kvitterade kan ta tillbaka kvittensen."))
    if clock.now() - last.at > UNDONE_WITHIN:
        raise ConflictError(_("Det har gått mer än tio minuter sedan ärendet kvitterades."))
    move(db, me, deviation, "unacknowledge", next_due_on=deadlines.acknowledge_due(deviation, leg).due_on)
    if deviation.acknowledged_at == last.at:
        deviation.acknowledged_at = None
    if leg.acknowledged_at == last.at:
        leg.acknowledged_at = None
    return deviation
