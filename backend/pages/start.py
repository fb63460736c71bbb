"""The start page, help, health, and the demo's caught mail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.access import Permission
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import clock, db, jobs, migrate
from backend.core.db import Db, Scope, unit_of_work
from backend.core.jobs import Owed
from backend.core.mail import CaughtMail
from backend.core.text import gettext as _
from backend.core.web import render
from backend.deviations import finding
from backend.deviations import queries as deviations
from backend.deviations.pages.lists import shown
from backend.directory import queries as directory
from backend.directory.models import Branch
from backend.directory.rules import may_watch

router = APIRouter()
demo = APIRouter()


@router.get("/", name="home")
def home(request: Request, db: Db, me: Me) -> Response:
    """Where a working day begins: what waits, what one was writing, what one's roles are there to watch."""
    waiting = deviations.inbox(db, me, limit=6) if me.branches else []
    own = deviations.own_reports(db, me, limit=5) if me.may(Permission.FILE) else []
    piles = deviations.piles(db, me) if me.branches else []
    listed = [row for pile in piles for row in pile.rows]
    if cases := sorted({row.case_number for row in [*waiting[:5], *own, *listed]}):
        audit.record(db, me, "home", cases=cases)
    registers = me.everywhere(Permission.REGISTER)
    unregistered = deviations.unregistered_counts(db, me) if registers else (0, 0)
    return render(
        request,
        "home.html",
        waiting=[shown(row) for row in waiting[:5]],
        waiting_more=len(waiting) > 5,
        piles=[
            {
                "name": pile.name,
                "title": PILES[pile.name](),
                "count": len(pile.rows),
                "more": pile.more,
                "rows": [shown(row) for row in pile.rows],
            }
            for pile in piles
        ],
        reviews=len(deviations.reviews(db, me)) if me.may(Permission.MANAGE) else 0,
        unregistered_cases=unregistered[0],
        unregistered_copies=unregistered[1],
        drafts=deviations.drafts(db, me) if me.may(Permission.FILE) else [],
        own=[shown(row) for row in own],
        views=finding.views(db, me) if me.branches else [],
        address_to_confirm=me.may(Permission.RECEIVE) and directory.address_to_confirm(db, me.person_id),
        watches_health=may_watch(me),
        may_file=me.may(Permission.FILE),
        receives=me.may(Permission.SEE_CASES),
        registers=registers,
        reads_sealed=me.everywhere(Permission.SEALED),
        opens_cases=bool(me.branches),
        sees_figures=me.may(Permission.SEE_FIGURES),
    )


PILES: dict[str, Callable[[], str]] = {
    "untouched": lambda: _("Ingen har rört dem på två arbetsdagar"),
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
    url = jobs.broker_url().replace("redis+socket://", "unix://")
    try:
        return bool(url) and bool(Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5).ping())
    except (RedisError, OSError):
        return False


@dataclass(frozen=True)
class WaitingMail:
    kind: str
    case_number: str
    to: str
    planned_at: datetime


KINDS = {
    "notifications.arrival": lambda: _("Nytt ärende"),
    "notifications.answered": lambda: _("Svar att läsa"),
    "notifications.reminder_before": lambda: _("Påminnelse före svarsfristen"),
    "notifications.reminder_after": lambda: _("Påminnelse efter svarsfristen"),
}


@demo.get("/demo/post", name="demo.post")
def post(request: Request, db: Db) -> Response:
    """The demo's letter box: what was caught, and what waits with its planned time."""
    caught = db.scalars(select(CaughtMail).order_by(CaughtMail.id.desc()).limit(100)).all()
    owed = db.scalars(
        select(Owed)
        .where(Owed.kind.in_(KINDS), Owed.done_at.is_(None), Owed.given_up_at.is_(None))
        .order_by(Owed.due_at)
        .limit(200)
    ).all()
    return render(request, "demo/post.html", caught=caught, waiting=_waiting(db, owed), now=clock.now())


def _waiting(db: Session, owed: Sequence[Owed]) -> list[WaitingMail]:
    # Only a case's own parties may read even its number, so the page asks as all of the demo's branches.
    everyone = tuple(db.scalars(select(Branch.id)))
    with unit_of_work(Scope(branches=everyone)) as wide:
        found = []
        for row in owed:
            case = deviations.owing(wide, row.subject_id or 0, row.branch_id or 0)
            if case is not None:
                found.append(WaitingMail(KINDS[row.kind](), case.case_number, case.unit, row.due_at))
    return found
