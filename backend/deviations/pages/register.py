"""The case register of a branch, for its registrar, and the copies sealed for it."""

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import clock, text
from backend.core.db import Db
from backend.core.errors import Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, read, redirect, render, url
from backend.deviations import actions, queries, words
from backend.deviations.actions.moving import HAPPENED
from backend.deviations.forms import RegistryForm
from backend.deviations.hiding import HIDDEN
from backend.deviations.models import SealedCopy
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


@router.get("/register/copies/{copy_id}", name="register.copy")
def copy(request: Request, db: Db, me: Me, copy_id: int) -> Response:
    return _copy_page(request, db, me, queries.sealed_copy(db, me, copy_id))


@router.post("/register/copies/{copy_id}", name="register.copy_number")
def copy_number(request: Request, db: Db, me: Me, copy_id: int, typed: Submitted) -> Response:
    found = queries.sealed_copy(db, me, copy_id)
    _may_register(me)
    try:
        form = read(RegistryForm, typed)
    except InvalidError as error:
        return _copy_page(request, db, me, found, status=422, errors=error.faults, typed=typed)
    actions.register_copy(db, me, found, form)
    return redirect("register.copy", copy_id=copy_id)


def _may(me: Identity) -> None:
    if not me.everywhere(Permission.SEALED):
        raise ForbiddenError(_("Registret läses av registrator och av kvalitet och patientsäkerhet."))


def _may_register(me: Identity) -> None:
    if not me.everywhere(Permission.REGISTER):
        raise ForbiddenError(_("Diarienummer sätts av registrator."))


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


def _copy_page(
    request: Request,
    db: Session,
    me: Identity,
    found: SealedCopy,
    *,
    status: int = 200,
    errors: list[Fault] | None = None,
    typed: Typed | None = None,
) -> Response:
    audit.record(db, me, "deviations.sealed_copy", cases=[found.case_number])
    return render(
        request,
        "deviations/copy.html",
        status=status,
        errors=errors or [],
        copy=found,
        left_how=words.LEFT_HOW[found.left_how](),
        number=(typed or {}).get("registry_number", [found.registry_number or ""])[-1],
        may_register=me.everywhere(Permission.REGISTER),
        masked=HIDDEN in str(found.content) or bool(queries.masks(db, me, found)),
        may_open_masked=me.everywhere(Permission.MASK),
        **_content(found.content),
    )


def _content(content: dict[str, Any]) -> dict[str, Any]:
    """What was sealed, in the words of today's screens."""
    report = content["report"]
    told = [
        (_("Från"), f"{report['sender_unit']}, {report['sender_organisation']}"),
        (_("Vad gäller det"), report["category"]),
        (_("Slag"), words.word(words.EVENT_KINDS, report["event_kind"])),
        (_("Hände"), _day(report["occurred_on"])),
        (_("Upptäcktes"), _day(report["discovered_on"])),
        (_("Målgrupp"), words.word(words.TARGET_GROUPS, report["target_group"])),
        (_("Allvarlighet"), words.word(words.SEVERITIES, report["severity"])),
        (_("Vad hände"), report["description"]),
        (_("Omedelbar åtgärd"), report["immediate_action"]),
        (_("Konsekvens för patienten"), report["consequence_patient"]),
        (_("Konsekvens för arbetet"), report["consequence_work"]),
        (_("Förslag"), report["suggestion"]),
        (_("Överenskommelse"), report["steering_document"]),
        (_("Lagrum"), words.word(words.LEGAL_AREAS, report["legal_area"])),
        (_("Gemensam referens"), report["shared_reference"]),
    ]
    return {
        "report": [row for row in told if row[1]],
        "questions": content["questions"],
        "answers": [
            {
                "title": words.OUTCOMES[answer["outcome"]](),
                "at": _moment(answer["answered_at"]),
                "rows": [
                    row
                    for row in (
                        (_("Orsak"), answer["cause"]),
                        (_("Konsekvens"), answer["consequence"]),
                        (
                            _("Åtgärder"),
                            "\n".join(
                                ", ".join(part for part in (step["text"], step["owner"]) if part)
                                for step in answer["actions"]
                            ),
                        ),
                        (_("Ingen åtgärd, därför att"), answer["no_action_reason"]),
                        (_("Uppföljning"), answer["follow_up"]),
                        (_("Avsändarens ord om svaret"), answer["verdict_comment"]),
                    )
                    if row[1]
                ],
            }
            for answer in content["answers"]
        ],
        "timeline": [
            {
                "what": HAPPENED[item["verb"]](),
                "when": _moment(item["at"]),
                "iso": item["at"],
                "who": ", ".join(part for part in (item["profession"], item["unit"]) if part),
                "text": item["comment"],
                "icon": "dot",
                "internal": False,
            }
            for item in content["events"]
        ],
    }


def _day(iso: str | None) -> str | None:
    return text.short_date(date.fromisoformat(iso)) if iso else None


def _moment(iso: str) -> str:
    return text.moment(datetime.fromisoformat(iso))
