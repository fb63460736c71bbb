"""Once a year: does mail to your address reach you?"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts.identity import Me
from backend.core.db import Db
from backend.core.web import redirect, render
from backend.directory import actions
from backend.directory.models import Person

router = APIRouter()


@router.get("/settings/confirm-address", name="directory.confirm_address")
def show(request: Request, db: Db, me: Me, done: bool = False) -> Response:
    return render(
        request, "directory/confirm_address.html", person=db.get_one(Person, me.person_id), done=done
    )


@router.post("/settings/confirm-address", name="directory.save_address_confirmed")
def confirm(db: Db, me: Me) -> Response:
    actions.confirm_address(db, me)
    return redirect("directory.confirm_address", {"done": "true"})
