"""The ways in by mail: asking for one, and choosing a password with it."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts import actions
from backend.accounts.forms import AskResetForm, LinkForm
from backend.accounts.pages.log_in import address_of, closed, waiting
from backend.core.db import Db
from backend.core.errors import InvalidError, NotFoundError, TooManyTriesError
from backend.core.web import Submitted, read, redirect, render

router = APIRouter()


@router.get("/login/reset", name="accounts.ask_reset")
def ask_reset(request: Request, asked: bool = False) -> Response:
    """With `asked`, the receipt: the same words whether or not the address is somebody's."""
    return _ask(request, asked=asked)


@router.post("/login/reset")
def ask_reset_submit(request: Request, db: Db, typed: Submitted) -> Response:
    try:
        form = read(AskResetForm, typed)
        actions.ask_reset(db, email=form.email, address=address_of(request))
    except InvalidError as error:
        return _ask(request, status=422, errors=error.faults, typed=typed.get("email", [""])[-1])
    except TooManyTriesError as error:
        return _ask(
            request,
            status=429,
            headers={"Retry-After": str(error.seconds)},
            typed=typed.get("email", [""])[-1],
            wait=waiting(error.seconds),
        )
    return redirect("accounts.ask_reset", {"asked": "true"})


def _ask(request: Request, *, status: int = 200, **context: Any) -> Response:
    shown = {"typed": "", "asked": False, "wait": "", "closed": closed(), **context}
    return render(request, "accounts/ask_reset.html", status=status, **shown)


@router.get("/login/link/{token}", name="accounts.use_link")
def use_link(request: Request, db: Db, token: str) -> Response:
    """Opening it uses nothing up: programs that check mail open every link."""
    try:
        link, person = actions.living_link(db, token)
    except NotFoundError:
        return render(request, "accounts/link_over.html", status=404)
    return _choose(request, token, link.purpose, person.email)


@router.post("/login/link/{token}")
def use_link_submit(request: Request, db: Db, token: str, typed: Submitted) -> Response:
    try:
        link, person = actions.living_link(db, token)
        try:
            actions.use_link(db, token, read(LinkForm, typed).new_password)
        except InvalidError as error:
            return _choose(request, token, link.purpose, person.email, status=422, errors=error.faults)
    except NotFoundError:
        return render(request, "accounts/link_over.html", status=404)
    return redirect("accounts.log_in", {"chosen": "true"})


def _choose(
    request: Request, token: str, purpose: str, email: str, *, status: int = 200, **context: Any
) -> Response:
    shown = {"token": token, "purpose": purpose, "email": email, "closed": closed(), **context}
    return render(request, "accounts/link.html", status=status, **shown)
