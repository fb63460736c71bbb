"""What the turns of a case need to be shown: where it may go, what was proposed, who read what was hidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from backend.access import Identity
from backend.audit import queries as audit
from backend.core import clock
from backend.core.text import sort_key
from backend.deviations.models import Deviation, Event, Proposal, SealedCopy
from backend.deviations.queries.team import MaskShown
from backend.deviations.rules import visible_to
from backend.directory.models import Branch, Organisation, Person, Unit


@dataclass(frozen=True)
class Onward:
    """A unit that a case may be sent on to."""

    hsa_id: str
    name: str
    intake: bool
    branch_id: int
    branch: str
    organisation: str


def onward(db: Session, deviation: Deviation) -> list[Onward]:
    """The living units of the county but the sender's: the holder's own branch first, each branch's way in on top."""
    today = clock.today()
    rows = db.execute(
        select(Unit.hsa_id, Unit.name, Unit.intake, Branch.id, Branch.name, Organisation.name)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(
            Organisation.county_id == deviation.county_id,
            Branch.id != deviation.sender_branch_id,
            or_(Unit.ended_on.is_(None), Unit.ended_on > today),
            or_(Organisation.ended_on.is_(None), Organisation.ended_on > today),
        )
    )
    own = deviation.receiver_branch_id
    return sorted(
        (Onward(*row) for row in rows),
        key=lambda one: (
            one.branch_id != own,
            sort_key(one.organisation),
            sort_key(one.branch),
            not one.intake,
            sort_key(one.name),
        ),
    )


def is_visible(db: Session, me: Identity, deviation: Deviation) -> bool:
    """Whether the case is still this person's to see, after what was just done to it."""
    db.flush()
    found = db.scalar(select(Deviation.id).where(Deviation.id == deviation.id, visible_to(me)))
    return found is not None


def unit_named(db: Session, unit_id: int) -> Unit | None:
    """A unit with its organisation, ended or not: a proposal is read as it was written."""
    return db.scalar(
        select(Unit)
        .where(Unit.id == unit_id)
        .options(joinedload(Unit.branch).joinedload(Branch.organisation))
    )


def latest_event(db: Session, deviation: Deviation, verb: str) -> Event | None:
    return db.scalars(
        select(Event)
        .where(Event.deviation_id == deviation.id, Event.verb == verb)
        .order_by(Event.id.desc())
        .limit(1)
    ).one_or_none()


def second_decline(db: Session, deviation: Deviation) -> Proposal | None:
    """The receiver's word that opened the dispute."""
    return db.scalars(
        select(Proposal)
        .where(Proposal.deviation_id == deviation.id, Proposal.kind == "decline")
        .order_by(Proposal.id.desc())
        .limit(1)
    ).one_or_none()


@dataclass(frozen=True)
class Reader:
    """Someone of one's own branch who has had the case before them: when first, and how many times."""

    title: str
    first_at: datetime
    times: int


def readers(
    db: Session, me: Identity, case: Deviation | SealedCopy, masks: Sequence[MaskShown]
) -> Sequence[Reader]:
    """Whom what was masked may have reached on one's own side, from when each text could be read until it was hidden,
    the earliest first.
    """
    report = None
    if isinstance(case, Deviation) and case.sender_branch_id in me.branches:
        # Read by a manager before it was a case, where the branch wants it so.
        report = case.submission if any("." not in one.field for one in masks) else None
    opened: dict[int, list[datetime]] = {}
    spans = sorted({(one.since, one.at) for one in masks})
    for reading in audit.readers(db, me.branches, case.case_number, spans, report=report):
        opened.setdefault(reading.person_id, []).append(reading.at)
    titles = {
        row[0]: row[1] for row in db.execute(select(Person.id, Person.title).where(Person.id.in_(opened)))
    }
    return [Reader(titles.get(person, ""), times[0], len(times)) for person, times in opened.items()]
