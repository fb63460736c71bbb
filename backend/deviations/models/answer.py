"""Answers, and the log of a case. `leg` is the handover on which a row was written: it decides who reads it."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.core.db import Base
from backend.directory.models import Unit, one_of


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
    leg: Mapped[int] = mapped_column(default=1, server_default="1")
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
    leg: Mapped[int] = mapped_column(default=1, server_default="1")
    to_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    # What Samsvar did by itself, since nobody else did.
    automatic: Mapped[bool] = mapped_column(default=False, server_default="false")
    profession: Mapped[str | None] = mapped_column(Text)
    comment: Mapped[str | None] = mapped_column(Text)

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id])


class EventActor(Base):
    """Who stood behind an event: a row of its own, since only the actor's own branch may know the person."""

    __tablename__ = "event_actors"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
