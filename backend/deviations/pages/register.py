"""The case register of a branch, for its registrar, and the list of copies sealed for it."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import clock, text
from backend.core.db import Db
from backend.core.errors import ForbiddenError
from backend.core.text import gettext as _
from backend.core.web import render, url
from backend.deviations import queries, words
from backend.deviations.queries import KEPT, PAGE

router = APIRouter()


@router.get("/register", name="register.list")
def register(request: Request, db: Db, me: Me, show: str = "", page: int = 1) -> Response:
    _may(me)
    page = max(1, min(page, 10_000))
    copies = show == "sealed"
    kept: Any = show if show in KEPT else None
    rows: list[Any] = list(queries.sealed(db, me, page)) if copies else queries.register(db, me, kept, page)
    numbers = [row.case_number for row in rows[:PAGE]]
    audit.record(db, me, "register.list", cases=numbers)

    def address(**changed: Any) -> str:
        query = {"show": show if copies or kept else None, "page": page, **changed}
        return url(
            "register.list", {key: value for key, value in query.items() if (key, value) != ("page", 1)}
        )

    return render(
        request,
        "deviations/register.html",
        copies=copies,
        head=_copy_head() if copies else _case_head(),
        rows=[_copy_row(row) if copies else _case_row(row) for row in rows[:PAGE]],
        hrefs=[
            url("register.copy", copy_id=row.id)
            if copies
            else url("deviations.show", case_number=row.case_number)
            for row in rows[:PAGE]
        ],
        tabs=[
            {
                "label": label,
                "href": address(show=code, page=1),
                "current": ("sealed" if copies else kept) == code,
                "count": 0,
            }
            for code, label in (
                (None, _("Alla")),
                ("in", _("Inkomna")),
                ("out", _("Skickade")),
                ("unregistered", _("Utan diarienummer")),
                ("sealed", _("Förseglade kopior")),
            )
        ],
        page=page,
        previous=address(page=page - 1) if page > 1 else None,
        next=address(page=page + 1) if len(rows) > PAGE else None,
        printed_at=clock.now(),
        place=me.place_name,
    )


def _may(me: Identity) -> None:
    if not me.everywhere(Permission.SEALED):
        raise ForbiddenError(_("Registret läses av registrator och av kvalitet och patientsäkerhet."))


def _case_head() -> list[str]:
    return [_("Ärende"), _("Diarienummer"), _("Riktning"), _("Från"), _("Till"), _("Datum"), _("Läge")]


def _case_row(row: queries.Registered) -> list[str]:
    return [
        row.case_number,
        row.registry_number or _("Saknas"),
        {"in": _("Inkommet"), "out": _("Skickat"), None: ""}[row.direction],
        row.sender,
        row.receiver,
        _on(row.at),
        words.STATES[row.state](),
    ]


def _copy_head() -> list[str]:
    return [
        _("Ärende"),
        _("Diarienummer"),
        _("Enhet"),
        _("Hur det lämnade er"),
        _("Inkommet"),
        _("Förseglat"),
    ]


def _copy_row(row: queries.Sealed) -> list[str]:
    return [
        row.case_number,
        row.registry_number or _("Saknas"),
        row.unit,
        words.LEFT_HOW[row.left_how](),
        _on(row.received_at),
        _on(row.sealed_at),
    ]


def _on(moment: datetime) -> str:
    return text.short_date(clock.local(moment).date())
