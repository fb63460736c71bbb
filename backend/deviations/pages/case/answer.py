"""Writing the answer: kept as it grows, shared by those who write it, and sent by the one who may."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import clock
from backend.core.db import Db
from backend.core.errors import ConflictError, Fault, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, faults_of, read, redirect, render
from backend.deviations import actions, queries, rules, words
from backend.deviations.actions.moving import check, what_happened
from backend.deviations.actions.team import WRITER, check_gives_back, check_writer, is_news
from backend.deviations.forms import INCOMPLETE, AnswerForm, CommentForm
from backend.deviations.models import AnswerDraft, Deviation
from backend.deviations.pages.case import again, look, parts

router = APIRouter()

MOST_ACTIONS = 20


@router.get("/deviations/{case_number}/answer", name="deviations.answer")
def answer(request: Request, db: Db, me: Me, case_number: str) -> Response:
    deviation = queries.deviation(db, me, case_number)
    _may_write(db, me, deviation)
    return _page(request, db, me, deviation)


@router.post("/deviations/{case_number}/answer")
def answer_submit(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
    deviation = queries.deviation(db, me, case_number)
    check(db, me, deviation, "answer")
    if (theirs := _saved_since(db, deviation, typed)) is not None:
        return _page(request, db, me, deviation, typed, status=409, theirs=theirs)
    try:
        form = _read_answer(typed)
    except InvalidError as error:
        return _page(request, db, me, deviation, typed, status=422, errors=error.faults)
    if look.wanted("answer", typed):
        return look.page(request, db, me, deviation, "answer", typed)
    actions.answer(db, me, deviation, form)
    return redirect("deviations.show", case_number=deviation.case_number)


@router.post("/deviations/{case_number}/answer/change", name="deviations.change_answer")
def change(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
    """Back from the look to the form, with everything as it was typed."""
    deviation = queries.deviation(db, me, case_number)
    check(db, me, deviation, "answer")
    if (theirs := _saved_since(db, deviation, typed)) is not None:
        return _page(request, db, me, deviation, typed, status=409, theirs=theirs)
    return _page(request, db, me, deviation, typed)


@router.post("/deviations/{case_number}/answer/draft", name="deviations.save_answer")
def save(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
    """Keep the answer as it stands. `more` asks for one more row of actions; so it works without JavaScript."""
    deviation = queries.deviation(db, me, case_number)
    _may_write(db, me, deviation)
    if rules.is_external(deviation):  # what is entered for somebody else stands on their paper
        return _page(request, db, me, deviation, typed, rows=1 if typed.get("more") else 0)
    if (theirs := _saved_since(db, deviation, typed)) is not None:
        return _page(request, db, me, deviation, typed, status=409, theirs=theirs)
    try:
        draft = actions.save_answer_draft(db, me, deviation, typed, _revision(db, deviation, typed))
    except InvalidError as error:
        return _page(request, db, me, deviation, typed, status=422, errors=error.faults, kept_back=True)
    return _page(request, db, me, deviation, typed, saved=draft, rows=1 if typed.get("more") else 0)


@router.post("/deviations/{case_number}/answer/propose", name="deviations.propose_answer")
def propose(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
    deviation = queries.deviation(db, me, case_number)
    _may_write(db, me, deviation)
    if (theirs := _saved_since(db, deviation, typed)) is not None:
        return _page(request, db, me, deviation, typed, status=409, theirs=theirs)
    try:
        _read_answer(typed)
        actions.propose_answer(db, me, deviation, typed, _revision(db, deviation, typed))
    except InvalidError as error:
        return _page(request, db, me, deviation, typed, status=422, errors=error.faults)
    return redirect("deviations.show", {"did": "handed_on"}, case_number=deviation.case_number)


@router.post("/deviations/{case_number}/answer/give-back", name="deviations.give_back_answer")
def give_back(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
    deviation = queries.deviation(db, me, case_number)
    check_gives_back(me, deviation)
    try:
        form = read(CommentForm, typed)
    except InvalidError as error:
        said = typed.get("comment", [""])[-1]
        faults = error.faults if said.strip() else [Fault("comment", _("Skriv vad svaret behöver."))]
        return _page(request, db, me, deviation, status=422, errors=faults, giving_back=said)
    actions.give_back_answer(db, me, deviation, form)
    return redirect("deviations.show", {"did": "given_back_answer"}, case_number=deviation.case_number)


def _may_write(db: Session, me: Identity, deviation: Deviation) -> None:
    if rules.is_external(deviation):
        check(db, me, deviation, "answer")
        return
    check_writer(me, deviation)
    if not rules.is_open(deviation, rules.MOVES["answer"], clock.now()):
        raise ConflictError(what_happened(db, deviation))


def _revision(db: Session, deviation: Deviation, typed: Typed) -> int:
    """The draft that the writer began from. A form without it, from a system, takes the draft as it stands."""
    said = typed.get("revision", [""])[-1]
    if said.isdecimal() and len(said) < 10:
        return int(said)
    draft = queries.answer_draft(db, deviation)
    return draft.revision if draft else 0


def _saved_since(db: Session, deviation: Deviation, typed: Typed) -> AnswerDraft | None:
    """A colleague's draft that this writer has not read."""
    draft = queries.answer_draft(db, deviation)
    return draft if draft is not None and is_news(draft, typed, _revision(db, deviation, typed)) else None


def _read_answer(typed: Typed) -> AnswerForm:
    """The answer as the page sends it: actions come as parallel lists of text, owner and date."""
    texts = typed.get("actions", [])
    owners, dates = typed.get("actions_owner", []), typed.get("actions_due_on", [])
    given = [
        {
            "text": what,
            "owner": owners[i] if i < len(owners) and owners[i].strip() else None,
            "due_on": dates[i] if i < len(dates) and dates[i].strip() else None,
        }
        for i, what in enumerate(texts)
        if what.strip()
    ]
    plain = {name: values for name, values in typed.items() if not name.startswith("actions")}
    values: dict[str, Any] = {
        name: value[-1]
        for name, value in plain.items()
        if name in AnswerForm.model_fields and value[-1].strip()
    }
    values["cause_areas"] = [value for value in typed.get("cause_areas", []) if value]
    values["actions"] = given
    return _read_values(values, [i for i, what in enumerate(texts) if what.strip()])


def _read_values(values: Mapping[str, Any], rows: Sequence[int]) -> AnswerForm:
    """Raises InvalidError; an answer that is only half there names each missing part. `rows` is on which row of the
    page each action stands.
    """
    try:
        return AnswerForm.model_validate(values)
    except ValidationError as error:
        missing = {"outcome": _("Välj hur ni ser på händelsen."), "cause": _("Skriv varför det blev så.")}
        wrong = {item["loc"][0] for item in error.errors() if item["type"] != "missing" and item["loc"]}
        faults = [
            Fault(fault.field, missing[fault.field])
            if fault.field in missing and fault.field not in wrong
            else Fault(_day_of_row(rows[int(item["loc"][1])]), fault.text)
            if item["loc"][:1] == ("actions",) and item["loc"][-1] == "due_on"
            else fault
            for fault, item in zip(faults_of(error), error.errors(), strict=True)
        ]
        whole = [item for item in error.errors() if item["type"] == "incomplete_answer"]
        if whole:
            fields = str(whole[0]["ctx"]["fields"]).split(",")
            faults = [Fault(field, _(INCOMPLETE[field])) for field in fields]
        raise InvalidError(*faults) from None


def _day_of_row(row: int) -> str:
    """The field of a row's day, as the page has it."""
    return f"actions_due_on-{row + 1}" if row else "actions_due_on"


def _page(
    request: Request,
    db: Session,
    me: Identity,
    deviation: Deviation,
    typed: Typed | None = None,
    *,
    status: int = 200,
    errors: Sequence[Fault] = (),
    saved: AnswerDraft | None = None,
    theirs: AnswerDraft | None = None,
    kept_back: bool = False,
    rows: int = 0,
    giving_back: str | None = None,
) -> Response:
    """The page of the answer. `theirs` is what a colleague has saved meanwhile: both texts are shown, and saving again
    from here writes over it knowingly.
    """
    audit.record(db, me, "deviations.show", cases=[deviation.case_number])
    draft = saved or theirs or queries.answer_draft(db, deviation)
    given = queries.answers(db, deviation)
    # The holder's own, and not one that was given for them: that stands on somebody else's paper.
    before = given[-1] if given and given[-1].branch_id == deviation.receiver_branch_id else None
    anew = before is not None and typed is None and draft is None and not rules.is_external(deviation)
    values: Mapping[str, Sequence[str]] = (
        typed
        if typed is not None
        else draft.typed
        if draft
        else again.begun_from(before)
        if anew and before
        else {}
    )
    party = rules.party_of(me.branches, deviation)
    legs, pauses = queries.handovers(db, deviation), queries.pauses(db, deviation)
    filled = [i for i, what in enumerate(values.get("actions", ())) if what.strip()]
    # The autosave's own answer is a corner of the page: it goes on warning until the whole page has been read.
    corner = request.headers.get("HX-Request") == "true"
    revision = _revision(db, deviation, typed or {}) if theirs and corner else draft.revision if draft else 0
    return render(
        request,
        "deviations/answer.html",
        status=status,
        errors=list(errors),
        deviation=deviation,
        values=values,
        last=lambda name, at=-1: (
            (list(values.get(name, ())) or [""])[at] if len(values.get(name, ())) > max(at, 0) else ""
        ),
        action_rows=min((filled[-1] + 1 if filled else 1) + rows, MOST_ACTIONS),
        most_actions=MOST_ACTIONS,
        words=words,
        waits=parts.waits(deviation, legs, pauses, queries.waiting_since(db, deviation), party),
        again=again.why(db, deviation, given),
        before=parts.answer_shown(before) if before else None,
        begun_from_before=anew,
        conversation=parts.conversation(deviation, queries.questions(db, deviation), legs, pauses),
        revision=revision,
        writer=(typed or {}).get(WRITER, [uuid.uuid4().hex])[-1],
        saved_at=draft.saved_at if draft and not theirs else None,
        saved_by=_writer(db, me, draft) if draft else None,
        for_approval=bool(draft and draft.for_approval_at and not theirs),
        theirs=_draft_shown(theirs) if theirs else None,
        theirs_at=theirs.saved_at if theirs else None,
        kept_back=kept_back,
        sends=rules.may_send_answer(me, deviation),
        external=rules.is_external(deviation),
        giving_back=giving_back,
        # What colleagues have written since may be why it was given back.
        remarks=[one for one in queries.notes(db, me, deviation) if one.at >= draft.saved_at]
        if draft and not corner
        else [],
    )


def _writer(db: Session, me: Identity, draft: AnswerDraft) -> str | None:
    return None if draft.person_id == me.person_id else queries.title_of(db, draft.person_id)


def _draft_shown(draft: AnswerDraft) -> list[tuple[str, str]]:
    """A colleague's draft to read beside one's own."""
    labels = {
        "cause": _("Orsak"),
        "actions": _("Åtgärder"),
        "no_action_reason": _("Varför ingen åtgärd behövs"),
        "follow_up": _("Uppföljning"),
        "consequence": _("Konsekvens"),
    }
    rows = [
        (label, "\n".join(v for v in draft.typed.get(name, []) if v.strip()))
        for name, label in labels.items()
    ]
    outcome = words.word(words.OUTCOMES, next(iter(draft.typed.get("outcome", [])), None) or None)
    return [row for row in [(_("Hur ni ser på händelsen"), outcome or ""), *rows] if row[1]]
