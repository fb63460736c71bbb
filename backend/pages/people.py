"""People, for the administrator: their assignments, invitations, and who stands in for them."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity, Role
from backend.accounts import actions as accounts
from backend.accounts.identity import Me
from backend.core.db import Db
from backend.core.errors import InvalidError, NotFoundError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, read, redirect, render
from backend.directory import actions, rules
from backend.directory import queries as directory
from backend.directory import words as directory_words
from backend.directory.forms import AssignmentForm, NewPersonForm, PersonForm, SubstituteForm
from backend.directory.models import Organisation, Person

router = APIRouter()

PAGE = 50


@router.get("/directory/people", name="directory.people")
def people(request: Request, db: Db, me: Me, q: str = "", ended: bool = False, page: int = 1) -> Response:
    own = directory.own_organisation(db, me)
    found = directory.people_of(db, own.id, q=q.strip()[:100], ended=ended)
    page = max(1, page)
    return render(
        request,
        "directory/people.html",
        organisation=own,
        people=found[(page - 1) * PAGE : page * PAGE],
        count=len(found),
        page=page,
        more=len(found) > page * PAGE,
        roles=directory_words.ROLES,
        q=q.strip()[:100],
        ended=ended,
    )


@router.get("/directory/people/new", name="directory.new_person")
def new_person(request: Request, db: Db, me: Me, place: str = "", role: str = "") -> Response:
    return _new(request, db, me, typed={"invite": "true", "place": place[:50], "role": role[:20]})


@router.post("/directory/people", name="directory.add_person")
def add_person(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    directory.own_organisation(db, me)
    try:
        form = read(NewPersonForm, typed)
        person = actions.add_person(db, me, form)
    except InvalidError as error:
        return _new(request, db, me, status=422, errors=error.faults, typed=_last(typed))
    if form.invite:
        accounts.invite(db, me, person)
    return redirect("directory.person", {"done": "invited" if form.invite else "added"}, person_id=person.id)


def _new(request: Request, db: Session, me: Identity, *, status: int = 200, **context: Any) -> Response:
    own = directory.own_organisation(db, me)
    shown = {"organisation": own, **_choices(db, own), **context}
    return render(request, "directory/new_person.html", status=status, **shown)


def _choices(db: Session, own: Organisation) -> dict[str, Any]:
    """The roles that an administrator gives, and the places of the organisation."""
    branches = directory.branches_of(db, own.id)
    return {
        "role_options": [
            (role.value, directory_words.ROLES[role](), directory_words.MAY[role]())
            for role in rules.GIVEN_BY_ADMINISTRATORS
        ],
        "places": [
            (_("Hela organisationen"), [(f"organisation:{own.hsa_id}", own.name)]),
            (_("Hela verksamheter"), [(f"branch:{b.hsa_id}", b.name) for b in branches]),
            *(
                (
                    _("Enheter i {branch}").format(branch=branch.name),
                    [
                        (f"unit:{unit.hsa_id}", unit.name)
                        for unit in directory.family(db, branch)
                        if unit.ended_on is None
                    ],
                )
                for branch in branches
            ),
        ],
    }


def _last(typed: Typed) -> dict[str, str]:
    return {name: values[-1] for name, values in typed.items()}


DONE: dict[str, Callable[[], str]] = {
    "added": lambda: _("Personen är tillagd."),
    "invited": lambda: _("Inbjudan är på väg. Länken i mejlet fungerar en gång, i sju dagar."),
    "changed": lambda: _("Uppgifterna är ändrade."),
    "ended": lambda: _("Personen är avslutad, och det som var öppet är stängt."),
    "reopened": lambda: _("Personen är tillbaka."),
    "assigned": lambda: _("Uppdraget är tillagt."),
    "unassigned": lambda: _("Uppdraget är avslutat, och det som det öppnade är stängt."),
    "substitute": lambda: _("Ersättaren är utsedd."),
    "substitute_ended": lambda: _("Ersättaren gäller inte längre."),
}


@router.get("/directory/people/{person_id}", name="directory.person")
def show(request: Request, db: Db, me: Me, person_id: int, done: str = "") -> Response:
    person = directory.administered_person(db, me, person_id)
    return _page(request, db, me, person, done=done if done in DONE else "")


@router.post("/directory/people/{person_id}/change", name="directory.change_person")
def change(request: Request, db: Db, me: Me, person_id: int, typed: Submitted) -> Response:
    person = directory.administered_person(db, me, person_id)
    try:
        actions.change_person(db, me, person, read(PersonForm, typed))
    except InvalidError as error:
        return _page(
            request, db, me, person, status=422, errors=error.faults, typed=_last(typed), open="changed"
        )
    return redirect("directory.person", {"done": "changed"}, person_id=person_id)


@router.post("/directory/people/{person_id}/end", name="directory.end_person")
def end(db: Db, me: Me, person_id: int) -> Response:
    actions.end_person(db, me, directory.administered_person(db, me, person_id))
    return redirect("directory.person", {"done": "ended"}, person_id=person_id)


@router.post("/directory/people/{person_id}/reopen", name="directory.reopen_person")
def reopen(db: Db, me: Me, person_id: int) -> Response:
    actions.reopen_person(db, me, directory.administered_person(db, me, person_id))
    return redirect("directory.person", {"done": "reopened"}, person_id=person_id)


@router.post("/directory/people/{person_id}/invite", name="directory.invite")
def invite(db: Db, me: Me, person_id: int) -> Response:
    accounts.invite(db, me, directory.administered_person(db, me, person_id))
    return redirect("directory.person", {"done": "invited"}, person_id=person_id)


@router.post("/directory/people/{person_id}/assignments", name="directory.add_assignment")
def add_assignment(request: Request, db: Db, me: Me, person_id: int, typed: Submitted) -> Response:
    person = directory.administered_person(db, me, person_id)
    try:
        actions.add_assignment(db, me, person, read(AssignmentForm, typed))
    except InvalidError as error:
        return _page(
            request, db, me, person, status=422, errors=error.faults, typed=_last(typed), open="assigned"
        )
    return redirect("directory.person", {"done": "assigned"}, person_id=person_id)


@router.post("/directory/assignments/{assignment_id}/end", name="directory.end_assignment")
def end_assignment(db: Db, me: Me, assignment_id: int) -> Response:
    person = actions.end_assignment(db, me, assignment_id)
    return redirect("directory.person", {"done": "unassigned"}, person_id=person.id)


@router.post("/directory/people/{person_id}/substitutes", name="directory.name_substitute")
def name_substitute(request: Request, db: Db, me: Me, person_id: int, typed: Submitted) -> Response:
    person = directory.administered_person(db, me, person_id)
    own = directory.own_organisation(db, me)
    branches = {branch.hsa_id: branch for branch in directory.branches_of(db, own.id)}
    branch = branches.get(typed.get("branch", [""])[-1])
    if branch is None:
        raise NotFoundError
    try:
        form = read(SubstituteForm, {**typed, "person": [str(person_id)]})
        actions.name_substitute(db, me, branch, form)
    except InvalidError as error:
        return _page(
            request, db, me, person, status=422, errors=error.faults, typed=_last(typed), open="substitute"
        )
    return redirect("directory.person", {"done": "substitute"}, person_id=person_id)


@router.post("/directory/substitutes/{substitute_id}/end", name="directory.end_substitute")
def end_substitute(db: Db, me: Me, substitute_id: int) -> Response:
    directory.own_organisation(db, me)
    substitute = actions.end_substitute(db, me, substitute_id)
    return redirect("directory.person", {"done": "substitute_ended"}, person_id=substitute.person_id)


def _page(
    request: Request, db: Session, me: Identity, person: Person, *, status: int = 200, **context: Any
) -> Response:
    own = directory.own_organisation(db, me)
    posts = directory.postings(db, person.id, own.id)
    everybody = {branch: directory.colleagues(db, branch.id) for branch in directory.branches_of(db, own.id)}
    at_work = {
        branch: colleagues
        for branch, colleagues in everybody.items()
        if person.id in {one.id for one in colleagues}
    }
    shown = {
        "person": person,
        "ended": person.ended_on is not None,
        "elsewhere": directory.is_elsewhere(db, person, own.id),
        "postings": posts,
        "left_without": directory.left_without(db, posts),
        "roles": directory_words.ROLES,
        "handlers": (Role.HANDLER, Role.MANAGER),
        "branches": [
            (branch, [(str(one.id), one.label) for one in colleagues if one.id != person.id])
            for branch, colleagues in at_work.items()
        ],
        "absences": [
            absence
            for absence in directory.absences(db, [branch.id for branch in at_work])
            if absence.person_id == person.id
        ],
        "typed": {},
        "done": "",
        "open": "",
        **_choices(db, own),
        **context,
    }
    return render(request, "directory/person.html", status=status, messages=DONE, **shown)
