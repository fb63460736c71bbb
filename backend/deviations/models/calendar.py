"""The calendars that people subscribe to: what waits for them, by day."""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, LargeBinary
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db import Base


class CalendarFeed(Base):
    """A secret address that gives one person's days in one branch. Only a hash of it is kept; a new address takes the
    place of the old one, which then leads nowhere.
    """

    __tablename__ = "calendar_feeds"
    __table_args__ = (Unique("person_id", "branch_id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_at: Mapped[datetime]
