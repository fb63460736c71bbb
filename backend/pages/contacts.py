"""The county's units with telephone and way in, on one page to print: for the day when the systems are down."""

from datetime import time

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts.identity import Me
from backend.core import calendar, clock, papers, text
from backend.core.db import Db
from backend.core.text import gettext as _
from backend.core.web import render
from backend.directory import queries as directory
from backend.directory.queries import Listed
from backend.pages.directory import gathered
from backend.settings import ROOT

router = APIRouter()

TEMPLATE = ROOT / "frontend" / "templates" / "directory" / "contacts.typ"


@router.get("/directory/contacts", name="directory.contacts")
def contacts(request: Request, db: Db, me: Me) -> Response:
    units = directory.listing(db, me.county_id) if me.county_id else []
    return render(request, "directory/contacts.html", organisations=gathered(units), row=row)


@router.get("/directory/contacts.pdf", name="directory.contacts_pdf")
def pdf(db: Db, me: Me) -> Response:
    """The same, as a file to keep at hand. The same day and directory are the same bytes."""
    units = directory.listing(db, me.county_id) if me.county_id else []
    today = clock.today()
    return Response(
        papers.made(TEMPLATE, payload(units), calendar.at_hour(today, time())),
        media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="kontaktlista-{today.isoformat()}.pdf"'},
    )


def payload(units: list[Listed]) -> str:
    """The list as the template reads it."""
    return papers.payload(
        {
            "title": _("Kontaktlista"),
            "lead": _(
                "Ring enheten om ett ärende när Samsvar inte går att nå. Vet du inte vilken enhet: ring väg in."
            ),
            "as_of": _("Gäller {day}").format(day=text.long_date(clock.today())),
            "head": [_("Enhet"), _("Telefon")],
            "page": _("Sida"),
            "of_pages": _("av"),
            "organisations": [
                {
                    "name": organisation,
                    "branches": [
                        {"name": branch, "rows": [row(unit) for unit in places]}
                        for branch, places in branches
                    ],
                }
                for organisation, branches in gathered(units)
            ],
        }
    )


def row(unit: Listed) -> list[str]:
    name = _("{unit} (väg in)").format(unit=unit.name) if unit.intake else unit.name
    return [name, unit.telephone or "–"]
