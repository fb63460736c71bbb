"""Finding the right unit, on pages of their own: a county's list of units is too long to hang on every case."""

from collections.abc import Callable, Sequence
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core.db import Db
from backend.core.errors import Fault
from backend.core.text import gettext as _
from backend.core.web import Typed, render
from backend.deviations import queries, words
from backend.deviations.actions.moving import check
from backend.deviations.models import Deviation, EndedHow

router = APIRouter()

Way = Literal["redirect", "decline", "resend"]

HEADINGS: dict[Way, Callable[[], str]] = {
    "redirect": lambda: _("Skicka till rätt enhet"),
    "decline": lambda: _("Avböj ärendet"),
    "resend": lambda: _("Skicka till en annan enhet"),
}
Groups = list[tuple[str, list[tuple[str, str]]]]

MISSING = {
    "unit": lambda: _("Välj vilken enhet ärendet hör till."),
    "reason": lambda: _("Välj ett skäl."),
    "comment": lambda: _("Skriv några ord till den som tar emot det."),
}


@router.get("/deviations/{case_number}/redirect", name="deviations.redirect")
def redirect(request: Request, db: Db, me: Me, case_number: str) -> Response:
    return _open(request, db, me, case_number, "redirect")


@router.get("/deviations/{case_number}/decline", name="deviations.decline")
def decline(request: Request, db: Db, me: Me, case_number: str) -> Response:
    return _open(request, db, me, case_number, "decline")


@router.get("/deviations/{case_number}/resend", name="deviations.resend")
def resend(request: Request, db: Db, me: Me, case_number: str) -> Response:
    return _open(request, db, me, case_number, "resend")


def _open(request: Request, db: Session, me: Identity, case_number: str, way: Way) -> Response:
    deviation = queries.deviation(db, me, case_number)
    check(db, me, deviation, way)
    return page(way)(request, db, me, deviation)


def page(way: Way) -> Callable[..., Response]:
    def shown(
        request: Request,
        db: Session,
        me: Identity,
        deviation: Deviation,
        *,
        status: int = 200,
        errors: Sequence[Fault] = (),
        typed: Typed | None = None,
    ) -> Response:
        audit.record(db, me, "deviations.show", cases=[deviation.case_number])
        legs = queries.handovers(db, deviation)
        suggested = None
        if way == "resend":
            event = queries.latest_event(db, deviation, "decline")
            suggested = queries.unit_named(db, event.to_unit_id) if event and event.to_unit_id else None
        given = typed or {}
        return render(
            request,
            "deviations/case/onward.html",
            status=status,
            errors=list(errors),
            deviation=deviation,
            way=way,
            heading=HEADINGS[way](),
            groups=_groups(db, deviation, way),
            chosen=given.get("unit", given.get("suggested_unit", [suggested.hsa_id if suggested else ""]))[
                -1
            ],
            reason=given.get("reason", ["wrong_recipient" if way == "redirect" else ""])[-1],
            comment=given.get("comment", [""])[-1],
            suggested=suggested.name if suggested else None,
            again=any(leg.ended_how == EndedHow.DECLINED for leg in legs),
            reasons=words.options(words.REASONS),
        )

    return shown


def _groups(db: Session, deviation: Deviation, way: Way) -> Groups:
    """Units to choose among, one's own branch first; where the case lies now only for who sends it again."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for unit in queries.onward(db, deviation):
        own = unit.branch_id == deviation.receiver_branch_id and way != "resend"
        if unit.hsa_id == deviation.receiver_unit.hsa_id and way != "resend":
            continue
        of = (
            unit.organisation
            if unit.branch.startswith(unit.organisation)
            else f"{unit.organisation}: {unit.branch}"
        )
        if own:
            of = _("Inom er egen verksamhet: {branch}").format(branch=unit.branch)
        name = _("{unit} (vet inte vilken enhet)").format(unit=unit.name) if unit.intake else unit.name
        groups.setdefault(of, []).append((unit.hsa_id, name))
    return list(groups.items())
