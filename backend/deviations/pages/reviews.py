"""Reports that a manager reads before they leave."""

import uuid
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core.db import Db
from backend.core.errors import Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, faults_of, read, redirect, render
from backend.deviations import actions, queries, warnings
from backend.deviations.forms import CommentForm, ReportForm
from backend.deviations.models import Draft
from backend.deviations.pages.report import TEXTS, summary

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


@router.post("/reviews/{submission}/mask", name="reviews.mask")
def mask(request: Request, db: Db, me: Me, submission: uuid.UUID, typed: Submitted) -> Response:
    _may(me)
    draft = queries.review(db, me, submission)
    masked = warnings.masked({**_lists(draft), "mask": typed.get("mask", [])}, TEXTS)
    draft = actions.mask_reviewed(
        db, me, submission, {name: masked[name][-1] for name in TEXTS if name in masked}
    )
    return _page(request, db, me, draft, just_masked=True)


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


def _lists(draft: Draft) -> Typed:
    """The draft as the form would send it."""
    return {name: [str(value)] for name, value in draft.typed.items()}


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
    just_masked: bool = False,
) -> Response:
    audit.record(db, me, "reviews.show", submission=str(draft.submission))
    return render(
        request,
        "deviations/review.html",
        status=status,
        errors=list(errors),
        draft=draft,
        writer=queries.title_of(db, draft.person_id),
        rows=[(label, value) for label, value, _field in summary(db, me, draft.typed)],
        passages=warnings.passages(_lists(draft), TEXTS),
        just_masked=just_masked,
        comment=(typed or {}).get("comment", [""])[-1],
        open=typed is not None,
    )
