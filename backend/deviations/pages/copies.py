"""A sealed copy: what a branch had been given and had written when a case left it, read years later as it then stood.
All that is sealed is told, since what an authority has decided it must be able to read and to hand out.
"""

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import text
from backend.core.db import Db
from backend.core.errors import Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, read, redirect, render
from backend.deviations import actions, queries, sentences, words
from backend.deviations.forms import RegistryForm
from backend.deviations.hiding import HIDDEN
from backend.deviations.models import SealedCopy
from backend.deviations.pages.case.own import flag_shown
from backend.deviations.pages.case.parts import ICONS, what_happened
from backend.deviations.pages.case.verbs import VERBS, read_as

router = APIRouter()

Rows = list[tuple[str, str | None]]


@router.get("/register/copies/{copy_id}", name="register.copy")
def copy(request: Request, db: Db, me: Me, copy_id: int) -> Response:
    return _page(request, db, me, queries.sealed_copy(db, me, copy_id))


@router.post("/register/copies/{copy_id}", name="register.copy_number")
def copy_number(request: Request, db: Db, me: Me, copy_id: int, typed: Submitted) -> Response:
    found = queries.sealed_copy(db, me, copy_id)
    if not me.everywhere(Permission.REGISTER):
        raise ForbiddenError(_("Diarienummer sätts av registrator."))
    try:
        form = read(RegistryForm, typed)
    except InvalidError as error:
        return _page(request, db, me, found, status=422, errors=error.faults, typed=typed)
    actions.register_copy(db, me, found, form)
    return redirect("register.copy", copy_id=copy_id)


@router.post("/register/copies/{copy_id}/take-over", name="register.take_over")
def take_over(request: Request, db: Db, me: Me, copy_id: int, typed: Submitted) -> Response:
    found = queries.sealed_copy(db, me, copy_id)
    if not me.everywhere(Permission.FLAG):
        raise ForbiddenError(_("Det här antecknas av kvalitet och patientsäkerhet."))
    try:
        actions.take_over_left(db, me, found, read_as(VERBS["take-over"], typed))
    except InvalidError as error:
        return _page(request, db, me, found, status=422, errors=error.faults, typed=typed)
    return redirect("register.copy", copy_id=copy_id)


def _page(
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
    number = queries.number_of_copy(db, found)
    return render(
        request,
        "deviations/copy.html",
        status=status,
        errors=errors or [],
        copy=found,
        left_how=words.LEFT_HOW[found.left_how](),
        number=number,
        typed_number=(typed or {}).get("registry_number", [number or ""])[-1],
        may_register=me.everywhere(Permission.REGISTER),
        flags=[flag_shown(flag) for flag in queries.risk_flags(db, me, found)],
        may_take_over=me.everywhere(Permission.FLAG),
        typed_law=(typed or {}).get("law", [""])[-1],
        typed_by=(typed or {}).get("taken_over_by", [""])[-1],
        masked=HIDDEN in str(found.content) or bool(queries.masks(db, me, found)),
        may_open_masked=me.everywhere(Permission.MASK),
        **_content(found),
    )


def _content(found: SealedCopy) -> dict[str, Any]:
    """What was sealed, in the words of today's screens. Copies of an earlier version hold less."""
    content = found.content
    return {
        "declined": _declined(content.get("declined")),
        "report": _told(_report(content)),
        "legs": [(leg["unit"], _stay(leg)) for leg in content["legs"]],
        "questions": [
            {
                "text": one["text"],
                "reply": one["reply"],
                "asked": _moment(one["asked_at"]),
                "ended": _moment(one["ended_at"]),
            }
            for one in content["questions"]
        ],
        "answers": [
            {
                "title": words.OUTCOMES[answer["outcome"]](),
                "at": _moment(answer["answered_at"]),
                "rows": _told(_answer(answer)),
            }
            for answer in content["answers"]
        ],
        "proposals": [
            {"title": _proposed(one), "at": _moment(one["at"]), "rows": _told(_proposal(one))}
            for one in content["proposals"]
        ],
        "timeline": [*(_happened(item) for item in content["events"]), *_parting(found)],
    }


def _told(rows: Rows) -> Rows:
    return [row for row in rows if row[1]]


def _declined(declined: dict[str, Any] | None) -> Rows:
    if declined is None:
        return []
    return _told(
        [
            (_("Skäl"), words.word(words.REASONS, declined["reason"])),
            (_("Era ord"), declined["comment"]),
            (_("Ni föreslog"), declined.get("unit")),
        ]
    )


def _report(content: dict[str, Any]) -> Rows:
    report, identified, delay = content["report"], content.get("identified"), content.get("delay")
    return [
        (_("Från"), f"{report['sender_unit']}, {report['sender_organisation']}"),
        (_("Skickat"), _moment(report["sent_at"])),
        (_("Svar senast"), _day(report["due_on"])),
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
        (
            _("Patienten identifierad"),
            sentences.identified(
                date.fromisoformat(identified["on"]), identified["how"], identified["ground"]
            )
            if identified
            else None,
        ),
        (
            _("Besked om försening"),
            sentences.delayed(date.fromisoformat(delay["promised_on"]), delay["reason"]) if delay else None,
        ),
    ]


def _stay(leg: dict[str, Any]) -> str:
    """From when a unit had the case, and until when, as far as the copy reaches."""
    said = [_("Kom {when}").format(when=_moment(leg["sent_at"]))]
    if leg["acknowledged_at"]:
        said.append(_("kvitterat {when}").format(when=_moment(leg["acknowledged_at"])))
    if leg.get("ended_at"):
        how = (words.word(words.LEFT_HOW, leg["ended_how"]) or "").lower()
        said.append(f"{how} {_moment(leg['ended_at'])}")
    reason = words.word(words.REASONS, leg.get("reason"))
    return ", ".join(said) + (f": {reason[0].lower()}{reason[1:]}" if reason else "")


def _answer(answer: dict[str, Any]) -> Rows:
    informed = {True: _("Ja"), False: _("Nej"), None: None}[answer["patient_informed"]]
    return [
        (_("Orsak inom"), "; ".join(words.CAUSE_AREAS[area]() for area in answer["cause_areas"])),
        (_("Orsak"), answer["cause"]),
        (_("Konsekvens"), answer["consequence"]),
        (_("Patienten informerad"), informed),
        (_("Åtgärder"), "\n".join(_action(step) for step in answer["actions"])),
        (_("Ingen åtgärd, därför att"), answer["no_action_reason"]),
        (_("Uppföljning"), answer["follow_up"]),
        (_("Avsändarens bedömning"), words.word(words.VERDICTS, answer["verdict"])),
        (_("Avsändarens ord om svaret"), answer["verdict_comment"]),
    ]


def _action(step: dict[str, Any]) -> str:
    what = f"{step['kind']}: {step['text']}" if step.get("kind") else step["text"]
    return sentences.action(
        what, step["owner"], date.fromisoformat(step["due_on"]) if step["due_on"] else None
    )


def _proposed(proposal: dict[str, Any]) -> str:
    if proposal["kind"] == "redirect":
        return _("Ni föreslog en annan mottagare")
    if proposal["kind"] == "decline":
        return _("Ni avböjde en andra gång")
    ours = proposal.get("own", True)
    return _("Ni föreslog hur tvisten löses") if ours else _("Avsändaren föreslog hur tvisten löses")


def _proposal(proposal: dict[str, Any]) -> Rows:
    return [
        (_("Skäl"), words.word(words.REASONS, proposal.get("reason"))),
        (_("Lösning"), words.word(words.SETTLEMENTS, proposal["outcome"])),
        (_("Era ord") if proposal.get("own", True) else _("Avsändarens ord"), proposal["comment"]),
        (_("Ni föreslog"), proposal.get("unit")),
        (_("Beslut"), words.word(words.DECISIONS, proposal["decision"])),
    ]


def _happened(item: dict[str, Any]) -> dict[str, Any]:
    who = ", ".join(part for part in (item["profession"], item["unit"]) if part)
    return {
        "what": what_happened(item["verb"], item.get("to_unit")),
        "when": _moment(item["at"]),
        "iso": item["at"],
        "who": _("av sig självt") if item.get("automatic") else who,
        "text": item["comment"],
        "icon": ICONS.get(item["verb"], "chat"),
        "internal": False,
    }


def _parting(found: SealedCopy) -> list[dict[str, Any]]:
    """The decline ends the story: the copy was sealed by it, and holds it by itself."""
    declined = found.content.get("declined")
    if declined is None:
        return []
    at = found.sealed_at.isoformat()
    unit = found.content["legs"][-1]["unit"]
    suggested = declined.get("unit")
    return [
        _happened(
            {
                "verb": "decline",
                "at": at,
                "to_unit": suggested,
                "profession": declined.get("profession"),
                "unit": unit,
                "comment": declined["comment"],
            }
        )
    ]


def _day(iso: str | None) -> str | None:
    return text.short_date(date.fromisoformat(iso)) if iso else None


def _moment(iso: str | None) -> str | None:
    return text.moment(datetime.fromisoformat(iso)) if iso else None
