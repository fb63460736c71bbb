"""A deviation and the legs of its route.

`visible_branches` is kept by a trigger: the sending branch, the branch that holds the case, and a branch that
commissioned either unit. It is what row-level security asks before a row is read (`backend/decisions/0002`).
"""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

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
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.agreements.models import Agreement, Category, SteeringDocument
from backend.core.db import Base
from backend.directory.models import TARGET_GROUPS, Branch, Unit, one_of

if TYPE_CHECKING:  # they point back here
    from backend.deviations.models.team import CoInvestigator, Side


class State(StrEnum):
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    IN_REVIEW = "in_review"
    QUESTION = "question"
    DECLINED = "declined"
    REDIRECT_PROPOSED = "redirect_proposed"
    DISPUTED = "disputed"
    ANSWERED = "answered"
    RETURNED = "returned"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class EventKind(StrEnum):
    ADVERSE_EVENT = "adverse_event"
    NEAR_MISS = "near_miss"
    RISK = "risk"
    GOOD_EXAMPLE = "good_example"


LEGAL_AREAS = ("hsl", "sol", "lss")
CLOCK_KINDS = ("answer", "returned_answer")
IDENTIFIED_HOW = ("telephone", "secure_message")
# On what ground the parties spoke of who the patient is: offentlighets- och sekretesslagen 10, 25 and 26 ch.
IDENTIFIED_GROUNDS = ("consent", "coherent_care", "other_law")


class EndedHow(StrEnum):
    """How a case left the unit of a leg."""

    REDIRECTED = "redirected"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    FOLLOWED = "followed"
    """Along with the unit that took over."""


class Reason(StrEnum):
    """Why a case is sent on or declined."""

    WRONG_RECIPIENT = "wrong_recipient"
    NOT_INVOLVED = "not_involved"
    DUPLICATE = "duplicate"
    OTHER_PROCESS = "other_process"
    OTHER = "other"


class Deviation(Base):
    __tablename__ = "deviations"
    __table_args__ = (
        one_of("state", tuple(State)),
        one_of("event_kind", tuple(EventKind)),
        one_of("target_group", TARGET_GROUPS),
        one_of("legal_area", LEGAL_AREAS),
        one_of("clock_kind", CLOCK_KINDS),
        one_of("patient_identified_how", IDENTIFIED_HOW),
        one_of("patient_identified_ground", IDENTIFIED_GROUNDS),
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
            postgresql_where="state in ('sent', 'acknowledged', 'in_review', 'returned', 'disputed') and not resting",
        ),
        Index(
            "ix_deviations_inbox_sender",
            "sender_unit_id",
            "next_due_on",
            postgresql_where="state in ('answered', 'question', 'redirect_proposed', 'declined', 'disputed')"
            " and not resting",
        ),
        Index(
            "ix_deviations_awaited_sender",
            "sender_unit_id",
            "next_due_on",
            postgresql_where="state in ('sent', 'acknowledged', 'in_review', 'returned') and not resting",
        ),
        Index(
            "ix_deviations_awaited_receiver",
            "receiver_unit_id",
            "next_due_on",
            postgresql_where="state in ('answered', 'question', 'redirect_proposed') and not resting",
        ),
        Index("ix_deviations_sender", "sender_unit_id", "sent_at"),
        Index("ix_deviations_receiver", "receiver_unit_id", "sent_at"),
        Index("ix_deviations_cohort", "county_id", "sent_at"),
        Index("ix_deviations_sent_at", "sent_at", "id"),
        Index("ix_deviations_reopened", "county_id", "sent_at", postgresql_where="reopened_at is not null"),
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
    sender_branches: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    # Where the present holder's run of legs begins: what was written before is between the sender and others.
    first_leg: Mapped[int] = mapped_column(default=1, server_default="1")
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
    # The clock of the answer that is now waited for: the first one, a returned one, or one after a reopening.
    clock_kind: Mapped[str] = mapped_column(Text, default="answer", server_default="answer")
    clock_started_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    disagreed_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]
    accepted_by_silence: Mapped[bool] = mapped_column(default=False, server_default="false")
    updated_at: Mapped[datetime]
    delay_reason: Mapped[str | None] = mapped_column(Text)
    delay_promised_on: Mapped[date | None]
    patient_identified_on: Mapped[date | None]
    patient_identified_how: Mapped[str | None] = mapped_column(Text)
    patient_identified_ground: Mapped[str | None] = mapped_column(Text)

    imported: Mapped[bool] = mapped_column(default=False)
    # Imported history waits for nobody until somebody takes it up.
    resting: Mapped[bool] = mapped_column(default=False, server_default="false")
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
    # Row-level security leaves only the rows of one's own branch here.
    sides: Mapped[list["Side"]] = relationship()
    co_investigators: Mapped[list["CoInvestigator"]] = relationship()


class Handover(Base):
    """One leg of the route: to which unit, when, and until when that unit held the case."""

    __tablename__ = "handovers"
    __table_args__ = (
        one_of("ended_how", tuple(EndedHow)),
        Unique("deviation_id", "position"),
        ForeignKeyConstraint(
            ["unit_id", "branch_id"], ["units.id", "units.branch_id"], name="fk_handovers_unit"
        ),
        Index(
            "ix_handovers_travelled",
            "deviation_id",
            postgresql_where="position > 1 or ended_how in ('redirected', 'declined', 'followed')",
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
    ended_how: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)

    unit: Mapped[Unit] = relationship()
