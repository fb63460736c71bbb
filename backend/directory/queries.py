"""Reading the directory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, any_, or_, select
from sqlalchemy.orm import Session, joinedload

from backend.access import Grant, Identity, Permission, Role
from backend.core import clock
from backend.core.text import sort_key
from backend.directory.models import Assignment, Branch, County, Group, Organisation, Person, Unit


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


def valid(on: date) -> ColumnElement[bool]:
    """Assignments in force that day, both its dates included."""
    return and_(Assignment.valid_from <= on, or_(Assignment.valid_to.is_(None), Assignment.valid_to >= on))


def person_by_email(db: Session, email: str) -> Person | None:
    return db.scalar(select(Person).where(Person.email == email.strip().lower(), _active(Person.ended_on)))


def _active(ended_on: object) -> ColumnElement[bool]:
    column: ColumnElement[date] = ended_on  # type: ignore[assignment]
    return or_(column.is_(None), column > clock.today())


def places(db: Session, person_id: int) -> list[Place]:
    """Where this person may act today, branches first."""
    rows = db.execute(
        select(Assignment.role, Branch, Organisation, County, Group)
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
        .where(Assignment.person_id == person_id, valid(clock.today()))
    ).all()
    roles: dict[tuple[str, int], set[Role]] = {}
    found: dict[tuple[str, int], tuple[str, str, int | None]] = {}
    for role, branch, organisation, county, group in rows:
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
    """The roles in force today in that place. A role at a unit reaches the units below it."""
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
    reached = db.execute(
        select(Assignment.role, Assignment.unit_id, Unit.id)
        .outerjoin(Unit, and_(Unit.branch_id == place_id, Assignment.unit_id == any_(Unit.path)))
        .where(
            Assignment.person_id == person_id,
            or_(Assignment.branch_id == place_id, Unit.id.is_not(None)),
            valid(today),
        )
    ).all()
    units: dict[tuple[str, int], set[int]] = {}
    whole: set[str] = set()
    for role, scope, unit in reached:
        if scope is None:
            whole.add(role)
        else:
            units.setdefault((role, scope), set()).add(unit)
    return (
        *(Grant(Role(role), None) for role in sorted(whole)),
        *(Grant(Role(role), frozenset(reach)) for (role, _), reach in sorted(units.items())),
    )


def county_by_code(db: Session, code: str) -> County | None:
    return db.scalar(select(County).where(County.code == code.upper()))


def counties(db: Session) -> Sequence[County]:
    return db.scalars(select(County).order_by(County.code)).all()


def unit_by_hsa_id(db: Session, hsa_id: str) -> Unit | None:
    """A unit that still exists."""
    return db.scalar(
        select(Unit)
        .options(joinedload(Unit.branch).joinedload(Branch.organisation))
        .where(Unit.hsa_id == hsa_id, _active(Unit.ended_on))
    )


def living_unit(db: Session, unit_id: int) -> Unit | None:
    return db.scalar(select(Unit).where(Unit.id == unit_id, _active(Unit.ended_on)))


def intakes(db: Session, organisation_hsa_id: str) -> Sequence[Unit]:
    """The intake of each branch of an organisation."""
    return db.scalars(
        select(Unit)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(Organisation.hsa_id == organisation_hsa_id, Unit.intake, _active(Unit.ended_on))
        .order_by(Unit.hsa_id)
    ).all()


def own_units(db: Session, me: Identity) -> list[Unit]:
    """The units this person may report from."""
    everywhere = me.everywhere(Permission.FILE)
    where = Unit.branch_id.in_(me.branches) if everywhere else Unit.id.in_(me.units(Permission.FILE))
    found = db.scalars(select(Unit).where(where, _active(Unit.ended_on))).all()
    return sorted(found, key=lambda unit: (len(unit.path), sort_key(unit.name)))


@dataclass(frozen=True)
class Receiver:
    hsa_id: str
    name: str
    intake: bool
    branch: str
    organisation: str


def receivers(db: Session, me: Identity) -> list[Receiver]:
    """Every unit a deviation may be sent to: all of the county's that are not of one's own branch."""
    rows = db.execute(
        select(Unit.hsa_id, Unit.name, Unit.intake, Branch.name, Organisation.name)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(
            Organisation.county_id == me.county_id,
            Branch.id.not_in(me.branches),
            _active(Unit.ended_on),
            _active(Organisation.ended_on),
        )
    )
    return sorted(
        (Receiver(*row) for row in rows),
        key=lambda r: (sort_key(r.organisation), sort_key(r.branch), not r.intake, sort_key(r.name)),
    )


@dataclass(frozen=True)
class Listed:
    """A unit as the directory page shows it."""

    hsa_id: str
    name: str
    care_level: str
    intake: bool
    depth: int
    branch: str
    organisation: str


def listing(db: Session, county_id: int) -> list[Listed]:
    """All living units of a county, tree order within each branch."""
    found = db.execute(
        select(
            Unit.id,
            Unit.path,
            Unit.hsa_id,
            Unit.name,
            Unit.care_level,
            Unit.intake,
            Branch.name,
            Organisation.name,
        )
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(Organisation.county_id == county_id, _active(Unit.ended_on))
    ).all()
    names = {row[0]: sort_key(row[3]) for row in found}
    rows = sorted(
        found, key=lambda r: (sort_key(r[7]), sort_key(r[6]), [names.get(step, "") for step in r[1]])
    )
    return [Listed(r[2], r[3], r[4], r[5], len(r[1]) - 1, r[6], r[7]) for r in rows]


def recipients(db: Session, unit_id: int) -> list[str]:
    """The addresses of whoever handles what comes to a unit: its handlers, else those of the nearest unit above
    it (handlers, then managers), else the branch's safety. Empty only where a branch has nobody at all.
    """
    unit = db.get_one(Unit, unit_id)
    rows = db.execute(
        select(Assignment.role, Assignment.unit_id, Person.email)
        .join(Person, Person.id == Assignment.person_id)
        .where(
            or_(Assignment.unit_id.in_(unit.path), Assignment.branch_id == unit.branch_id),
            Assignment.role.in_([Role.HANDLER, Role.MANAGER, Role.SAFETY]),
            valid(clock.today()),
            _active(Person.ended_on),
        )
    ).all()
    wanted: Iterable[tuple[str, int | None]] = [
        *((role, step) for step in reversed(unit.path) for role in (Role.HANDLER, Role.MANAGER)),
        (Role.SAFETY, None),
    ]
    for role, scope in wanted:
        if found := sorted({email for r, u, email in rows if r == role and u == scope}):
            return found
    return []


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
            _active(Person.ended_on),
        )
        .distinct()
    ).all()
    return sorted(found, key=lambda person: sort_key(person.title))


def intake_of(db: Session, branch_id: int) -> int | None:
    """The id of the branch's intake."""
    return db.scalar(select(Unit.id).where(Unit.branch_id == branch_id, Unit.intake, _active(Unit.ended_on)))


def safety_of(db: Session, branch_id: int) -> list[str]:
    """The addresses of the branch's safety."""
    return _addresses(db, Assignment.branch_id == branch_id, Role.SAFETY)


def managers_of(db: Session, unit_id: int) -> list[str]:
    """The addresses of the managers of a unit and of those above it."""
    return _addresses(db, Assignment.unit_id.in_(db.get_one(Unit, unit_id).path), Role.MANAGER)


def _addresses(db: Session, where: ColumnElement[bool], role: Role) -> list[str]:
    found = db.scalars(
        select(Person.email)
        .join(Assignment, Assignment.person_id == Person.id)
        .where(where, Assignment.role == role, valid(clock.today()), _active(Person.ended_on))
        .distinct()
    )
    return sorted(found)


def email_of(db: Session, person_id: int) -> str | None:
    return db.scalar(select(Person.email).where(Person.id == person_id, _active(Person.ended_on)))


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
