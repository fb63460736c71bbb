"""Answering anew, when an answer was sent back or the case opened again: why, and what was answered before."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from backend.core import clock
from backend.core.text import gettext as _
from backend.deviations import queries
from backend.deviations.models import Answer, Deviation, VerdictKind


def why(db: Session, deviation: Deviation, given: Sequence[Answer]) -> dict[str, Any] | None:
    """What the answer before lacked, or who opened the case again and why; None for a first answer."""
    if not given:
        return None
    latest, reopened_at = given[-1], deviation.reopened_at
    if reopened_at is not None and latest.answered_at < reopened_at:
        event = queries.latest_event(db, deviation, "reopen")
        if event is None:
            return None
        return {
            "title": _("{unit} har öppnat ärendet igen").format(unit=event.unit.name),
            "comment": event.comment,
        }
    if latest.verdict != VerdictKind.RETURNED:
        return None
    return {"title": _("Avsändaren behöver mer"), "comment": latest.verdict_comment}


def begun_from(answer: Answer) -> dict[str, list[str]]:
    """The fields of an answer as its form has them. What has been masked in it is not there to come back, and a day
    that has passed since is not promised again.
    """
    today = clock.today()
    plain = {
        "outcome": answer.outcome,
        "cause": answer.cause,
        "consequence": answer.consequence,
        "no_action_reason": answer.no_action_reason,
        "follow_up": answer.follow_up,
        "patient_informed": {True: "true", False: "false", None: None}[answer.patient_informed],
    }
    return {
        **{name: [value] for name, value in plain.items() if value},
        "cause_areas": list(answer.cause_areas),
        "actions": [one.text for one in answer.actions],
        "actions_owner": [one.owner or "" for one in answer.actions],
        "actions_due_on": [
            one.due_on.isoformat() if one.due_on and one.due_on >= today else "" for one in answer.actions
        ],
    }
