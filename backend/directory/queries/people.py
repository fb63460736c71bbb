"""People: where they may act, what they may do there, and who is written to."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, any_, bindparam, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, joinedload

from backend.access import Grant, Role
from backend.core import clock
from backend.core.text import sort_key
from backend.directory.models import (
    Assignment,
    Branch,
    County,
    Group,
    Organisation,
    Person,
    Substitute,
    Unit,
)


@dataclass(frozen=True)
class Place:
    """Somewhere a person may act: a branch, where their roles add up, or an organisation, county or group."""

    kind: str
    id: int
    name: str
    code: str
    county_id: int | None
    roles: tuple[Role, ...]

    @property
    def key(self) -> str:
        """What a form sends for it: `branch:SE2120000852-V000`."""
        return f"{self.kind}:{self.code}"


def valid(on: date, of: type[Assignment] = Assignment) -> ColumnElement[bool]:
    """Assignments in force that day, both its dates included."""
    return and_(of.valid_from <= on, or_(of.valid_to.is_(None), of.valid_to >= on))


def standing_in() -> ColumnElement[bool]:
    """Substitutes in force today. Who is no longer at work in the branch stands in for nobody there, and nobody
    stands in for one who has left.
    """
    return _standing_in(clock.today())


# To put it together costs more than to ask it, and a list of recipients asks it often: once a day is enough.
@lru_cache(maxsize=4)
def _standing_in(today: date) -> ColumnElement[bool]:
    own, unit, person = aliased(Assignment), aliased(Unit), aliased(Person)
    at_work = (
        select(own.id)
        .join(person, person.id == own.person_id)
        .join(unit, unit.id == own.unit_id, isouter=True)
        .where(
            own.person_id == Substitute.substitute_id,
            own.role != Role.CO_INVESTIGATOR,
            or_(own.branch_id == Substitute.branch_id, unit.branch_id == Substitute.branch_id),
            valid(today, own),
            active(person.ended_on, today),
        )
        .correlate(Substitute)
        .exists()
    )
    absent = aliased(Person)
    employed = (
        exists()
        .where(absent.id == Substitute.person_id, active(absent.ended_on, today))
        .correlate(Substitute)
    )
    return and_(Substitute.valid_from <= today, Substitute.valid_to >= today, employed, at_work)


# Put together once, as it is asked at every request.
_NAMED = select(Substitute.person_id, Substitute.branch_id).where(
    Substitute.substitute_id == bindparam("who"),
    Substitute.valid_from <= bindparam("today"),
    Substitute.valid_to >= bindparam("today"),
)


def _stood_in_for(db: Session, person_id: int) -> list[tuple[int, int]]:
    """Whom this person stands in for today, and in which branch."""
    asked = {"who": person_id, "today": clock.today()}
    # Most people stand in for nobody, so the longer question waits until it matters.
    if db.execute(_NAMED, asked).first() is None:
        return []
    return [(whom, branch_id) for whom, branch_id in db.execute(_NAMED.where(standing_in()), asked)]


def person_by_email(db: Session, email: str) -> Person | None:
    return db.scalar(select(Person).where(Person.email == email.strip().lower(), active(Person.ended_on)))


def active(ended_on: object, on: date | None = None) -> ColumnElement[bool]:
    """What has not ended that day, or today: the last day is the one before."""
    column: ColumnElement[date] = ended_on  # type: ignore[assignment]
    return or_(column.is_(None), column > (on or clock.today()))


def places(db: Session, person_id: int) -> list[Place]:
    """Where this person may act today, branches first. Where they stand in for somebody, that one's roles too."""
    standing = {(person_id, 0), *_stood_in_for(db, person_id)}
    rows = db.execute(
        select(Assignment.person_id, Assignment.role, Branch, Organisation, County, Group)
        .outerjoin(Unit, Unit.id == Assignment.unit_id)
        .outerjoin(Branch, or_(Branch.id == Assignment.branch_id, Branch.id == Unit.branch_id))
        .outerjoin(
            Organisation,
            or_(Organisation.id == Assignment.organisation_id, Organisation.id == Branch.organisation_id),
        )
        .outerjoin(Group, Group.id == Assignment.group_id)
        .outerjoin(
            County,
            or_(
                County.id == Assignment.county_id,
                County.id == Group.county_id,
                County.id == Organisation.county_id,
            ),
        )
        .where(Assignment.person_id.in_({whom for whom, _branch in standing}), valid(clock.today()))
    ).all()
    roles: dict[tuple[str, int], set[Role]] = {}
    found: dict[tuple[str, int], tuple[str, str, int | None]] = {}
    for whom, role, branch, organisation, county, group in rows:
        theirs = branch is not None and (whom, branch.id) in standing and role != Role.CO_INVESTIGATOR
        if whom != person_id and not theirs:
            continue
        if role == Role.CO_INVESTIGATOR and not may_be_lent_a_place(db, person_id, branch.id):
            continue
        county_id = county.id if county else None
        for kind, thing in (
            ("branch", branch),
            ("group", group),
            ("organisation", organisation),
            ("county", county),
        ):
            if thing is not None:
                code = thing.hsa_id if isinstance(thing, Branch | Organisation) else thing.code
                found[kind, thing.id] = (thing.name, code, county_id)
                roles.setdefault((kind, thing.id), set()).add(Role(role))
                break
    order = ("branch", "organisation", "county", "group")
    return [
        Place(kind, place_id, name, code, county_id, tuple(sorted(roles[kind, place_id])))
        for (kind, place_id), (name, code, county_id) in sorted(
            found.items(), key=lambda item: (order.index(item[0][0]), sort_key(item[1][0]))
        )
    ]


def grants(db: Session, person_id: int, place: str, place_id: int) -> tuple[Grant, ...]:
    """The roles in force today in that place: one's own, and in a branch those of whoever one stands in for there.

    A role at a unit reaches the units below it. To be invited to a case is personal, and passes to nobody.
    """
    today = clock.today()
    if place != "branch":
        column = {
            "organisation": Assignment.organisation_id,
            "county": Assignment.county_id,
            "group": Assignment.group_id,
        }[place]
        rows = db.scalars(
            select(Assignment.role).where(Assignment.person_id == person_id, column == place_id, valid(today))
        )
        return tuple(Grant(Role(role), frozenset()) for role in rows)
    whose = [person_id, *(whom for whom, branch in _stood_in_for(db, person_id) if branch == place_id)]
    reached = db.execute(
        select(Assignment.role, Assignment.unit_id, Unit.id)
        .outerjoin(Unit, and_(Unit.branch_id == place_id, Assignment.unit_id == any_(Unit.path)))
        .where(
            Assignment.person_id.in_(whose),
            or_(Assignment.person_id == person_id, Assignment.role != Role.CO_INVESTIGATOR),
            or_(Assignment.branch_id == place_id, Unit.id.is_not(None)),
            valid(today),
        )
    ).all()
    units: dict[tuple[str, int], set[int]] = {}
    whole: set[str] = set()
    for role, scope, unit in reached:
        if role == Role.CO_INVESTIGATOR and not may_be_lent_a_place(db, person_id, place_id):
            continue
        if scope is None:
            whole.add(role)
        else:
            units.setdefault((role, scope), set()).add(unit)
    return (
        *(Grant(Role(role), None) for role in sorted(whole)),
        *(Grant(Role(role), frozenset(reach)) for (role, _), reach in sorted(units.items())),
    )


def may_be_lent_a_place(db: Session, person_id: int, branch_id: int) -> bool:
    """Whether a place lent with a case counts, asked anew each time: for who works in the branch's organisation today,
    and for a professional who has never had an assignment of their own. Whoever has left the organisation, or works in
    another, is outside the authority, and to them the case would be disclosed.
    """
    own = select(Assignment.id).where(
        Assignment.person_id == person_id, Assignment.role != Role.CO_INVESTIGATOR
    )
    organisation_id = select(Branch.organisation_id).where(Branch.id == branch_id).scalar_subquery()
    here = (
        own.outerjoin(Unit, Unit.id == Assignment.unit_id)
        .outerjoin(Branch, or_(Branch.id == Assignment.branch_id, Branch.id == Unit.branch_id))
        .where(
            valid(clock.today()),
            or_(
                Assignment.organisation_id == organisation_id,
                Branch.organisation_id == organisation_id,
            ),
        )
    )
    return bool(db.scalar(select(or_(here.exists(), ~own.exists()))))


def handlers(db: Session, unit_id: int) -> list[Person]:
    """Everyone who may handle what comes to a unit today: its handlers and managers, those above it, and safety."""
    unit = db.get_one(Unit, unit_id)
    found = db.scalars(
        select(Person)
        .join(Assignment, Assignment.person_id == Person.id)
        .where(
            or_(Assignment.unit_id.in_(unit.path), Assignment.branch_id == unit.branch_id),
            Assignment.role.in_([Role.HANDLER, Role.MANAGER, Role.SAFETY]),
            valid(clock.today()),
            active(Person.ended_on),
        )
        .distinct()
    ).all()
    return sorted(found, key=lambda person: sort_key(person.title))


def handles(
    person_id: ColumnElement[Any] | InstrumentedAttribute[Any],
    unit_id: ColumnElement[Any] | InstrumentedAttribute[Any],
) -> ColumnElement[bool]:
    """`handlers` as SQL: one test holds the two together."""
    role, unit, person = aliased(Assignment), aliased(Unit), aliased(Person)
    found = exists().where(
        role.person_id == person_id,
        role.role.in_([Role.HANDLER, Role.MANAGER, Role.SAFETY]),
        valid(clock.today(), role),
        person.id == role.person_id,
        active(person.ended_on),
        unit.id == unit_id,
        or_(role.unit_id == any_(unit.path), role.branch_id == unit.branch_id),
    )
    return found.correlate_except(role, unit, person)


def email_of(db: Session, person_id: int) -> str | None:
    return db.scalar(select(Person.email).where(Person.id == person_id, active(Person.ended_on)))


def place_name(db: Session, place: str, place_id: int) -> tuple[str, int | None]:
    """What a place is called, and the county it lies in."""
    if place == "branch":
        branch = db.scalars(
            select(Branch).options(joinedload(Branch.organisation)).where(Branch.id == place_id)
        ).one()
        return branch.name, branch.organisation.county_id
    if place == "organisation":
        organisation = db.get_one(Organisation, place_id)
        return organisation.name, organisation.county_id
    if place == "county":
        return db.get_one(County, place_id).name, place_id
    group = db.get_one(Group, place_id)
    return group.name, group.county_id
