"""The web application, put together: its walls, its rooms, its error pages. A table of contents."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from psycopg.errors import DeadlockDetected, InsufficientPrivilege, UniqueViolation
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope as AsgiScope

import backend.accounts.pages
import backend.deviations.pages
import backend.exchange.pages
import backend.pages
import backend.statistics.pages
import backend.summaries.pages
from backend.access import Identity, Permission
from backend.accounts.identity import cookie_name
from backend.agreements.rules import may_route
from backend.audit import actions as audit
from backend.core import errors
from backend.core.text import gettext as _
from backend.core.web import Typed, draw, render, typed_before, url
from backend.core.web.middleware import BodyTooLargeError, Walls
from backend.deviations import sentences
from backend.deviations.words import REASONS
from backend.settings import settings

log = structlog.get_logger()

# The fields in which people write at length, with their names on an error page.
PROSE: dict[str, Callable[[], str]] = {
    "description": lambda: _("Vad hände"),
    "immediate_action": lambda: _("Omedelbar åtgärd"),
    "consequence_patient": lambda: _("Konsekvens för patienten"),
    "consequence_work": lambda: _("Konsekvens för arbetet"),
    "suggestion": lambda: _("Förslag"),
    "cause": lambda: _("Orsak"),
    "consequence": lambda: _("Konsekvens"),
    "actions": lambda: _("Åtgärd"),
    "no_action_reason": lambda: _("Varför ingen åtgärd behövs"),
    "follow_up": lambda: _("Uppföljning"),
    "comment": lambda: _("Kommentar"),
    "text": lambda: _("Text"),
    "reason": lambda: _("Skäl"),
}


def create_app() -> FastAPI:
    if faults := settings().faults():
        raise SystemExit("\n".join(faults))
    # The contract's documentation page belongs to the API; FastAPI's own loads scripts from elsewhere.
    app = FastAPI(title="Samsvar", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan)
    app.state.env = settings().env
    app.state.frame = _frame
    draw.name_routes(app.url_path_for)
    app.add_middleware(Walls, base_url=settings().base_url, refused=_cross_site, broken=_broken)
    app.mount("/static", _Static(directory=draw.STATIC), name="static")
    app.include_router(backend.pages.router)
    app.include_router(backend.accounts.pages.router)
    app.include_router(backend.deviations.pages.router)
    app.include_router(backend.statistics.pages.router)
    app.include_router(backend.summaries.pages.router)
    app.include_router(backend.exchange.pages.router)
    if settings().demo_people_allowed:
        app.include_router(backend.pages.demo)
    for kind, handler in (
        (errors.LoginRequiredError, _logged_out),
        (errors.SamsvarError, _failed),
        (HTTPException, _http_failed),
        (BodyTooLargeError, _too_large),
        (RequestValidationError, _unreadable),
        (DataError, _unreadable),
        (ProgrammingError, _refused_by_the_database),
        (IntegrityError, _came_second),
        (OperationalError, _came_second),
    ):
        app.add_exception_handler(kind, handler)  # type: ignore[arg-type]
    return app


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    draw.templates()
    # What is loaded now lives for ever; leaving it out of every full collection halves the slowest answers.
    gc.collect()
    gc.freeze()
    yield


class _Static(StaticFiles):
    """Files whose address changes with their content may be kept for a year."""

    def file_response(
        self, full_path: Any, stat_result: Any, scope: AsgiScope, status_code: int = 200
    ) -> Response:
        answer = super().file_response(full_path, stat_result, scope, status_code)
        lasting = b"v=" in scope["query_string"]
        answer.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if lasting else "public, max-age=3600"
        )
        return answer


def _frame(request: Request) -> dict[str, Any]:
    """Who is logged in, where they act, and the menu that goes with it."""
    me: Identity | None = getattr(request.state, "me", None)
    if me is None:
        return {}
    entries = [
        ("home", _("Start"), True),
        ("deviations.inbox", _("Inkorg"), me.may(Permission.SEE_CASES)),
        ("deviations.list", _("Ärenden"), me.may(Permission.FILE)),
        ("deviations.report", _("Rapportera"), me.may(Permission.FILE)),
        ("register.list", _("Register"), me.everywhere(Permission.REGISTER)),
        ("statistics.figures", _("Siffror"), me.may(Permission.SEE_FIGURES)),
        ("summaries.list", _("Månaden"), True),
        ("routing.list", _("Vart ärendena går"), may_route(me)),
        ("directory.organisation", _("Organisationen"), me.may(Permission.ADMINISTER)),
    ]
    here = request.url.path
    nav = [
        {"label": label, "href": url(name), "current": url(name) == here, "count": 0}
        for name, label, shown in entries
        if shown
    ]
    person = {"title": me.title, "place": me.place_name, "initials": _initials(me.title)}
    return {
        "me": person,
        "nav": nav,
        "can_switch": me.several,
        "may_search": bool(me.branches),
        "flash": sentences.done(request.query_params.get("did")),
    }


def _initials(title: str) -> str:
    return "".join(word[0] for word in title.replace(",", " ").split()[:2]).upper()


async def _logged_out(request: Request, error: errors.LoginRequiredError) -> Response:
    """The way in, and back. Nothing is stored for somebody unknown, so what was typed is given back to be copied."""
    asks = request.method == "GET"
    typed = {} if asks else await typed_before(request)
    placeless = isinstance(error, errors.PlaceRequiredError)
    door = "accounts.choose" if placeless else "accounts.log_in"
    address = request.url.path if asks else _page_before(request)
    login = url(door, {"next": address if address != "/" else ""})
    if not asks and draw.target(request) == "draft_status":
        # An autosave moves nobody: the text stands in the page, and is saved once its writer is back.
        return render(
            request,
            "accounts/draft_not_saved.html",
            status=401,
            login=url(door),
            revision=typed.get("revision", [""])[-1],
        )
    if any(typed.get(name, [""])[-1].strip() for name in PROSE):
        return _page(
            request,
            401,
            _("Välj uppdrag först") if placeless else _("Du har loggats ut"),
            _("Det du skrev är inte skickat. Fortsätt i en ny flik, och klistra in det där."),
            login=login,
        )
    if not asks and not placeless and cookie_name() in request.cookies:
        login = url(door, {"next": address, "ended": "true"})  # said to whoever had been let in before
    return draw.redirect_whole_page(request, login)


def _page_before(request: Request) -> str:
    """The page of ours that a form was sent from, to come back to. One that only forms lead to opens for nobody."""
    before = urlsplit(request.headers.get("referer", ""))
    asked = {**request.scope, "method": "GET", "path": before.path, "raw_path": None}
    if before.netloc == request.url.netloc and any(
        route.matches(asked)[0] is Match.FULL for route in request.app.routes
    ):
        return f"{before.path}?{before.query}" if before.query else before.path
    number = request.path_params.get("case_number")
    return url("deviations.show", case_number=number) if number else ""


def _failed(request: Request, error: errors.SamsvarError) -> Response:
    me: Identity | None = getattr(request.state, "me", None)
    if me is not None and error.status in (403, 404):
        number = request.path_params.get("case_number")
        audit.record_refusal(me, f"refused.{error.status}", cases=[number[:40]] if number else [])
    if isinstance(error, errors.NotFoundError):
        return _page(
            request,
            404,
            _("Det finns inget här"),
            _(
                "Ärendet finns inte eller hör till ett annat uppdrag än det du valt. Kontrollera numret eller byt uppdrag."
            )
            if "case_number" in request.path_params
            else _("Sidan finns inte. Kontrollera adressen."),
        )
    if isinstance(error, errors.ForbiddenError):
        return _page(request, 403, _("Ditt uppdrag räcker inte till det här"), error.text)
    if isinstance(error, errors.ConflictError):
        return _page(request, 409, _("Någon hann före"), error.text)
    return _unreadable(request, error)


def _unreadable(request: Request, _error: Exception) -> Response:
    """What no page of ours sends: a word where a number stands, or a sign (NUL) that the database cannot hold."""
    return _page(
        request, 422, _("Det gick inte att läsa"), _("Uppgifterna gick inte att tolka."), template=422
    )


def _cross_site(request: Request) -> Response:
    return _page(
        request,
        403,
        _("Det gick inte"),
        _("Begäran kom från en annan webbplats och avvisades."),
        template=422,
    )


def _http_failed(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        return _page(request, 404, _("Det finns inget här"), _("Sidan finns inte. Kontrollera adressen."))
    if error.status_code == 405:
        answer = _page(
            request, 405, _("Det går inte att göra så"), _("Gå tillbaka och försök igen."), template=422
        )
        answer.headers.update(error.headers or {})
        return answer
    return _page(
        request, error.status_code, _("Det gick inte"), _("Gå tillbaka och försök igen."), template=422
    )


def _too_large(request: Request, _error: BodyTooLargeError) -> Response:
    return _page(
        request,
        413,
        _("För mycket på en gång"),
        _("Det du skickade är för stort. Korta texten."),
        template=422,
    )


def _refused_by_the_database(request: Request, error: ProgrammingError) -> Response:
    """The second lock held where the first did not: to the person it is missing, to us it is a fault to mend."""
    if isinstance(error.orig, InsufficientPrivilege):
        log.error("database.refused", id=request.scope.get("request_id"), statement=error.statement)
        return _failed(request, errors.NotFoundError())
    return _broken(request, error)


def _came_second(request: Request, error: DBAPIError) -> Response:
    """Two did the same at the same moment, or one pressed twice: what the first one did stands."""
    if isinstance(error.orig, UniqueViolation | DeadlockDetected):
        text = _("Samma sak gjordes två gånger i samma stund. Läs sidan på nytt: kanske är det redan gjort.")
        return _failed(request, errors.ConflictError(text))
    return _broken(request, error)


def _broken(request: Request, error: Exception) -> Response:
    # The error's text may quote what somebody typed, so only its kind is logged.
    log.error("request.broken", id=request.scope.get("request_id"), error=type(error).__name__)
    request.state.me = None
    return _page(request, 500, _("Något gick fel hos oss"), _("Det du gjorde sparades inte."))


def _page(
    request: Request, status: int, heading: str, text: str, *, template: int | None = None, **more: str
) -> Response:
    """An error page, whole also to htmx, with what was typed so that nothing is lost."""
    typed: Typed = getattr(request.state, "typed", {})
    kept = [
        (label(), typed[name][-1])
        for name, label in PROSE.items()
        # A reason may be a choice in a list, whose code says nothing to a person.
        if typed.get(name, [""])[-1].strip() and typed[name][-1] not in REASONS
    ]
    return draw.render_error(
        request,
        f"errors/{template or status}.html",
        status=status,
        heading=heading,
        text=text,
        kept=kept,
        **more,
    )
