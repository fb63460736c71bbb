"""Writing the directory: what a county's files say becomes what is there.

Nothing is deleted, since cases and logs speak of what has been: what is gone from the files is ended, and lives
again if it comes back. Only what differs is written. Whoever calls has checked that the parts fit together.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from backend.access import Role
from backend.core import clock, jobs
from backend.core.db import Base
from backend.directory import history
from backend.directory.actions.people import come_back
from backend.directory.models import (
    Assignment,
    Branch,
    County,
    Group,
    Organisation,
    Person,
    Unit,
    UnitChangeKind,
)

Fate = Literal["added", "changed", "ended", "unchanged"]
Fates = dict[Any, Fate]
"""What became of each thing, by its key in the files."""

Values = Mapping[str, Any]
T = TypeVar("T", bound=Base)


def change(thing: Base, values: Values) -> bool:
    """Set what differs; whether anything did."""
    different = {name: value for name, value in values.items() if getattr(thing, name) != value}
    for name, value in different.items():
        setattr(thing, name, value)
    return bool(different)


def settle(db: Session, model: type[T], there: dict[str, T], wanted: Mapping[str, Values]) -> Fates:
    """Let the things of one kind become those wanted; `there` gets the new ones too.

    Of a kind that can end, what is not wanted any more ends today, and is from today not there.
    """
    fates: Fates = {}
    today = clock.today()
    ends = "ended_on" in model.__table__.columns
    for key in there.keys() - wanted.keys() if ends else ():
        ended_on = getattr(there[key], "ended_on")  # noqa: B009  not every T has it
        if ended_on is None or ended_on > today:
            change(there[key], {"ended_on": today})
            fates[key] = "ended"
    for key, values in wanted.items():
        if key not in there:
            db.add(there.setdefault(key, model(**values)))
            fates[key] = "added"
        else:
            living = {**values, "ended_on": None} if ends else values
            fates[key] = "changed" if change(there[key], living) else "unchanged"
    db.flush()
    return fates


def hang(things: Mapping[str, Any], parents: Mapping[str, str], fates: Fates) -> None:
    """Put each thing under its parent (none where that is empty), now that all have ids."""
    for key, parent in parents.items():
        moved = change(things[key], {"parent_id": things[parent].id if parent else None})
        if moved and fates[key] == "unchanged":
            fates[key] = "changed"


def put_county(db: Session, code: str, name: str) -> tuple[County, Fates]:
    there = {county.code: county for county in db.scalars(select(County).where(County.code == code))}
    fates = settle(db, County, there, {code: {"code": code, "name": name}})
    return there[code], fates


def put_organisations(
    db: Session, county: County, wanted: Mapping[str, Values]
) -> tuple[dict[str, Organisation], Fates]:
    """By HSA-id."""
    found = db.scalars(select(Organisation).where(Organisation.county_id == county.id))
    there = {organisation.hsa_id: organisation for organisation in found}
    return there, settle(db, Organisation, there, wanted)


def put_branches(
    db: Session, county: County, wanted: Mapping[str, Values]
) -> tuple[dict[str, Branch], Fates]:
    """By HSA-id. A branch has no end of its own: it is over when its units are."""
    found = db.scalars(
        select(Branch)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(Organisation.county_id == county.id)
    )
    there = {branch.hsa_id: branch for branch in found}
    return there, settle(db, Branch, there, wanted)


def put_units(
    db: Session, branches: Iterable[Branch], wanted: Mapping[str, Values], parents: Mapping[str, str]
) -> tuple[dict[str, Unit], Fates]:
    """By HSA-id. `parents` names each unit's parent, with every parent before those below it.

    What is left at a unit that is gone is taken over by the nearest one above it that lives.
    """
    ids = [branch.id for branch in branches]
    there = {unit.hsa_id: unit for unit in db.scalars(select(Unit).where(Unit.branch_id.in_(ids)))}
    wanted = {hsa_id: {**values, "successor_id": None} for hsa_id, values in wanted.items()}
    before = history.facts(there.values())
    # A branch has one living intake: the old one must be written before the new one, whatever the order of the rest.
    former = [
        hsa_id for hsa_id, unit in there.items() if unit.intake and not wanted.get(hsa_id, {}).get("intake")
    ]
    for hsa_id in former:
        there[hsa_id].intake = False
    db.flush()
    new = {hsa_id: {**values, "path": []} for hsa_id, values in wanted.items() if hsa_id not in there}
    fates = settle(db, Unit, there, {**wanted, **new})
    fates |= {hsa_id: "changed" for hsa_id in former if fates.get(hsa_id) == "unchanged"}
    hang(there, parents, fates)
    _renew_paths(there, parents)
    db.flush()
    by_id = {unit.id: unit for unit in there.values()}
    for hsa_id in (hsa_id for hsa_id, fate in fates.items() if fate == "ended"):
        unit = there[hsa_id]
        living = (step for step in reversed(unit.path[:-1]) if by_id[step].ended_on is None)
        if successor := next(living, None):
            unit.successor_id = successor
            jobs.owe(db, "deviations.follow_successor", subject_id=unit.id, branch_id=unit.branch_id)
    db.flush()
    after = history.facts(there.values())
    for hsa_id, fate in fates.items():
        if fate != "unchanged":
            unit_id, what = there[hsa_id].id, TOLD_AS[fate]
            history.keep(db, unit_id, what, before.get(unit_id, {}), after[unit_id])
    return there, fates


TOLD_AS: dict[Fate, UnitChangeKind] = {"added": "added", "changed": "changed", "ended": "ended"}


def _renew_paths(units: Mapping[str, Unit], parents: Mapping[str, str]) -> None:
    """From the root down; a unit that is ended follows the one it hung under, so that history is found there."""
    by_id = {unit.id: unit for unit in units.values()}
    ended = sorted(
        (unit for hsa_id, unit in units.items() if hsa_id not in parents), key=lambda unit: len(unit.path)
    )
    for unit in [*(units[hsa_id] for hsa_id in parents), *ended]:
        above = by_id[unit.parent_id].path if unit.parent_id else []
        change(unit, {"path": [*above, unit.id]})


def put_groups(db: Session, county: County, wanted: Mapping[str, Values]) -> tuple[dict[str, Group], Fates]:
    """By code. A group has no end of its own: it is over when its members are."""
    there = {group.code: group for group in db.scalars(select(Group).where(Group.county_id == county.id))}
    return there, settle(db, Group, there, wanted)


def put_people(
    db: Session, within: ColumnElement[bool], titles: Mapping[str, str]
) -> tuple[dict[str, Person], Fates]:
    """By address; `within` are the assignments that the files speak for. Whoever is active elsewhere too is not
    ended here, nor given another title.
    """
    ended = select(Person).where(Person.email.in_(titles), Person.ended_on <= clock.today())
    back = db.scalars(ended).all()
    for person in back:
        come_back(db, person, within)
    at_hand = select(Assignment.person_id).where(within)
    found = db.scalars(select(Person).where(or_(Person.email.in_(titles), Person.id.in_(at_hand))))
    here = select(Assignment.id).where(within)
    elsewhere = set(db.scalars(select(Assignment.person_id).where(Assignment.id.not_in(here), _living())))
    there = {p.email: p for p in found if p.email in titles or p.id not in elsewhere}
    settled = {email for email, person in there.items() if person.id in elsewhere}
    wanted = {
        email: {"email": email} if email in settled else {"email": email, "title": title}
        for email, title in titles.items()
    }
    fates = settle(db, Person, there, wanted)
    return there, fates | {person.email: "changed" for person in back}


class Post(NamedTuple):
    """A role of a person at one place; `scope` is the column of the assignment that holds the place's id."""

    person_id: int
    role: str
    scope: str
    place_id: int


SCOPES = ("unit_id", "branch_id", "organisation_id", "county_id", "group_id")


def put_assignments(db: Session, within: ColumnElement[bool], wanted: Collection[Post]) -> Fates:
    """One that is gone was in force until yesterday. One that comes back begins anew, since it tells who could see
    what when: the time between is not made to look as if it had been in force. A place lent with a case is no
    business of the files.
    """
    fates: Fates = {}
    lent = Assignment.role == Role.CO_INVESTIGATOR
    for assignment in db.scalars(select(Assignment).where(within, ~lent, _living())):
        scope = next(name for name in SCOPES if getattr(assignment, name) is not None)
        post = Post(assignment.person_id, assignment.role, scope, getattr(assignment, scope))
        fates[post] = "unchanged" if post in wanted else "ended"
        if post not in wanted:
            assignment.valid_to = clock.today() - timedelta(days=1)
    for post in wanted:
        if post not in fates:
            place = {post.scope: post.place_id}
            db.add(Assignment(person_id=post.person_id, role=post.role, valid_from=clock.today(), **place))
            fates[post] = "added"
    db.flush()
    return fates


def _living() -> ColumnElement[bool]:
    return or_(Assignment.valid_to.is_(None), Assignment.valid_to >= clock.today())


def in_county(county: County) -> ColumnElement[bool]:
    """Assignments at all that a county holds, its groups too."""
    organisations = select(Organisation.id).where(Organisation.county_id == county.id)
    branches = select(Branch.id).where(Branch.organisation_id.in_(organisations))
    return or_(
        Assignment.unit_id.in_(select(Unit.id).where(Unit.branch_id.in_(branches))),
        Assignment.branch_id.in_(branches),
        Assignment.organisation_id.in_(organisations),
        Assignment.county_id == county.id,
        Assignment.group_id.in_(select(Group.id).where(Group.county_id == county.id)),
    )


def lend_place(db: Session, person_id: int, branch_id: int) -> None:
    """Let someone who is invited to a case act in its branch."""
    raise NotImplementedError


def take_back_place(db: Session, person_id: int, branch_id: int) -> None:
    """The place was lent until yesterday."""
    raise NotImplementedError
