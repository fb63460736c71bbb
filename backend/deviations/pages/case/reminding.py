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


def shown(db: Session, me: Identity, deviation: Deviation) -> dict[str, Any] | None:
    """For each clock that runs whom it waits for and its steps in order, and in short what comes next of them all."""
    running = [one for one in told.running(db, deviation, clock.now()) if one.steps]
    if not running:
        return None
    ledger = queries.reminders(db, me, deviation)
    plans = [_plan(db, me, deviation, one, ledger) for one in running]
    return {"plans": plans, "hint": _hint(plans)}


def _plan(
    db: Session, me: Identity, deviation: Deviation, one: told.Running, ledger: queries.Ledger
) -> dict[str, Any]:
    today, ours = clock.today(), one.branch_id in me.branches
    # That somebody wants to be left in peace is for their own side to know.
    asked = told.quiet_of(db, deviation, one.branch_id) if ours else None
    rows: list[dict[str, Any]] = []
    for step in one.steps:
        entry = ledger.get((one.branch_id, one.kind, one.leg, one.started_at, step.name, step.role))
        past = step.on < today or entry is not None
        muted = not past and step.role in told.LEFT_IN_PEACE and told.is_quiet(asked, step.on)
        rows.append(
            {
                "on": step.on,
                "what": sentences.step_words(step.name, step.role),
                "past": past,
                "muted": muted,
                "became": sentences.step_became(entry)
                if entry is not None
                else _("skickas inte, avstängt av er")
                if muted
                else None,
            }
        )
    ahead = [row for row in rows if not row["past"]]
    return {
        "clock": sentences.clock_name(one.kind),
        "whom": _("Påminnelserna går till er.")
        if ours
        else _("Påminnelserna går till {unit}.").format(unit=_unit(deviation, one)),
        "rows": rows,
        "next": next((row for row in ahead if not row["muted"]), None),
        "ahead": bool(ahead),
        # What goes home by itself stands in no summary of what was never answered.
        "over": None
        if ahead
        else _("Alla påminnelser är gjorda. Ärendet står kvar i länets sammanställning.")
        if one.kind in clocks.RECEIVING
        else _("Alla påminnelser är gjorda."),
    }


def _hint(plans: list[dict[str, Any]]) -> str:
    """The nearest of what is to come; where several clocks run, of which it is."""
    coming = [plan for plan in plans if plan["next"]]
    if not coming:
        off = any(plan["ahead"] for plan in plans)
        return _("Påminnelserna är av") if off else _("Alla är gjorda")
    nearest = min(coming, key=lambda plan: plan["next"]["on"])
    day = text.short_date(nearest["next"]["on"])
    if len({plan["clock"] for plan in plans}) == 1:
        return _("Nästa {day}").format(day=day)
    return _("Nästa {day}, om {what}").format(day=day, what=nearest["clock"])


def _unit(deviation: Deviation, one: told.Running) -> str:
    sending = one.branch_id == deviation.sender_branch_id
    return deviation.sender_unit.name if sending else deviation.receiver_unit.name
