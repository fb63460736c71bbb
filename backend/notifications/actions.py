"""Owing people their notices, and sending them as letters.

A notice is one thing for one person. What is due to a person in a branch at the same moment is one letter, which is
what the outbox owes; the notices it went out with carry its id, so that a letter that is tried again says the same.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.audit import actions as audit
from backend.core import clock, jobs, mail
from backend.core.calendar import Calendar
from backend.notifications import hours
from backend.notifications.forms import ChoiceForm
from backend.notifications.letters import Letter
from backend.notifications.models import DIGEST_AT, Arrivals, Notice, NotificationChoice, Reminder
from backend.settings import settings

LETTER = "notifications.letter"
# How long a notice may lie that no letter has taken before one is owed for it anew.
FORGOTTEN = timedelta(minutes=2)


@dataclass(frozen=True)
class About:
    """What a notice is of: a kind (`letters.KINDS`), in which role, at which unit, of which case if any.

    `key` tells what caused it: the same cause is told to the same person once. `planned_on` is the day a reminder is
    for; news have none. `urgent` is not held until the morning.
    """

    kind: str
    role: str
    branch_id: int
    key: str
    unit_id: int | None = None
    deviation_id: int | None = None
    reminder_id: int | None = None
    submission: uuid.UUID | None = None
    planned_on: date | None = None
    urgent: bool = False


def choose(db: Session, me: Identity, form: ChoiceForm) -> None:
    """Note how a person wants to be told, in all their assignments. It holds for what is owed from now on."""
    chosen = {"digest_at": form.digest_at, "arrivals": form.arrivals}
    db.execute(
        insert(NotificationChoice)
        .values(person_id=me.person_id, **chosen)
        .on_conflict_do_update(index_elements=["person_id"], set_=chosen)
    )
    audit.record(db, me, "notifications.choose", at=f"{form.digest_at:%H:%M}", arrivals=form.arrivals)


def notify(db: Session, person_id: int, about: About, calendar: Calendar) -> None:
    """Owe a person a notice, at the hour that they have chosen and the county's calendar allows."""
    now = clock.now()
    due_at = _due_at(db, person_id, about, calendar, now)
    row = {
        "key": f"{about.key}:{person_id}",
        "person_id": person_id,
        "branch_id": about.branch_id,
        "unit_id": about.unit_id,
        "deviation_id": about.deviation_id,
        "reminder_id": about.reminder_id,
        "submission": about.submission,
        "kind": about.kind,
        "role": about.role,
        "due_at": due_at,
        "made_at": now,
    }
    db.execute(insert(Notice).values(row).on_conflict_do_nothing(index_elements=["key"]))
    owe_letter(db, person_id, about.branch_id, due_at)


def _due_at(db: Session, person_id: int, about: About, calendar: Calendar, now: datetime) -> datetime:
    choice = db.get(NotificationChoice, person_id)
    hour = choice.digest_at if choice else DIGEST_AT
    if about.urgent:
        return now
    if about.planned_on is not None:
        return hours.reminder(now, hour, calendar, about.planned_on)
    if choice is not None and choice.arrivals == Arrivals.DIGEST:
        return hours.next_letter(now, hour, calendar)
    latest = db.scalar(
        select(func.max(Notice.due_at)).where(
            Notice.person_id == person_id,
            Notice.branch_id == about.branch_id,
            Notice.due_at > now - hours.GATHER,
            Notice.due_at <= now + hours.GATHER,
            # What was due and never sent is no letter that they have got.
            or_(Notice.ended_at.is_(None), Notice.outcome == "sent"),
        )
    )
    return hours.news(now, hour, calendar, latest)


def remind(db: Session, step: Reminder) -> int | None:
    """Write a step into the ledger. Gives its id; None where it stands there already, so that it is taken once."""
    values = {
        column.name: getattr(step, column.key) for column in Reminder.__table__.columns if column.name != "id"
    }
    return db.scalar(
        insert(Reminder)
        .values(values)
        .on_conflict_do_nothing(constraint="uq_reminders_step")
        .returning(Reminder.id)
    )


def reserve(db: Session, letter_id: int, person_id: int, branch_id: int) -> Sequence[Notice]:
    """The notices of a letter: at its first try all that is due and no letter's yet; ever after the same, as a mail
    program throws away unread what comes again under a Message-ID that it knows.
    """
    if not db.scalar(select(exists().where(Notice.letter_id == letter_id))):
        db.execute(update(Notice).where(*_untaken(person_id, branch_id)).values(letter_id=letter_id))
    return db.scalars(
        select(Notice)
        .where(Notice.letter_id == letter_id, Notice.ended_at.is_(None))
        .order_by(Notice.due_at, Notice.id)
    ).all()


def _untaken(person_id: int, branch_id: int) -> list[ColumnElement[bool]]:
    return [
        Notice.person_id == person_id,
        Notice.branch_id == branch_id,
        Notice.letter_id.is_(None),
        Notice.ended_at.is_(None),
        Notice.due_at <= clock.now(),
    ]


def put_off(db: Session, person_id: int, branch_id: int, until: datetime) -> None:
    """What is due and in no letter yet is due at that moment, with whatever else is."""
    db.execute(update(Notice).where(*_untaken(person_id, branch_id)).values(due_at=until))


def end(notice: Notice, outcome: str) -> None:
    """Nothing is to be said of it any more, and why."""
    notice.ended_at, notice.outcome = clock.now(), outcome


def wait_for_morning(db: Session, person_id: int, calendar: Calendar) -> None:
    """As `hold_till_open`, to the hour that the person chose."""
    choice = db.get(NotificationChoice, person_id)
    hold_till_open(calendar, choice.digest_at if choice else DIGEST_AT)


def hold_till_open(calendar: Calendar, hour: time = DIGEST_AT) -> None:
    """Raises LaterError where nobody may be written to now: a letter that was held up, by a mail server or by ours,
    does not come at night.
    """
    now = clock.now()
    if not hours.is_open(now, calendar):
        raise jobs.LaterError(hours.next_letter(now, hour, calendar))


def mark(db: Session, letter_id: int, outcome: str) -> None:
    """What became of a letter became of each of its notices."""
    db.execute(
        update(Notice)
        .where(Notice.letter_id == letter_id, Notice.ended_at.is_(None))
        .values(ended_at=clock.now(), outcome=outcome)
    )


def forgotten(db: Session) -> list[tuple[int, int]]:
    """Persons and branches with something due that no letter has taken: it was written while the letter of its hour
    was on its way. In the scope COUNTER.
    """
    rows = db.execute(
        select(Notice.person_id, Notice.branch_id)
        .where(Notice.ended_at.is_(None), Notice.letter_id.is_(None), Notice.due_at < clock.now() - FORGOTTEN)
        .distinct()
    )
    return [(person_id, branch_id) for person_id, branch_id in rows]


def owe_letter(db: Session, person_id: int, branch_id: int, due_at: datetime) -> None:
    jobs.owe(
        db,
        LETTER,
        branch_id=branch_id,
        person_id=person_id,
        due_at=due_at,
        key=f"letter:{person_id}:{branch_id}:{due_at.isoformat()}",
    )


def send(letter: Letter, to: Sequence[str], key: str) -> None:
    """Hand a letter over. `key` names the debt, so that every try carries the same Message-ID."""
    host = urlsplit(settings().base_url).hostname or "localhost"
    mail.send(to=to, subject=letter.subject, body=letter.body, message_id=f"<{key}@{host}>")
