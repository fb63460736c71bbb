"""How one is reminded: the hour of the day's letter, what one has asked to be left in peace from, and the calendar."""

from datetime import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.core.db import Db
from backend.core.errors import InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, read, redirect, render, url
from backend.deviations import actions as deviations
from backend.deviations import queries
from backend.notifications import actions
from backend.notifications.forms import ChoiceForm, quarters
from backend.notifications.models import DIGEST_AT, Arrivals, NotificationChoice
from backend.settings import settings

router = APIRouter()

DONE = ("saved", "calendar_ended")


@router.get("/settings/notifications", name="settings.notifications")
def show(request: Request, db: Db, me: Me, done: str = "") -> Response:
    return _page(request, db, me, done=done if done in DONE else "")


@router.post("/settings/notifications", name="settings.choose_notifications")
def choose(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    try:
        actions.choose(db, me, read(ChoiceForm, typed))
    except InvalidError as error:
        return _page(request, db, me, status=422, errors=error.faults, typed=typed)
    return redirect("settings.notifications", {"done": "saved"})


@router.post("/settings/calendar", name="calendar.open")
def open_calendar(request: Request, db: Db, me: Me) -> Response:
    """The one page of the house that answers a write with itself: the address stands nowhere else, so that a redirect
    would have nothing to show.
    """
    token = deviations.open_calendar(db, me)
    address = settings().base_url.rstrip("/") + url("calendar.feed", token=token)
    return _page(request, db, me, calendar_address=address)


@router.post("/settings/calendar/end", name="calendar.close")
def close_calendar(db: Db, me: Me) -> Response:
    deviations.close_calendar(db, me)
    return redirect("settings.notifications", {"done": "calendar_ended"})


def _page(
    request: Request,
    db: Session,
    me: Identity,
    *,
    status: int = 200,
    typed: Typed | None = None,
    done: str = "",
    calendar_address: str = "",
    **context: Any,
) -> Response:
    choice = db.get(NotificationChoice, me.person_id)
    kept = {
        "digest_at": f"{choice.digest_at if choice else DIGEST_AT:%H:%M}",
        "arrivals": choice.arrivals if choice else Arrivals.AT_ONCE,
    }
    given = {name: values[-1] for name, values in (typed or {}).items()}
    return render(
        request,
        "notifications.html",
        status=status,
        values=kept | given,
        hours=[(f"{at:%H:%M}", _clock(at)) for at in quarters()],
        in_branch=bool(me.branches),
        follows_secrecy=me.may(Permission.MASK),
        quiet=queries.quiet(db, me) if me.branches else [],
        calendar=queries.calendar_feed(db, me) if me.branches else None,
        calendar_address=calendar_address,
        place=me.place_name,
        done=done,
        **context,
    )


def _clock(at: time) -> str:
    return _("{hour}.{minute}").format(hour=f"{at:%H}", minute=f"{at:%M}")
