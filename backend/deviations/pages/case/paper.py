"""A case on paper for the diary of one's own authority."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.access import Identity
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import clock
from backend.core.db import Db
from backend.core.text import gettext as _
from backend.deviations import diary, queries
from backend.deviations.pages.case import own
from backend.deviations.pages.case.show import story_of

router = APIRouter()

Rows = tuple[tuple[str, str], ...]


@router.get("/deviations/{case_number}.pdf", name="deviations.pdf")
def pdf(_request: Request, db: Db, me: Me, case_number: str) -> Response:
    """What one's own branch may read of the case now, its notes left out: they are its own working papers."""
    deviation = queries.deviation(db, me, case_number)
    audit.record(db, me, "deviations.pdf", cases=[deviation.case_number])
    made = diary.paper(_paper(me, story_of(db, me, deviation)))
    return Response(
        made,
        media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{deviation.case_number}.pdf"'},
    )


def _paper(me: Identity, story: dict[str, Any]) -> diary.CasePaper:
    deviation = story["deviation"]
    side = own.side_of(me, deviation)
    sections = [
        diary.Section(_("Parterna"), (*_rows(story["parties"]), (_("Läge"), story["state_words"][0]))),
        diary.Section(_("Vad hände"), ((_("Berättelse"), deviation.description), *_rows(story["facts"]))),
        *(
            diary.Section(
                _("Fråga från {unit}").format(unit=one["from"]),
                _rows([(one["at"], one["text"]), (_("Svar"), one["reply"] or _("Inget svar"))]),
            )
            for one in story["conversation"]
        ),
        *(
            diary.Section(
                _("Svar: {outcome}").format(outcome=one["title"].lower()),
                (
                    (_("Lämnat"), one["at"]),
                    *_rows(one["rows"]),
                    *((_("Åtgärd"), action.text) for action in one["actions"]),
                    *_rows([(_("Avsändarens ord om svaret"), one["comment"])]),
                ),
            )
            for one in story["answers"]
        ),
        diary.Section(
            _("Händelser"),
            tuple(
                (one["when"], ". ".join(part for part in (one["what"], one["who"], one["text"]) if part))
                for one in story["timeline"]
            ),
        ),
    ]
    return diary.CasePaper(
        case_number=deviation.case_number,
        registry_number=side.registry_number if side else None,
        title=deviation.category.label,
        branch=me.place_name,
        as_of=clock.now(),
        sections=tuple(sections),
    )


def _rows(rows: Any) -> Rows:
    return tuple((label, value) for label, value in rows if value)
