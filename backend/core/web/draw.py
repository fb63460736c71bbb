"""From a template to an answer. All `HX-` names of the house live in this file.

Every address is a whole page. If `HX-Target` names a block that the page's template defines, that block
alone is sent; block name = element id = target. Boosted and history-restoring requests get the page.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, cast
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block

from backend.core import clock, text
from backend.settings import ROOT

STATIC = ROOT / "frontend" / "static"

_routes: dict[str, Callable[..., str]] = {}


def name_routes(lookup: Callable[..., Any]) -> None:
    """Let templates and redirects name a page by its stem. Called once, when the app is put together."""
    _routes["url_path_for"] = lookup


def url(name: str, query: Mapping[str, Any] | None = None, **path: Any) -> str:
    """The address of the page called `name`, such as `deviations.show`."""
    address = str(_routes["url_path_for"](name, **path))
    filled = {key: value for key, value in (query or {}).items() if value not in (None, "")}
    return f"{address}?{urlencode(filled)}" if filled else address


@cache
def static(path: str) -> str:
    """The address of a file in `frontend/static`, changed when its content does, so that it can be kept for ever."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]
    return f"/static/{path}?v={digest}"


@cache
def templates() -> Environment:
    env = Environment(
        loader=FileSystemLoader(ROOT / "frontend" / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals |= {"_": text.gettext, "url": url, "static": static, "today": clock.today}
    env.filters |= {
        "day": text.long_date,
        "short_day": text.short_date,
        "day_and_month": text.day_and_month,
        "weekday": text.weekday_and_day,
        "moment": text.moment,
        "relative_day": lambda day: text.relative_day(day, clock.today()),
        "percent": text.percent,
        "local_day": lambda moment: clock.local(cast(datetime, moment)).date(),
        "iso": lambda value: cast(date, value).isoformat(),
    }
    # A block rendered alone does not see its file's imports, so the macros are a global.
    env.globals["ui"] = env.get_template("ui/all.html").module
    return env


def target(request: Request) -> str | None:
    """The block that htmx asks for, if any: htmx 4 sends `form#report`, and what follows `#` is the id."""
    headers = request.headers
    if headers.get("HX-Boosted") == "true" or headers.get("HX-History-Restore-Request") == "true":
        return None
    asked = headers.get("HX-Target", "")
    return asked.rpartition("#")[2] or None if headers.get("HX-Request") == "true" else None


def render(
    request: Request,
    template: str,
    /,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """The page, or the one block of it that was asked for."""
    env = templates()
    context = {**frame(request), **context}
    block = target(request)
    if block and block in env.get_template(template).blocks:
        body = render_block(env, template, block, **context)
    else:
        body = env.get_template(template).render(**context)
    return HTMLResponse(body, status, {"Vary": "HX-Request, HX-Target", **(headers or {})})


def render_error(request: Request, template: str, /, *, status: int, **context: Any) -> Response:
    """An error page. To a fragment request it takes the place of the page's content, whatever was asked for."""
    body = templates().get_template(template).render(**{**frame(request), **context})
    headers = {"Vary": "HX-Request, HX-Target"}
    if request.headers.get("HX-Request") == "true":
        headers |= {"HX-Retarget": "#main", "HX-Reselect": "#main", "HX-Reswap": "outerHTML"}
    return HTMLResponse(body, status, headers)


def frame(request: Request) -> dict[str, Any]:
    """What the page around the content shows. `backend.main` knows the menu and hangs it on the app."""
    return {
        "me": None,
        "nav": [],
        "can_switch": False,
        "may_search": False,
        "env_name": request.app.state.env,
        "flash": None,
        "errors": [],
        "request_id": request.scope.get("request_id", ""),
        **request.app.state.frame(request),
    }


def redirect(name: str, query: Mapping[str, Any] | None = None, **path: Any) -> Response:
    """After a write: see that page instead. 303, so that going back or reloading sends nothing again."""
    return RedirectResponse(url(name, query, **path), 303)


def redirect_whole_page(request: Request, address: str) -> Response:
    """As a redirect, but a fragment request moves the whole page rather than filling a corner of it."""
    if request.headers.get("HX-Request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": address, "Vary": "HX-Request, HX-Target"})
    return RedirectResponse(address, 303)
