"""How many of a unit's latest cases have gone unanswered in a row: the sign of a box that nobody reads."""

from collections.abc import Collection

from sqlalchemy import or_, select, true
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock
from backend.deviations.models import Deviation, State
from backend.deviations.rules import visible_to
from backend.directory.models import Unit

# More in a row than this says nothing more.
MOST = 20
# Whoever waits in these is the sender, or both.
ASIDE = (State.WITHDRAWN, State.DECLINED, State.QUESTION, State.REDIRECT_PROPOSED, State.DISPUTED)


def unanswered_streaks(db: Session, me: Identity, unit_ids: Collection[int]) -> dict[int, int]:
    """By unit, how many of the latest cases in a row, by when they were sent, are past their due date without any
    answer; units without such are left out. An answer ends the row, a late one too: somebody reads.

    Counts what this person may see, and no case is opened by it. One query.
    """
    units = select(Unit.id).where(Unit.id.in_(unit_ids)).subquery()
    latest = (
        select(Deviation.answered_at, Deviation.sent_at)
        .where(
            Deviation.receiver_unit_id == units.c.id,
            visible_to(me),
            Deviation.state.not_in(ASIDE),
            ~Deviation.resting,
            or_(Deviation.answered_at.is_not(None), Deviation.due_on < clock.today()),
        )
        .order_by(Deviation.sent_at.desc())
        .limit(MOST)
        .lateral()
    )
    found: dict[int, int] = {}
    over = set()
    rows = db.execute(
        select(units.c.id, latest.c.answered_at)
        .join(latest, true())
        .order_by(units.c.id, latest.c.sent_at.desc())
    )
    for unit_id, answered_at in rows:
        if answered_at is not None:
            over.add(unit_id)
        elif unit_id not in over:
            found[unit_id] = found.get(unit_id, 0) + 1
    return found
