"""Once a day: owing what should be owed and is not. There is nothing, unless something has gone wrong or been dropped."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from backend.core import clock, jobs
from backend.core.db import COUNTER, NOBODY, unit_of_work
from backend.deviations import queries, rules
from backend.deviations.actions.chasing import CHASE
from backend.deviations.actions.moving import HOME
from backend.deviations.actions.succession import FOLLOW, OVER
from backend.deviations.models import Deviation

_WAITS = Deviation.next_due_on.is_not(None) & Deviation.resting.is_(False)
_CASE = select(Deviation.id, Deviation.revision, Deviation.receiver_branch_id)


def look_after() -> str:
    """Owe a look at every case that waits, the way home of those whose day has passed, and the way to the successor of
    those that lie at a unit that has ended. Gives how many of each.
    """
    past = Deviation.state.in_(sorted(rules.HOMES)) & (Deviation.next_due_on < clock.today())
    with unit_of_work(COUNTER) as db:
        waiting = db.execute(_CASE.where(_WAITS)).all()
        staying = db.execute(_CASE.where(_WAITS, past)).all()
        stranded = queries.stranded(db, OVER)
    found = _owe_missing(CHASE, "chase", waiting), _owe_missing(HOME, "home", staying)
    with unit_of_work(NOBODY) as db:
        for unit_id, branch_id in stranded:
            key = f"follow:{unit_id}:found:{clock.today()}"
            jobs.owe(db, FOLLOW, subject_id=unit_id, branch_id=branch_id, key=key)
    return f"found {found[0]}, {found[1]}, {len(stranded)}"


def _owe_missing(kind: str, word: str, cases: Sequence[Any]) -> int:
    with unit_of_work(NOBODY) as db:
        coming = jobs.subjects(db, kind)
        missing = [row for row in cases if row[0] not in coming]
        for case_id, revision, branch_id in missing:
            key = f"{word}:{case_id}:{revision}:found:{clock.today()}"
            jobs.owe(db, kind, subject_id=case_id, branch_id=branch_id, key=key)
    return len(missing)
