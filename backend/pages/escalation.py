"""Whom an organisation wants told last, when a case is still not answered: its administrator keeps the list."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import Me
from backend.core.db import Db
from backend.core.errors import InvalidError
from backend.core.web import Submitted, read, redirect, render
from backend.directory import actions
from backend.directory import queries as directory
from backend.directory.forms import ContactForm

router = APIRouter()

DONE = ("added", "moved", "restored")


@router.get("/directory/organisation/escalation", name="directory.escalation")
def show(
    request: Request, db: Db, me: Me, done: str = "", removed: int | None = None, position: int = 0
) -> Response:
    return _page(
        request, db, me, done=done if done in DONE else "", removed=removed, position=max(0, position)
    )


@router.post("/directory/organisation/escalation", name="directory.add_contact")
def add(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    directory.own_organisation(db, me)
    try:
        form = read(ContactForm, typed)
        actions.add_contact(db, me, form)
    except InvalidError as error:
        return _page(request, db, me, status=422, errors=error.faults)
    return redirect("directory.escalation", {"done": "added" if form.position is None else "restored"})


@router.post("/directory/organisation/escalation/{person_id}/up", name="directory.move_contact")
def move(db: Db, me: Me, person_id: int) -> Response:
    actions.move_contact(db, me, person_id)
    return redirect("directory.escalation", {"done": "moved"})


@router.post("/directory/organisation/escalation/{person_id}/remove", name="directory.remove_contact")
def remove(db: Db, me: Me, person_id: int) -> Response:
    position = actions.remove_contact(db, me, person_id)
    return redirect("directory.escalation", {"removed": person_id, "position": str(position)})


def _page(request: Request, db: Session, me: Identity, *, status: int = 200, **context: Any) -> Response:
    own = directory.own_organisation(db, me)
    contacts = directory.escalation_list(db, own.id)
    listed = {contact.person_id for contact in contacts}
    people = [member for member in directory.people_of(db, own.id) if member.id not in listed]
    removed = next((one for one in people if one.id == context.get("removed")), None)
    shown = {
        "organisation": own,
        "contacts": contacts,
        "people": [(str(one.id), f"{one.title} ({one.email})") for one in people],
        "done": "",
        "position": 0,
        **context,
        "removed": removed,
    }
    return render(request, "directory/escalation.html", status=status, **shown)
