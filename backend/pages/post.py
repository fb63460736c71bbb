"""The demo's letter box: what was caught, what waits for its hour, and what will be reminded of if nobody acts."""

from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.core import clock
from backend.core.calendar import at_hour
from backend.core.db import Db, Scope, unit_of_work
from backend.core.mail import CaughtMail
from backend.core.text import gettext as _
from backend.core.web import render
from backend.deviations import queries as deviations
from backend.deviations.models import Deviation
from backend.directory import queries as directory
from backend.directory.models import Branch
from backend.notifications.letters import KINDS
from backend.notifications.models import DIGEST_AT, Notice

router = APIRouter()

SHOWN, PLANNED = 100, 25


@dataclass(frozen=True)
class WaitingMail:
    kind: str
    case_number: str
    to: str
    planned_at: datetime


ROLES = {
    "reporter": lambda: _("den som rapporterade"),
    "handler": lambda: _("enhetens handläggare"),
    "manager": lambda: _("chefen"),
    "safety": lambda: _("patientsäkerhet"),
    "head": lambda: _("ytterst ansvarig"),
}


@router.get("/demo/post", name="demo.post")
def post(request: Request, db: Db) -> Response:
    caught = db.scalars(select(CaughtMail).order_by(CaughtMail.id.desc()).limit(SHOWN)).all()
    # Only a case's own parties may read even its number, so the page asks as all of the demo's branches.
    everyone = tuple(db.scalars(select(Branch.id)))
    with unit_of_work(Scope(branches=everyone)) as wide:
        waiting, planned = _waiting(wide), _planned(wide)
    return render(request, "demo/post.html", caught=caught, waiting=waiting, planned=planned, now=clock.now())


def _waiting(db: Session) -> list[WaitingMail]:
    rows = db.scalars(select(Notice).where(Notice.ended_at.is_(None)).order_by(Notice.due_at).limit(SHOWN))
    found = []
    for notice in rows:
        case = deviations.owing(db, notice.deviation_id or 0, notice.branch_id)
        found.append(
            WaitingMail(
                KINDS[notice.kind].line(),
                case.case_number if case else "",
                directory.email_of(db, notice.person_id) or "",
                notice.due_at,
            )
        )
    return found


def _planned(db: Session) -> list[WaitingMail]:
    """The steps ahead of the newest cases that wait, in the order they would come."""
    cases = db.scalars(
        select(Deviation)
        .where(Deviation.next_due_on.is_not(None), Deviation.resting.is_(False))
        .order_by(Deviation.sent_at.desc())
        .limit(PLANNED)
    ).all()
    found = [one for case in cases for one in _steps_ahead(db, case, clock.today())]
    return sorted(found, key=lambda one: (one.planned_at, one.case_number))


def _steps_ahead(db: Session, case: Deviation, today: date) -> list[WaitingMail]:
    return [
        WaitingMail(
            KINDS[deviations.kind_of(running.kind, step)].line(),
            case.case_number,
            ROLES[step.role](),
            at_hour(step.on, DIGEST_AT),
        )
        for running in deviations.running(db, case, clock.now())
        for step in running.steps
        if step.on > today
    ]
