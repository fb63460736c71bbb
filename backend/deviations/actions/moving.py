"""The one writer of a case's state, and of its log."""

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import insert
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.audit import actions as audit
from backend.core import clock, jobs, text
from backend.core.errors import ConflictError, ForbiddenError, NotFoundError
from backend.core.text import gettext as _
from backend.deviations import clocks, queries, rules
from backend.deviations.models import Deviation, Event, EventActor, Handover, State

REMINDERS = ("notifications.reminder_before", "notifications.reminder_after")

HAPPENED: dict[str, Callable[[], str]] = {
    "sent": lambda: _("Ärendet skickades"),
    "acknowledge": lambda: _("Ärendet kvitterades"),
    "unacknowledge": lambda: _("Kvittensen togs tillbaka"),
    "answer": lambda: _("Ärendet besvarades"),
    "accept": lambda: _("Svaret godtogs och ärendet avslutades"),
    "return": lambda: _("Svaret skickades tillbaka"),
    "withdraw": lambda: _("Ärendet återtogs"),
}


def lock(db: Session, deviation: Deviation) -> None:
    """Take the case for the rest of the transaction and read it anew: of two who act at once, one waits here."""
    try:
        db.refresh(deviation, with_for_update={"of": Deviation})
    except InvalidRequestError:
        # It left this party's sight while we waited.
        raise NotFoundError from None


def move(
    db: Session,
    me: Identity,
    deviation: Deviation,
    verb: str,
    *,
    next_due_on: date | None,
    comment: str | None = None,
) -> None:
    """Make an allowed move: state, revision, log, access log. The case must be locked.

    Raises ForbiddenError where the role does not reach, ConflictError where the case has moved on.
    """
    step = rules.MOVES[verb]
    if not rules.may_move(me, deviation, step):
        raise ForbiddenError(
            _("Ditt uppdrag räcker inte till det här. Be en kollega som handlägger ärendet.")
        )
    if deviation.imported:
        raise ConflictError(
            _("Ärendet är importerat ur ett äldre system och ligger still. Inget har ändrats.")
        )
    if State(deviation.state) not in step.sources:
        raise ConflictError(what_happened(db, deviation))
    before, now = deviation.state, clock.now()
    deviation.state = step.target
    deviation.revision += 1
    deviation.updated_at = now
    deviation.next_due_on = next_due_on
    unit = deviation.receiver_unit_id if step.party == "receiver" else deviation.sender_unit_id
    log(db, me, deviation, verb, before, unit, comment)
    audit.record(db, me, f"deviations.{verb}", cases=[deviation.case_number])


def log(
    db: Session,
    me: Identity,
    deviation: Deviation,
    verb: str,
    before: str | None,
    unit_id: int,
    comment: str | None = None,
) -> None:
    """Add to the case's log. Who it was goes in a row that only their own branch can read."""
    branch_id = me.branches[0]
    event_id = db.scalar(
        insert(Event)
        .values(
            deviation_id=deviation.id,
            verb=verb,
            from_state=before,
            to_state=deviation.state,
            at=deviation.updated_at,
            recorded_at=deviation.updated_at,
            branch_id=branch_id,
            unit_id=unit_id,
            profession=me.profession,
            comment=comment,
        )
        .returning(Event.id)
    )
    db.execute(insert(EventActor).values(event_id=event_id, branch_id=branch_id, person_id=me.person_id))


def what_happened(db: Session, deviation: Deviation) -> str:
    """For the one who came second: what the other did, when, and from where."""
    last = queries.happenings(db, deviation)[-1]
    return _("{what} {when} av {who}, {unit}. Läs vad som har hänt innan du går vidare.").format(
        what=HAPPENED[last.verb](),
        when=text.moment(last.at),
        who=(last.who or "").partition(",")[0],
        unit=last.unit,
    )


def note_acknowledged(db: Session, deviation: Deviation) -> None:
    """The first time counts, for the case and for the leg it is on."""
    leg: Handover = queries.handover(db, deviation)
    deviation.acknowledged_at = deviation.acknowledged_at or deviation.updated_at
    leg.acknowledged_at = leg.acknowledged_at or deviation.updated_at


def owe_reminders(db: Session, deviation: Deviation, due_on: date, *, started: datetime) -> None:
    """One before the due date and one after it, to the unit that holds the case. Unique by case and date."""
    _terms, calendar = clocks.terms_from(deviation.agreement.terms)
    planned = clocks.reminder_days(due_on, calendar, started)
    for kind, at in zip(REMINDERS, (planned.before, planned.after), strict=True):
        if at is not None:
            jobs.owe(
                db,
                kind,
                subject_id=deviation.id,
                branch_id=deviation.receiver_branch_id,
                due_at=at,
                # By revision: an answer sent back may be due again on the very day the first one was.
                key=f"{kind.rpartition('.')[2]}:{deviation.id}:{deviation.revision}:{due_on}",
            )
