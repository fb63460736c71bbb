"""People and their assignments: added, changed, ended. What an end takes away is gone at the next request."""

from datetime import timedelta

from sqlalchemy import ColumnElement, false, func, or_, select, update
from sqlalchemy.orm import Session

from backend.access import Identity, Role
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import ConflictError, Fault, ForbiddenError, InvalidError, NotFoundError
from backend.core.text import gettext as _
from backend.directory import queries, rules
from backend.directory.forms import AssignmentForm, NewPersonForm, PersonForm
from backend.directory.models import Assignment, Branch, Person, Unit

OWN_CIRCLE = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Roles that open no case: the only ones an administrator may give themselves."""


def add_person(db: Session, me: Identity, form: NewPersonForm) -> Person:
    """Someone new, with their first assignment. Who already works elsewhere is the same person, and keeps their title.

    Raises InvalidError where they are one of the organisation's people already, or the assignment is faulty; then
    nobody is added.
    """
    with db.begin_nested():
        person = _come_in(db, me, form)
        audit.record(db, me, "directory.add_person", subject=person.id)
        add_assignment(db, me, person, form)
    return person


def _come_in(db: Session, me: Identity, form: NewPersonForm) -> Person:
    organisation = queries.own_organisation(db, me)
    person = db.scalar(select(Person).where(Person.email == form.email))
    if person is None:
        person = Person(email=form.email, title=form.title)
        db.add(person)
        db.flush()
    elif person.ended_on is not None and person.ended_on <= clock.today():
        come_back(db, person, queries.in_organisation(organisation.id))
        person.title = form.title
    elif not queries.is_elsewhere(db, person, organisation.id):
        # Left without assignments: they come back.
        if _is_here(db, person, organisation.id):
            raise InvalidError(
                Fault("email", _("Personen finns redan. Sök på adressen och ge ett nytt uppdrag."))
            )
        person.title = form.title
    elif _is_here(db, person, organisation.id):
        raise InvalidError(
            Fault("email", _("Personen finns redan. Sök på adressen och ge ett nytt uppdrag."))
        )
    return person


def come_back(db: Session, person: Person, own: ColumnElement[bool]) -> None:
    """Somebody who has ended is at work again, for those who hold the assignments `own`. What others had given them
    ended with them, and does not open again because somebody else takes them in.
    """
    assert person.ended_on is not None
    ended = person.ended_on - timedelta(days=1)
    theirs = Assignment.person_id == person.id, ~func.coalesce(own, false()), queries.not_over()
    db.execute(update(Assignment).where(*theirs).values(valid_to=ended))
    person.ended_on = None
    db.flush()


def _is_here(db: Session, person: Person, organisation_id: int) -> bool:
    here = select(Assignment.id).where(
        Assignment.person_id == person.id,
        queries.in_organisation(organisation_id),
        or_(Assignment.valid_to.is_(None), Assignment.valid_to >= clock.today()),
    )
    return db.scalar(here.limit(1)) is not None


def change_person(db: Session, me: Identity, person: Person, form: PersonForm) -> None:
    """Title and address. Raises ForbiddenError for one who works in another organisation too: they are not ours alone."""
    _own_alone(db, me, person)
    if form.email != person.email and db.scalar(select(Person.id).where(Person.email == form.email)):
        raise InvalidError(Fault("email", _("Adressen används redan av någon. Kontrollera den.")))
    if form.email != person.email:
        person.address_confirmed_at = None  # it was the old one that mail reached
    person.email, person.title = form.email, form.title
    db.flush()
    audit.record(db, me, "directory.change_person", subject=person.id)


def end_person(db: Session, me: Identity, person: Person) -> None:
    """Nothing opens for them from now on. Their assignments stand as they were, so that it can be undone."""
    _own_alone(db, me, person)
    if person.id == me.person_id:
        raise ConflictError(_("Du kan inte avsluta dig själv. Be en annan administratör."))
    person.ended_on = clock.today()
    audit.record(db, me, "directory.end_person", subject=person.id)


def reopen_person(db: Session, me: Identity, person: Person) -> None:
    """Someone who has ended comes back, with the assignments that still are in force."""
    _own_alone(db, me, person)
    person.ended_on = None
    audit.record(db, me, "directory.reopen_person", subject=person.id)


def _own_alone(db: Session, me: Identity, person: Person) -> None:
    organisation = queries.own_organisation(db, me)
    if queries.administered_person(db, me, person.id) and queries.is_elsewhere(db, person, organisation.id):
        raise ForbiddenError(
            _("Personen arbetar också i en annan organisation. Här kan du bara ändra uppdragen hos er.")
        )


def add_assignment(db: Session, me: Identity, person: Person, form: AssignmentForm) -> Assignment:
    """A role at a place of the organisation, from today unless told otherwise.

    An administrator opens no case, and so gives themselves no role that does.
    """
    organisation = queries.own_organisation(db, me)
    if form.role not in rules.GIVEN_BY_ADMINISTRATORS:
        raise InvalidError(Fault("role", _("Välj ett av alternativen.")))
    if person.id == me.person_id and form.role not in OWN_CIRCLE:
        reason = _("Du kan inte ge dig själv ett uppdrag som öppnar ärenden. Be en annan administratör.")
        raise InvalidError(Fault("role", reason))
    scope = rules.SCOPE_OF[form.role]
    place_id = _place(db, organisation.id, form)
    column = getattr(Assignment, f"{scope}_id")
    same = select(Assignment.id).where(
        Assignment.person_id == person.id,
        Assignment.role == form.role,
        column == place_id,
        or_(Assignment.valid_to.is_(None), Assignment.valid_to >= clock.today()),
    )
    if db.scalar(same) is not None:
        raise InvalidError(
            Fault("role", _("Personen har redan det uppdraget. Avsluta det först om datumen är fel."))
        )
    assignment = Assignment(
        person_id=person.id,
        role=form.role,
        valid_from=form.valid_from or clock.today(),
        valid_to=form.valid_to,
        **{f"{scope}_id": place_id},
    )
    db.add(assignment)
    db.flush()
    audit.record(db, me, "directory.add_assignment", subject=person.id, role=form.role, place=form.place)
    return assignment


def _place(db: Session, organisation_id: int, form: AssignmentForm) -> int:
    """The place chosen, if it is the organisation's and of the kind that the role reaches over."""
    scope = rules.SCOPE_OF[form.role]
    kind, _colon, hsa_id = form.place.partition(":")
    if kind != scope:
        reasons = {
            "unit": _("Rollen gäller en enhet. Välj vilken."),
            "branch": _("Rollen gäller en hel verksamhet. Välj vilken."),
            "organisation": _("Rollen gäller hela organisationen. Välj den."),
        }
        raise InvalidError(Fault("place", reasons[scope]))
    if kind == "organisation":
        return organisation_id
    branches = select(Branch.id).where(Branch.organisation_id == organisation_id)
    found = db.scalar(
        select(Unit.id).where(Unit.hsa_id == hsa_id, Unit.branch_id.in_(branches), Unit.ended_on.is_(None))
        if kind == "unit"
        else branches.where(Branch.hsa_id == hsa_id)
    )
    if found is None:
        raise InvalidError(Fault("place", _("Platsen finns inte hos er. Välj en annan.")))
    return found


def end_assignment(db: Session, me: Identity, assignment_id: int) -> Person:
    """Was in force until yesterday. Raises NotFoundError for one of another organisation, ConflictError for the last
    administrator's own.
    """
    organisation = queries.own_organisation(db, me)
    assignment = db.scalar(
        select(Assignment).where(
            Assignment.id == assignment_id,
            queries.in_organisation(organisation.id),
            Assignment.role != Role.CO_INVESTIGATOR,
        )
    )
    if assignment is None:
        raise NotFoundError
    person = db.get_one(Person, assignment.person_id)
    if assignment.role == Role.ADMINISTRATOR and not _another_administrator(db, assignment):
        raise ConflictError(_("Det är den sista administratören. Utse en annan först."))
    assignment.valid_to = clock.today() - timedelta(days=1)
    audit.record(
        db, me, "directory.end_assignment", subject=person.id, assignment=assignment.id, role=assignment.role
    )
    return person


def _another_administrator(db: Session, assignment: Assignment) -> bool:
    others = (
        select(Assignment.id)
        .join(Person, Person.id == Assignment.person_id)
        .where(
            Assignment.organisation_id == assignment.organisation_id,
            Assignment.role == Role.ADMINISTRATOR,
            Assignment.person_id != assignment.person_id,
            queries.valid(clock.today()),
            queries.active(Person.ended_on),
        )
    )
    return db.scalar(others.limit(1)) is not None


def lend_place(db: Session, person_id: int, branch_id: int) -> None:
    """Let someone who is invited to a case act in its branch, with no rights but what the invitation gives.

    Asked again it changes nothing. Whoever calls has checked who may invite, and records it.
    """
    lent = _lent(db, person_id, branch_id)
    if lent is None:
        db.add(
            Assignment(
                person_id=person_id,
                role=Role.CO_INVESTIGATOR,
                branch_id=branch_id,
                valid_from=clock.today(),
            )
        )
        db.flush()


def take_back_place(db: Session, person_id: int, branch_id: int) -> None:
    """The place was lent until yesterday. To be called when the last invitation in the branch is over."""
    lent = _lent(db, person_id, branch_id)
    if lent is not None:
        lent.valid_to = clock.today() - timedelta(days=1)
        db.flush()


def _lent(db: Session, person_id: int, branch_id: int) -> Assignment | None:
    return db.scalar(
        select(Assignment).where(
            Assignment.person_id == person_id,
            Assignment.role == Role.CO_INVESTIGATOR,
            Assignment.branch_id == branch_id,
            or_(Assignment.valid_to.is_(None), Assignment.valid_to >= clock.today()),
        )
    )
