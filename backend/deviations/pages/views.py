"""Saved views: filters of the list under a name, kept by one person for themselves."""

from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts.identity import Me
from backend.core.db import Db
from backend.core.errors import ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, read, redirect
from backend.deviations import actions, finding
from backend.deviations.filters import Filters
from backend.deviations.forms import ViewForm
from backend.deviations.models import SavedView
from backend.deviations.pages.lists import list_page

router = APIRouter()


@router.post("/deviations/views", name="deviations.save_view")
def save(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    """The address's filters come along as they stand; what is typed is the name."""
    if not me.branches:
        raise ForbiddenError(_("Det uppdrag du valt öppnar inga ärenden."))
    query = dict(parse_qsl(typed.get("query", [""])[-1]))
    try:
        return _to(actions.save_view(db, me, read(ViewForm, typed), query))
    except InvalidError as error:
        name = typed.get("name", [""])[-1][:200]
        return list_page(
            request, db, me, Filters.read(query), status=422, errors=error.faults, typed_name=name
        )


@router.post("/deviations/views/{view_id}/rename", name="deviations.rename_view")
def rename(request: Request, db: Db, me: Me, view_id: int, typed: Submitted) -> Response:
    view = finding.view(db, me, view_id)
    try:
        return _to(actions.rename_view(db, me, view, read(ViewForm, typed)))
    except InvalidError as error:
        name = typed.get("name", [""])[-1][:200]
        filters = Filters.read(dict(parse_qsl(view.query)))
        return list_page(
            request, db, me, filters, status=422, errors=error.faults, typed_name=name, typed_view=view.id
        )


@router.post("/deviations/views/{view_id}/remove", name="deviations.remove_view")
def remove(db: Db, me: Me, view_id: int) -> Response:
    return _to(actions.remove_view(db, me, finding.view(db, me, view_id)))


@router.post("/deviations/views/{view_id}/restore", name="deviations.restore_view")
def restore(db: Db, me: Me, view_id: int) -> Response:
    return _to(actions.restore_view(db, me, finding.view(db, me, view_id)))


def _to(view: SavedView) -> Response:
    return redirect("deviations.list", dict(parse_qsl(view.query)))
