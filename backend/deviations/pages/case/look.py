"""A look before a text crosses to the other party: what in it probably points out a person, to mask or let be."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core.db import Db
from backend.core.errors import NotFoundError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, render, url
from backend.deviations import queries, warnings, words
from backend.deviations.models import Deviation

router = APIRouter()

# Sent by the forms of our own pages, and not by the page of the look: what is found there has been seen.
LOOK_FIRST = "look_first"
# The verbs whose words the other party reads, with the name of their button.
CROSSING = {
    "acknowledge": lambda: _("Kvittera"),
    "question": lambda: _("Skicka frågan"),
    "reply": lambda: _("Skicka svaret"),
    "delay-notice": lambda: _("Lämna besked"),
    "redirect": lambda: _("Skicka vidare"),
    "decline": lambda: _("Avböj"),
    "resend": lambda: _("Skicka"),
    "confirm-redirect": lambda: _("Skicka"),
    "verdict": lambda: _("Skicka tillbaka"),
    "settle": lambda: _("Skicka förslaget"),
    "reopen": lambda: _("Öppna igen"),
    "answer": lambda: _("Skicka svaret"),
}
# Those whose form has a page of its own.
OWN_PAGE = frozenset({"answer", "redirect", "decline", "resend"})
TEXTS: warnings.Labels = {
    "text": lambda: _("Texten"),
    "reason": lambda: _("Skälet"),
    "comment": lambda: _("Det du skrev"),
    "cause": lambda: _("Orsaken"),
    "actions": lambda: _("Åtgärderna"),
    "actions_owner": lambda: _("Ansvarig funktion"),
    "no_action_reason": lambda: _("Varför ingen åtgärd behövs"),
    "follow_up": lambda: _("Uppföljningen"),
    "consequence": lambda: _("Konsekvensen"),
}


def wanted(verb: str, typed: Typed) -> bool:
    """Whether there is something to look at first."""
    return verb in CROSSING and LOOK_FIRST in typed and bool(warnings.passages(typed, TEXTS))


@router.post("/deviations/{case_number}/look/{verb}", name="deviations.look")
def look(request: Request, db: Db, me: Me, case_number: str, verb: str, typed: Submitted) -> Response:
    deviation = queries.deviation(db, me, case_number)
    if verb not in CROSSING:
        raise NotFoundError
    return page(request, db, me, deviation, verb, warnings.masked(typed, TEXTS))


def page(
    request: Request, db: Session, me: Identity, deviation: Deviation, verb: str, typed: Typed
) -> Response:
    """What was typed, as hidden fields, with the passages found in it. Nothing is sent yet."""
    audit.record(db, me, "deviations.show", cases=[deviation.case_number])
    values: list[tuple[str, Any]] = [
        (field, value) for field, several in typed.items() if field != LOOK_FIRST for value in several
    ]
    name = verb.replace("-", "_")
    change = url(f"deviations.change_{name}", case_number=deviation.case_number)
    return render(
        request,
        "deviations/case/look.html",
        deviation=deviation,
        verb=verb,
        button=CROSSING[verb](),
        send_to=f"deviations.{name}",
        change_at=f"{change}#{_field(verb, typed)}",
        values=values,
        said=[(TEXTS[field](), value) for field, value in _said(typed)],
        passages=warnings.passages(typed, TEXTS),
    )


def _said(typed: Typed) -> list[tuple[str, str]]:
    """The texts; a reason may be a choice in a list, whose code says nothing to a person."""
    return [
        (name, value)
        for name, several in typed.items()
        if name in TEXTS
        for value in several
        if value.strip() and value not in words.REASONS
    ]


def _field(verb: str, typed: Typed) -> str:
    """The id of the first text: as its name on a page of its own, and after the verb where many forms stand."""
    name = next((name for name, _value in _said(typed)), "")
    return name if verb in OWN_PAGE else f"{verb}-{name}"
