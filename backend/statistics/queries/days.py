"""How long cases have lain with a branch, and with each party that it works with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core.text import sort_key
from backend.deviations.models import Deviation, Handover
from backend.directory.models import Branch, Organisation
from backend.statistics.definitions import BESIDE, Standing, legs, without_login
from backend.statistics.queries.answers import sent_in


@dataclass(frozen=True)
class Held:
    """The days charged for the cases between a branch and one party, and how many of them were sent on.

    `with_us` is of those that came from it; of those we sent to it, `with_them` while it held them and `back_with_us`
    while they lay declined with us. Whatever became of a case when it had left somebody adds nothing to what that one
    is told.
    """

    name: str
    with_us: int = 0
    with_them: int = 0
    back_with_us: int = 0
    sent_on_by_us: int = 0
    sent_on_by_them: int = 0

    def __add__(self, other: "Held") -> "Held":
        numbers = [getattr(self, f.name) + getattr(other, f.name) for f in fields(Held)[1:]]
        return Held(self.name, *numbers)


def held(
    db: Session,
    me: Identity,
    first: date,
    last: date,
    as_of: datetime,
    stayed: Mapping[tuple[bool, int], int],
) -> tuple[Held, list[Held]]:
    """All of it, and by the party it is between, in alphabetical order. Of cases sent in the months asked for; `stayed` are
    the days of those that never left whom they were sent to, from the overview of the same months.

    Run in the scope `COUNTER`, since a branch no longer sees a case that has left it: its own legs, and those of what it
    sent, which it sees on each case.
    """
    ours = Deviation.sender_branch_id.in_(me.branches)
    been_here = select(Handover.deviation_id).where(Handover.branch_id.in_(me.branches))
    leg = legs(as_of, sent_in(first, last), or_(ours, Deviation.id.in_(been_here))).c
    incoming = leg.branch_id.in_(me.branches)
    # That a party without a login got it later is nothing that who let it go before is told.
    good_or_from_outside = or_(
        leg.standing == Standing.GOOD_EXAMPLE, leg.sender_branch_id.in_(without_login())
    )
    route = (
        select(
            incoming.label("incoming"),
            case((incoming, leg.sender_branch_id), else_=leg.branch_id).label("counterpart"),
            case((incoming, good_or_from_outside), else_=leg.standing.in_(BESIDE)).label("beside"),
            *(leg.days, leg.days_with_sender, leg.deviation_id, leg.redirected),
        )
        .where(or_(incoming, leg.sender_branch_id.in_(me.branches)))
        .subquery()
        .c
    )
    rows = db.execute(
        select(
            route.incoming,
            Branch.organisation_id,
            func.coalesce(func.sum(route.days).filter(~route.beside), 0),
            func.coalesce(func.sum(route.days_with_sender).filter(~route.beside), 0),
            func.count(route.deviation_id.distinct()).filter(route.redirected),
        )
        .join(Branch, Branch.id == route.counterpart)
        # And of all parties, since two of them may have sent on the same case.
        .group_by(func.grouping_sets(tuple_(route.incoming, Branch.organisation_id), tuple_(route.incoming)))
    ).all()

    party_of = dict(db.execute(select(Branch.id, Branch.organisation_id)).all())
    names = dict(db.execute(select(Organisation.id, Organisation.name)).all())
    found: dict[int, Held] = {}
    sent_on = {True: 0, False: 0}
    never_left = [(came, party_of[branch_id], days, 0, 0) for (came, branch_id), days in stayed.items()]
    for came, party, days, back, redirected in [*never_left, *rows]:
        if party is None:
            sent_on[came] = redirected
            continue
        name = names[party]
        more = (
            Held(name, with_us=days, sent_on_by_us=redirected)
            if came
            else Held(name, with_them=days, back_with_us=back, sent_on_by_them=redirected)
        )
        found[party] = found[party] + more if party in found else more
    by_party = sorted(found.values(), key=lambda one: sort_key(one.name))
    return _total(by_party, sent_on_by_us=sent_on[True], sent_on_by_them=sent_on[False]), by_party


def _total(by_party: Iterable[Held], **sent_on: Any) -> Held:
    whole = sum(by_party, Held(""))
    return Held("", whole.with_us, whole.with_them, whole.back_with_us, **sent_on)
