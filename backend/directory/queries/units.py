"""Counties, organisations, branches and their units."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from backend.access import Identity, Permission
from backend.core import clock
from backend.core.text import sort_key
from backend.directory.models import Branch, County, Organisation, Unit
from backend.directory.queries.people import active


def county_by_code(db: Session, code: str) -> County | None:
    return db.scalar(select(County).where(County.code == code.upper()))


def counties(db: Session) -> Sequence[County]:
    return db.scalars(select(County).order_by(County.code)).all()


def unit_by_hsa_id(db: Session, hsa_id: str) -> Unit | None:
    """A unit that still exists."""
    return db.scalar(
        select(Unit)
        .options(joinedload(Unit.branch).joinedload(Branch.organisation))
        .where(Unit.hsa_id == hsa_id, active(Unit.ended_on))
    )


def living_successor(db: Session, unit_id: int) -> Unit | None:
    """The unit that took over after one that has ended, or after its successor in turn; None where nobody did."""
    unit, passed = db.get_one(Unit, unit_id), {unit_id}
    while unit.ended_on is not None and unit.ended_on <= clock.today():
        if unit.successor_id is None or unit.successor_id in passed:
            return None
        passed.add(unit.successor_id)
        unit = db.get_one(Unit, unit.successor_id)
    return unit if unit.id != unit_id else None


def ended_units(db: Session, unit_ids: Sequence[int]) -> Sequence[Unit]:
    """Those of the units that have ended."""
    return db.scalars(
        select(Unit).where(Unit.id.in_(unit_ids), ~active(Unit.ended_on)).order_by(Unit.id)
    ).all()


def living_unit(db: Session, unit_id: int) -> Unit | None:
    return db.scalar(select(Unit).where(Unit.id == unit_id, active(Unit.ended_on)))


def intake_of(db: Session, branch_id: int) -> int | None:
    """The id of the branch's intake."""
    return db.scalar(select(Unit.id).where(Unit.branch_id == branch_id, Unit.intake, active(Unit.ended_on)))


def intakes(db: Session, organisation_hsa_id: str) -> Sequence[Unit]:
    """The intake of each branch of an organisation."""
    return db.scalars(
        select(Unit)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(Organisation.hsa_id == organisation_hsa_id, Unit.intake, active(Unit.ended_on))
        .order_by(Unit.hsa_id)
    ).all()


def own_units(db: Session, me: Identity) -> list[Unit]:
    """The units this person may report from."""
    everywhere = me.everywhere(Permission.FILE)
    where = Unit.branch_id.in_(me.branches) if everywhere else Unit.id.in_(me.units(Permission.FILE))
    found = db.scalars(select(Unit).where(where, active(Unit.ended_on))).all()
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
            active(Unit.ended_on),
            active(Organisation.ended_on),
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
    telephone: str | None
    id: int


def listing(db: Session, county_id: int, q: str = "") -> list[Listed]:
    """The living units of a county, tree order within each branch. `q` is sought in the names of the unit, of its
    branch and of its organisation, and in its HSA-id.
    """
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
            Unit.telephone,
        )
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(Organisation.county_id == county_id, active(Unit.ended_on))
    ).all()
    names = {row[0]: sort_key(row[3]) for row in found}
    rows = sorted(
        found, key=lambda r: (sort_key(r[7]), sort_key(r[6]), [names.get(step, "") for step in r[1]])
    )
    words = q.casefold().split()
    return [
        Listed(r[2], r[3], r[4], r[5], len(r[1]) - 1, r[6], r[7], r[8], r[0])
        for r in rows
        if all(word in f"{r[3]} {r[6]} {r[7]} {r[2]}".casefold() for word in words)
    ]
