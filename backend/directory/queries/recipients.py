"""Who is written to about what comes to a unit. For one who is away today, their substitute."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from backend.access import Role
from backend.core import clock
from backend.directory.models import Assignment, Person, Substitute, Unit
from backend.directory.queries.people import active, standing_in, valid


class Recipient(NamedTuple):
    """Somebody at work, and where mail reaches them."""

    person_id: int
    email: str


def recipients(db: Session, unit_id: int) -> list[Recipient]:
    """Whoever handles what comes to a unit: its handlers, else those of the nearest unit above it (handlers, then
    managers), else the branch's safety. Empty only where a branch has nobody at all.
    """
    unit = db.get_one(Unit, unit_id)
    rows = _assigned(
        db,
        unit.branch_id,
        or_(Assignment.unit_id.in_(unit.path), Assignment.branch_id == unit.branch_id),
        Assignment.role.in_([Role.HANDLER, Role.MANAGER, Role.SAFETY]),
    )
    wanted: Iterable[tuple[str, int | None]] = [
        *((role, step) for step in reversed(unit.path) for role in (Role.HANDLER, Role.MANAGER)),
        (Role.SAFETY, None),
    ]
    for role, scope in wanted:
        if found := {person for r, u, person in rows if r == role and u == scope}:
            return sorted(found, key=lambda person: person.email)
    return []


def managers_of(db: Session, unit_id: int) -> list[Recipient]:
    """The managers of a unit and of those above it."""
    unit = db.get_one(Unit, unit_id)
    return _with_role(db, unit.branch_id, Role.MANAGER, Assignment.unit_id.in_(unit.path))


def safety_of(db: Session, branch_id: int) -> list[Recipient]:
    """The branch's safety."""
    return _with_role(db, branch_id, Role.SAFETY, Assignment.branch_id == branch_id)


def coordinators_of(db: Session, county_id: int) -> list[Recipient]:
    """The county's coordinators. Nobody stands in for them: substitutes are named in branches."""
    found = db.execute(
        select(Person.id, Person.email)
        .join(Assignment, Assignment.person_id == Person.id)
        .where(
            Assignment.county_id == county_id,
            Assignment.role == Role.COORDINATOR,
            valid(clock.today()),
            active(Person.ended_on),
        )
        .distinct()
        .order_by(Person.email)
    )
    return [Recipient(person_id, email) for person_id, email in found]


def at_work(db: Session, person_id: int, branch_id: int) -> Recipient | None:
    """A person who works in the branch today, or whoever stands in for them; None for one who has left it."""
    in_branch = or_(
        Assignment.branch_id == branch_id,
        Assignment.unit_id.in_(select(Unit.id).where(Unit.branch_id == branch_id)),
    )
    rows = _assigned(db, branch_id, in_branch, Assignment.person_id == person_id)
    return rows[0][2] if rows else None


def _with_role(db: Session, branch_id: int, role: Role, where: ColumnElement[bool]) -> list[Recipient]:
    found = {person for _role, _unit, person in _assigned(db, branch_id, where, Assignment.role == role)}
    return sorted(found, key=lambda person: person.email)


def _assigned(
    db: Session, branch_id: int, *where: ColumnElement[bool]
) -> list[tuple[str, int | None, Recipient]]:
    """Role, unit and who is written to, of the assignments in force today."""
    other = aliased(Person)
    instead = (
        select(func.min(Substitute.substitute_id))
        .join(other, other.id == Substitute.substitute_id)
        .where(
            Substitute.person_id == Person.id,
            Substitute.branch_id == branch_id,
            standing_in(),
            active(other.ended_on),
        )
        .correlate(Person)
        .scalar_subquery()
    )
    told = aliased(Person)
    rows = db.execute(
        select(Assignment.role, Assignment.unit_id, told.id, told.email)
        .join(Person, Person.id == Assignment.person_id)
        .join(told, told.id == func.coalesce(instead, Person.id))
        .where(*where, valid(clock.today()), active(Person.ended_on))
    )
    return [(role, unit, Recipient(person_id, email)) for role, unit, person_id, email in rows]
