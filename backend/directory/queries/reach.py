"""Who is reached when something is sent to a unit, and who is told when nobody is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, any_, func, select
from sqlalchemy.orm import Session

from backend.access import Role
from backend.core import bounces, clock
from backend.core.text import sort_key
from backend.directory import health
from backend.directory.health import Reach, Receiver
from backend.directory.models import Assignment, Branch, EscalationContact, Organisation, Person, Unit
from backend.directory.queries.administered import absences
from backend.directory.queries.people import active, valid

HANDLES = (Role.HANDLER, Role.MANAGER)


def lacks_receiver(db: Session, unit_ids: Collection[int]) -> set[int]:
    """Of these units, those where nobody handles what comes today: no handler or manager there, or above. One query.

    Who is away has a substitute or is at work, so an assignment in force is enough. A party outside the system
    (`external`) has no people here, and lacks none.
    """
    if not unit_ids:
        return set()
    somebody = (
        select(Assignment.id)
        .join(Person, Person.id == Assignment.person_id)
        .where(
            Assignment.unit_id == any_(Unit.path),
            Assignment.role.in_(HANDLES),
            valid(clock.today()),
            active(Person.ended_on),
        )
        .correlate(Unit)
        .exists()
    )
    found = db.scalars(
        select(Unit.id)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(Unit.id.in_(unit_ids), Organisation.kind != "external", ~somebody)
    )
    return set(found)


def escalation_contacts(db: Session, branch_id: int) -> list[Person]:
    """Whom the organisation of a branch wants told last, in its own order. Who has ended is passed over."""
    found = db.scalars(
        select(Person)
        .join(EscalationContact, EscalationContact.person_id == Person.id)
        .join(Branch, Branch.organisation_id == EscalationContact.organisation_id)
        .where(Branch.id == branch_id, active(Person.ended_on))
        .order_by(EscalationContact.position)
    )
    return list(found)


@dataclass(frozen=True)
class Contact:
    """A line of the list as its administrator sees it."""

    person_id: int
    title: str
    email: str
    position: int
    ended: bool


def escalation_list(db: Session, organisation_id: int) -> list[Contact]:
    rows = db.execute(
        select(Person.id, Person.title, Person.email, EscalationContact.position, ~active(Person.ended_on))
        .join(EscalationContact, EscalationContact.person_id == Person.id)
        .where(EscalationContact.organisation_id == organisation_id)
        .order_by(EscalationContact.position)
    )
    return [Contact(*row) for row in rows]


def administrators_of(db: Session, organisation_id: int) -> list[str]:
    """The addresses of an organisation's administrators."""
    return _addresses(
        db, (Assignment.role == Role.ADMINISTRATOR) & (Assignment.organisation_id == organisation_id)
    )


def told_of(db: Session, organisation_id: int, branch_ids: Iterable[int] | None = None) -> list[str]:
    """Who hears of what is wrong with an organisation's units: the safety of these branches (of all, unless told) and
    the administrators.
    """
    branches = select(Branch.id).where(Branch.organisation_id == organisation_id)
    if branch_ids is not None:
        branches = branches.where(Branch.id.in_(branch_ids))
    safety = (Assignment.role == Role.SAFETY) & Assignment.branch_id.in_(branches)
    administers = (Assignment.role == Role.ADMINISTRATOR) & (Assignment.organisation_id == organisation_id)
    return _addresses(db, safety | administers)


def _addresses(db: Session, which: ColumnElement[bool]) -> list[str]:
    found = db.scalars(
        select(Person.email)
        .join(Assignment, Assignment.person_id == Person.id)
        .where(which, valid(clock.today()), active(Person.ended_on))
        .distinct()
    )
    return sorted(found)


def address_to_confirm(db: Session, person_id: int) -> bool:
    """Whether this person, who handles cases somewhere, is due to say that mail reaches them."""
    row = db.execute(
        select(func.max(Person.address_confirmed_at), func.min(Assignment.valid_from))
        .join(Assignment, Assignment.person_id == Person.id)
        .where(Person.id == person_id, Assignment.role.in_(HANDLES), valid(clock.today()))
    ).one()
    return row[1] is not None and health.is_due(row[0], row[1], clock.today())


@dataclass(frozen=True)
class Post:
    """A handler's or manager's assignment at a unit."""

    unit_id: int
    at: str
    role: str
    person: Receiver


def reached(db: Session, which: ColumnElement[bool]) -> list[Reach]:
    """Who receives at each living unit for which the condition, over units with their branches, holds. Four queries,
    however many units. Parties outside the system are left out.
    """
    units = db.execute(
        select(Unit.id, Unit.hsa_id, Unit.name, Unit.intake, Branch.id, Branch.name, Unit.path)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(which, active(Unit.ended_on), Organisation.kind != "external")
    ).all()
    branches = sorted({row[4] for row in units})
    posts = _posts(db, branches)
    found = []
    for unit_id, hsa_id, name, intake, branch_id, branch, path in units:
        receivers, colleagues, at = _served(path, posts)
        found.append(Reach(unit_id, hsa_id, name, intake, branch_id, branch, receivers, colleagues, at))
    return sorted(found, key=lambda one: (sort_key(one.branch), sort_key(one.unit)))


def _posts(db: Session, branches: Sequence[int]) -> Mapping[int, list[Post]]:
    """By unit, who handles there."""
    rows = db.execute(
        select(
            Unit.id,
            Unit.name,
            Assignment.role,
            Unit.branch_id,
            Person.id,
            Person.title,
            Person.email,
            Assignment.valid_from,
            Person.address_confirmed_at,
        )
        .join(Person, Person.id == Assignment.person_id)
        .join(Unit, Unit.id == Assignment.unit_id)
        .where(
            Unit.branch_id.in_(branches),
            Assignment.role.in_(HANDLES),
            valid(clock.today()),
            active(Person.ended_on),
        )
        .order_by(Person.title, Person.email)
    ).all()
    covered = {(one.person_id, one.branch_id) for one in absences(db, branches)}
    runs = bounces.runs(db, {row[6] for row in rows})
    since: dict[int, date] = {}
    for row in rows:
        since[row[4]] = min(row[7], since.get(row[4], row[7]))
    posts: dict[int, list[Post]] = {}
    for unit_id, name, role, branch_id, who, title, email, _from, confirmed_at in rows:
        person = Receiver(
            who, title, email, since[who], confirmed_at, (who, branch_id) in covered, runs.get(email)
        )
        posts.setdefault(unit_id, []).append(Post(unit_id, name, role, person))
    return posts


Served = tuple[tuple[Receiver, ...], tuple[Receiver, ...], str | None]


def _served(path: Sequence[int], posts: Mapping[int, list[Post]]) -> Served:
    """The people of the nearest unit that has some: its handlers are written to, its managers where it has none."""
    for step in reversed(path):
        if here := posts.get(step):
            handlers = [one.person for one in here if one.role == Role.HANDLER]
            colleagues = tuple(dict.fromkeys(one.person for one in here))
            above = None if step == path[-1] else here[0].at
            return tuple(dict.fromkeys(handlers)) or colleagues, colleagues, above
    return (), (), None


@dataclass(frozen=True)
class Unreachable:
    """Someone to whom mail no longer gets through, and an organisation in which they handle cases."""

    person_id: int
    organisation_id: int
    began: str


def unreachable(db: Session) -> list[Unreachable]:
    """Everyone who handles cases at some unit and whose address no longer works."""
    runs = {address: run for address, run in bounces.runs(db).items() if run.unreachable}
    if not runs:
        return []
    rows = db.execute(
        select(Person.id, Branch.organisation_id, Person.email)
        .join(Assignment, Assignment.person_id == Person.id)
        .join(Unit, Unit.id == Assignment.unit_id)
        .join(Branch, Branch.id == Unit.branch_id)
        .where(
            Person.email.in_(runs),
            Assignment.role.in_(HANDLES),
            valid(clock.today()),
            active(Person.ended_on),
        )
        .distinct()
    )
    return [
        Unreachable(who, organisation_id, runs[email].began.isoformat())
        for who, organisation_id, email in rows
    ]


def handled_by(db: Session, person_id: int, organisation_id: int) -> list[Unit]:
    """The units of an organisation at which a person handles cases."""
    found = db.scalars(
        select(Unit)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Assignment, Assignment.unit_id == Unit.id)
        .where(
            Branch.organisation_id == organisation_id,
            Assignment.person_id == person_id,
            Assignment.role.in_(HANDLES),
            valid(clock.today()),
        )
        .distinct()
    )
    return sorted(found, key=lambda unit: sort_key(unit.name))


def taking_part(db: Session) -> list[int]:
    """Every organisation whose people work here, by id: all but parties outside the system."""
    found = db.scalars(
        select(Organisation.id).where(Organisation.kind != "external", active(Organisation.ended_on))
    )
    return sorted(found)
