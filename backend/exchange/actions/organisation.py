"""Reading in one organisation's units and people on a page: first what would change, then exactly that.

The plan is a comparison of rows: what the directory says now, written as the files would say it, beside what the
files say. Its digest goes with the page and comes back with the yes, and must then still be the same.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from backend.access import Identity, Role
from backend.audit import actions as audit
from backend.core.errors import ConflictError
from backend.core.text import gettext as _
from backend.core.text import sort_key
from backend.directory import actions as directory
from backend.directory import queries, words
from backend.directory.actions import Fate, Post
from backend.directory.actions.people import OWN_CIRCLE
from backend.directory.models import Assignment, Branch, County, Organisation, Person, Unit
from backend.exchange.actions.directory import branch_values, check_against, unit_values
from backend.exchange.forms.directory import COLUMNS, Directory, assembled
from backend.exchange.outcome import RowFault
from backend.exchange.tables import Line, Table, read

Row = dict[str, str]
Rows = dict[str, Row]


@dataclass(frozen=True)
class Change:
    """One row that would be added, changed or ended, and each cell that would become another."""

    fate: Fate
    key: str
    cells: tuple[tuple[str, str, str], ...] = ()


@dataclass
class Plan:
    """By kind, what would change; or every fault, and then nothing would. `passed_over` rows are about others."""

    changes: dict[str, list[Change]] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)
    passed_over: int = 0

    @property
    def size(self) -> int:
        return sum(map(len, self.changes.values()))

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(self.changes).encode()).hexdigest()


def preview(db: Session, me: Identity, folder: Path) -> Plan:
    """What would change in one's own organisation, from `units` and `people` in CSV or XLSX, one of them or both.

    Rows of other organisations, and people's places outside the organisation, are passed over.
    """
    return _Reading(db, me, folder).plan


def apply(db: Session, me: Identity, folder: Path, digest: str) -> Plan:
    """Do what was shown, all of it or nothing. Raises ConflictError where that is no longer what would be done."""
    reading = _Reading(db, me, folder)
    if reading.plan.faults or reading.plan.digest != digest:
        raise ConflictError(_("Katalogen har ändrats sedan du granskade. Se efter vad som ändras nu."))
    reading.write()
    audit.record(
        db, me, "exchange.import_directory", organisation=reading.own.hsa_id, touched=reading.plan.size
    )
    return reading.plan


class _Reading:
    """The files of one organisation, beside the directory as it stands. Holds the directory for the transaction."""

    def __init__(self, db: Session, me: Identity, folder: Path) -> None:
        self.db, self.me = db, me
        self.own = queries.own_organisation(db, me)
        self.county = db.get_one(County, self.own.county_id)
        directory.lock(db, self.county.code)
        self.plan = Plan()
        self.given = {kind: _table(folder, kind) for kind in ("units", "people")}
        self.now = {"units": _units_now(db, self.county), "people": _people_now(db, self.own)}
        self.files = self._files()
        check_against(db, self.files)
        self._check_self()
        self.plan.faults = self.files.faults
        if not self.plan.faults:
            self.plan.changes = self._changes()

    def _files(self) -> Directory:
        """The whole county as it would be: what the files say of the organisation, and what is there of the rest."""
        organisations = self.db.scalars(
            select(Organisation).where(Organisation.county_id == self.county.id)
        ).all()
        others = {one.hsa_id for one in organisations} - {self.own.hsa_id}
        units = self._with_the_rest(others)
        places = {line["hsa_id"] for line in units.lines if line["organisation_hsa_id"] in others} | others
        # A table without a name of ours: nobody can mend what is wrong with a row that is not in their file.
        return assembled(
            {
                "counties": _rows("", "counties", [{"code": self.county.code, "name": self.county.name}]),
                "organisations": _rows(
                    "",
                    "organisations",
                    [{"hsa_id": one.hsa_id, "name": one.name, "kind": one.kind} for one in organisations],
                ),
                "units": units,
                **{kind: Table("") for kind in ("categories", "steering_documents", "groups")},
                "people": self._people(places, {line["hsa_id"] for line in units.lines}),
            },
            self.county.code,
        )

    def _with_the_rest(self, others: set[str]) -> Table:
        there = self.now["units"]
        given = self.given["units"]
        if given is None:
            return _rows("", "units", there.values())
        mine = [line for line in given.lines if line["organisation_hsa_id"] not in others]
        self.plan.passed_over += len(given.lines) - len(mine)
        mentioned = {line["hsa_id"] for line in mine}
        rest = _rows(
            "",
            "units",
            [
                row
                for hsa_id, row in there.items()
                if row["organisation_hsa_id"] in others and hsa_id not in mentioned
            ],
        )
        return Table(given.name, [*mine, *rest.lines], given.faults, given.whole)

    def _people(self, foreign: set[str], units: set[str]) -> Table:
        given = self.given["people"]
        if given is None:
            places = units | {self.own.hsa_id}
            return _rows("", "people", [r for r in self.now["people"].values() if r["scope"] in places])
        mine = [
            line
            for line in given.lines
            if line["scope_kind"] not in ("county", "group") and line["scope"] not in foreign
        ]
        self.plan.passed_over += len(given.lines) - len(mine)
        return Table(given.name, mine, given.faults, given.whole)

    def _check_self(self) -> None:
        """A file neither locks its administrator out, nor opens cases for them."""
        given = self.given["people"]
        email = self.db.get_one(Person, self.me.person_id).email
        mine = [row for row in self.files.assignments if row.email == email]
        if given is not None and given.whole and not any(row.role == Role.ADMINISTRATOR for row in mine):
            reason = _("Ditt eget uppdrag som administratör saknas i filen. Lägg till det: {email}.")
            self.files.tables["people"].fault(reason.format(email=email))
        for row in mine:
            had = _key(row.email, row.role, row.scope_kind, row.scope) in self.now["people"]
            if row.role not in OWN_CIRCLE and not had:
                row.line.fault(
                    "role",
                    _("Du kan inte ge dig själv ett uppdrag som öppnar ärenden. Be en annan administratör."),
                )

    def _changes(self) -> dict[str, list[Change]]:
        mine = {
            hsa_id: row
            for hsa_id, row in self.now["units"].items()
            if row["organisation_hsa_id"] == self.own.hsa_id
        }
        wanted = {
            row.hsa_id: _cells(row.line, "units")
            for row in self.files.units.values()
            if row.organisation == self.own.hsa_id
        }
        names = {hsa_id: row["name"] for hsa_id, row in {**self.now["units"], **wanted}.items()}
        names[self.own.hsa_id] = self.own.name
        posts = {
            _key(row.email, row.role, row.scope_kind, row.scope): {"email": row.email, "scope": row.scope}
            for row in self.files.assignments
        }
        had = {key: {"email": row["email"], "scope": row["scope"]} for key, row in self.now["people"].items()}
        return {
            "units": _compared(mine, wanted, lambda key: f"{names[key]} ({key})"),
            "people": self._people_changed() if self.given["people"] else [],
            "assignments": _compared(had, posts, lambda key: _post_in_words(key, names)),
        }

    def _people_changed(self) -> list[Change]:
        """Whoever works elsewhere too keeps their title, and is not ended."""
        there = self.db.execute(
            select(Person.email, Person.title, Person.ended_on, queries.elsewhere(self.own.id)).where(
                queries.active(Person.ended_on)
            )
        ).all()
        elsewhere = {email for email, _title, _ended, other in there if other}
        own = set(self.db.scalars(select(Person.email).where(queries.of_organisation(self.own.id))))
        wanted = {row.email: {"title": row.title} for row in self.files.assignments}
        known = {email: {"title": title} for email, title, _ended, _other in there}
        had = {email: row for email, row in known.items() if email in own - elsewhere or email in wanted}
        return _compared(
            had, {e: had[e] if e in elsewhere else row for e, row in wanted.items()}, lambda email: email
        )

    def write(self) -> None:
        """Let the organisation become what its files say."""
        db, files, here = self.db, self.files, queries.in_organisation(self.own.id)
        roots = {h: row for h, row in files.branches.items() if row.organisation == self.own.hsa_id}
        branches, _fates = directory.put_branches(
            db, self.county, {hsa_id: branch_values(row, self.own) for hsa_id, row in roots.items()}
        )
        own = [branch for branch in branches.values() if branch.organisation_id == self.own.id]
        mine = [row for row in files.parents_first() if row.organisation == self.own.hsa_id]
        units, _fates = directory.put_units(
            db,
            own,
            {row.hsa_id: unit_values(row, branches) for row in mine},
            {row.hsa_id: row.parent for row in mine},
        )
        if self.given["people"]:
            directory.put_people(db, here, {row.email: row.title for row in files.assignments})
        emails = {row.email for row in files.assignments}
        found = db.execute(select(Person.email, Person.id).where(Person.email.in_(emails)))
        people = {email: person_id for email, person_id in found}  # noqa: C416  rows, not pairs, to the type checker
        places: dict[str, Any] = {
            "unit": units,
            "branch": branches,
            "organisation": {self.own.hsa_id: self.own},
        }
        posts = {
            Post(people[row.email], row.role, f"{row.scope_kind}_id", places[row.scope_kind][row.scope].id)
            for row in files.assignments
        }
        directory.put_assignments(db, here, posts)


def _table(folder: Path, kind: str) -> Table | None:
    file = next((file for file in folder.glob(f"{kind}.*")), None)
    return read(file, COLUMNS[kind]) if file else None


def _rows(name: str, kind: str, rows: Iterable[Row]) -> Table:
    """Rows of the directory, as if they had been read from a file."""
    table = Table(name)
    own = Table(name)
    table.lines = [Line(own, 0, {column: row[column] for column in COLUMNS[kind]}) for row in rows]
    return table


def _cells(line: Line, kind: str) -> Row:
    return {column: line[column] for column in COLUMNS[kind]}


def _key(email: str, role: str, scope_kind: str, scope: str) -> str:
    return "\t".join((email, role, scope_kind, scope))


def _post_in_words(key: str, names: dict[str, str]) -> str:
    email, role, _scope_kind, scope = key.split("\t")
    return f"{email}: {words.ROLES[Role(role)]()}, {names.get(scope, scope)}"


def _compared(had: Rows, wanted: Rows, called: Callable[[str], str]) -> list[Change]:
    changes = [Change("ended", called(key)) for key in had.keys() - wanted.keys()]
    for key, row in wanted.items():
        if key not in had:
            changes.append(Change("added", called(key)))
        elif cells := tuple(
            (column, had[key][column], cell) for column, cell in row.items() if had[key][column] != cell
        ):
            changes.append(Change("changed", called(key), cells))
    return sorted(changes, key=lambda change: (change.fate, sort_key(change.key)))


def _units_now(db: Session, county: County) -> Rows:
    """The living units of a county, as `units.csv` would have them."""
    parent, commissioner = aliased(Unit), aliased(Branch)
    rows = db.execute(
        select(Unit, Organisation.hsa_id, parent.hsa_id, Branch.hsa_id, commissioner.hsa_id)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .outerjoin(parent, parent.id == Unit.parent_id)
        .outerjoin(commissioner, commissioner.id == Unit.commissioned_by_id)
        .where(Organisation.county_id == county.id, queries.active(Unit.ended_on))
    )
    return {
        unit.hsa_id: {
            "hsa_id": unit.hsa_id,
            "organisation_hsa_id": organisation,
            "parent_hsa_id": above or "",
            "branch_hsa_id": branch,
            "name": unit.name,
            "kind": unit.kind,
            "care_level": unit.care_level,
            "intake": str(int(unit.intake)),
            "commissioned_by": commissioned_by or "",
        }
        for unit, organisation, above, branch, commissioned_by in rows
    }


def _people_now(db: Session, own: Organisation) -> Rows:
    """The assignments of an organisation that are not over, as `people.csv` would have them."""
    rows = db.execute(
        select(Person.email, Person.title, Assignment.role, Unit.hsa_id, Branch.hsa_id)
        .join(Assignment, Assignment.person_id == Person.id)
        .outerjoin(Unit, Unit.id == Assignment.unit_id)
        .outerjoin(Branch, Branch.id == Assignment.branch_id)
        .where(queries.in_organisation(own.id), queries.not_over(), Assignment.role != Role.CO_INVESTIGATOR)
    )
    found: Rows = {}
    for email, title, role, unit, branch in rows:
        kind = "unit" if unit else "branch" if branch else "organisation"
        scope = unit or branch or own.hsa_id
        row = {"email": email, "title": title, "role": role, "scope_kind": kind, "scope": scope}
        found[_key(email, role, kind, scope)] = row
    return found
