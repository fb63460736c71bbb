"""How a case is reminded of: the coming and past steps of the clocks that run, as both sides may read them.

Both sides read the same dates and roles. Whether a step was sent is read from the ledger, which the walls narrow to
one's own branch, so the other side's is never told.
"""

from typing import Any

from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock, text
from backend.core.text import gettext as _
from backend.deviations import clocks, queries, sentences
from backend.deviations.models import Deviation
from backend.deviations.queries import told


def shown(db: Session, me: Identity, deviation: Deviation) -> list[dict[str, Any]]:
    """For each clock that runs: whom it waits for, and its steps in order."""
    running = told.running(db, deviation, clock.now())
    ledger = queries.reminders(db, me, deviation) if running else {}
    return [_plan(me, deviation, one, ledger) for one in running if one.steps]


def _plan(me: Identity, deviation: Deviation, one: told.Running, ledger: queries.Ledger) -> dict[str, Any]:
    today, ours = clock.today(), one.branch_id in me.branches
    rows: list[dict[str, Any]] = []
    for step in one.steps:
        entry = ledger.get((one.branch_id, one.kind, one.leg, one.started_at, step.name, step.role))
        rows.append(
            {
                "on": step.on,
                "what": sentences.step_words(step.name, step.role),
                "past": step.on < today or entry is not None,
                "became": sentences.step_became(entry) if entry is not None else None,
            }
        )
    ahead = next((row for row in rows if not row["past"]), None)
    return {
        "clock": sentences.clock_name(one.kind),
        "whom": _("Påminnelserna går till er.")
        if ours
        else _("Påminnelserna går till {unit}.").format(unit=_unit(deviation, one)),
        "rows": rows,
        "next": ahead,
        "hint": _("Nästa {day}").format(day=text.short_date(ahead["on"])) if ahead else _("Alla är gjorda"),
        # What goes home by itself stands in no summary of what was never answered.
        "over": None
        if ahead
        else _("Alla påminnelser är gjorda. Ärendet står kvar i länets sammanställning.")
        if one.kind in clocks.RECEIVING
        else _("Alla påminnelser är gjorda."),
    }


def _unit(deviation: Deviation, one: told.Running) -> str:
    sending = one.branch_id == deviation.sender_branch_id
    return deviation.sender_unit.name if sending else deviation.receiver_unit.name
