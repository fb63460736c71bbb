"""The turns a case may take: questions and pauses, proposals, sealed copies, masks, links."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db import Base
from backend.directory.models import one_of


class Question(Base):
    """A question to the sender. It ends with a reply, or without one (`reply` is then None)."""

    __tablename__ = "questions"
    __table_args__ = (Index("ix_questions_deviation", "deviation_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    leg: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    reply_due_on: Mapped[date]
    reply: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None]


class Pause(Base):
    """A time when the answer clock stood still, and why. At most two a case."""

    __tablename__ = "pauses"
    __table_args__ = (one_of("cause", ("question",)), Index("ix_pauses_deviation", "deviation_id"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    cause: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Proposal(Base):
    """What one party proposes and the other decides: a redirect to another branch, or how a dispute is settled.

    A second decline stands here too (kind `decline`), as the receiver's word that opened the dispute.
    """

    __tablename__ = "proposals"
    __table_args__ = (
        one_of("kind", ("redirect", "settle", "decline")),
        one_of("decision", ("confirmed", "refused", "silence", "replaced")),
        Index("ix_proposals_deviation", "deviation_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    leg: Mapped[int]
    kind: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    reason: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None] = mapped_column(Text)


class SealedCopy(Base):
    """What a branch had been given and had written when a case left it. Read-only, for its registrar and safety."""

    __tablename__ = "sealed_copies"
    __table_args__ = (
        Index("ix_sealed_copies_branch", "branch_id", "sealed_at"),
        Index("ix_sealed_copies_deviation", "deviation_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    case_number: Mapped[str] = mapped_column(Text)
    left_how: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]
    sealed_at: Mapped[datetime]
    registry_number: Mapped[str | None] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Mask(Base):
    """A slip that was hidden, and where it stood. `field` is a path such as `description` or `answers.12.cause`."""

    __tablename__ = "masks"
    __table_args__ = (Index("ix_masks_deviation", "deviation_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    leg: Mapped[int]
    field: Mapped[str] = mapped_column(Text)
    masked_at: Mapped[datetime]
    # From when the slip could be read.
    text_since: Mapped[datetime]
    # The branches that had been given the text: their safety opens what it was, also when the case has left them.
    given_to: Mapped[list[int]] = mapped_column(ARRAY(Integer))


class MaskedOriginal(Base):
    """The words behind a mask: a row of its own, which opens to safety alone."""

    __tablename__ = "masked_originals"

    mask_id: Mapped[int] = mapped_column(ForeignKey("masks.id"), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    original: Mapped[str] = mapped_column(Text)


class Link(Base):
    """Two reports of the same event: once as event, twice as report."""

    __tablename__ = "links"
    __table_args__ = (CheckConstraint("one_id < other_id", name="order"), Index("ix_links_other", "other_id"))

    one_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"), primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    linked_at: Mapped[datetime]
