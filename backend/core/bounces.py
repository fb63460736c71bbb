"""Mail that did not arrive: which address, when, and how final it was. Never what the mail said.

A row is written when a mail server refuses a recipient, and when a delivery report comes back. That a server takes a
mail proves little, since the refusal may come later, from another server: an address counts as sound again once a
mail to it has been taken and a week has passed with nothing coming back (`QUIET`).
"""

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, Identity, Index, Interval, Text, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.core import clock
from backend.core.db import Base

Source = Literal["smtp", "mailbox"]

QUIET = timedelta(days=7)
KEPT = timedelta(days=365)
# Of this many final refusals in a row, an address is taken not to be reachable.
ENOUGH = 3

_SOURCES = ", ".join(f"'{source}'" for source in get_args(Source))
_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}")


class Bounce(Base):
    """`status` as in RFC 3463: 5.x.x is final, 4.x.x was given up in the end. `digest` is of the mail it tells of, so
    that the same refusal is written once however often it is met. `accepted_at` is when a server next took a mail to
    the address.
    """

    __tablename__ = "bounces"
    __table_args__ = (
        CheckConstraint(f"source in ({_SOURCES})", name="source"),
        CheckConstraint(r"status ~ '^[45]\.\d{1,3}\.\d{1,3}$'", name="status"),
        Index("ix_bounces_address", "address", "at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    address: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    status: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text, unique=True)
    accepted_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Run:
    """The bounces of an address since it was last known to be sound; `final` counts those of class 5."""

    address: str
    count: int
    final: int
    began: datetime
    latest: datetime

    @property
    def unreachable(self) -> bool:
        return self.final >= ENOUGH


def record(db: Session, source: Source, mail: str, failed: Iterable[tuple[str, str]]) -> int:
    """Note the addresses that a mail did not reach, each with its status. `mail` tells which mail it was.

    Gives how many were new. A status that is none, or of no class of failure, is taken as 5.0.0.
    """
    rows = [
        {
            "address": address.strip().lower(),
            "at": clock.now(),
            "status": status if _STATUS.fullmatch(status) else "5.0.0",
            "source": source,
            "digest": hashlib.sha256("\n".join((source, mail, address.strip().lower())).encode()).hexdigest(),
        }
        for address, status in failed
    ]
    if not rows:
        return 0
    new = insert(Bounce).on_conflict_do_nothing(index_elements=["digest"]).returning(Bounce.id)
    return len(db.scalars(new.values(rows)).all())


def taken(db: Session, addresses: Iterable[str]) -> None:
    """A server has taken a mail to these: for those that have bounced, the quiet week begins."""
    whose = [address.strip().lower() for address in addresses]
    db.execute(
        update(Bounce)
        .where(Bounce.address.in_(whose), Bounce.accepted_at.is_(None))
        .values(accepted_at=clock.now())
    )


def runs(db: Session, addresses: Collection[str] | None = None) -> dict[str, Run]:
    """By address, those that have bounced since they were last known to be sound. One query."""
    following = func.lead(Bounce.at, 1, clock.now()).over(partition_by=Bounce.address, order_by=Bounce.at)
    listed = select(
        Bounce.address, Bounce.at, Bounce.status, Bounce.accepted_at, following.label("following")
    )
    if addresses is not None:
        listed = listed.where(Bounce.address.in_(addresses))
    met = listed.subquery()
    sound = func.max(met.c.at).filter(met.c.accepted_at + literal(QUIET, Interval()) <= met.c.following)
    last = select(met.c.address, sound.label("at")).group_by(met.c.address).subquery()
    rows = db.execute(
        select(
            met.c.address,
            func.count(),
            func.count().filter(met.c.status.startswith("5")),
            func.min(met.c.at),
            func.max(met.c.at),
        )
        .join(last, last.c.address == met.c.address)
        .where(met.c.at > func.coalesce(last.c.at, datetime.min.replace(tzinfo=clock.now().tzinfo)))
        .group_by(met.c.address)
    )
    return {row[0]: Run(*row) for row in rows}


def forget(db: Session, address: str) -> None:
    """Somebody says that mail to the address reaches them: what came back before is past."""
    db.execute(delete(Bounce).where(Bounce.address == address))


def forget_old(db: Session) -> None:
    """What is older than a year says nothing of an address any more."""
    db.execute(delete(Bounce).where(Bounce.at < clock.now() - KEPT))
