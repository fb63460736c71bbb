"""The access log: who did or read what, as whom, and when. Rows are added, never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Identity, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db import Base


class AuditEntry(Base):
    """`cases` holds the numbers of every case the page showed. No foreign keys: a log outlives what it tells of."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_branch", "branch_id", "at"),
        Index("ix_audit_log_person", "person_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int | None]
    session_id: Mapped[int | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    branch_id: Mapped[int | None]
    cases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
