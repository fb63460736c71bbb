"""What a branch keeps to itself about a case, and those of its people who work on it together."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db import Base
from backend.directory.models import one_of

LAWS = ("lex_maria", "lex_sarah")


class Side(Base):
    """One branch's own view of a case: who reported, who handles, its references, its judgement of the risk."""

    __tablename__ = "sides"
    __table_args__ = (
        CheckConstraint("severity between 1 and 4", name="severity"),
        CheckConstraint("probability between 1 and 4", name="probability"),
        Index("ix_sides_reporter", "reporter_id"),
        Index("ix_sides_handler", "handler_id"),
    )

    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"), primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"), primary_key=True)
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reference: Mapped[str | None] = mapped_column(Text)
    handler_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    registry_number: Mapped[str | None] = mapped_column(Text)
    # One's own judgement; where there is none, the reporter's severity counts.
    severity: Mapped[int | None]
    probability: Mapped[int | None]
    # Who among those who handle cases opened it last: they are reminded, and the others left in peace.
    opened_at: Mapped[datetime | None]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    # No reminders to those who handle it, until that day or until further notice. It is still raised to others.
    quiet_at: Mapped[datetime | None]
    quiet_until: Mapped[date | None]
    quiet_reason: Mapped[str | None] = mapped_column(Text)
    quiet_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Note(Base):
    """An internal note. `mentioned` are people of the branch who were told of it."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_deviation", "deviation_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    text: Mapped[str] = mapped_column(Text)
    mentioned: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    written_at: Mapped[datetime]


class CoInvestigator(Base):
    """A person invited to one case, whatever else they may see."""

    __tablename__ = "co_investigators"
    __table_args__ = (Index("ix_co_investigators_person", "person_id", postgresql_where="ended_at is null"),)

    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"), primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    invited_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    invited_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class AnswerDraft(Base):
    """The answer a branch is writing, shared by those who write it. `revision` tells when another has saved since."""

    __tablename__ = "answer_drafts"

    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"), primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    typed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    revision: Mapped[int]
    saved_at: Mapped[datetime]
    for_approval_at: Mapped[datetime | None]


class RiskFlag(Base):
    """Lex Maria or lex Sarah may apply: raised for one's own side, taken over by someone named by function.

    Recorded here, never reported from here.
    """

    __tablename__ = "risk_flags"
    __table_args__ = (one_of("law", LAWS), Unique("deviation_id", "branch_id", "law"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    law: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime]
    raised_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    comment: Mapped[str | None] = mapped_column(Text)
    taken_over_by: Mapped[str | None] = mapped_column(Text)
    taken_over_at: Mapped[datetime | None]


class Draft(Base):
    """A report not yet sent: only its writer sees it, and a manager once it is handed over for review. `typed` is the form as it stands, half filled or wrong."""

    __tablename__ = "drafts"

    submission: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    typed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    saved_at: Mapped[datetime]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    for_review_at: Mapped[datetime | None]
    # Why the manager gave it back.
    returned_comment: Mapped[str | None] = mapped_column(Text)
