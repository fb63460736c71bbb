"""Reports that a manager reads before they leave."""

import uuid
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.agreements import queries as agreements
from backend.audit import actions as audit
from backend.core.db import Db
from backend.core.errors import Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, faults_of, read, redirect, render
from backend.deviations import actions, queries, words
from backend.deviations.forms import CommentForm, ReportForm
from backend.deviations.models import Draft
from backend.directory import queries as directory

router = APIRouter()


@router.get("/reviews", name="reviews.list")
def listing(request: Request, db: Db, me: Me) -> Response:
    _may(me)
    found = queries.reviews(db, me)
    audit.record(db, me, "reviews.list", submissions=[str(one.draft.submission) for one in found])
    return render(request, "deviations/reviews.html", reviews=found)


@router.get("/reviews/{submission}", name="reviews.show")
def show(request: Request, db: Db, me: Me, submission: uuid.UUID) -> Response:
    _may(me)
    return _page(request, db, me, queries.review(db, me, submission))


@router.post("/reviews/{submission}/send", name="reviews.send")
def send(request: Request, db: Db, me: Me, submission: uuid.UUID) -> Response:
    _may(me)
    draft = queries.review(db, me, submission)
    try:
        deviation = actions.send_reviewed(db, me, submission, _report(draft))
    except InvalidError as error:
        return _page(request, db, me, draft, status=422, errors=error.faults)
    return redirect("deviations.show", {"did": "sent_reviewed"}, case_number=deviation.case_number)


@router.post("/reviews/{submission}/give-back", name="reviews.give_back")
def give_back(request: Request, db: Db, me: Me, submission: uuid.UUID, typed: Submitted) -> Response:
    _may(me)
    draft = queries.review(db, me, submission)
    try:
        form = read(CommentForm, typed)
    except InvalidError as error:
        empty = not any(value.strip() for value in typed.get("comment", []))
        faults = [Fault("comment", _("Skriv vad rapporten behöver."))] if empty else error.faults
        return _page(request, db, me, draft, status=422, errors=faults, typed=typed)
    actions.give_back(db, me, submission, form)
    return redirect("reviews.list", {"did": "given_back"})


def _may(me: Identity) -> None:
    if not me.may(Permission.MANAGE):
        raise ForbiddenError(_("Det är enhetens chef som granskar rapporter."))


def _report(draft: Draft) -> ReportForm:
    try:
        return ReportForm.model_validate({**draft.typed, "submission": draft.submission})
    except ValidationError as error:
        raise InvalidError(*faults_of(error)) from None


def _page(
    request: Request,
    db: Session,
    me: Identity,
    draft: Draft,
    *,
    status: int = 200,
    errors: Sequence[Fault] = (),
    typed: Typed | None = None,
) -> Response:
    audit.record(db, me, "reviews.show", submission=str(draft.submission))
    return render(
        request,
        "deviations/review.html",
        status=status,
        errors=list(errors),
        draft=draft,
        writer=queries.title_of(db, draft.person_id),
        rows=_summary(db, me, draft.typed),
        comment=(typed or {}).get("comment", [""])[-1],
        open=typed is not None,
    )


def _summary(db: Session, me: Identity, typed: dict[str, Any]) -> list[tuple[str, str]]:
    """What the report says, as it will leave."""
    sender = directory.unit_by_hsa_id(db, typed.get("sender_unit", ""))
    receiver = directory.unit_by_hsa_id(db, typed.get("receiver_unit", ""))
    category = agreements.category(db, me.county_id or 0, typed.get("category", ""))

    def named(known: words.Words, name: str) -> str | None:
        return words.word(known, typed[name]) if typed.get(name) in known else None

    rows = [
        (_("Till"), f"{receiver.name}, {receiver.branch.organisation.name}" if receiver else None),
        (_("Från"), sender.name if sender else None),
        (_("Vad gäller det"), category.label if category else None),
        (_("Vad hände"), typed.get("description")),
        (_("Slag"), named(words.EVENT_KINDS, "event_kind")),
        (_("Hände"), typed.get("occurred_on")),
        (_("Målgrupp"), named(words.TARGET_GROUPS, "target_group")),
        (_("Allvarlighet"), named(words.SEVERITIES, "severity")),
        (_("Omedelbar åtgärd"), typed.get("immediate_action")),
        (_("Konsekvens för patienten"), typed.get("consequence_patient")),
        (_("Konsekvens för arbetet"), typed.get("consequence_work")),
        (_("Förslag"), typed.get("suggestion")),
        (_("Gemensam referens"), typed.get("shared_reference")),
        (_("Egen referens"), typed.get("sender_reference")),
    ]
    return [(label, str(value)) for label, value in rows if value]
