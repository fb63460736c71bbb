"""The sealed copy: what a party had been given and had written when a case left it. Received at an authority, it may
not vanish (tryckfrihetsförordningen 2 ch.); read-only, for the branch's registrar and safety.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.core import clock
from backend.deviations import queries
from backend.deviations.models import Deviation, EndedHow, Proposal, SealedCopy

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
    db: Session, deviation: Deviation, left_how: EndedHow, parting: tuple[str, str] | None = None
) -> None:
    """Seal a copy for the branch that holds the case, before it leaves: the report, and all that was written on the
    branch's own run of legs, with the `parting` reason and words by which it declines. Whoever makes it must still
    see that run: the holder, or the sender.
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
            }
            for leg in legs
        ],
        "events": [
            {
                "verb": item.verb,
                "at": _plain(item.at),
                "unit": item.unit,
                "profession": item.profession,
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
                    )
                },
                "actions": [
                    {"text": step.text, "owner": step.owner, "due_on": _plain(step.due_on)}
                    for step in item.actions
                ],
            }
            for item in queries.answers(db, deviation)
            if item.leg in own
        ],
        "proposals": [
            {
                "kind": item.kind,
                "at": _plain(item.proposed_at),
                "outcome": item.outcome,
                "comment": item.comment,
                "decision": item.decision,
            }
            for item in db.scalars(
                select(Proposal).where(Proposal.deviation_id == deviation.id).order_by(Proposal.id)
            )
            if item.leg in own
        ],
        "declined": {"reason": parting[0], "comment": parting[1]} if parting else None,
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


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
