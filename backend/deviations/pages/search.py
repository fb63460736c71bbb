"""The search box. Words are sent by POST and remembered, so that they stand in no address and no log."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import text
from backend.core.db import Db
from backend.core.errors import Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, read, redirect, render, url
from backend.deviations import actions, finding
from backend.deviations.forms import SearchForm
from backend.deviations.pages.lists import shown
from backend.deviations.queries import PAGE

router = APIRouter()


@router.get("/search", name="deviations.search")
def search(request: Request, db: Db, me: Me, q: str = "", page: int = 1) -> Response:
    """What was sought last. A number may stand in the address and opens the case; words in it only fill the box."""
    _may(me)
    if q and (number := finding.by_number(db, me, q)):
        return redirect("deviations.show", case_number=number)
    if q:
        return _page(request, db, me, q[:200], sought=finding.looks_like_number(q), page=1)
    return _page(request, db, me, finding.last_search(db, me), sought=True, page=max(1, page))


@router.post("/search")
def search_submit(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    _may(me)
    try:
        form = read(SearchForm, typed)
    except InvalidError as error:
        given = typed.get("q", [""])[-1][:200]
        return _page(request, db, me, given, sought=False, page=1, status=422, errors=error.faults)
    if number := finding.by_number(db, me, form.q):
        return redirect("deviations.show", case_number=number)
    actions.search(db, me, form)
    return redirect("deviations.search")


def _may(me: Identity) -> None:
    if not me.branches:
        raise ForbiddenError(_("Det uppdrag du valt öppnar inga ärenden."))


def _page(
    request: Request,
    db: Session,
    me: Identity,
    typed: str,
    *,
    sought: bool,
    page: int,
    status: int = 200,
    errors: list[Fault] | None = None,
) -> Response:
    number = finding.looks_like_number(typed)
    found = finding.by_words(db, me, typed if sought else "", page)
    numbers = [row.case_number for row in found.rows]
    if typed and sought:
        # A number that opened nothing is a refused look at it, whether it exists or not. Words are not recorded.
        if number and not numbers:
            audit.record(db, me, "refused.404", cases=[typed.strip()[:40]])
        else:
            audit.record(db, me, "deviations.search", cases=numbers)
    count = text.count(found.total, _("ärende"), _("ärenden"))
    return render(
        request,
        "deviations/search.html",
        status=status,
        errors=errors or [],
        typed=typed,
        sought=bool(typed.strip()) and sought,
        number=number and sought,
        rows=[shown(row) for row in found.rows],
        heading=_("Fler än {n} ärenden").format(n=finding.MOST_HITS)
        if found.more
        else count[0].upper() + count[1:],
        more=found.more,
        most=finding.MOST_HITS,
        page=page,
        previous=url("deviations.search", {"page": page - 1}) if page > 1 else None,
        next=url("deviations.search", {"page": page + 1}) if found.total > page * PAGE else None,
    )
