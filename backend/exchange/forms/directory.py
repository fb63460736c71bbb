"""The directory of a county: seven files, and what must hold between them."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from backend.access import Role
from backend.core.text import gettext as _
from backend.directory.forms import EMAIL, one_line
from backend.directory.models import CARE_LEVELS, GROUP_KINDS, ORGANISATION_KINDS, TARGET_GROUPS
from backend.directory.rules import SCOPE_OF
from backend.exchange.outcome import RowFault
from backend.exchange.tables import Line, Table, read

COLUMNS = {
    "counties": ("code", "name"),
    "organisations": ("hsa_id", "name", "kind"),
    "units": (
        "hsa_id",
        "organisation_hsa_id",
        "parent_hsa_id",
        "branch_hsa_id",
        "name",
        "kind",
        "care_level",
        "intake",
        "commissioned_by",
    ),
    "categories": ("code", "parent_code", "label_sv", "label_en"),
    "steering_documents": ("code", "title_sv"),
    "groups": ("code", "name", "kind", "target_groups"),
    "people": ("email", "title", "role", "scope_kind", "scope"),
}

# A county's code begins its case numbers: BLE-2026-7K3Q9X.
_COUNTY = re.compile(r"[A-Z]{2,5}", re.ASCII)


@dataclass(frozen=True)
class OrganisationRow:
    line: Line
    hsa_id: str
    name: str
    kind: str


@dataclass(frozen=True)
class UnitRow:
    line: Line
    hsa_id: str
    organisation: str
    parent: str
    branch: str
    name: str
    kind: str
    care_level: str
    intake: bool
    commissioned_by: str

    @property
    def is_root(self) -> bool:
        return self.hsa_id == self.branch


@dataclass(frozen=True)
class CategoryRow:
    line: Line
    code: str
    parent: str
    label: str
    label_en: str


@dataclass(frozen=True)
class DocumentRow:
    code: str
    title: str


@dataclass(frozen=True)
class GroupRow:
    code: str
    name: str
    kind: str
    target_groups: list[str]


@dataclass(frozen=True)
class AssignmentRow:
    line: Line
    email: str
    title: str
    role: str
    scope_kind: str
    scope: str


@dataclass(frozen=True)
class Directory:
    """What the files say, by key, units and categories in the order of the files. Not to be used with faults."""

    code: str
    name: str
    organisations: Mapping[str, OrganisationRow]
    units: Mapping[str, UnitRow]
    categories: Mapping[str, CategoryRow]
    steering_documents: Mapping[str, DocumentRow]
    groups: Mapping[str, GroupRow]
    assignments: list[AssignmentRow]
    tables: Mapping[str, Table]

    @property
    def branches(self) -> dict[str, UnitRow]:
        """The root of each branch."""
        return {hsa_id: unit for hsa_id, unit in self.units.items() if unit.is_root}

    @property
    def faults(self) -> list[RowFault]:
        """In the order of the files, of their rows, and of the columns."""
        return [
            fault
            for kind, table in self.tables.items()
            for fault in sorted(table.faults, key=lambda f: (f.row or 0, _column(kind, f.column)))
        ]

    def parents_first(self) -> list[UnitRow]:
        """The units, each after the one it hangs under."""
        above = {hsa_id: unit.parent for hsa_id, unit in self.units.items()}
        return sorted(self.units.values(), key=lambda unit: len(_way_up(unit.hsa_id, above)))


def _column(kind: str, name: str | None) -> int:
    return COLUMNS[kind].index(name) if name else -1


def directory(folder: Path, county: str) -> Directory:
    """Read and check the files of one county. Rows of other counties in `counties.csv` are passed over."""
    return assembled(
        {kind: read(folder / f"{kind}.csv", columns) for kind, columns in COLUMNS.items()}, county
    )


def assembled(tables: Mapping[str, Table], county: str) -> Directory:
    """The tables of one county as a directory, every row checked, and what must hold between them."""
    found = Directory(
        code=county,
        name=_county_name(tables["counties"], county),
        organisations=_keyed(tables["organisations"], "hsa_id", _organisation),
        units=_keyed(tables["units"], "hsa_id", _unit),
        categories=_keyed(tables["categories"], "code", _category),
        steering_documents=_keyed(tables["steering_documents"], "code", _document),
        groups=_keyed(tables["groups"], "code", _group),
        assignments=[_assignment(line) for line in tables["people"].lines],
        tables=tables,
    )
    # Where a file is missing, every row that refers to it would be called wrong.
    if all(table.whole for table in tables.values()):
        _check_units(found)
        _check_intakes(found)
        _check_categories(found)
        _check_people(found)
    return found


def _county_name(table: Table, county: str) -> str:
    if not _COUNTY.fullmatch(county):
        table.fault(_("Länets kod ska vara två till fem bokstäver, till exempel BLE."))
    rows = [line for line in table.lines if line.text("code") == county]
    for again in rows[1:]:
        again.fault("code", _("Länet står två gånger. Ta bort den ena raden."))
    if not rows and not table.faults:
        table.fault(_("Länet {code} finns inte i filen. Kontrollera koden.").format(code=county))
    return one_line(rows[0].text("name")) if rows else ""


R = TypeVar("R")


def _keyed(table: Table, column: str, row: Callable[[Line], R]) -> dict[str, R]:
    """Every row by its key, also a row with faults: others may refer to it without being wrong themselves."""
    found: dict[str, R] = {}
    first: dict[str, int] = {}
    for line in table.lines:
        key = line[column]
        if key in found:
            line.fault(column, _("Står också på rad {row}. Ta bort den ena.").format(row=first[key]))
        read_row = row(line)
        if key and key not in found:
            found[key], first[key] = read_row, line.number
    return found


def _organisation(line: Line) -> OrganisationRow:
    return OrganisationRow(
        line, line.hsa_id("hsa_id"), one_line(line.text("name")), line.one_of("kind", ORGANISATION_KINDS)
    )


def _unit(line: Line) -> UnitRow:
    return UnitRow(
        line,
        hsa_id=line.hsa_id("hsa_id"),
        organisation=line.text("organisation_hsa_id"),
        parent=line["parent_hsa_id"],
        branch=line.text("branch_hsa_id"),
        name=one_line(line.text("name")),
        kind=line.text("kind"),
        care_level=line.one_of("care_level", CARE_LEVELS),
        intake=line.one_of("intake", ("0", "1")) == "1",
        commissioned_by=line["commissioned_by"],
    )


def _category(line: Line) -> CategoryRow:
    return CategoryRow(
        line,
        line.text("code"),
        line["parent_code"],
        one_line(line.text("label_sv")),
        one_line(line.text("label_en")),
    )


def _document(line: Line) -> DocumentRow:
    return DocumentRow(line.text("code"), one_line(line.text("title_sv")))


def _group(line: Line) -> GroupRow:
    targets = line.text("target_groups").split()
    if any(target not in TARGET_GROUPS for target in targets):
        reason = _("Målgruppen finns inte. Skriv en eller flera av: {words}, med mellanslag emellan.")
        line.fault("target_groups", reason.format(words=", ".join(TARGET_GROUPS)))
    return GroupRow(line.text("code"), one_line(line.text("name")), line.one_of("kind", GROUP_KINDS), targets)


def _assignment(line: Line) -> AssignmentRow:
    email = line.text("email").lower()
    if email and not EMAIL.fullmatch(email):
        line.fault(
            "email", _("Det är ingen e-postadress. Skriv den som namn@organisation.se, utan å, ä och ö.")
        )
    role = line.one_of("role", tuple(SCOPE_OF))
    scope_kind = line.one_of("scope_kind", tuple(dict.fromkeys(SCOPE_OF.values())))
    if role in SCOPE_OF and scope_kind != SCOPE_OF[Role(role)]:
        reason = _("Rollen {role} gäller alltid {kind}. Ändra raden.")
        line.fault("scope_kind", reason.format(role=role, kind=SCOPE_OF[Role(role)]))
    return AssignmentRow(line, email, one_line(line.text("title")), role, scope_kind, line.text("scope"))


def _check_units(found: Directory) -> None:
    units, branches = found.units, found.branches
    above = {hsa_id: "" if unit.is_root else unit.parent for hsa_id, unit in units.items()}
    for unit in units.values():
        line = unit.line
        if unit.organisation not in found.organisations:
            line.fault(
                "organisation_hsa_id", _("Organisationen finns inte i organisations.csv. Lägg till den där.")
            )
        if unit.commissioned_by and (
            unit.commissioned_by == unit.branch or unit.commissioned_by not in branches
        ):
            reason = _(
                "Uppdragsgivaren ska vara en annan verksamhets översta enhet. Skriv dess HSA-id, eller lämna tomt."
            )
            line.fault("commissioned_by", reason)
        if unit.is_root:
            if unit.parent:
                line.fault("parent_hsa_id", _("Enheten är överst i sin verksamhet. Lämna tomt."))
        elif unit.branch not in branches:
            # Then nothing can be said of its parent.
            line.fault("branch_hsa_id", _("Verksamhetens översta enhet finns inte i filen. Rätta HSA-id."))
        else:
            if branches[unit.branch].organisation != unit.organisation:
                line.fault(
                    "organisation_hsa_id", _("Verksamheten hör till en annan organisation. Rätta den ena.")
                )
            _check_parent(unit, units.get(unit.parent), above)


def _check_parent(unit: UnitRow, parent: UnitRow | None, above: Mapping[str, str]) -> None:
    line = unit.line
    if not unit.parent:
        line.fault(
            "parent_hsa_id", _("Enheten saknar överordnad enhet. Bara en verksamhets översta enhet gör det.")
        )
    elif parent is None:
        line.fault(
            "parent_hsa_id",
            _("Den överordnade enheten finns inte i filen. Rätta HSA-id, eller lägg till den."),
        )
    elif parent.branch != unit.branch:
        line.fault("parent_hsa_id", _("Den överordnade enheten hör till en annan verksamhet. Rätta den ena."))
    elif above[_way_up(unit.hsa_id, above)[-1]] == unit.hsa_id:
        line.fault("parent_hsa_id", _("Enheten ligger under sig själv. Välj en överordnad enhet högre upp."))


def _way_up(key: str, above: Mapping[str, str]) -> list[str]:
    """From a thing up to the one that has none above it, or to where the way would go in a circle."""
    way = [key]
    while (key := above.get(key, "")) and key in above and key not in way:
        way.append(key)
    return way


def _check_intakes(found: Directory) -> None:
    """What comes to a branch must have one way in: with none it is lost, with two nobody knows whose it is."""
    intakes = Counter(unit.branch for unit in found.units.values() if unit.intake)
    for hsa_id, root in found.branches.items():
        if intakes[hsa_id] != 1:
            reason = _("Verksamheten {name} ({hsa_id}) har {n} enheter med intake 1. Exakt en ska ha det.")
            root.line.fault("intake", reason.format(name=root.name, hsa_id=hsa_id, n=intakes[hsa_id]))


def _check_categories(found: Directory) -> None:
    above = {code: category.parent for code, category in found.categories.items()}
    for code, category in found.categories.items():
        if category.parent and category.parent not in found.categories:
            category.line.fault("parent_code", _("Kategorin ovanför finns inte i filen. Rätta koden."))
        elif category.parent and above[_way_up(code, above)[-1]] == code:
            category.line.fault("parent_code", _("Kategorin ligger under sig själv. Välj en annan ovanför."))


def _check_people(found: Directory) -> None:
    places: Mapping[str, Mapping[str, object]] = {
        "unit": found.units,
        "branch": found.branches,
        "organisation": found.organisations,
        "county": {found.code: found},
        "group": found.groups,
    }
    titles: dict[str, str] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for row in found.assignments:
        if row.scope not in places.get(row.scope_kind, {row.scope: row}):
            row.line.fault(
                "scope", _("Platsen finns inte i länets filer. Rätta den, eller lägg till den där.")
            )
        if titles.setdefault(row.email, row.title) != row.title:
            row.line.fault("title", _("Personen har en annan titel på en tidigare rad. Skriv samma på alla."))
        first = seen.setdefault((row.email, row.role, row.scope), row.line.number)
        if first != row.line.number:
            row.line.fault("role", _("Samma uppdrag står på rad {row}. Ta bort det ena.").format(row=first))
