"""Reorganising: units added, changed, moved, ended, opened again; a branch's way in and way of working."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import any_, literal, or_, select, text, update
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.audit import actions as audit
from backend.core import clock, jobs
from backend.core.errors import ConflictError, Fault, ForbiddenError, InvalidError, NotFoundError
from backend.core.text import gettext as _
from backend.directory import history, rules
from backend.directory.forms import BranchForm, EndUnitForm, MoveForm, NewUnitForm, UnitForm
from backend.directory.models import Assignment, Branch, County, Organisation, Unit, UnitChangeKind


def lock(db: Session, county: str) -> None:
    """One at a time may change a county's directory, file or page: two moves at once could make a circle."""
    db.execute(text("select pg_advisory_xact_lock(hashtext('directory'), hashtext(:code))"), {"code": county})


def add_unit(db: Session, me: Identity, branch: Branch, form: NewUnitForm) -> Unit:
    """A new unit under another of the same branch. An HSA-id is used once, also of a unit that has ended."""
    _claim(db, me, branch)
    parent = _unit_of(db, branch, form.parent, "parent")
    if db.scalar(select(Unit.id).where(Unit.hsa_id == form.hsa_id)) is not None:
        raise InvalidError(Fault("hsa_id", _("HSA-id finns redan i katalogen. Kontrollera det.")))
    unit = Unit(
        branch_id=branch.id,
        parent_id=parent.id,
        hsa_id=form.hsa_id,
        name=form.name,
        kind="unit",
        care_level=form.care_level,
        telephone=form.telephone,
        intake=False,
        path=[],
    )
    db.add(unit)
    db.flush()
    unit.path = [*parent.path, unit.id]
    db.flush()
    history.keep(db, unit.id, "added", {}, history.facts([unit], [parent])[unit.id], me.person_id)
    audit.record(db, me, "directory.add_unit", unit=unit.hsa_id)
    return unit


def change_unit(db: Session, me: Identity, unit: Unit, form: UnitForm) -> None:
    """Its name, care level and telephone."""
    with _kept(db, me, unit, "changed"):
        unit.name, unit.care_level, unit.telephone = form.name, form.care_level, form.telephone


def move_unit(db: Session, me: Identity, unit: Unit, form: MoveForm) -> None:
    """Under another unit of its branch, with all below it. Never out of the branch: its cases are written there."""
    with _kept(db, me, unit, "moved"):
        parent = _unit_of(db, unit.branch, form.parent, "parent")
        if unit.parent_id is None:
            raise ConflictError(_("Enheten är överst i sin verksamhet och kan inte flyttas."))
        if unit.id in parent.path:
            raise InvalidError(Fault("parent", _("En enhet kan inte ligga under sig själv. Välj en annan.")))
        above = len(unit.path) - 1
        for below in db.scalars(select(Unit).where(literal(unit.id) == any_(Unit.path))).all():
            below.path = [*parent.path, *below.path[above:]]
        unit.parent_id = parent.id


def end_unit(db: Session, me: Identity, unit: Unit, form: EndUnitForm) -> None:
    """From today, with a successor in the same branch that takes over the open cases; with `bring_people` its people
    get the same roles there, and the unit is merged into it. Their assignments here end either way.

    Raises ConflictError where the unit is a root or its branch's way in, or has living units below it.
    """
    with _kept(db, me, unit, "merged" if form.bring_people else "ended"):
        successor = _unit_of(db, unit.branch, form.successor, "successor")
        if reason := why_not_end(db, unit):
            raise ConflictError(reason)
        if successor.id == unit.id:
            raise InvalidError(Fault("successor", _("Välj en annan enhet, som tar över.")))
        unit.ended_on, unit.successor_id = clock.today(), successor.id
        _end_assignments(db, unit, successor if form.bring_people else None)
        # The cases are not the administrator's to see, so a job moves them.
        jobs.owe(
            db,
            "deviations.follow_successor",
            subject_id=unit.id,
            branch_id=unit.branch_id,
            person_id=me.person_id,
        )


def why_not_end(db: Session, unit: Unit) -> str | None:
    """What must be done first, before the unit can be ended; None when nothing."""
    if unit.ended_on is not None:
        return _("Enheten är redan avslutad.")
    if unit.parent_id is None:
        return _("Enheten är överst i sin verksamhet och kan inte avslutas här.")
    if unit.intake:
        return _("Enheten är verksamhetens väg in. Välj en annan väg in först.")
    below = select(Unit.id).where(Unit.parent_id == unit.id, Unit.ended_on.is_(None)).limit(1)
    if db.scalar(below) is not None:
        return _("Det finns enheter under den här. Flytta eller avsluta dem först.")
    return None


def _end_assignments(db: Session, unit: Unit, successor: Unit | None) -> None:
    today = clock.today()
    living = db.scalars(
        select(Assignment).where(
            Assignment.unit_id == unit.id, or_(Assignment.valid_to.is_(None), Assignment.valid_to >= today)
        )
    ).all()
    held = select(Assignment.person_id, Assignment.role).where(
        Assignment.unit_id == (successor.id if successor else None),
        or_(Assignment.valid_to.is_(None), Assignment.valid_to >= today),
    )
    there = {(person_id, role) for person_id, role in db.execute(held)}
    for assignment in living:
        if successor and (assignment.person_id, assignment.role) not in there:
            db.add(
                Assignment(
                    person_id=assignment.person_id,
                    role=assignment.role,
                    unit_id=successor.id,
                    valid_from=max(assignment.valid_from, today),
                    valid_to=assignment.valid_to,
                )
            )
        assignment.valid_to = today - timedelta(days=1)


def reopen_unit(db: Session, me: Identity, unit: Unit) -> None:
    """Undo an end on the day it was made. What has moved to the successor stays there."""
    with _kept(db, me, unit, "reopened"):
        if unit.ended_on != clock.today():
            raise ConflictError(
                _("En enhet kan öppnas igen samma dag som den avslutades. Lägg till en ny i stället.")
            )
        parent = db.get(Unit, unit.parent_id) if unit.parent_id else None
        if parent is not None and parent.ended_on is not None:
            raise ConflictError(_("Enheten ovanför är avslutad. Öppna den först."))
        unit.ended_on = unit.successor_id = None


def choose_intake(db: Session, me: Identity, unit: Unit) -> None:
    """What comes to the branch without a unit comes here from now on. A branch has exactly one way in."""
    if unit.ended_on is not None:
        raise ConflictError(_("Enheten är avslutad och kan inte vara väg in."))
    _claim(db, me, unit.branch)
    former = db.scalar(
        select(Unit).where(Unit.branch_id == unit.branch_id, Unit.intake, Unit.ended_on.is_(None))
    )
    if former is not None and former.id != unit.id:
        with _kept(db, me, former, "intake"):
            former.intake = False
    with _kept(db, me, unit, "intake"):
        unit.intake = True


def settle_branch(db: Session, me: Identity, branch: Branch, form: BranchForm) -> None:
    """Whether a manager reads each report before it leaves, and each answer."""
    if not rules.may_settle(me, branch):
        raise ForbiddenError
    values = form.model_dump()
    db.execute(update(Branch).where(Branch.id == branch.id).values(values))
    audit.record(db, me, "directory.settle_branch", branch=branch.hsa_id, **values)


def _claim(db: Session, me: Identity, branch: Branch) -> None:
    """The administrator's own, and nobody else's at this moment."""
    if not rules.administers(me, branch.organisation_id):
        raise NotFoundError
    code = db.scalars(
        select(County.code)
        .join(Organisation, Organisation.county_id == County.id)
        .where(Organisation.id == branch.organisation_id)
    ).one()
    lock(db, code)


@contextmanager
def _kept(db: Session, me: Identity, unit: Unit, what: UnitChangeKind) -> Iterator[None]:
    """A change of a unit, with its line in the history and in the access log. Nothing changed leaves no line."""
    _claim(db, me, unit.branch)
    db.refresh(unit)
    before = _facts(db, unit)
    yield
    db.flush()
    after = _facts(db, unit)
    if before != after:
        history.keep(db, unit.id, what, before, after, me.person_id)
        audit.record(db, me, f"directory.{what}_unit", unit=unit.hsa_id)


def _facts(db: Session, unit: Unit) -> history.Facts:
    pointed_at = [id_ for id_ in (unit.parent_id, unit.successor_id) if id_]
    return history.facts([unit], db.scalars(select(Unit).where(Unit.id.in_(pointed_at))))[unit.id]


def _unit_of(db: Session, branch: Branch, hsa_id: str, field: str) -> Unit:
    """A living unit of the branch, as chosen in a form."""
    unit = db.scalar(
        select(Unit).where(Unit.hsa_id == hsa_id, Unit.branch_id == branch.id, Unit.ended_on.is_(None))
    )
    if unit is None:
        raise InvalidError(Fault(field, _("Välj en enhet i samma verksamhet.")))
    return unit
