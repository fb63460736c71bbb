"""Reading in the directory of a county. The same files again change nothing."""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.accounts import actions as accounts
from backend.accounts.models import Password
from backend.agreements import actions as agreements
from backend.audit import actions as audit
from backend.core.text import gettext as _
from backend.directory import actions as directory
from backend.directory.actions import Fates, Post, Values
from backend.directory.models import Branch, County, Organisation, Person, Unit
from backend.exchange.forms.directory import Directory, UnitRow
from backend.exchange.forms.directory import directory as read_directory
from backend.exchange.outcome import Outcome
from backend.settings import settings

DEMO_PASSWORD = "samsvar-demo"  # noqa: S105  known to all, and given in demo and tests only


def import_directory(db: Session, folder: Path, county: str, *, dry_run: bool = False) -> Outcome:
    """Let a county become what its files say, all of it or nothing, in a transaction of the operator.

    Touches that county only. What is gone from the files is ended as from today and never deleted; what comes back
    lives again. The outcome counts what became of each kind, or tells every faulty row. A dry run counts, and undoes.
    """
    code = county.upper()
    # A second import of the same county waits for the first, also where it is not there yet.
    directory.lock(db, code)
    files = read_directory(folder, code)
    check_against(db, files)
    if files.faults:
        return Outcome(faults=files.faults)
    with db.begin_nested() as attempt:
        fates = _write(db, files)
        outcome = Outcome({kind: Counter(fate.values()) for kind, fate in fates.items()})
        if dry_run:
            attempt.rollback()
    if outcome.touched and not dry_run:
        audit.record_system(db, "exchange.import_directory", county=code, touched=outcome.touched)
    return outcome


def check_against(db: Session, files: Directory) -> None:
    """What other counties hold is theirs, and a unit stays in the secrecy circle its cases were written in."""
    organisations = db.execute(
        select(Organisation.hsa_id)
        .join(County, County.id == Organisation.county_id)
        .where(Organisation.hsa_id.in_(files.organisations), County.code != files.code)
    )
    for (hsa_id,) in organisations:
        reason = _("Organisationen hör redan till ett annat län. Kontrollera HSA-id och länets kod.")
        files.organisations[hsa_id].line.fault("hsa_id", reason)
    units = db.execute(
        select(Unit.hsa_id, Branch.hsa_id, County.code)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .join(County, County.id == Organisation.county_id)
        .where(Unit.hsa_id.in_(files.units))
    )
    for hsa_id, branch, county in units:
        unit = files.units[hsa_id]
        if county != files.code:
            unit.line.fault(
                "hsa_id", _("Enheten hör redan till ett annat län. Kontrollera HSA-id och länets kod.")
            )
        elif branch != unit.branch:
            reason = _(
                "Enheten hör till verksamheten {branch}, och dess ärenden är skrivna där. "
                "Ge enheten ett nytt HSA-id i den nya verksamheten och ta bort den gamla raden."
            )
            unit.line.fault("branch_hsa_id", reason.format(branch=branch))


def _write(db: Session, files: Directory) -> dict[str, Fates]:
    county, counties = directory.put_county(db, files.code, files.name)
    organisations, fates_of_organisations = directory.put_organisations(
        db,
        county,
        {
            hsa_id: {"county_id": county.id, "hsa_id": hsa_id, "name": row.name, "kind": row.kind}
            for hsa_id, row in files.organisations.items()
        },
    )
    branches, fates_of_branches = directory.put_branches(
        db,
        county,
        {
            hsa_id: branch_values(row, organisations[row.organisation])
            for hsa_id, row in files.branches.items()
        },
    )
    units, fates_of_units = directory.put_units(
        db,
        branches.values(),
        {row.hsa_id: unit_values(row, branches) for row in files.units.values()},
        {row.hsa_id: row.parent for row in files.parents_first()},
    )
    groups, fates_of_groups = directory.put_groups(
        db,
        county,
        {
            code: {
                "county_id": county.id,
                "code": code,
                "name": row.name,
                "kind": row.kind,
                "target_groups": row.target_groups,
            }
            for code, row in files.groups.items()
        },
    )
    people, fates_of_people = directory.put_people(
        db, directory.in_county(county), {row.email: row.title for row in files.assignments}
    )
    places = {
        "unit": units,
        "branch": branches,
        "organisation": organisations,
        "county": {county.code: county},
        "group": groups,
    }
    posts = {
        Post(people[row.email].id, row.role, f"{row.scope_kind}_id", places[row.scope_kind][row.scope].id)  # type: ignore[index]
        for row in files.assignments
    }
    if settings().demo_people_allowed:
        _give_demo_password(db, [people[row.email] for row in files.assignments])
    return {
        "counties": counties,
        "organisations": fates_of_organisations,
        "branches": fates_of_branches,
        "units": fates_of_units,
        "categories": _put_categories(db, county, files),
        "steering_documents": agreements.put_steering_documents(
            db,
            county,
            {
                code: {"county_id": county.id, "code": code, "title": row.title}
                for code, row in files.steering_documents.items()
            },
        ),
        "groups": fates_of_groups,
        "people": fates_of_people,
        "assignments": directory.put_assignments(db, directory.in_county(county), posts),
        "agreements": agreements.put_first_agreement(db, county),
    }


def branch_values(row: UnitRow, organisation: Organisation) -> Values:
    """A branch has its root's id and name."""
    return {"organisation_id": organisation.id, "hsa_id": row.hsa_id, "name": row.name}


def unit_values(row: UnitRow, branches: Mapping[str, Branch]) -> Values:
    return {
        "branch_id": branches[row.branch].id,
        "hsa_id": row.hsa_id,
        "name": row.name,
        "kind": row.kind,
        "care_level": row.care_level,
        "intake": row.intake,
        "commissioned_by_id": branches[row.commissioned_by].id if row.commissioned_by else None,
    }


def _put_categories(db: Session, county: County, files: Directory) -> Fates:
    """The order of the file is the county's own, and the one its people see."""
    return agreements.put_categories(
        db,
        county,
        {
            code: {
                "county_id": county.id,
                "code": code,
                "label": row.label,
                "label_en": row.label_en,
                "position": position,
            }
            for position, (code, row) in enumerate(files.categories.items(), 1)
        },
        {code: row.parent for code, row in files.categories.items()},
    )


@cache
def _demo_hash() -> str:
    # Shared by all: the hash is made to be slow, and two dozen of them would be felt when the demo starts.
    return accounts.hash_password(DEMO_PASSWORD)


def _give_demo_password(db: Session, people: Collection[Person]) -> None:
    ids = {person.id for person in people}
    for person_id in ids - set(db.scalars(select(Password.person_id).where(Password.person_id.in_(ids)))):
        accounts.set_password(db, person_id, _demo_hash())
