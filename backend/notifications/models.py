"""What is owed to people: the ledger of reminders, and what each person is to be told.

A case is named by its id and nothing else of it stands here.
"""

import uuid
from datetime import datetime, time
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db import Base
from backend.directory.models import one_of

DIGEST_AT = time(8, 15)


class Arrivals(StrEnum):
    """How a person wants news: as it comes, within the hours of work, or once a day."""

    AT_ONCE = "at_once"
    DIGEST = "digest"


class NotificationChoice(Base):
    """What a person has chosen; without a row, the default."""

    __tablename__ = "notification_choices"
    __table_args__ = (one_of("arrivals", tuple(Arrivals)),)

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    digest_at: Mapped[time] = mapped_column(default=DIGEST_AT)
    arrivals: Mapped[str] = mapped_column(Text, default=Arrivals.AT_ONCE)


class Reminder(Base):
    """One step of one clock that has come: once for each role of each party that it waits for. The clock is known by its
    kind, leg and start.
    """

    __tablename__ = "reminders"
    __table_args__ = (
        Unique(
            "deviation_id",
            "branch_id",
            "clock",
            "leg",
            "started_at",
            "step",
            "role",
            name="uq_reminders_step",
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviations.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    clock: Mapped[str] = mapped_column(Text)
    leg: Mapped[int]
    started_at: Mapped[datetime]
    step: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    planned_at: Mapped[datetime]
    made_at: Mapped[datetime]
    # Why it went to nobody, where it did not: a later step of the same role came at once, it was muted, there was no one.
    outcome: Mapped[str | None] = mapped_column(Text)


class Notice(Base):
    """One thing one person is to be told: a line of a letter. `letter_id` is the debt in the outbox it went out with."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_waiting", "person_id", "branch_id", "due_at", postgresql_where="ended_at is null"),
        Index("ix_notices_letter", "letter_id"),
        Index("ix_notices_deviation", "deviation_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    deviation_id: Mapped[int | None] = mapped_column(ForeignKey("deviations.id"))
    reminder_id: Mapped[int | None] = mapped_column(ForeignKey("reminders.id"))
    # A report that is not sent yet, where it is about one.
    submission: Mapped[uuid.UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime]
    made_at: Mapped[datetime]
    letter_id: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(Text)
