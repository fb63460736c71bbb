"""What the county has agreed on, in plain words: everybody of the county reads it, since all live by it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts.identity import Me
from backend.agreements import actions, closing
from backend.agreements import queries as agreements
from backend.agreements.forms import YearForm
from backend.agreements.models import Agreement
from backend.agreements.rules import may_agree
from backend.core import clock, text
from backend.core.calendar import local_date
from backend.core.db import Db
from backend.core.errors import ForbiddenError, NotFoundError
from backend.core.text import gettext as _
from backend.core.web import Submitted, read, redirect, render
from backend.deviations import agreed
from backend.deviations.pages.agreements.almanac import years
from backend.directory.models import County

router = APIRouter()


@router.get("/agreements", name="agreements.show")
def show(request: Request, db: Db, me: Me, done: str = "") -> Response:
    """The agreement in force in one's county, in plain words, with what is planned and what has been."""
    if me.county_id is None:
        raise NotFoundError
    county = db.get_one(County, me.county_id)
    versions = agreements.versions(db, county.id)
    now = agreements.in_force(versions, clock.today())
    coming = agreements.planned(versions)
    return render(
        request,
        "agreements/show.html",
        county=county,
        version=_version(versions, now),
        lines=agreed.lines(now.terms),
        years=years(closing.calendar_of(now.terms)),
        planned=_version(versions, coming) if coming else None,
        history=[_version(versions, one) for one in versions],
        may_agree=may_agree(me),
        to_check=agreements.calendars_to_check(db, county.id) if may_agree(me) else [],
        done=DONE[done]() if done in DONE else "",
    )


DONE: dict[str, Callable[[], str]] = {
    "made": lambda: _("Den nya versionen är sparad. Ärenden som redan är skickade behåller sin."),
    "withdrawn": lambda: _("Versionen är tillbakatagen och kommer inte att gälla."),
    "checked": lambda: _("Noterat: stängda dagar är kontrollerade."),
}


@router.post("/agreements/calendar", name="agreements.check_calendar")
def check_calendar(db: Db, me: Me, typed: Submitted) -> Response:
    _may_write(me)
    actions.check_calendar(db, me, read(YearForm, typed).year)
    return redirect("agreements.show", {"done": "checked"})


@router.get("/agreements/{county}/{version}", name="agreements.version")
def version(request: Request, db: Db, me: Me, county: str, version: int) -> Response:
    """One version of one's own county, whether it counts, did, or will."""
    this = agreements.agreement(db, me, county, version)
    versions = agreements.versions(db, this.county_id)
    older = agreements.before(versions, this)
    return render(
        request,
        "agreements/version.html",
        county=db.get_one(County, this.county_id),
        version=_version(versions, this),
        changes=agreed.changes(older.terms, this.terms) if older else [],
        first=older is None,
        lines=agreed.lines(this.terms),
        may_agree=may_agree(me),
        may_start=may_agree(me) and agreements.planned(versions) is None,
    )


@router.post("/agreements/{county}/{version}/withdraw", name="agreements.withdraw")
def withdraw(db: Db, me: Me, county: str, version: int) -> Response:
    this = agreements.agreement(db, me, county, version)
    _may_write(me)
    actions.withdraw_agreement(db, me, this)
    return redirect("agreements.show", {"done": "withdrawn"})


def _may_write(me: Me) -> None:
    if not may_agree(me):
        raise ForbiddenError(_("Överenskommelsen skrivs av länets samordnare. Läsa den kan alla."))


def _version(versions: Sequence[Agreement], one: Agreement) -> dict[str, Any]:
    """A version as history shows it: from when to when, by whom, and what it changed."""
    older = agreements.before(versions, one)
    now = agreements.in_force(versions, clock.today())
    newer = [v for v in versions if v.version > one.version and v.withdrawn_at is None]
    if one.withdrawn_at is not None:
        state, kind = _("Tillbakatagen"), "neutral"
    elif one.id == now.id:
        state, kind = _("Gäller nu"), "done"
    elif one.valid_from > clock.today():
        state, kind = _("Börjar gälla"), "waiting"
    else:
        state, kind = _("Har gällt"), "neutral"
    return {
        "version": one.version,
        "state": state,
        "kind": kind,
        "valid_from": one.valid_from if older else None,
        "valid_to": newer[-1].valid_from - timedelta(days=1) if newer and one.withdrawn_at is None else None,
        "planned": kind == "waiting",
        "made": text.short_date(local_date(one.made_at)) if one.made_at and older else "",
        "by": one.maker.title if one.maker else "",
        "changed": [change.label for change in agreed.changes(older.terms, one.terms)] if older else [],
    }
