"""Whose calendar an address is, and what one has chosen to be left in peace from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import identity_in, token_hash
from backend.core import clock
from backend.core.errors import NotFoundError
from backend.deviations.models import CalendarFeed, Deviation, Handover, Side
from backend.deviations.rules import WAITS_FOR, visible_to
from backend.directory import queries as directory
from backend.directory.models import Person

SHOWN = 100


def reader_of(db: Session, token: str) -> Identity:
    """Whoever an address belongs to, as they act today in its branch. NotFoundError, as for an address that never was,
    once the person or the last of their assignments there has ended.
    """
    feed = db.scalar(
        select(CalendarFeed)
        .join(Person, Person.id == CalendarFeed.person_id)
        .where(CalendarFeed.token_hash == token_hash(token), directory.active(Person.ended_on))
    )
    me = identity_in(db, feed.person_id, "branch", feed.branch_id) if feed else None
    if me is None:
        raise NotFoundError
    return me


def calendar_feed(db: Session, me: Identity) -> CalendarFeed | None:
    """One's own in this branch, if it is open."""
    return db.scalar(
        select(CalendarFeed).where(
            CalendarFeed.person_id == me.person_id, CalendarFeed.branch_id.in_(me.branches)
        )
    )


@dataclass(frozen=True)
class Quiet:
    case_number: str
    until: date | None
    who: str


def quiet(db: Session, me: Identity) -> Sequence[Quiet]:
    """The cases that one's own side has asked to be left in peace from, of those this person sees, the soonest first."""
    rows = db.execute(
        select(Deviation.case_number, Side.quiet_until, Person.title)
        .join(Side, Side.deviation_id == Deviation.id)
        .join(Person, Person.id == Side.quiet_by_id)
        .where(
            visible_to(me),
            Side.branch_id.in_(me.branches),
            Side.quiet_at.is_not(None),
            # Not what was asked for on an earlier leg of the route.
            ~exists().where(
                Handover.deviation_id == Deviation.id,
                Handover.branch_id == Side.branch_id,
                Handover.branch_id == Deviation.receiver_branch_id,
                Handover.ended_at.is_(None),
                Handover.sent_at > Side.quiet_at,
            ),
            (Side.quiet_until.is_(None)) | (Side.quiet_until > clock.today()),
            Deviation.state.in_(sorted(WAITS_FOR)),
        )
        .order_by(Side.quiet_until.asc().nulls_last(), Deviation.id)
        .limit(SHOWN)
    )
    return [Quiet(*row) for row in rows]
