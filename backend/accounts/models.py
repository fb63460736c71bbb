"""Logging in: what is known of a password, which sessions live, and how often someone has guessed."""

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import ForeignKey, Identity, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db import Base
from backend.directory.models import one_of


class Password(Base):
    __tablename__ = "passwords"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime]


class LoginSession(Base):
    """A person at a screen. Only a hash of the cookie is kept; the assignment chosen stands in `place*`,
    and `several` says whether there was a choice."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    place: Mapped[str | None] = mapped_column(Text)
    place_id: Mapped[int | None]
    several: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class LoginFailure(Base):
    """A guess that was wrong, under keyed hashes: the log of guesses must not list who works here."""

    __tablename__ = "login_failures"
    __table_args__ = (
        Index("ix_login_failures_account", "account", "at"),
        Index("ix_login_failures_network", "network", "at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account: Mapped[bytes] = mapped_column(LargeBinary)
    network: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]


Purpose = Literal["invitation", "reset"]


class OneTimeLink(Base):
    """A way in by mail, once. The token itself is nowhere: it is worked out from the salt and the installation's
    secret when the mail is written, and what is kept is its hash. Without a person it belongs to an address
    that nobody has, and opens nothing.
    """

    __tablename__ = "one_time_links"
    __table_args__ = (one_of("purpose", get_args(Purpose)),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    purpose: Mapped[str] = mapped_column(Text)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
