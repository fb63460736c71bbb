"""The sealed copy: what a party had been given and had written when a case left it. Received at an authority, it may
not vanish (tryckfrihetsförordningen 2 ch.); read-only, for the branch's registrar and safety.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock
from backend.deviations import queries
from backend.deviations.forms import DeclineForm
from backend.deviations.models import Deviation, EndedHow, Proposal, SealedCopy
from backend.directory.models import Unit

GIVEN = (
    "event_kind",
    "occurred_on",
    "discovered_on",
    "target_group",
    "legal_area",
    "severity",
    "description",
    "consequence_patient",
    "consequence_work",
    "immediate_action",
    "suggestion",
    "shared_reference",
)


def seal(
    db: Session, deviation: Deviation, left_how: EndedHow, parting: dict[str, Any] | None = None
) -> None:
    """Seal a copy for the branch that holds the case, before it leaves: the report, and all that was written on the
    branch's own run of legs, with the `parting` words by which it declines. Whoever makes it must still see that run:
    the holder, or the sender.
    """
    legs = [leg for leg in queries.handovers(db, deviation) if leg.position >= deviation.first_leg]
    own = {leg.position for leg in legs}
    content = {
        "report": {
            **{name: _plain(getattr(deviation, name)) for name in GIVEN},
            "category": deviation.category.label,
            "steering_document": deviation.steering_document.title if deviation.steering_document else None,
            "sender_unit": deviation.sender_unit.name,
            "sender_organisation": deviation.sender_branch.organisation.name,
            "sent_at": _plain(deviation.sent_at),
            "due_on": _plain(deviation.due_on),
        },
        "legs": [
            {
                "unit": leg.unit.name,
                "sent_at": _plain(leg.sent_at),
                "acknowledged_at": _plain(leg.acknowledged_at),
                "ended_at": _plain(leg.ended_at),
                "ended_how": leg.ended_how,
                "reason": leg.reason,
            }
            for leg in legs
        ],
        "events": [
            {
                "verb": item.verb,
                "at": _plain(item.at),
                "unit": item.unit,
                "profession": item.profession,
                "to_unit": item.to_unit,
                "automatic": item.automatic,
                "comment": item.comment,
            }
            for item in queries.happenings(db, deviation)
            if item.leg in own
        ],
        "questions": [
            {
                "text": item.text,
                "asked_at": _plain(item.asked_at),
                "reply": item.reply,
                "ended_at": _plain(item.ended_at),
            }
            for item in queries.questions(db, deviation)
            if item.leg in own
        ],
        "answers": [
            {
                **{
                    name: _plain(getattr(item, name))
                    for name in (
                        "answered_at",
                        "outcome",
                        "cause_areas",
                        "cause",
                        "consequence",
                        "patient_informed",
                        "no_action_reason",
                        "follow_up",
                        "verdict",
                        "verdict_comment",
                        "verdict_at",
                    )
                },
                "actions": [
                    {"kind": step.kind, "text": step.text, "owner": step.owner, "due_on": _plain(step.due_on)}
                    for step in item.actions
                ],
            }
            for item in queries.answers(db, deviation)
            if item.leg in own
        ],
        "proposals": [
            {
                "kind": item.kind,
                "own": item.branch_id == deviation.receiver_branch_id,
                "at": _plain(item.proposed_at),
                "unit": unit_name(db, item.unit_id),
                "reason": item.reason,
                "outcome": item.outcome,
                "comment": item.comment,
                "decision": item.decision,
                "decided_at": _plain(item.decided_at),
            }
            for item in db.scalars(
                select(Proposal).where(Proposal.deviation_id == deviation.id).order_by(Proposal.id)
            )
            if item.leg in own
        ],
        "identified": {
            "on": _plain(deviation.patient_identified_on),
            "how": deviation.patient_identified_how,
            "ground": deviation.patient_identified_ground,
        }
        if deviation.patient_identified_on
        else None,
        "delay": {"promised_on": _plain(deviation.delay_promised_on), "reason": deviation.delay_reason}
        if deviation.delay_promised_on
        else None,
        "declined": parting,
    }
    # Inline: it is not for whoever seals it to read it back.
    db.execute(
        insert(SealedCopy)
        .inline()
        .values(
            deviation_id=deviation.id,
            branch_id=deviation.receiver_branch_id,
            unit_id=deviation.receiver_unit_id,
            case_number=deviation.case_number,
            left_how=left_how,
            received_at=legs[0].sent_at,
            sealed_at=clock.now(),
            content=content,
        )
    )


def parting_words(db: Session, me: Identity, form: DeclineForm, suggested: Unit | None) -> dict[str, Any]:
    """The words by which a branch declines, as its copy keeps them."""
    return {
        "reason": form.reason,
        "comment": form.comment,
        "unit": unit_name(db, suggested.id) if suggested else None,
        "profession": me.profession,
    }


def unit_name(db: Session, unit_id: int | None) -> str | None:
    """A unit with its organisation, as one who reads it years later needs it."""
    unit = queries.unit_named(db, unit_id) if unit_id else None
    return f"{unit.name}, {unit.branch.organisation.name}" if unit else None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
