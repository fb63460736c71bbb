"""One's own settings: who one is here, where one is logged in, the password, and who stands in when one is away."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts import actions, queries
from backend.accounts.forms import ChangePasswordForm
from backend.accounts.identity import Me
from backend.accounts.pages.log_in import address_of, closed, waiting
from backend.core.db import Db
from backend.core.errors import InvalidError, NotFoundError, TooManyTriesError
from backend.core.web import Submitted, read, redirect, render
from backend.directory import actions as directory_actions
from backend.directory import queries as directory
from backend.directory import rules
from backend.directory.forms import SubstituteForm
from backend.directory.models import Branch

router = APIRouter()

DONE = ("password", "session", "sessions", "substitute", "substitute_ended")


@router.get("/settings", name="settings")
def own_settings(request: Request, db: Db, me: Me, done: str = "") -> Response:
    return _page(request, db, me, done=done if done in DONE else "")


def _page(request: Request, db: Session, me: Identity, *, status: int = 200, **context: Any) -> Response:
    branch = db.get_one(Branch, me.branches[0]) if me.branches else None
    absentees = directory_actions.absentees(db, me, branch) if branch else []
    theirs = {colleague.id for colleague in absentees}
    absences = [
        absence
        for absence in (directory.absences(db, [branch.id]) if branch else [])
        if absence.person_id in theirs or absence.substitute_id == me.person_id
    ]
    shown = {
        "person": me,
        "settles": branch.hsa_id if branch and rules.may_settle(me, branch) else "",
        "sessions": queries.open_sessions(db, me),
        "has_password": actions.has_password(db, me.person_id),
        "absentees": [(str(one.id), one.label) for one in absentees],
        "colleagues": [(str(one.id), one.label) for one in directory.colleagues(db, branch.id)]
        if branch
        else [],
        "absences": absences,
        "typed": {},
        "wait": "",
        "done": "",
        "closed": closed(),
        **context,
    }
    return render(request, "settings.html", status=status, **shown)


@router.post("/settings/password", name="accounts.change_password")
def change_password(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    try:
        form = read(ChangePasswordForm, typed)
        actions.change_password(
            db, me, password=form.password, new_password=form.new_password, address=address_of(request)
        )
    except InvalidError as error:
        return _page(request, db, me, status=422, errors=error.faults)
    except TooManyTriesError as error:
        return _page(request, db, me, status=429, wait=waiting(error.seconds))
    return redirect("settings", {"done": "password"})


@router.post("/settings/sessions/end", name="accounts.end_other_sessions")
def end_other_sessions(db: Db, me: Me) -> Response:
    actions.end_other_sessions(db, me)
    return redirect("settings", {"done": "sessions"})


@router.post("/settings/sessions/{session_id}/end", name="accounts.end_session")
def end_session(db: Db, me: Me, session_id: int) -> Response:
    actions.end_session(db, me, session_id)
    return redirect("settings", {"done": "session"})


@router.post("/settings/substitutes", name="accounts.name_substitute")
def name_substitute(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    """For oneself, or for those whose manager or safety one is."""
    if not me.branches:
        raise NotFoundError
    try:
        form = read(SubstituteForm, {"person": [str(me.person_id)], **typed})
        directory_actions.name_substitute(db, me, db.get_one(Branch, me.branches[0]), form)
    except InvalidError as error:
        given = {name: values[-1] for name, values in typed.items()}
        return _page(request, db, me, status=422, errors=error.faults, typed=given)
    return redirect("settings", {"done": "substitute"})


@router.post("/settings/substitutes/{substitute_id}/end", name="accounts.end_substitute")
def end_substitute(db: Db, me: Me, substitute_id: int) -> Response:
    directory_actions.end_substitute(db, me, substitute_id)
    return redirect("settings", {"done": "substitute_ended"})
