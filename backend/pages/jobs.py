"""What has stuck of the work behind the pages, for whoever can do something about it: tried again, or dropped.

The administrator sees what is owed for the organisation's branches and people, the coordinator what is the county's.
Neither may see a case, so nothing here tells which case it was about.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import clock, stuck
from backend.core.db import Db
from backend.core.errors import ConflictError, InvalidError, NotFoundError
from backend.core.jobs import Owed
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, read, redirect, render
from backend.directory import queries as directory
from backend.directory.models import Branch, Person
from backend.pages import job_words as words

router = APIRouter()

# Owed to a county as a whole: the subject is the county.
OF_COUNTY = ("summaries.snapshot", "agreements.calendar_check")
# Owed to an organisation as a whole: the subject is the organisation.
OF_ORGANISATION = ("directory.no_substitutes",)
# Owed to the installation: every county's coordinator may set it going.
OF_ALL = ("upkeep.prune", "directory.bounces", "deviations.look_after")


def may_look(me: Identity) -> bool:
    """Whoever administers an organisation, and whoever coordinates a county."""
    return (me.place == "organisation" and me.may(Permission.ADMINISTER)) or (
        me.place == "county" and me.may(Permission.COORDINATE)
    )


def mine(me: Identity) -> ColumnElement[bool]:
    """The rows of the outbox that this person answers for; the table stands outside row-level security."""
    if not may_look(me):
        return false()
    if me.place == "county":
        return or_(and_(Owed.kind.in_(OF_COUNTY), Owed.subject_id == me.place_id), Owed.kind.in_(OF_ALL))
    branches = select(Branch.id).where(Branch.organisation_id == me.place_id)
    people = select(Person.id).where(directory.of_organisation(me.place_id))
    return or_(
        Owed.branch_id.in_(branches),
        and_(Owed.branch_id.is_(None), Owed.person_id.in_(people)),
        and_(Owed.kind.in_(OF_ORGANISATION), Owed.subject_id == me.place_id),
    )


@router.get("/jobs", name="jobs.list")
def show(request: Request, db: Db, me: Me, done: str = "") -> Response:
    return _page(request, db, me, done=done if done in DONE else "")


DONE: dict[str, Callable[[], str]] = {
    "retried": lambda: _("Försöker igen. Fastnar det på nytt kommer det tillbaka hit."),
    "dropped": lambda: _("Släppt. Du kan ta tillbaka det längst ner på sidan i nittio dagar."),
}


class DropForm(BaseModel):
    """Why it is not to be tried again; a choice, so that nobody writes about a case here."""

    reason: Literal["told_otherwise", "no_longer_needed", "wrong_address", "other"]


@router.post("/jobs/retry", name="jobs.retry_many")
def retry_many(db: Db, me: Me, typed: Submitted) -> Response:
    return _retry(db, me, _several(db, me, typed))


@router.post("/jobs/drop", name="jobs.drop_many")
def drop_many(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    return _drop(request, db, me, _several(db, me, typed), typed)


@router.post("/jobs/{job_id}/retry", name="jobs.retry")
def retry(db: Db, me: Me, job_id: int) -> Response:
    return _retry(db, me, _one(db, me, job_id))


@router.post("/jobs/{job_id}/drop", name="jobs.drop")
def drop(request: Request, db: Db, me: Me, job_id: int, typed: Submitted) -> Response:
    return _drop(request, db, me, _one(db, me, job_id), typed)


def _one(db: Session, me: Identity, job_id: int) -> list[Owed]:
    """A row that was given up, or dropped and can be taken back; another's is not there."""
    if not (rows := stuck.chosen(db, [job_id], mine(me))):
        raise NotFoundError
    return rows


def _several(db: Session, me: Identity, typed: Typed) -> list[Owed]:
    """Those that were ticked and are still there: somebody else may have been first with some of them."""
    if not may_look(me):
        raise NotFoundError
    numbers = [part for value in typed.get("jobs", []) for part in value.split(",")]
    ids = [int(part) for part in numbers if part.isdecimal() and len(part) < 19]
    if not (rows := stuck.chosen(db, ids, mine(me))):
        raise ConflictError(_("Inget av det du valde finns kvar här. Ladda om sidan."))
    return rows


def _retry(db: Session, me: Identity, rows: list[Owed]) -> Response:
    audit.record(db, me, "jobs.retry", jobs=[str(row.id) for row in rows])
    stuck.retry(db, rows)
    return redirect("jobs.list", {"done": "retried"})


def _drop(request: Request, db: Session, me: Identity, rows: list[Owed], typed: Typed) -> Response:
    try:
        form = read(DropForm, typed)
    except InvalidError as error:
        return _page(request, db, me, status=422, errors=error.faults, open={row.id for row in rows})
    audit.record(db, me, "jobs.drop", jobs=[str(row.id) for row in rows], reason=form.reason)
    stuck.drop(rows, form.reason, me.person_id)
    return redirect("jobs.list", {"done": "dropped"})


@dataclass
class Pile:
    """What has stuck in the same way at the same place, handled as one."""

    title: str
    place: str
    trouble: str
    rows: list[Owed]

    @property
    def ids(self) -> str:
        return ",".join(str(row.id) for row in self.rows)


def _page(request: Request, db: Session, me: Identity, *, status: int = 200, **context: Any) -> Response:
    if not may_look(me):
        raise NotFoundError
    rows, dropped = stuck.given_up(db, mine(me)), stuck.dropped(db, mine(me))
    places = _places(db, [*rows, *dropped])
    piles: dict[tuple[str, str, str], Pile] = {}
    for row in rows:
        key = (words.kind(row.kind), places[row.id], words.trouble(row.outcome))
        piles.setdefault(key, Pile(*key, [])).rows.append(row)
    shown = {
        "piles": list(piles.values()),
        "count": len(rows),
        "everything": ",".join(str(row.id) for row in rows),
        "dropped": [
            (row, words.kind(row.kind), places[row.id], words.REASONS[row.dropped_reason or ""]())
            for row in dropped
        ],
        "waiting": [
            (words.kind(one.kind), one.count, one.since, words.trouble(one.outcome) if one.failed else "")
            for one in stuck.waiting(db, mine(me))
        ],
        "reasons": [(code, word()) for code, word in words.REASONS.items()],
        "now": clock.now(),
        "done": "",
        "open": set(),
        **context,
    }
    return render(request, "jobs/list.html", status=status, messages=DONE, **shown)


def _places(db: Session, rows: Collection[Owed]) -> dict[int, str]:
    """For whom each row was owed: a branch, a person by title, or the county."""
    branches = {row.branch_id for row in rows if row.branch_id}
    people = {row.person_id for row in rows if row.person_id and not row.branch_id}
    names = dict(db.execute(select(Branch.id, Branch.name).where(Branch.id.in_(branches))).all())
    titles = dict(db.execute(select(Person.id, Person.title).where(Person.id.in_(people))).all())
    return {
        row.id: names.get(row.branch_id or 0) or titles.get(row.person_id or 0) or _("Länet") for row in rows
    }
