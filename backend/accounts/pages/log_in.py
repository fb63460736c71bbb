"""Logging in, choosing an assignment, logging out."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from backend.accounts import actions
from backend.accounts.forms import ChooseForm, LoginForm
from backend.accounts.identity import ABSOLUTE, cookie_name, living_session
from backend.accounts.models import LoginSession
from backend.core import text
from backend.core.db import Db
from backend.core.errors import InvalidError, LoginRequiredError, TooManyTriesError
from backend.core.text import gettext as _
from backend.core.web import Submitted, read, redirect, render, url
from backend.directory import queries as directory
from backend.settings import settings

router = APIRouter()


@router.get("/login", name="accounts.log_in")
def log_in(
    request: Request,
    next: str = "/",  # noqa: A002  the word in the address
    chosen: bool = False,
    ended: bool = False,
) -> Response:
    return render(
        request,
        "accounts/log_in.html",
        typed={},
        next=_own_path(next),
        wait="",
        chosen=chosen,
        ended=ended,
        closed=closed(),
    )


@router.post("/login")
def log_in_submit(request: Request, db: Db, typed: Submitted) -> Response:
    here = _own_path(typed.get("next", ["/"])[-1])
    try:
        form = read(LoginForm, typed)
        token, session = actions.log_in(
            db, email=form.email, password=form.password, address=address_of(request)
        )
    except (InvalidError, TooManyTriesError) as error:
        wait = error.seconds if isinstance(error, TooManyTriesError) else 0
        return render(
            request,
            "accounts/log_in.html",
            status=error.status,
            headers={"Retry-After": str(wait)} if wait else {},
            errors=error.faults if isinstance(error, InvalidError) else [],
            typed={"email": typed.get("email", [""])[-1]},
            next=here,
            wait=waiting(wait),
            chosen=False,
            ended=False,
            closed=closed(),
        )
    if before := living_session(db, request.cookies.get(cookie_name())):
        actions.log_out(db, before)  # its cookie is gone from the browser, and shall open nothing elsewhere
    answer = (
        RedirectResponse(here, 303)
        if session.place
        else RedirectResponse(url("accounts.choose", {"next": here if here != "/" else ""}), 303)
    )
    return _with_cookie(answer, token)


@router.get("/login/assignment", name="accounts.choose")
def choose(request: Request, db: Db, next: str = "/") -> Response:  # noqa: A002  the word in the address
    session = _session(request, db)
    places = directory.places(db, session.person_id)
    current = _current_key(session, places)
    options = [(place.key, place.name) for place in places]
    return render(request, "accounts/choose.html", places=options, current=current, next=_own_path(next))


@router.post("/login/assignment")
def choose_submit(request: Request, db: Db, typed: Submitted) -> Response:
    session = _session(request, db)
    try:
        form = read(ChooseForm, typed)
    except InvalidError as error:
        options = [(place.key, place.name) for place in directory.places(db, session.person_id)]
        return render(
            request,
            "accounts/choose.html",
            status=422,
            errors=error.faults,
            places=options,
            current=None,
            next=_own_path(typed.get("next", ["/"])[-1]),
        )
    return _with_cookie(
        RedirectResponse(_own_path(form.next), 303), actions.choose(db, session, form.assignment)
    )


@router.post("/logout", name="accounts.logout")
def log_out(request: Request, db: Db) -> Response:
    session = living_session(db, request.cookies.get(cookie_name()))
    if session:
        actions.log_out(db, session)
    answer = redirect("accounts.log_in")
    answer.delete_cookie(cookie_name(), secure=settings().secure, httponly=True)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def closed() -> bool:
    """Whether a password alone opens nothing here, which the pages then say."""
    return settings().env == "production"


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def waiting(seconds: int) -> str:
    """How long until the next try is heard; nothing when it is heard now."""
    return text.count(seconds, _("sekund"), _("sekunder"), one=_("en")) if seconds else ""


def _session(request: Request, db: Db) -> LoginSession:
    session = living_session(db, request.cookies.get(cookie_name()))
    if session is None:
        raise LoginRequiredError
    return session


def _current_key(session: LoginSession, places: list[directory.Place]) -> str | None:
    return next((p.key for p in places if (p.kind, p.id) == (session.place, session.place_id)), None)


def _own_path(address: str) -> str:
    """Where to go afterwards, if it is a path of ours: never a link to someone else's site."""
    # What browsers leave out (tab, line feed) or read as a slash could make a host of the first step.
    ours = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return address if ours and address.isprintable() else "/"


def _with_cookie(answer: Response, token: str) -> Response:
    answer.set_cookie(
        cookie_name(),
        token,
        max_age=int(ABSOLUTE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=settings().secure,
    )
    return answer
