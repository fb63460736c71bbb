"""One case, with all that hangs on it. A case is found through `visible_to(me)`: the first of the two locks; what
hangs on it is read through the case, and the walls leave out what stands on legs that are not the reader's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, case, or_, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from backend.access import Identity
from backend.core.errors import ConflictError, NotFoundError
from backend.core.text import gettext as _
from backend.deviations.models import (
    Answer,
    Deviation,
    Event,
    EventActor,
    Handover,
    Pause,
    Proposal,
    Question,
    Side,
    State,
)
from backend.deviations.rules import LEFT_RECEIVER, visible_to
from backend.directory import queries as directory
from backend.directory.models import Branch, Person, Unit


def deviation(db: Session, me: Identity, case_number: str) -> Deviation:
    """The case with that number, if this person may see it; otherwise as if it did not exist."""
    branch = joinedload(Deviation.sender_branch), joinedload(Deviation.receiver_branch)
    found = db.scalar(
        select(Deviation)
        .where(Deviation.case_number == case_number.upper(), visible_to(me))
        .options(
            joinedload(Deviation.sender_unit),
            joinedload(Deviation.receiver_unit),
            *(option.joinedload(Branch.organisation) for option in branch),
            joinedload(Deviation.category),
            joinedload(Deviation.steering_document),
            joinedload(Deviation.agreement),
            selectinload(Deviation.sides),
            selectinload(Deviation.co_investigators),
        )
    )
    if found is None:
        raise NotFoundError
    return found


@dataclass(frozen=True)
class Happening:
    """An event as the case's log shows it: the other party is a unit and a profession, never a name."""

    verb: str
    at: datetime
    unit: str
    who: str | None
    comment: str | None
    to_state: State
    leg: int = 1
    profession: str | None = None
    to_unit: str | None = None
    automatic: bool = False


def happenings(db: Session, deviation: Deviation) -> list[Happening]:
    """What has happened to the case, oldest first."""
    onward = aliased(Unit)
    rows = db.execute(
        select(
            Event.verb,
            Event.at,
            Unit.name,
            Person.title,
            Event.profession,
            Event.comment,
            Event.to_state,
            Event.leg,
            onward.name,
            Event.automatic,
        )
        .join(Unit, Unit.id == Event.unit_id)
        .outerjoin(onward, onward.id == Event.to_unit_id)
        # The policy on event_actors hides the other party's people, so their title never comes along.
        .outerjoin(EventActor, EventActor.event_id == Event.id)
        .outerjoin(Person, Person.id == EventActor.person_id)
        .where(Event.deviation_id == deviation.id)
        .order_by(Event.id)
    )
    return [
        Happening(r[0], r[1], r[2], r[3] or r[4], r[5], State(r[6]), r[7], r[4], r[8], r[9]) for r in rows
    ]


def answers(db: Session, deviation: Deviation) -> Sequence[Answer]:
    """Every answer given, oldest first, with its actions."""
    return db.scalars(
        select(Answer)
        .where(Answer.deviation_id == deviation.id)
        .options(selectinload(Answer.actions))
        .order_by(Answer.answered_at, Answer.id)
    ).all()


def handover(db: Session, deviation: Deviation) -> Handover:
    """The leg the case is on now."""
    return db.scalars(
        select(Handover)
        .where(Handover.deviation_id == deviation.id)
        .order_by(Handover.position.desc())
        .limit(1)
    ).one()


def waiting_since(db: Session, deviation: Deviation) -> datetime:
    """When the case came into the state it is in; imported history, when it was taken up."""
    return (
        db.scalar(
            select(Event.at)
            .where(
                Event.deviation_id == deviation.id,
                Event.to_state == deviation.state,
                or_(Event.from_state.is_distinct_from(Event.to_state), Event.verb == "resume"),
            )
            .order_by(Event.id.desc())
            .limit(1)
        )
        or deviation.sent_at
    )


def latest_answer(db: Session, deviation: Deviation) -> Answer | None:
    return db.scalars(
        select(Answer).where(Answer.deviation_id == deviation.id).order_by(Answer.id.desc()).limit(1)
    ).one_or_none()


def handovers(db: Session, deviation: Deviation) -> Sequence[Handover]:
    """The legs of the route, the first one first."""
    return db.scalars(
        select(Handover)
        .where(Handover.deviation_id == deviation.id)
        .options(joinedload(Handover.unit))
        .order_by(Handover.position)
    ).all()


def pauses(db: Session, deviation: Deviation) -> Sequence[Pause]:
    return db.scalars(
        select(Pause).where(Pause.deviation_id == deviation.id).order_by(Pause.started_at, Pause.id)
    ).all()


def questions(db: Session, deviation: Deviation) -> Sequence[Question]:
    return db.scalars(
        select(Question).where(Question.deviation_id == deviation.id).order_by(Question.id)
    ).all()


def open_question(db: Session, deviation: Deviation) -> Question | None:
    return db.scalars(
        select(Question)
        .where(Question.deviation_id == deviation.id, Question.ended_at.is_(None))
        .order_by(Question.id.desc())
        .limit(1)
    ).one_or_none()


def find_proposal(db: Session, deviation: Deviation, kind: str) -> Proposal | None:
    """The proposal of that kind which still waits for the other side."""
    return db.scalars(
        select(Proposal)
        .where(Proposal.deviation_id == deviation.id, Proposal.kind == kind, Proposal.decided_at.is_(None))
        .order_by(Proposal.id.desc())
        .limit(1)
    ).one_or_none()


def open_proposal(db: Session, deviation: Deviation, kind: str) -> Proposal:
    """As `find_proposal`, where the state says that there is one. ConflictError if it is gone."""
    found = find_proposal(db, deviation, kind)
    if found is None:
        raise ConflictError(_("Förslaget är redan avgjort. Läs vad som har hänt innan du går vidare."))
    return found


def for_job(db: Session, deviation_id: int) -> Deviation | None:
    """A case as a job needs it, in a scope of the job's own making."""
    return db.scalar(
        select(Deviation).where(Deviation.id == deviation_id).options(joinedload(Deviation.agreement))
    )


def open_at(db: Session, unit_id: int, over: Sequence[State]) -> list[int]:
    """The ids of a unit's cases that are not over, sent from it or held by it, as the scope of a job sees them."""
    here = or_(Deviation.sender_unit_id == unit_id, Deviation.receiver_unit_id == unit_id)
    # In the order in which many are locked at once elsewhere, so that neither waits for the other.
    found = select(Deviation.id).where(here, Deviation.state.not_in(over))
    return list(db.scalars(found.order_by(Deviation.case_number)))


def stranded(db: Session, over: Sequence[State]) -> list[tuple[int, int]]:
    """Units that have ended and have a successor, and at which a case still lies that is not over, with their branches;
    a declined case lies at its sender only. In the scope COUNTER.
    """
    lies = or_(
        Deviation.sender_unit_id == Unit.id,
        and_(Deviation.receiver_unit_id == Unit.id, Deviation.state != State.DECLINED),
    )
    rows = db.execute(
        select(Unit.id, Unit.branch_id)
        .where(~directory.active(Unit.ended_on), Unit.successor_id.is_not(None))
        .where(select(Deviation.id).where(lies, Deviation.state.not_in(over)).correlate(Unit).exists())
        .order_by(Unit.id)
    )
    return [(unit_id, branch_id) for unit_id, branch_id in rows]


def parties(db: Session, deviation_id: int) -> tuple[int, int] | None:
    """The sending and the holding branch: all that a job need know before it acts for them. In the scope COUNTER."""
    row = db.execute(
        select(Deviation.sender_branch_id, Deviation.receiver_branch_id).where(Deviation.id == deviation_id)
    ).one_or_none()
    return (row[0], row[1]) if row else None


@dataclass(frozen=True)
class Owing:
    """What a mail about a case may say and must know: its number, where it stands, and whose turn it is."""

    case_number: str
    state: State
    event_kind: str
    unit_id: int
    unit: str
    next_due_on: date | None
    answer_due_on: date | None
    reporter_id: int | None


def owing(db: Session, deviation_id: int, branch_id: int) -> Owing | None:
    """The case as one branch's mail needs it, or None when the branch is no party of it any more: one that only follows
    the case, as it may one that it has declined itself, is written to about nothing.
    """
    row = db.execute(
        select(
            Deviation.case_number,
            Deviation.state,
            Deviation.event_kind,
            Unit.id,
            Unit.name,
            Deviation.next_due_on,
            # A returned answer is due anew; until then the first answer's clock counts.
            case((Deviation.state == State.RETURNED, Deviation.next_due_on), else_=Deviation.due_on),
            Side.reporter_id,
        )
        .join(
            Unit,
            Unit.id
            == case(
                (Deviation.sender_branch_id == branch_id, Deviation.sender_unit_id),
                else_=Deviation.receiver_unit_id,
            ),
        )
        .outerjoin(Side, and_(Side.deviation_id == Deviation.id, Side.branch_id == branch_id))
        .where(
            Deviation.id == deviation_id,
            or_(
                Deviation.sender_branch_id == branch_id,
                and_(
                    Deviation.receiver_branch_id == branch_id,
                    Deviation.state.not_in(sorted(LEFT_RECEIVER)),
                ),
            ),
        )
    ).one_or_none()
    return Owing(row[0], State(row[1]), *row[2:]) if row else None
