"""Hiding a slip, in two steps: point it out, see it in its place, and then hide it from everybody. And what was hidden,
for safety: the words, whom they may have reached, and what the law asks for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import screening, text
from backend.core.db import Db
from backend.core.errors import Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, read, render, url
from backend.deviations import queries, rules
from backend.deviations.actions.mask import texts_of
from backend.deviations.actions.moving import forbidden
from backend.deviations.forms import MaskForm
from backend.deviations.hiding import wherever
from backend.deviations.models import Deviation, SealedCopy
from backend.deviations.pages.case import parts

router = APIRouter()

# Dataskyddsförordningen, article 33: within 72 hours of learning of it.
REPORTED_WITHIN = timedelta(hours=72)
AROUND = 60


@dataclass(frozen=True)
class Passage:
    """Words of a text with what stands around them."""

    field: str
    label: str
    start: int
    end: int
    before: str
    words: str
    after: str

    @property
    def alone(self) -> bool:
        """It is hidden nowhere but where it was pointed at."""
        return wherever(self.words) is None


@router.get("/deviations/{case_number}/mask", name="deviations.mask")
def mask(request: Request, db: Db, me: Me, case_number: str) -> Response:
    deviation = queries.deviation(db, me, case_number)
    _may(me, deviation)
    return page(request, db, me, deviation)


@router.post("/deviations/{case_number}/mask/check", name="deviations.mask_check")
def mask_check(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
    """The passage in its place, to say yes to. By POST, so that no slip stands in an address."""
    deviation = queries.deviation(db, me, case_number)
    _may(me, deviation)
    try:
        passage = _pointed_out(db, deviation, typed)
    except InvalidError as error:
        return page(request, db, me, deviation, status=422, errors=error.faults, typed=typed)
    return page(request, db, me, deviation, typed=typed, passage=passage)


@router.get("/deviations/{case_number}/masked", name="deviations.masked")
def masked(request: Request, db: Db, me: Me, case_number: str) -> Response:
    """What was hidden: for safety alone, of either side and of a branch that had been given it before the case left."""
    case = queries.masked_case(db, me, case_number)
    if not me.everywhere(Permission.MASK):
        raise ForbiddenError(_("Det dolda öppnas bara av kvalitet och patientsäkerhet."))
    found = queries.masks(db, me, case)
    readers = queries.readers(db, me, case, found)
    audit.record(db, me, "deviations.masked", cases=[case.case_number])
    left = isinstance(case, SealedCopy)
    return render(
        request,
        "deviations/case/masked.html",
        case_number=case.case_number,
        left=left,
        back=url("register.copy", copy_id=case.id)
        if left
        else url("deviations.show", case_number=case_number),
        masks=parts.masks(found),
        report_by=text.moment(min(one.at for one in found) + REPORTED_WITHIN) if found else None,
        readers=readers,
    )


def page(
    request: Request,
    db: Session,
    me: Identity,
    deviation: Deviation,
    *,
    status: int = 200,
    errors: Sequence[Fault] = (),
    typed: Typed | None = None,
    passage: Passage | None = None,
) -> Response:
    audit.record(db, me, "deviations.show", cases=[deviation.case_number])
    texts = texts_of(db, deviation)
    given = typed or {}
    return render(
        request,
        "deviations/case/mask.html",
        status=status,
        errors=list(errors),
        deviation=deviation,
        texts=[(field, parts.text_label(field), said) for field, said in texts],
        found=[_passage(field, said, *span) for field, said in texts for span in _suspected(said)],
        passage=passage,
        as_well=_as_well(texts, passage) if passage else [],
        field=given.get("field", [texts[0][0] if texts else ""])[-1],
        # What is to be hidden is given back only to the one who has just typed it.
        wanted=given.get("words", [""])[-1],
    )


def _may(me: Identity, deviation: Deviation) -> None:
    if not rules.may_mask(me, deviation):
        raise forbidden()


def _suspected(said: str) -> list[tuple[int, int]]:
    """What may be a slip, to be hidden with one press."""
    return [(hit.start, hit.end) for hit in (*screening.certain(said), *screening.probable(said))]


def _pointed_out(db: Session, deviation: Deviation, typed: Typed) -> Passage:
    """The passage by its words, or by its place. Raises InvalidError where the text holds no such words."""
    texts = dict(texts_of(db, deviation))
    field = typed.get("field", [""])[-1]
    if field not in texts:
        raise InvalidError(Fault("field", _("Välj i vilken text uppgiften står.")))
    if typed.get("start"):
        form = read(MaskForm, typed)
        return _passage(field, texts[field], form.start, form.end)
    words = typed.get("words", [""])[-1]
    wanted = words.split()
    if not wanted:
        raise InvalidError(Fault("words", _("Skriv de ord som ska döljas, precis som de står.")))
    # As a word of its own if it stands so anywhere, before it is looked for inside others.
    whole = wherever(words)
    place = (whole and whole.search(texts[field])) or re.search(
        r"\s+".join(map(re.escape, wanted)), texts[field], re.IGNORECASE
    )
    if place is None:
        raise InvalidError(
            Fault(
                "words",
                _("De orden finns inte i den texten. Kopiera dem därifrån, eller välj en annan text."),
            )
        )
    return _passage(field, texts[field], place.start(), place.end())


def _as_well(texts: Sequence[tuple[str, str]], passage: Passage) -> list[Passage]:
    """Where else the same words stand, of what the reader may see: they are hidden there too."""
    slip = wherever(passage.words)
    if slip is None:
        return []
    return [
        _passage(field, said, hit.start(), hit.end())
        for field, said in texts
        for hit in slip.finditer(said)
        if (field, hit.start()) != (passage.field, passage.start)
    ]


def _passage(field: str, said: str, start: int, end: int) -> Passage:
    return Passage(
        field,
        parts.text_label(field),
        start,
        end,
        ("…" if start > AROUND else "") + said[max(0, start - AROUND) : start],
        said[start:end],
        said[end : end + AROUND] + ("…" if len(said) > end + AROUND else ""),
    )
