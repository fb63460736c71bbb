"""What the parties of a county have agreed: times, calendar, and the words a deviation is sorted by.

An agreement is versioned, and its version is frozen on a case when that is sent. What a branch has settled for
itself, its routing rules, stands here too, since those who report to it read them.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.core.db import Base
from backend.directory.models import CARE_LEVELS, TARGET_GROUPS, Person, Unit, one_of


class Agreement(Base):
    """One version of a county's agreement on handling. `terms` are those of `deviations.clocks.Terms`.

    Never rewritten. One that is withdrawn before its first day never counts.
    """

    __tablename__ = "agreements"
    __table_args__ = (
        Unique("county_id", "version"),
        CheckConstraint("(withdrawn_at is null) = (withdrawn_by_id is null)", name="withdrawn"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("counties.id"))
    version: Mapped[int]
    valid_from: Mapped[date]
    terms: Mapped[dict[str, object]] = mapped_column(JSONB)
    # Nobody made the first version: it holds the default terms.
    made_at: Mapped[datetime | None]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))

    maker: Mapped[Person | None] = relationship(foreign_keys=[made_by_id])


class CalendarCheck(Base):
    """That a county's coordinators were asked to look at a year's days off, and who did."""

    __tablename__ = "calendar_checks"
    __table_args__ = (CheckConstraint("(checked_at is null) = (checked_by_id is null)", name="checked"),)

    county_id: Mapped[int] = mapped_column(ForeignKey("counties.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    asked_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    checked_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Category(Base):
    __tablename__ = "categories"
    __table_args__ = (Unique("county_id", "code"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("counties.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    code: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    label_en: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    ended_on: Mapped[date | None]


class SteeringDocument(Base):
    __tablename__ = "steering_documents"
    __table_args__ = (Unique("county_id", "code"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("counties.id"))
    code: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    ended_on: Mapped[date | None]


class RoutingRule(Base):
    """Where a branch wants what is sent to it to go: the unit for a category, a target group, a care level of the
    sending unit, or several of them at once. Nothing named is everything. Ended, never rewritten.
    """

    __tablename__ = "routing_rules"
    __table_args__ = (
        one_of("target_group", TARGET_GROUPS),
        one_of("care_level", CARE_LEVELS),
        CheckConstraint("num_nonnulls(category_id, target_group, care_level) > 0", name="says_when"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        ForeignKeyConstraint(
            ["unit_id", "branch_id"], ["units.id", "units.branch_id"], name="fk_routing_rules_unit"
        ),
        Index("ix_routing_rules_branch", "branch_id", "ended_at"),
        # Two living rules that say the same "when" could only contradict each other.
        Index(
            "uq_routing_rules_when",
            "branch_id",
            "category_id",
            "target_group",
            "care_level",
            unique=True,
            postgresql_where="ended_at is null",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    target_group: Mapped[str | None] = mapped_column(Text)
    care_level: Mapped[str | None] = mapped_column(Text)
    unit_id: Mapped[int]
    # Of rules that say equally much, the lowest goes first.
    position: Mapped[int]
    made_at: Mapped[datetime]
    made_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))

    category: Mapped[Category | None] = relationship()
    unit: Mapped[Unit] = relationship()
    maker: Mapped[Person] = relationship(foreign_keys=[made_by])
