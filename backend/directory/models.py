"""Who exists: counties, organisations, their branches and units, people and their assignments.

The branch is the secrecy circle: the root of a unit tree under its own board, with its own intake.
"""

import re
from datetime import date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Text,
    false,
)
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.access import Role
from backend.core.db import Base

HSA_ID = re.compile(r"SE\d{10}-[A-Z0-9]{1,18}", re.ASCII)
"""`SE`, ten digits, a dash, capitals and digits: at most 31 characters. No check digit is demanded."""

ORGANISATION_KINDS = ("region", "municipality", "private_provider", "external", "other")
CARE_LEVELS = (
    "inpatient",
    "psychiatry",
    "primary_care",
    "home_nursing",
    "home_care",
    "residential_care",
    "rehabilitation",
    "social_services",
    "school_health",
    "ambulance",
    "other",
)
TARGET_GROUPS = ("children_youth", "adults", "older")
GROUP_KINDS = ("steering", "collaboration", "network", "managers")


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """Text with a check instead of a native enum: an enum's `=` loses its index under row-level security."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


class County(Base):
    __tablename__ = "counties"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)


class Organisation(Base):
    __tablename__ = "organisations"
    __table_args__ = (one_of("kind", ORGANISATION_KINDS),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("counties.id"), index=True)
    hsa_id: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    ended_on: Mapped[date | None]

    county: Mapped[County] = relationship()


class Branch(Base):
    __tablename__ = "branches"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    hsa_id: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    review_before_sending: Mapped[bool] = mapped_column(default=False, server_default=false())
    approve_answers: Mapped[bool] = mapped_column(default=False, server_default=false())

    organisation: Mapped[Organisation] = relationship()


class Unit(Base):
    """A unit of a branch. `path` holds the ids from the root down to the unit itself.

    Of a unit that has ended, `successor_id` names the one that took over what was left there.
    """

    __tablename__ = "units"
    __table_args__ = (
        one_of("care_level", CARE_LEVELS),
        Unique("id", "branch_id"),
        # A unit's parent is of the same branch: a tree never crosses a secrecy circle.
        ForeignKeyConstraint(
            ["parent_id", "branch_id"], ["units.id", "units.branch_id"], name="fk_units_parent"
        ),
        ForeignKeyConstraint(
            ["successor_id", "branch_id"], ["units.id", "units.branch_id"], name="fk_units_successor"
        ),
        Index("uq_units_intake", "branch_id", unique=True, postgresql_where="intake and ended_on is null"),
        Index("ix_units_path", "path", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"), index=True)
    parent_id: Mapped[int | None]
    hsa_id: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    care_level: Mapped[str] = mapped_column(Text)
    intake: Mapped[bool]
    commissioned_by_id: Mapped[int | None] = mapped_column(ForeignKey("branches.id"))
    path: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    telephone: Mapped[str | None] = mapped_column(Text)
    ended_on: Mapped[date | None]
    successor_id: Mapped[int | None]

    branch: Mapped[Branch] = relationship(foreign_keys=[branch_id])


UnitChangeKind = Literal["added", "changed", "moved", "ended", "merged", "reopened", "intake"]


class UnitChange(Base):
    """What was done to a unit, by whom (nobody where a file was read in), and what it changed."""

    __tablename__ = "unit_changes"
    __table_args__ = (one_of("what", get_args(UnitChangeKind)),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    what: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Group(Base):
    __tablename__ = "groups"
    __table_args__ = (one_of("kind", GROUP_KINDS), Unique("county_id", "code"))

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("counties.id"))
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    target_groups: Mapped[list[str]] = mapped_column(ARRAY(Text))


class Person(Base):
    """Someone who can log in. `title` is what colleagues read: profession, then unit."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    ended_on: Mapped[date | None]
    # When this person last said that mail to the address reaches them.
    address_confirmed_at: Mapped[datetime | None]

    assignments: Mapped[list["Assignment"]] = relationship(back_populates="person")

    @property
    def profession(self) -> str:
        """What the other party may know of a person: a profession, never a name."""
        return self.title.partition(",")[0]


class Assignment(Base):
    """A role over one scope, between two dates, both included."""

    __tablename__ = "assignments"
    __table_args__ = (
        one_of("role", tuple(Role)),
        CheckConstraint(
            "num_nonnulls(unit_id, branch_id, organisation_id, county_id, group_id) = 1", name="one_scope"
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    role: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    branch_id: Mapped[int | None] = mapped_column(ForeignKey("branches.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    county_id: Mapped[int | None] = mapped_column(ForeignKey("counties.id"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    person: Mapped[Person] = relationship(back_populates="assignments")
    unit: Mapped[Unit | None] = relationship()


class Substitute(Base):
    """Who stands in for somebody in one branch, between two dates, both included."""

    __tablename__ = "substitutes"
    __table_args__ = (CheckConstraint("person_id <> substitute_id", name="another"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    substitute_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    made_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class EscalationContact(Base):
    """Who is told last of all when a case is not answered, by the organisation's own choice, in its order."""

    __tablename__ = "escalation_contacts"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)
    position: Mapped[int]
