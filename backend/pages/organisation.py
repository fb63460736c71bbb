"""The administrator's start: the organisation's branches with their units, and how each branch works."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import Me
from backend.core.db import Db
from backend.core.errors import InvalidError
from backend.core.web import Submitted, read, redirect, render
from backend.directory import actions, rules
from backend.directory import queries as directory
from backend.directory.forms import BranchForm
from backend.directory.models import Branch

router = APIRouter()


@router.get("/directory/organisation", name="directory.organisation")
def organisation(request: Request, db: Db, me: Me, done: str = "") -> Response:
    own = directory.own_organisation(db, me)
    branches = [(branch, directory.family(db, branch)) for branch in directory.branches_of(db, own.id)]
    return render(
        request,
        "directory/organisation.html",
        organisation=own,
        branches=branches,
        last_told=directory.escalation_list(db, own.id),
        imported=done == "imported",
    )


@router.get("/directory/branches/{hsa_id}", name="directory.branch")
def branch(request: Request, db: Db, me: Me, hsa_id: str, done: bool = False) -> Response:
    """How a branch works, for its safety and the administrator."""
    return _page(request, db, me, directory.settled_branch(db, me, hsa_id), done=done)


@router.post("/directory/branches/{hsa_id}/settle", name="directory.settle_branch")
def settle_branch(request: Request, db: Db, me: Me, hsa_id: str, typed: Submitted) -> Response:
    found = directory.settled_branch(db, me, hsa_id)
    try:
        actions.settle_branch(db, me, found, read(BranchForm, typed))
    except InvalidError as error:
        return _page(request, db, me, found, status=422, errors=error.faults)
    return redirect("directory.branch", {"done": "true"}, hsa_id=hsa_id)


def _page(
    request: Request, db: Session, me: Identity, found: Branch, *, status: int = 200, **context: Any
) -> Response:
    shown = {
        "branch": found,
        "intake": next((u for u in directory.family(db, found) if u.intake and u.ended_on is None), None),
        "administers": rules.administers(me, found.organisation_id),
        "done": False,
        **context,
    }
    return render(request, "directory/branch.html", status=status, **shown)
