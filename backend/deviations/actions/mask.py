"""Hiding a slip: a name or a number that should never have been written."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, cast

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.core import clock
from backend.core.db import reaching
from backend.core.errors import Fault, InvalidError
from backend.core.text import gettext as _
from backend.deviations import queries, rules, searching
from backend.deviations.actions.moving import forbidden, lock, note_change, tell
from backend.deviations.forms import MaskForm
from backend.deviations.hiding import HIDDEN, hide, hide_deep, wherever
from backend.deviations.models import (
    Answer,
    AnswerAction,
    AnswerDraft,
    Deviation,
    Event,
    Handover,
    Mask,
    MaskedOriginal,
    Note,
    Proposal,
    Question,
    RiskFlag,
    SealedCopy,
    Side,
)

# The texts of a case, by the first step of their path. Both parties' notes and drafts too: a slip is copied.
TEXTS: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "answers": (
        Answer,
        ("cause", "consequence", "no_action_reason", "follow_up", "verdict_comment"),
    ),
    "actions": (AnswerAction, ("text", "owner", "kind")),
    "events": (Event, ("comment",)),
    "questions": (Question, ("text", "reply")),
    "proposals": (Proposal, ("comment",)),
    "notes": (Note, ("text",)),
    "risk_flags": (RiskFlag, ("comment", "taken_over_by")),
}
REPORT = (
    "description",
    "consequence_patient",
    "consequence_work",
    "immediate_action",
    "suggestion",
    "shared_reference",
    "delay_reason",
)
# What a branch keeps for itself of a case, beside its notes and flags: why somebody wants no reminders, its reference.
OF_A_SIDE = ("quiet_reason", "reference")
# From when a text could be read, where that is another moment than that of the row it stands in.
WRITTEN = {
    "reply": "ended_at",
    "verdict_comment": "verdict_at",
    "taken_over_by": "taken_over_at",
    "quiet_reason": "quiet_at",
}
BEGUN = ("answered_at", "asked_at", "at", "proposed_at", "written_at", "raised_at")


class _Holder(Protocol):
    id: int


def mask(db: Session, me: Identity, deviation: Deviation, form: MaskForm) -> Deviation:
    """Hide `start` to `end` of a text from every reader at once, and the same words wherever else the case holds them:
    in answers, questions, the log, notes, drafts and sealed copies. What they were opens to safety of every branch that
    had been given the text, and they are told, also where the case has left them.

    Raises ForbiddenError, and InvalidError where there is no such text or passage.
    """
    lock(db, deviation)
    if not rules.may_mask(me, deviation):
        raise forbidden()
    text = _visible_text(db, deviation, form.field)
    words = text[form.start : form.end] if text is not None else ""
    if not words.strip() or HIDDEN in words:
        raise InvalidError(
            Fault("field", _("Det finns ingen sådan text att maskera. Läs ärendet på nytt och välj igen."))
        )
    slip = wherever(words)
    changed: dict[str, str] = {}
    told: set[int] = set()
    legs = queries.handovers(db, deviation)
    branches = {leg.branch_id for leg in legs} | {deviation.sender_branch_id}
    with reaching(db, *(branches - set(me.branches)), sealed=True):
        for field, holder, name in _texts(db, deviation):
            before: str = getattr(holder, name)
            after = hide(before, slip, (form.start, form.end) if field == form.field else None)
            if after != before:
                changed[before] = after
                given_to = _given_to(db, deviation, legs, holder, name)
                told |= given_to
                _keep(
                    db,
                    me,
                    deviation,
                    field,
                    before,
                    holder,
                    _readable_since(db, deviation, holder, name),
                    given_to,
                )
                setattr(holder, name, after)
        for draft in db.scalars(select(AnswerDraft).where(AnswerDraft.deviation_id == deviation.id)):
            draft.typed = hide_deep(draft.typed, slip, changed)
        for copy in db.scalars(select(SealedCopy).where(SealedCopy.deviation_id == deviation.id)):
            copy.content = hide_deep(copy.content, slip, changed, codes=True)
    note_change(db, me, deviation, "mask")
    searching.index(db, deviation)
    for branch_id in sorted(told):
        tell(db, deviation, "masked", branch_id)
    return deviation


def texts_of(db: Session, deviation: Deviation) -> list[tuple[str, str]]:
    """The texts of the case that the reader may see, by path: what a mask may be put on."""
    return [(field, getattr(holder, name)) for field, holder, name in _texts(db, deviation)]


def _texts(db: Session, deviation: Deviation) -> Iterator[tuple[str, Any, str]]:
    for name in REPORT:
        if getattr(deviation, name):
            yield name, deviation, name
    for path, (table, names) in TEXTS.items():
        rows: list[_Holder] = list(
            db.scalars(select(table).where(table.deviation_id == deviation.id).order_by(table.id))
        )
        for row in rows:
            for name in names:
                if getattr(row, name):
                    yield f"{path}.{row.id}.{name}", row, name
    for side in db.scalars(select(Side).where(Side.deviation_id == deviation.id).order_by(Side.branch_id)):
        for name in OF_A_SIDE:
            if getattr(side, name):
                yield f"sides.{side.branch_id}.{name}", side, name


def _visible_text(db: Session, deviation: Deviation, field: str) -> str | None:
    return dict(texts_of(db, deviation)).get(field)


def _given_to(
    db: Session, deviation: Deviation, legs: Sequence[Handover], holder: Any, name: str
) -> set[int]:
    """The branches that had been given a text: its own alone; else the sender, and whoever held the leg it stands on,
    or for the report whoever has held the case. Why the sender takes a case back is not the receiver's to read.
    """
    if isinstance(holder, Note | RiskFlag | Side):
        return {holder.branch_id}
    sender = deviation.sender_branch_id
    if isinstance(holder, Deviation):
        since = deviation.first_leg if name == "delay_reason" else 1
        return {sender, *(leg.branch_id for leg in legs if leg.position >= since)}
    if isinstance(holder, Event) and holder.verb == "withdraw":
        return {sender}
    on_leg = _leg_of(db, deviation, holder)
    return {sender, *(leg.branch_id for leg in legs if leg.position == on_leg)}


def _readable_since(db: Session, deviation: Deviation, holder: Any, name: str) -> datetime:
    """From when a text could be read: what decides whom a slip may have reached."""
    if isinstance(holder, AnswerAction):
        holder = db.get_one(Answer, holder.answer_id)
    if isinstance(holder, Deviation) or name == "reference":
        return deviation.sent_at
    for written in (WRITTEN.get(name, ""), *BEGUN):
        if (moment := getattr(holder, written, None)) is not None:
            return cast(datetime, moment)
    return deviation.sent_at


def _keep(
    db: Session,
    me: Identity,
    deviation: Deviation,
    field: str,
    original: str,
    holder: Any,
    since: datetime,
    given_to: set[int],
) -> None:
    """Seal what stood there, for those who had been given it. Words that are one branch's own are kept as that branch's,
    whoever masked them: not even that they were there is for another to see.
    """
    mask_id = db.scalar(
        insert(Mask)
        .values(
            deviation_id=deviation.id,
            branch_id=holder.branch_id if isinstance(holder, Note | RiskFlag | Side) else me.branches[0],
            leg=_leg_of(db, deviation, holder),
            field=field,
            masked_at=clock.now(),
            text_since=since,
            given_to=sorted(given_to),
        )
        .returning(Mask.id)
    )
    db.execute(
        insert(MaskedOriginal).inline().values(mask_id=mask_id, deviation_id=deviation.id, original=original)
    )


def _leg_of(db: Session, deviation: Deviation, holder: Any) -> int:
    if isinstance(holder, AnswerAction):
        return db.get_one(Answer, holder.answer_id).leg
    if isinstance(holder, Answer | Event | Question | Proposal):
        return holder.leg
    return queries.handover(db, deviation).position
