"""Units, for the administrator: added, changed, moved, ended or merged, opened again, made a branch's way in."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import Me
from backend.core import clock, text
from backend.core.db import Db
from backend.core.errors import InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, read, redirect, render
from backend.deviations import words
from backend.directory import actions
from backend.directory import queries as directory
from backend.directory import words as directory_words
from backend.directory.forms import EndUnitForm, MoveForm, NewUnitForm, UnitForm
from backend.directory.models import Branch, Unit

router = APIRouter()


@router.get("/directory/units/new", name="directory.new_unit")
def new_unit(request: Request, db: Db, me: Me, parent: str = "") -> Response:
    return _new(request, db, me, typed={"parent": parent})


@router.post("/directory/units", name="directory.add_unit")
def add_unit(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    own = directory.own_organisation(db, me)
    try:
        form = read(NewUnitForm, typed)
        # The parent says which branch; one that is not the organisation's own is a choice that is not offered.
        branches = directory.branches_of(db, own.id)
        branch = next(
            (b for b in branches if any(u.hsa_id == form.parent for u in directory.family(db, b))),
            branches[0],
        )
        unit = actions.add_unit(db, me, branch, form)
    except InvalidError as error:
        return _new(request, db, me, status=422, errors=error.faults, typed=_last(typed))
    return redirect("directory.unit", {"done": "added"}, hsa_id=unit.hsa_id)


def _new(request: Request, db: Session, me: Identity, *, status: int = 200, **context: Any) -> Response:
    own = directory.own_organisation(db, me)
    shown = {
        "organisation": own,
        "parents": [
            (branch.name, _options(directory.family(db, branch)))
            for branch in directory.branches_of(db, own.id)
        ],
        "care_levels": words.options(words.CARE_LEVELS),
        **context,
    }
    return render(request, "directory/new_unit.html", status=status, **shown)


def _options(units: list[Unit]) -> list[tuple[str, str]]:
    return [(unit.hsa_id, unit.name) for unit in units if unit.ended_on is None]


def _last(typed: Typed) -> dict[str, str]:
    return {name: values[-1] for name, values in typed.items()}


@router.get("/directory/units/{hsa_id}", name="directory.unit")
def show(request: Request, db: Db, me: Me, hsa_id: str, done: str = "") -> Response:
    unit = directory.administered_unit(db, me, hsa_id)
    return _page(request, db, unit, done=done if done in DONE else "")


DONE: dict[str, Callable[[], str]] = {
    "added": lambda: _("Enheten är tillagd."),
    "changed": lambda: _("Uppgifterna är ändrade."),
    "moved": lambda: _("Enheten är flyttad."),
    "ended": lambda: _("Enheten är avslutad. Öppna ärenden flyttas till den som tar över."),
    "reopened": lambda: _("Enheten är öppen igen."),
    "intake": lambda: _("Enheten är nu verksamhetens väg in."),
}


@router.post("/directory/units/{hsa_id}/change", name="directory.change_unit")
def change(request: Request, db: Db, me: Me, hsa_id: str, typed: Submitted) -> Response:
    return _do(request, db, me, hsa_id, typed, UnitForm, actions.change_unit, "changed")


@router.post("/directory/units/{hsa_id}/move", name="directory.move_unit")
def move(request: Request, db: Db, me: Me, hsa_id: str, typed: Submitted) -> Response:
    return _do(request, db, me, hsa_id, typed, MoveForm, actions.move_unit, "moved")


@router.post("/directory/units/{hsa_id}/end", name="directory.end_unit")
def end(request: Request, db: Db, me: Me, hsa_id: str, typed: Submitted) -> Response:
    return _do(request, db, me, hsa_id, typed, EndUnitForm, actions.end_unit, "ended")


@router.post("/directory/units/{hsa_id}/reopen", name="directory.reopen_unit")
def reopen(db: Db, me: Me, hsa_id: str) -> Response:
    actions.reopen_unit(db, me, directory.administered_unit(db, me, hsa_id))
    return redirect("directory.unit", {"done": "reopened"}, hsa_id=hsa_id)


@router.post("/directory/units/{hsa_id}/intake", name="directory.choose_intake")
def choose_intake(db: Db, me: Me, hsa_id: str) -> Response:
    actions.choose_intake(db, me, directory.administered_unit(db, me, hsa_id))
    return redirect("directory.unit", {"done": "intake"}, hsa_id=hsa_id)


Form = TypeVar("Form", bound=BaseModel)


def _do(
    request: Request,
    db: Session,
    me: Identity,
    hsa_id: str,
    typed: Typed,
    model: type[Form],
    act: Callable[[Session, Identity, Unit, Form], None],
    done: str,
) -> Response:
    """One of the forms on a unit's page: read it, do it, and come back; or show what is wrong with it."""
    unit = directory.administered_unit(db, me, hsa_id)
    try:
        act(db, me, unit, read(model, typed))
    except InvalidError as error:
        return _page(request, db, unit, status=422, errors=error.faults, typed=_last(typed), open=done)
    return redirect("directory.unit", {"done": done}, hsa_id=hsa_id)


def _page(request: Request, db: Session, unit: Unit, *, status: int = 200, **context: Any) -> Response:
    units = directory.family(db, unit.branch)
    by_id = {one.id: one for one in units}
    changes = directory.changes_of(db, unit)
    shown = {
        "unit": unit,
        "parent": by_id.get(unit.parent_id or 0),
        "successor": by_id.get(unit.successor_id or 0),
        "parents": _options([one for one in units if unit.id not in one.path]),
        "successors": _options([one for one in units if one.id != unit.id]),
        "why_not_end": actions.why_not_end(db, unit),
        "may_reopen": unit.ended_on == clock.today(),
        "people": directory.people_of(db, unit.branch.organisation_id, unit_id=unit.id),
        "care_levels": words.options(words.CARE_LEVELS),
        "care_level": words.word(words.CARE_LEVELS, unit.care_level),
        "roles": directory_words.ROLES,
        "history": [_told(db, change) for change in changes],
        "typed": {},
        "done": "",
        "open": "",
        **context,
    }
    return render(request, "directory/unit.html", status=status, messages=DONE, **shown)


def _told(db: Session, change: directory.Change) -> dict[str, Any]:
    """A line of the history in words: what was done, by whom, and each thing that became another."""
    parts = [
        _("{field}: {before} → {after}").format(
            field=directory_words.FIELDS[name](),
            before=_value(db, name, change.before.get(name)),
            after=_value(db, name, after),
        )
        for name, after in change.after.items()
        if change.before and name in directory_words.FIELDS
    ]
    return {
        "when": text.moment(change.at),
        "iso": change.at.isoformat(),
        "who": change.by or _("Ur fil"),
        "what": directory_words.CHANGES[change.what](),
        "text": "\n".join(parts),
    }


def _value(db: Session, name: str, value: object) -> str:
    if value is None or value == "":
        return _("inget")
    if isinstance(value, bool):
        return _("ja") if value else _("nej")
    if name == "care_level":
        return words.word(words.CARE_LEVELS, str(value)) or ""
    if name == "commissioned_by" and isinstance(value, int):
        branch = db.get(Branch, value)
        return branch.name if branch else ""
    return str(value)
