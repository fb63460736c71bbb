"""Hiding a slip: a name or a number that should never have been written."""

from collections.abc import Iterator, Mapping
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
from backend.deviations.models import (
    Answer,
    AnswerAction,
    AnswerDraft,
    Deviation,
    Event,
    Mask,
    MaskedOriginal,
    Note,
    Proposal,
    Question,
    RiskFlag,
    SealedCopy,
    Side,
)

HIDDEN = "▒▒▒"
# A shorter slip, such as an initial, would be found in the middle of other words.
EVERYWHERE_FROM = 4

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
    "risk_flags": (RiskFlag, ("comment",)),
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


class _Holder(Protocol):
    id: int


def mask(db: Session, me: Identity, deviation: Deviation, form: MaskForm) -> Deviation:
    """Hide `start` to `end` of a text from every reader at once, and the same words wherever else the case holds them:
    in answers, questions, the log, notes, drafts and sealed copies. What they were opens to safety of either side.

    Raises ForbiddenError, and InvalidError where there is no such text or passage.
    """
    lock(db, deviation)
    if not rules.may_mask(me, deviation):
        raise forbidden()
    text = _visible_text(db, deviation, form.field)
    slip = text[form.start : form.end] if text is not None else ""
    if not slip.strip() or HIDDEN in slip:
        raise InvalidError(
            Fault("field", _("Det finns ingen sådan text att maskera. Läs ärendet på nytt och välj igen."))
        )
    changed: dict[str, str] = {}
    branches = {leg.branch_id for leg in queries.handovers(db, deviation)} | {deviation.sender_branch_id}
    others = branches - set(me.branches)
    with reaching(db, *others, sealed=True):
        for field, holder, name in _texts(db, deviation):
            before: str = getattr(holder, name)
            exact = (form.start, form.end) if field == form.field else None
            after = _without(before, slip, exact)
            if after != before:
                since = _readable_since(db, deviation, holder)
                setattr(holder, name, after)
                changed[before] = after
                _keep(db, me, deviation, field, before, holder, since)
        for draft in db.scalars(select(AnswerDraft).where(AnswerDraft.deviation_id == deviation.id)):
            draft.typed = _without_deep(draft.typed, slip, changed)
        for copy in db.scalars(select(SealedCopy).where(SealedCopy.deviation_id == deviation.id)):
            copy.content = _without_deep(copy.content, slip, changed)
    note_change(db, me, deviation, "mask")
    searching.index(db, deviation)
    for branch_id in (deviation.sender_branch_id, deviation.receiver_branch_id):
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
    # Why somebody wants no reminders: a branch's own words, as a note is.
    for side in db.scalars(select(Side).where(Side.deviation_id == deviation.id).order_by(Side.branch_id)):
        if side.quiet_reason:
            yield f"sides.{side.branch_id}.quiet_reason", side, "quiet_reason"


def _visible_text(db: Session, deviation: Deviation, field: str) -> str | None:
    return dict(texts_of(db, deviation)).get(field)


def _without(text: str, slip: str, exact: tuple[int, int] | None) -> str:
    if exact:
        text = text[: exact[0]] + HIDDEN + text[exact[1] :]
    return text.replace(slip, HIDDEN) if len(slip) >= EVERYWHERE_FROM else text


def _without_deep(content: Any, slip: str, changed: Mapping[str, str]) -> Any:
    """The same in a stored form: texts that were masked themselves, and the slip inside others."""
    if isinstance(content, str):
        return _without(changed.get(content, content), slip, None)
    if isinstance(content, list):
        return [_without_deep(item, slip, changed) for item in content]
    if isinstance(content, dict):
        return {name: _without_deep(item, slip, changed) for name, item in content.items()}
    return content


def _readable_since(db: Session, deviation: Deviation, holder: Any) -> datetime:
    """From when a text could be read: what decides whom a slip may have reached."""
    if isinstance(holder, AnswerAction):
        holder = db.get_one(Answer, holder.answer_id)
    for written in ("answered_at", "asked_at", "at", "proposed_at", "written_at", "raised_at", "quiet_at"):
        if (moment := getattr(holder, written, None)) is not None and not isinstance(holder, Deviation):
            return cast(datetime, moment)
    return deviation.sent_at


def _keep(
    db: Session,
    me: Identity,
    deviation: Deviation,
    field: str,
    original: str,
    holder: _Holder | Side,
    since: datetime,
) -> None:
    """Seal what stood there, for those who may read the leg it was written on."""
    if isinstance(holder, Note | RiskFlag | Side) and holder.branch_id not in me.branches:
        # Their words are that branch's own: nobody else keeps them. The slip itself is kept where it was found.
        return
    mask_id = db.scalar(
        insert(Mask)
        .values(
            deviation_id=deviation.id,
            branch_id=me.branches[0],
            leg=_leg_of(db, deviation, holder),
            field=field,
            masked_at=clock.now(),
            text_since=since,
        )
        .returning(Mask.id)
    )
    db.execute(
        insert(MaskedOriginal).inline().values(mask_id=mask_id, deviation_id=deviation.id, original=original)
    )


def _leg_of(db: Session, deviation: Deviation, holder: _Holder | Side) -> int:
    if isinstance(holder, AnswerAction):
        return db.get_one(Answer, holder.answer_id).leg
    if isinstance(holder, Answer | Event | Question | Proposal):
        return holder.leg
    return queries.handover(db, deviation).position
