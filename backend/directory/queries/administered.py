"""What an administrator, and whoever names a substitute, sees of the directory: units, people and assignments of
their own organisation or branch, and never a case.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from backend.access import Identity, Permission, Role
from backend.core import clock
from backend.core.errors import ForbiddenError, NotFoundError
from backend.core.text import gettext as _
from backend.core.text import sort_key
from backend.directory import rules
from backend.directory.models import (
    Assignment,
    Branch,
    Organisation,
    Person,
    Substitute,
    Unit,
    UnitChange,
)
from backend.directory.queries.people import active, valid


def own_organisation(db: Session, me: Identity) -> Organisation:
    """The one that this person administers. Raises ForbiddenError for whoever administers none."""
    if me.place != "organisation" or not me.may(Permission.ADMINISTER):
        raise ForbiddenError(_("Det här sköter organisationens administratör."))
    return db.get_one(Organisation, me.place_id)


def administered_unit(db: Session, me: Identity, hsa_id: str) -> Unit:
    """A unit, ended or not, of the administrator's own organisation; any other is not there."""
    own_organisation(db, me)
    unit = db.scalar(
        select(Unit)
        .join(Branch, Branch.id == Unit.branch_id)
        .where(Unit.hsa_id == hsa_id, rules.administered_by(me))
    )
    if unit is None:
        raise NotFoundError
    return unit


def settled_branch(db: Session, me: Identity, hsa_id: str) -> Branch:
    """A branch whose way of working this person may say. Its own people see it and may not (403)."""
    branch = db.scalar(select(Branch).where(Branch.hsa_id == hsa_id))
    if branch is None or not (branch.id in me.branches or rules.administers(me, branch.organisation_id)):
        raise NotFoundError
    if not rules.may_settle(me, branch):
        raise ForbiddenError(_("Det här bestämmer verksamhetens MAS, MAR eller SAS, eller administratören."))
    return branch


def branches_of(db: Session, organisation_id: int) -> list[Branch]:
    found = db.scalars(select(Branch).where(Branch.organisation_id == organisation_id))
    return sorted(found, key=lambda branch: sort_key(branch.name))


def family(db: Session, branch: Branch) -> list[Unit]:
    """All units a branch has had, in tree order."""
    found = db.scalars(select(Unit).where(Unit.branch_id == branch.id)).all()
    names = {unit.id: (sort_key(unit.name), unit.id) for unit in found}
    return sorted(found, key=lambda unit: [names.get(step, ("", step)) for step in unit.path])


@dataclass(frozen=True)
class Change:
    """A line of a unit's history."""

    at: datetime
    what: str
    by: str | None
    before: dict[str, object]
    after: dict[str, object]


def changes_of(db: Session, unit: Unit) -> list[Change]:
    """The latest first. `by` is None where a file was read in."""
    rows = db.execute(
        select(UnitChange.at, UnitChange.what, Person.title, UnitChange.before, UnitChange.after)
        .outerjoin(Person, Person.id == UnitChange.person_id)
        .where(UnitChange.unit_id == unit.id)
        .order_by(UnitChange.id.desc())
    )
    return [Change(*row) for row in rows]


def in_organisation(organisation_id: int, of: type[Assignment] = Assignment) -> ColumnElement[bool]:
    """Assignments at an organisation, its branches and their units."""
    branches = select(Branch.id).where(Branch.organisation_id == organisation_id)
    return or_(
        of.unit_id.in_(select(Unit.id).where(Unit.branch_id.in_(branches))),
        of.branch_id.in_(branches),
        of.organisation_id == organisation_id,
    )


def _at_work(here: ColumnElement[bool], of: type[Assignment]) -> ColumnElement[bool]:
    return (
        exists()
        .where(of.person_id == Person.id, of.role != Role.CO_INVESTIGATOR, here, not_over(of))
        .correlate(Person)
    )


def not_over(of: type[Assignment] = Assignment) -> ColumnElement[bool]:
    """Assignments in force, or to come."""
    return or_(of.valid_to.is_(None), of.valid_to >= clock.today())


def elsewhere(organisation_id: int) -> ColumnElement[bool]:
    """People with an assignment outside the organisation, now or to come: their name and address are not its own."""
    other = aliased(Assignment)
    # An assignment has one scope, and the rest are NULL: without coalesce, "not here" would never be true.
    return _at_work(~func.coalesce(in_organisation(organisation_id, other), false()), other)


def of_organisation(organisation_id: int) -> ColumnElement[bool]:
    """Its people: who works there, or last worked there and has gone nowhere else."""
    here, before = aliased(Assignment), aliased(Assignment)
    was = exists().where(before.person_id == Person.id, in_organisation(organisation_id, before))
    return or_(
        _at_work(in_organisation(organisation_id, here), here),
        and_(was.correlate(Person), ~elsewhere(organisation_id)),
    )


def administered_person(db: Session, me: Identity, person_id: int) -> Person:
    """One of the organisation's people; any other is not there."""
    organisation = own_organisation(db, me)
    person = db.scalar(select(Person).where(Person.id == person_id, of_organisation(organisation.id)))
    if person is None:
        raise NotFoundError
    return person


def is_elsewhere(db: Session, person: Person, organisation_id: int) -> bool:
    return db.scalar(select(Person.id).where(Person.id == person.id, elsewhere(organisation_id))) is not None


@dataclass(frozen=True)
class Posting:
    """An assignment with its place by name. `over` from the day after its last."""

    id: int
    person_id: int
    role: Role
    place: str
    valid_from: date
    valid_to: date | None

    @property
    def over(self) -> bool:
        return self.valid_to is not None and self.valid_to < clock.today()


def _postings(organisation_id: int) -> Select[int, int, str, str, date, date | None]:
    name = select(Unit.name).where(Unit.id == Assignment.unit_id).correlate(Assignment).scalar_subquery()
    branch = (
        select(Branch.name).where(Branch.id == Assignment.branch_id).correlate(Assignment).scalar_subquery()
    )
    whole = (
        select(Organisation.name)
        .where(Organisation.id == Assignment.organisation_id)
        .correlate(Assignment)
        .scalar_subquery()
    )
    return select(
        Assignment.id,
        Assignment.person_id,
        Assignment.role,
        func.coalesce(name, branch, whole),
        Assignment.valid_from,
        Assignment.valid_to,
    ).where(in_organisation(organisation_id), Assignment.role != Role.CO_INVESTIGATOR)


def postings(db: Session, person_id: int, organisation_id: int) -> list[Posting]:
    """A person's assignments in an organisation, those in force first."""
    rows = db.execute(_postings(organisation_id).where(Assignment.person_id == person_id))
    found = [Posting(row[0], row[1], Role(row[2]), *row[3:]) for row in rows]
    return sorted(found, key=lambda post: (post.over, sort_key(post.place), post.role))


@dataclass(frozen=True)
class Member:
    """A person on the administrator's list."""

    id: int
    title: str
    email: str
    ended: bool
    postings: tuple[Posting, ...]


def people_of(
    db: Session, organisation_id: int, *, q: str = "", ended: bool = False, unit_id: int | None = None
) -> list[Member]:
    """An organisation's people, or those at one of its units, by title. `q` is sought in title and address."""
    here = [of_organisation(organisation_id)]
    if unit_id is not None:
        here.append(
            exists().where(Assignment.person_id == Person.id, Assignment.unit_id == unit_id, not_over())
        )
    if q:
        here.append(
            or_(Person.title.icontains(q, autoescape=True), Person.email.icontains(q, autoescape=True))
        )
    here.append(~active(Person.ended_on) if ended else active(Person.ended_on))
    people = db.scalars(select(Person).where(*here)).all()
    posts: dict[int, list[Posting]] = {}
    ids = [person.id for person in people]
    for row in db.execute(_postings(organisation_id).where(Assignment.person_id.in_(ids), not_over())):
        posts.setdefault(row[1], []).append(Posting(row[0], row[1], Role(row[2]), *row[3:]))
    found = [
        Member(p.id, p.title, p.email, ended, tuple(sorted(posts.get(p.id, ()), key=lambda post: post.place)))
        for p in people
    ]
    return sorted(found, key=lambda member: (sort_key(member.title), member.email))


def left_without(db: Session, assignments: Iterable[Posting]) -> set[int]:
    """Of these assignments, those without which a unit has nobody who handles what comes to it."""
    ids = [post.id for post in assignments if post.role in (Role.HANDLER, Role.MANAGER) and not post.over]
    other, person = aliased(Assignment), aliased(Person)
    another = (
        select(other.id)
        .join(person, person.id == other.person_id)
        .where(
            other.unit_id == Assignment.unit_id,
            other.person_id != Assignment.person_id,
            other.role.in_([Role.HANDLER, Role.MANAGER]),
            valid(clock.today(), other),
            active(person.ended_on),
        )
        .correlate(Assignment)
        .exists()
    )
    return set(db.scalars(select(Assignment.id).where(Assignment.id.in_(ids), ~another)))


@dataclass(frozen=True)
class Colleague:
    """Someone at work in a branch, and the units they have an assignment at."""

    id: int
    title: str
    email: str
    units: frozenset[int]

    @property
    def label(self) -> str:
        """Two may share a profession and a unit, so their address tells them apart."""
        return f"{self.title} ({self.email})"


def colleagues(db: Session, branch_id: int) -> list[Colleague]:
    """Everybody at work in a branch today."""
    rows = db.execute(
        select(Person.id, Person.title, Person.email, Assignment.unit_id)
        .join(Assignment, Assignment.person_id == Person.id)
        .outerjoin(Unit, Unit.id == Assignment.unit_id)
        .where(
            or_(Assignment.branch_id == branch_id, Unit.branch_id == branch_id),
            Assignment.role != Role.CO_INVESTIGATOR,
            valid(clock.today()),
            active(Person.ended_on),
        )
    ).all()
    units: dict[tuple[int, str, str], set[int]] = {}
    for person_id, title, email, unit_id in rows:
        units.setdefault((person_id, title, email), set()).update({unit_id} if unit_id else ())
    found = [Colleague(*who, frozenset(at)) for who, at in units.items()]
    return sorted(found, key=lambda colleague: (sort_key(colleague.title), colleague.email))


@dataclass(frozen=True)
class Absence:
    """Who stands in for whom, from now on."""

    id: int
    person_id: int
    person: str
    substitute_id: int
    substitute: str
    branch_id: int
    branch: str
    valid_from: date
    valid_to: date


def absences(db: Session, branch_ids: Sequence[int]) -> list[Absence]:
    """Those of some branches that are not over, by date."""
    other = aliased(Person)
    rows = db.execute(
        select(
            Substitute.id,
            Substitute.person_id,
            Person.title,
            Substitute.substitute_id,
            other.title,
            Substitute.branch_id,
            Branch.name,
            Substitute.valid_from,
            Substitute.valid_to,
        )
        .join(Person, Person.id == Substitute.person_id)
        .join(other, other.id == Substitute.substitute_id)
        .join(Branch, Branch.id == Substitute.branch_id)
        .where(Substitute.branch_id.in_(branch_ids), Substitute.valid_to >= clock.today())
        .order_by(Substitute.valid_from, Substitute.id)
    )
    return [Absence(*row) for row in rows]
