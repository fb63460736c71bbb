"""What the parties of a county have agreed: times, calendar, and the words a deviation is sorted by.

An agreement is versioned, and its version is frozen on a case when that is sent.
"""

from datetime import date

from sqlalchemy import ForeignKey, Identity, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db import Base


class Agreement(Base):
    """One version of a county's agreement on handling. `terms` are those of `deviations.clocks.Terms`."""

    __tablename__ = "agreements"
    __table_args__ = (Unique("county_id", "version"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("counties.id"))
    version: Mapped[int]
    valid_from: Mapped[date]
    terms: Mapped[dict[str, object]] = mapped_column(JSONB)


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
