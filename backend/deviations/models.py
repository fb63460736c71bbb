"""A deviation, the legs of its route, the answer, the verdict, and everything that happened to it.

`visible_branches` is kept by a trigger: the sending branch, the branch that holds the case, and a branch that
commissioned either unit. It is what row-level security asks before a row is read (`backend/decisions/0002`).
"""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Text,
)
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.agreements.models import Agreement, Category, SteeringDocument
from backend.core.db import Base
from backend.directory.models import TARGET_GROUPS, Branch, Unit, one_of


class State(StrEnum):
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    RETURNED = "returned"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class EventKind(StrEnum):
    ADVERSE_EVENT = "adverse_event"
    NEAR_MISS = "near_miss"
    RISK = "risk"
    GOOD_EXAMPLE = "good_example"


class Outcome(StrEnum):
    AGREE = "agree"
    PARTLY = "partly"
    NOT_OURS = "not_ours"


class CauseArea(StrEnum):
    PROCEDURES = "procedures"
    COMMUNICATION = "communication"
    COMPETENCE = "competence"
    ENVIRONMENT_ORGANISATION = "environment_organisation"
    TECHNOLOGY = "technology"


class VerdictKind(StrEnum):
    ACCEPTED = "accepted"
    RETURNED = "returned"


LEGAL_AREAS = ("hsl", "sol", "lss")


class Deviation(Base):
    __tablename__ = "deviations"
    __table_args__ = (
        one_of("state", tuple(State)),
        one_of("event_kind", tuple(EventKind)),
        one_of("target_group", TARGET_GROUPS),
        one_of("legal_area", LEGAL_AREAS),
        CheckConstraint("severity between 1 and 4", name="severity"),
        CheckConstraint("sender_branch_id <> receiver_branch_id", name="two_parties"),
        # A unit belongs to the branch it is named with: the circle cannot be forged from either side.
        ForeignKeyConstraint(
            ["sender_unit_id", "sender_branch_id"], ["units.id", "units.branch_id"], name="fk_sender"
        ),
        ForeignKeyConstraint(
            ["receiver_unit_id", "receiver_branch_id"], ["units.id", "units.branch_id"], name="fk_receiver"
        ),
        Unique("sender_branch_id", "submission"),
        Index("ix_deviations_visible_branches", "visible_branches", postgresql_using="gin"),
        Index(
            "ix_deviations_inbox_receiver",
            "receiver_unit_id",
            "next_due_on",
            postgresql_where="state in ('sent', 'acknowledged', 'returned') and not imported",
        ),
        Index(
            "ix_deviations_inbox_sender",
            "sender_unit_id",
            "next_due_on",
            postgresql_where="state = 'answered' and not imported",
        ),
        Index("ix_deviations_sender", "sender_unit_id", "sent_at"),
        Index("ix_deviations_receiver", "receiver_unit_id", "sent_at"),
        Index("ix_deviations_cohort", "county_id", "sent_at"),
        Index("ix_deviations_sent_at", "sent_at", "id"),
        Index(
            "uq_deviations_source_reference",
            "county_id",
            "source_reference",
            unique=True,
            postgresql_where="source_reference is not null",
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("counties.id"))
    case_number: Mapped[str] = mapped_column(Text, unique=True)
    submission: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(default=1)

    event_kind: Mapped[str] = mapped_column(Text)
    occurred_on: Mapped[date]
    discovered_on: Mapped[date | None]
    sender_branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    sender_unit_id: Mapped[int]
    receiver_branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    receiver_unit_id: Mapped[int]
    visible_branches: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    steering_document_id: Mapped[int | None] = mapped_column(ForeignKey("steering_documents.id"))
    target_group: Mapped[str] = mapped_column(Text)
    legal_area: Mapped[str | None] = mapped_column(Text)
    severity: Mapped[int | None]
    description: Mapped[str] = mapped_column(Text)
    consequence_patient: Mapped[str | None] = mapped_column(Text)
    consequence_work: Mapped[str | None] = mapped_column(Text)
    immediate_action: Mapped[str | None] = mapped_column(Text)
    suggestion: Mapped[str | None] = mapped_column(Text)
    shared_reference: Mapped[str | None] = mapped_column(Text)

    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreements.id"))
    sent_at: Mapped[datetime]
    # The answer clock of the first answer: what figures are counted on. None for a good example.
    due_on: Mapped[date | None]
    # The day by which the party whose turn it is should act, in whatever clock then runs.
    next_due_on: Mapped[date | None]
    acknowledged_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    imported: Mapped[bool] = mapped_column(default=False)
    source_reference: Mapped[str | None] = mapped_column(Text)
    source_digest: Mapped[str | None] = mapped_column(Text)

    agreement: Mapped[Agreement] = relationship()
    category: Mapped[Category] = relationship()
    steering_document: Mapped[SteeringDocument | None] = relationship()
    sender_unit: Mapped[Unit] = relationship(
        foreign_keys="[Deviation.sender_unit_id, Deviation.sender_branch_id]"
    )
    receiver_unit: Mapped[Unit] = relationship(
        foreign_keys="[Deviation.receiver_unit_id, Deviation.receiver_branch_id]"
    )
    sender_branch: Mapped[Branch] = relationship(
        foreign_keys="Deviation.sender_branch_id", overlaps="sender_unit"
    )
    receiver_branch: Mapped[Branch] = relationship(
        foreign_keys="Deviation.receiver_branch_id", overlaps="receiver_unit"
    )
    handovers: Mapped[list["Handover"]] = relationship(order_by="Handover.position")
    answers: Mapped[list["Answer"]] = relationship(order_by="Answer.answered_at")
    events: Mapped[list["Event"]] = relationship(order_by="Event.id")
    # Row-level security leaves only the rows of one's own branch here.
    sides: Mapped[list["Side"]] = relationship()


class Handover(Base):
    """One leg of the route: to which unit, when, and until when that unit held the case."""

    __tablename__ = "handovers"
    __table_args__ = (
        Unique("deviation_id", "position"),
        ForeignKeyConstraint(
            ["unit_id", "branch_id"], ["units.id", "units.branch_id"], name="fk_handovers_unit"
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    position: Mapped[int]
    branch_id: Mapped[int]
    unit_id: Mapped[int]
    sent_at: Mapped[datetime]
    acknowledge_due_on: Mapped[date]
    acknowledged_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    unit: Mapped[Unit] = relationship()


class Side(Base):
    """What one branch keeps to itself about a case: who reported, and its own reference."""

    __tablename__ = "sides"
    __table_args__ = (Index("ix_sides_reporter", "reporter_id"),)

    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"), primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"), primary_key=True)
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reference: Mapped[str | None] = mapped_column(Text)


class Answer(Base):
    __tablename__ = "answers"
    __table_args__ = (
        one_of("outcome", tuple(Outcome)),
        one_of("verdict", tuple(VerdictKind)),
        Index("ix_answers_deviation", "deviation_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    answered_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(Text)
    cause_areas: Mapped[list[str]] = mapped_column(ARRAY(Text))
    cause: Mapped[str] = mapped_column(Text)
    consequence: Mapped[str | None] = mapped_column(Text)
    patient_informed: Mapped[bool | None]
    no_action_reason: Mapped[str | None] = mapped_column(Text)
    follow_up: Mapped[str | None] = mapped_column(Text)
    verdict: Mapped[str | None] = mapped_column(Text)
    verdict_comment: Mapped[str | None] = mapped_column(Text)
    verdict_at: Mapped[datetime | None]

    actions: Mapped[list["AnswerAction"]] = relationship(order_by="AnswerAction.id")


class AnswerAction(Base):
    """Something the receiver has done or will do, with who sees to it and by when."""

    __tablename__ = "answer_actions"
    __table_args__ = (Index("ix_answer_actions_answer", "answer_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"))
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    kind: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(Text)
    due_on: Mapped[date | None]


class Event(Base):
    """The log of a case: what happened, when, and by whom. Rows are added, never changed.

    `at` is when it happened, `recorded_at` when we learned of it; they differ for imported history.
    """

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_deviation", "deviation_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    verb: Mapped[str] = mapped_column(Text)
    from_state: Mapped[str | None] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    profession: Mapped[str | None] = mapped_column(Text)
    comment: Mapped[str | None] = mapped_column(Text)

    unit: Mapped[Unit] = relationship()


class EventActor(Base):
    """Who stood behind an event: a row of its own, since only the actor's own branch may know the person."""

    __tablename__ = "event_actors"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class Draft(Base):
    """A report not yet sent: only its writer sees it. `typed` is the form as it stands, half filled or wrong."""

    __tablename__ = "drafts"

    submission: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    typed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    saved_at: Mapped[datetime]


class CaseWord(Base):
    """A word by which a branch finds a case (`searching`). `unit_id` is the branch's own unit in the case; a branch
    that only follows the case has none there.
    """

    __tablename__ = "case_words"
    __table_args__ = (
        Index("ix_case_words_word", "branch_id", "word", "deviation_id", postgresql_include=["unit_id"]),
    )

    deviation_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("deviations.id", ondelete="CASCADE"), primary_key=True
    )
    branch_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    unit_id: Mapped[int | None]


class Search(Base):
    """What somebody searched for last, in the branch they act for: kept here, so that it stands in no address."""

    __tablename__ = "searches"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"), primary_key=True)
    typed: Mapped[str] = mapped_column(Text)
    searched_at: Mapped[datetime]


class SavedView(Base):
    """Filters of the list that somebody has given a name. One that is removed can be had back for a while."""

    __tablename__ = "saved_views"
    __table_args__ = (
        Index(
            "uq_saved_views_name",
            "person_id",
            "branch_id",
            "name",
            unique=True,
            postgresql_where="removed_at is null",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    name: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class Batch(Base):
    """One verb on many cases at once, by one person: how it went with each, and whether it was taken back.

    `outcomes` is a list of `{"number", "why", "taken_back"}`; `why` tells why nothing was done to the case.
    """

    __tablename__ = "batches"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    verb: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    outcomes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
