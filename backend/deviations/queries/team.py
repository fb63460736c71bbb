"""What a branch keeps to itself about a case, and the copies sealed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.core.errors import NotFoundError
from backend.deviations.models import (
    AnswerDraft,
    CoInvestigator,
    Deviation,
    Link,
    Mask,
    MaskedOriginal,
    Note,
    RiskFlag,
    SealedCopy,
    Side,
)
from backend.deviations.queries.case import deviation
from backend.deviations.rules import party_of, visible_to
from backend.directory import queries as directory
from backend.directory.models import Person
from backend.notifications.models import Reminder


@dataclass(frozen=True)
class NoteShown:
    text: str
    who: str
    at: datetime
    mentioned: list[str]


def notes(db: Session, me: Identity, deviation: Deviation) -> list[NoteShown]:
    """The branch's own notes on the case, oldest first."""
    rows = db.execute(
        select(Note, Person.title)
        .join(Person, Person.id == Note.person_id)
        .where(Note.deviation_id == deviation.id, Note.branch_id.in_(me.branches))
        .order_by(Note.id)
    ).all()
    people = {one for note, _title in rows for one in note.mentioned}
    titles = {
        row[0]: row[1] for row in db.execute(select(Person.id, Person.title).where(Person.id.in_(people)))
    }
    return [
        NoteShown(note.text, title, note.written_at, [titles[one] for one in note.mentioned if one in titles])
        for note, title in rows
    ]


def handlers(db: Session, me: Identity, deviation: Deviation) -> list[Person]:
    """Whom the case may be given to on one's own side."""
    party = party_of(me.branches, deviation)
    unit_id = deviation.sender_unit_id if party == "sender" else deviation.receiver_unit_id
    return directory.handlers(db, unit_id) if party else []


def handler(db: Session, me: Identity, deviation: Deviation) -> Person | None:
    """Whoever handles the case for one's own side; nobody, where they no longer handle at its unit."""
    given = handler_id(db, me, deviation)
    return next((one for one in handlers(db, me, deviation) if one.id == given), None) if given else None


def title_of(db: Session, person_id: int) -> str | None:
    """What colleagues read of a person: profession, then unit."""
    return db.scalar(select(Person.title).where(Person.id == person_id))


def colleagues(db: Session, me: Identity, deviation: Deviation) -> list[Person]:
    """Whom one may mention or give the case to: those who handle it on one's own side, and its co-investigators."""
    found = {person.id: person for person in handlers(db, me, deviation)}
    found |= {person.id: person for person, _since in invited(db, me, deviation)}
    return sorted((one for one in found.values() if one.id != me.person_id), key=lambda one: one.title)


def invited(db: Session, me: Identity, deviation: Deviation) -> list[tuple[Person, datetime]]:
    """The branch's co-investigators of the case, and since when."""
    rows = db.execute(
        select(Person, CoInvestigator.invited_at)
        .join(CoInvestigator, CoInvestigator.person_id == Person.id)
        .where(
            CoInvestigator.deviation_id == deviation.id,
            CoInvestigator.branch_id.in_(me.branches),
            CoInvestigator.ended_at.is_(None),
        )
        .order_by(CoInvestigator.invited_at)
    )
    return [(row[0], row[1]) for row in rows]


def handler_id(db: Session, me: Identity, deviation: Deviation) -> int | None:
    """Who handles the case on one's own side, if somebody does."""
    return db.scalar(
        select(Side.handler_id).where(Side.deviation_id == deviation.id, Side.branch_id.in_(me.branches))
    )


def is_invited(db: Session, deviation_id: int, branch_id: int, person_id: int) -> bool:
    """Whether the person is a co-investigator of the case now: what a mail asks before it is sent."""
    found = db.get(CoInvestigator, (deviation_id, branch_id, person_id))
    return found is not None and found.ended_at is None


def answer_draft(db: Session, deviation: Deviation) -> AnswerDraft | None:
    """The draft of the branch that holds the case; the walls hide it from the other. As it stands now, also where it was
    read before the case was locked.
    """
    return db.scalar(
        select(AnswerDraft).where(
            AnswerDraft.deviation_id == deviation.id, AnswerDraft.branch_id == deviation.receiver_branch_id
        ),
        execution_options={"populate_existing": True},
    )


def risk_flag(db: Session, me: Identity, of: Deviation | SealedCopy, law: str) -> RiskFlag | None:
    return next((one for one in risk_flags(db, me, of) if one.law == law), None)


def risk_flags(db: Session, me: Identity, of: Deviation | SealedCopy) -> Sequence[RiskFlag]:
    """The branch's own flags on a case, also on one that has left it a copy."""
    case_id = of.deviation_id if isinstance(of, SealedCopy) else of.id
    return db.scalars(
        select(RiskFlag)
        .where(RiskFlag.deviation_id == case_id, RiskFlag.branch_id.in_(me.branches))
        .order_by(RiskFlag.id)
    ).all()


def linked(db: Session, me: Identity, deviation: Deviation) -> list[tuple[str, bool]]:
    """The numbers of other reports of the same event that the reader sees, and whether one's own side linked them."""
    rows = db.execute(
        select(Deviation.case_number, Link.branch_id)
        .join(
            Link,
            or_(
                and_(Link.one_id == deviation.id, Link.other_id == Deviation.id),
                and_(Link.other_id == deviation.id, Link.one_id == Deviation.id),
            ),
        )
        .where(visible_to(me))
        .order_by(Deviation.case_number)
    )
    return [(number, branch in me.branches) for number, branch in rows]


@dataclass(frozen=True)
class MaskShown:
    field: str
    at: datetime
    since: datetime
    original: str | None


def masks(db: Session, me: Identity, case: Deviation | SealedCopy) -> list[MaskShown]:
    """What was hidden and when; the words themselves only for safety, of what their branch had been given. Of a case
    that has left the branch nothing else is shown either.
    """
    opens = me.everywhere(Permission.MASK)
    shown: list[ColumnElement[bool]] = [Mask.deviation_id == case.id]
    if isinstance(case, SealedCopy):
        shown = [Mask.deviation_id == case.deviation_id, Mask.given_to.overlap(list(me.branches))]
    rows = db.execute(
        select(Mask, MaskedOriginal.original)
        .outerjoin(MaskedOriginal, MaskedOriginal.mask_id == Mask.id)
        .where(*shown)
        .order_by(Mask.id)
    )
    return [
        MaskShown(
            mask.field,
            mask.masked_at,
            mask.text_since,
            original if opens and set(mask.given_to) & set(me.branches) else None,
        )
        for mask, original in rows
    ]


# Branch, clock, leg, start, step and role, with why it went to nobody, or "" where it was sent.
Ledger = dict[tuple[int, str, int, datetime, str, str], str]


def reminders(db: Session, me: Identity, deviation: Deviation) -> Ledger:
    """The steps of the case that have come, as one's own branch's ledger has them."""
    rows = db.scalars(
        select(Reminder).where(Reminder.deviation_id == deviation.id, Reminder.branch_id.in_(me.branches))
    )
    return {
        (row.branch_id, row.clock, row.leg, row.started_at, row.step, row.role): row.outcome or ""
        for row in rows
    }


def sealed_copies(db: Session, me: Identity, limit: int = 200) -> Sequence[SealedCopy]:
    """The copies sealed for the branch, latest first; none for whoever is neither registrar nor safety."""
    if not me.everywhere(Permission.SEALED):
        return []
    return db.scalars(
        select(SealedCopy)
        .where(SealedCopy.branch_id.in_(me.branches))
        .order_by(SealedCopy.sealed_at.desc())
        .limit(limit)
    ).all()


def sealed_copy(db: Session, me: Identity, copy_id: int) -> SealedCopy:
    found = (
        db.scalar(select(SealedCopy).where(SealedCopy.id == copy_id, SealedCopy.branch_id.in_(me.branches)))
        if me.everywhere(Permission.SEALED)
        else None
    )
    if found is None:
        raise NotFoundError
    return found


def copy_of(db: Session, branch_id: int, deviation_id: int) -> SealedCopy | None:
    """The latest copy of a case that has left the branch, in a scope that opens seals."""
    return db.scalars(
        select(SealedCopy)
        .where(SealedCopy.deviation_id == deviation_id, SealedCopy.branch_id == branch_id)
        .order_by(SealedCopy.id.desc())
        .limit(1)
    ).one_or_none()


def masked_case(db: Session, me: Identity, case_number: str) -> Deviation | SealedCopy:
    """The case whose masks are asked for: as it stands, or for safety of a branch that it has left the copy that was
    sealed. NotFoundError for everybody else.
    """
    try:
        return deviation(db, me, case_number)
    except NotFoundError:
        left = db.scalars(
            select(SealedCopy)
            .where(SealedCopy.case_number == case_number.upper(), SealedCopy.branch_id.in_(me.branches))
            .order_by(SealedCopy.id.desc())
            .limit(1)
        ).one_or_none()
        if left is None or not me.everywhere(Permission.MASK):
            raise
        return left
