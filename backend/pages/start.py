"""The start page, help, health, and the demo's caught mail."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from backend.access import Identity, Permission, Role
from backend.accounts.identity import Me
from backend.agreements import queries as agreements
from backend.agreements.rules import may_agree
from backend.audit import actions as audit
from backend.core import bell, clock, db, migrate, stuck, text
from backend.core.db import Db
from backend.core.text import gettext as _
from backend.core.web import render, url
from backend.deviations import deadlines, finding, words
from backend.deviations import queries as deviations
from backend.deviations.pages.lists import shown
from backend.deviations.queries.desk import SHOWN
from backend.directory import queries as directory
from backend.directory.rules import may_watch
from backend.pages.health import wanting
from backend.pages.jobs import may_look, mine

router = APIRouter()


@router.get("/", name="home")
def home(request: Request, db: Db, me: Me) -> Response:
    """Where a working day begins: what waits, what one was writing, what one's roles are there to watch."""
    waiting = deviations.inbox(db, me, limit=6) if me.branches else []
    own = deviations.own_reports(db, me, limit=5) if me.may(Permission.FILE) else []
    piles = deviations.piles(db, me) if me.branches else []
    flagged = deviations.flagged_copies(db, me, SHOWN + 1)
    listed = {row.case_number for pile in piles for row in pile.rows}
    listed |= {row.case_number for row in [*waiting[:5], *own]} | {one.case_number for one in flagged[:SHOWN]}
    if cases := sorted(listed):
        audit.record(db, me, "home", cases=cases)
    drafts = deviations.drafts(db, me) if me.may(Permission.FILE) else []
    registers = me.everywhere(Permission.REGISTER)
    unregistered = deviations.unregistered_counts(db, me) if registers else (0, 0)
    administers = may_watch(me) and not me.branches
    return render(
        request,
        "home.html",
        waiting=[shown(row) for row in waiting[:5]],
        waiting_more=len(waiting) > 5,
        piles=[
            *([_left_flagged(flagged)] if flagged else []),
            *(
                {
                    "name": pile.name,
                    "title": PILES[pile.name](),
                    "count": len(pile.rows),
                    "more": pile.more,
                    "rows": [shown(row) for row in pile.rows],
                }
                for pile in piles
            ),
        ],
        reviews=len(deviations.reviews(db, me)) if me.may(Permission.MANAGE) else 0,
        unregistered_cases=unregistered[0],
        unregistered_copies=unregistered[1],
        drafts=drafts,
        dying={
            one.submission: deadlines.draft_ends_on(one)
            for one in drafts
            if deadlines.is_dying(one, clock.today())
        },
        own=[shown(row) for row in own],
        views=finding.views(db, me) if me.branches else [],
        address_to_confirm=me.may(Permission.RECEIVE) and directory.address_to_confirm(db, me.person_id),
        watches_health=may_watch(me),
        units_wanting=wanting(db, me) if administers else 0,
        may_file=me.may(Permission.FILE),
        receives=me.may(Permission.SEE_CASES),
        registers=registers,
        reads_sealed=me.everywhere(Permission.SEALED),
        opens_cases=bool(me.branches),
        coming=_coming(me),
        sees_figures=me.may(Permission.SEE_FIGURES),
        sees_jobs=may_look(me),
        stuck=stuck.count(db, mine(me)) if may_look(me) else 0,
        calendars_to_check=agreements.calendars_to_check(db, me.place_id) if may_agree(me) else [],
    )


def _coming(me: Identity) -> str:
    """What the assignment is for, where the pages for it are still to come."""
    roles = {grant.role for grant in me.grants}
    if Role.AUDITOR in roles:
        return _("Här ska du kunna granska åtkomstloggen. Den sidan finns inte än.")
    if Role.GROUP_MEMBER in roles:
        return _("Hit kommer gruppens teman, beslut och dagordning. De sidorna finns inte än.")
    return _("I det här uppdraget öppnas inga ärenden.")


def _left_flagged(copies: Sequence[deviations.FlaggedCopy]) -> dict[str, Any]:
    """A pile of sealed copies: the cases themselves are out of the branch's sight."""
    return {
        "name": "left_flagged",
        "title": _("Lex Maria eller lex Sarah som ingen har tagit över, i ärenden som har lämnat er"),
        "count": len(copies[:SHOWN]),
        "more": len(copies) > SHOWN,
        "rows": [
            {
                "number": copy.case_number,
                "href": url("register.copy", copy_id=copy.id),
                "what": text.join([words.LAWS[law]() for law in copy.laws]),
                "party": copy.sender,
                "state": words.LEFT_HOW[copy.left_how](),
            }
            for copy in copies[:SHOWN]
        ],
    }


PILES: dict[str, Callable[[], str]] = {
    "untouched": lambda: _("Ännu inte öppnade av någon hos er"),
    "high_risk": lambda: _("Hög risk"),
    "not_taken_over": lambda: _("Lex Maria eller lex Sarah som ingen har tagit över"),
    "masked": lambda: _("Maskerade uppgifter den senaste månaden"),
    "to_approve": lambda: _("Svar att godkänna"),
    "disputed": lambda: _("Att komma överens om"),
    "unassigned": lambda: _("Utan handläggare"),
    "assigned": lambda: _("Du är handläggare"),
    "invited": lambda: _("Du är inbjuden att medverka"),
}


@router.get("/help", name="help")
def help_page(request: Request) -> Response:
    return render(request, "help.html")


@router.get("/accessibility", name="accessibility")
def accessibility(request: Request) -> Response:
    return render(request, "accessibility.html")


@router.get("/healthz", name="healthz")
def healthz() -> Response:
    """Whether this process answers. Asks nothing of anyone."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", name="readyz")
def readyz() -> Response:
    """Whether work can be done: database and migrations decide; a silent broker only warns, since nothing is lost."""
    found = {"database": "ok", "migrations": "ok", "broker": "ok"}
    try:
        if not migrate.is_at_head(db.engine()):
            found["migrations"] = "behind"
    except SQLAlchemyError:
        found |= {"database": "down", "migrations": "unknown"}
    if not _broker_answers():
        found["broker"] = "warning"
    ready = found["database"] == "ok" and found["migrations"] == "ok"
    return JSONResponse({"status": "ok" if ready else "unavailable", **found}, 200 if ready else 503)


def _broker_answers() -> bool:
    url = bell.broker_url().replace("redis+socket://", "unix://")
    try:
        return bool(url) and bool(Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5).ping())
    except (RedisError, OSError):
        return False
