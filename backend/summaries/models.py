"""The frozen month: what was counted for a county, when, and up to which moment."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Identity, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db import Base


class Snapshot(Base):
    """Handling figures of one month. Never changed: if history is imported later, a new issue is made."""

    __tablename__ = "snapshots"
    __table_args__ = (Unique("county_id", "month", "issue"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("counties.id"))
    month: Mapped[date]
    issue: Mapped[int]
    cut_off: Mapped[datetime]
    made_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
