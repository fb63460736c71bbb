"""How cases are found again: the words of a case, what somebody searched for, named filters, and what was done to many
at once.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db import Base


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
