"""A directory that is refused: every faulty row is told, and nothing is written."""

from collections.abc import Callable

import pytest

from backend.exchange.forms.directory import directory as read_directory
from tests.exchange.conftest import Import, Looks
from tests.exchange.files import Files
from tests.exchange.places import CLINIC, DIVISION, HOME_NURSING, INTAKE, ROOT, SOLVESBORG, WARD
from tests.people import MATS

REGISTRAR = "registrator@solvesborg.example"


Change = Callable[[Files], object]
FAULTS: list[tuple[str, Change, tuple[str, int | None, str | None]]] = [
    ("unknown county", lambda f: f.change("counties", "BLE", code="KAL"), ("counties.csv", None, None)),
    ("county without a name", lambda f: f.change("counties", "BLE", name=""), ("counties.csv", 1, "name")),
    (
        "no HSA-id",
        lambda f: f.add("organisations", hsa_id="SE123-K", name="A", kind="region"),
        ("organisations.csv", 8, "hsa_id"),
    ),
    (
        "HSA-id of 32 characters",
        lambda f: f.add("organisations", hsa_id="SE2120000999-" + "K" * 19, name="A", kind="region"),
        ("organisations.csv", 8, "hsa_id"),
    ),
    (
        "unknown kind of organisation",
        lambda f: f.change("organisations", "SE2321000081-R", kind="landsting"),
        ("organisations.csv", 1, "kind"),
    ),
    (
        "organisation twice",
        lambda f: f.add("organisations", hsa_id="SE2321000081-R", name="A", kind="region"),
        ("organisations.csv", 8, "hsa_id"),
    ),
    ("unit without a name", lambda f: f.change("units", WARD, name=""), ("units.csv", 6, "name")),
    (
        "unknown care level",
        lambda f: f.change("units", WARD, care_level="slutenvård"),
        ("units.csv", 6, "care_level"),
    ),
    ("intake neither 0 nor 1", lambda f: f.change("units", WARD, intake="nej"), ("units.csv", 6, "intake")),
    (
        "unknown organisation",
        lambda f: f.change("units", WARD, organisation_hsa_id="SE2321000081-Q"),
        ("units.csv", 6, "organisation_hsa_id"),
    ),
    (
        "another organisation than the branch's",
        lambda f: f.change("units", WARD, organisation_hsa_id="SE2120000852-K"),
        ("units.csv", 6, "organisation_hsa_id"),
    ),
    (
        "unknown parent",
        lambda f: f.change("units", WARD, parent_hsa_id="SE2321000081-Q"),
        ("units.csv", 6, "parent_hsa_id"),
    ),
    (
        "parent of another branch",
        lambda f: f.change("units", WARD, parent_hsa_id=SOLVESBORG),
        ("units.csv", 6, "parent_hsa_id"),
    ),
    ("no parent", lambda f: f.change("units", WARD, parent_hsa_id=""), ("units.csv", 6, "parent_hsa_id")),
    (
        "under itself",
        lambda f: f.change("units", WARD, parent_hsa_id=WARD),
        ("units.csv", 6, "parent_hsa_id"),
    ),
    (
        "root with a parent",
        lambda f: f.change("units", ROOT, parent_hsa_id=WARD),
        ("units.csv", 1, "parent_hsa_id"),
    ),
    (
        "branch without a root",
        lambda f: f.change("units", WARD, branch_hsa_id=CLINIC),
        ("units.csv", 6, "branch_hsa_id"),
    ),
    (
        "commissioned by no branch",
        lambda f: f.change("units", WARD, commissioned_by=HOME_NURSING),
        ("units.csv", 6, "commissioned_by"),
    ),
    (
        "commissioned by its own branch",
        lambda f: f.change("units", WARD, commissioned_by=ROOT),
        ("units.csv", 6, "commissioned_by"),
    ),
    (
        "unknown category above",
        lambda f: f.change("categories", "transport", parent_code="resor"),
        ("categories.csv", 20, "parent_code"),
    ),
    (
        "category under itself",
        lambda f: f.change("categories", "transport", parent_code="transport"),
        ("categories.csv", 20, "parent_code"),
    ),
    (
        "steering document twice",
        lambda f: f.add("steering_documents", code="sip", title_sv="Sip"),
        ("steering_documents.csv", 7, "code"),
    ),
    ("unknown kind of group", lambda f: f.change("groups", "lsvo", kind="grupp"), ("groups.csv", 1, "kind")),
    (
        "unknown target group",
        lambda f: f.change("groups", "lsvo", target_groups="older alla"),
        ("groups.csv", 1, "target_groups"),
    ),
    (
        "no address",
        lambda f: f.change("people", REGISTRAR, email="registrator.example"),
        ("people.csv", 7, "email"),
    ),
    ("unknown role", lambda f: f.change("people", REGISTRAR, role="doctor"), ("people.csv", 7, "role")),
    (
        "unknown place",
        lambda f: f.change("people", "lsvo@lan.example", scope="ledning"),
        ("people.csv", 34, "scope"),
    ),
    (
        "a role over another kind of place",
        lambda f: f.change("people", "lsvo@lan.example", role="coordinator"),
        ("people.csv", 34, "scope_kind"),
    ),
    (
        "the same assignment twice",
        lambda f: f.add(
            "people",
            email=MATS,
            title="MAS, Sölvesborgs kommun",
            role="safety",
            scope_kind="branch",
            scope=SOLVESBORG,
        ),
        ("people.csv", 36, "role"),
    ),
    (
        "two titles of one person",
        lambda f: f.add("people", email=MATS, title="MAR", role="safety", scope_kind="branch", scope=ROOT),
        ("people.csv", 36, "title"),
    ),
]


@pytest.mark.parametrize(("change", "place"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_a_fault_is_told_once_by_file_row_and_column(
    files: Files, change: Change, place: tuple[str, int | None, str | None]
) -> None:
    change(files)
    faults = read_directory(files.folder, "BLE").faults
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [place]


def test_every_fault_of_every_file_is_told_and_nothing_is_written(
    blekinge: str, import_directory: Import, every_row: Looks, files: Files
) -> None:
    before = every_row()
    files.change("units", WARD, name="", care_level="x").change("groups", "lsvo", kind="x")
    files.change("categories", "transport", parent_code="resor").change("counties", "BLE", name="Nytt namn")
    faults = import_directory(files.folder).faults
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [
        ("units.csv", 6, "name"),
        ("units.csv", 6, "care_level"),
        ("categories.csv", 20, "parent_code"),
        ("groups.csv", 1, "kind"),
    ]
    assert every_row() == before


def test_units_in_a_circle_are_told_but_not_those_below_them(files: Files) -> None:
    files.change("units", DIVISION, parent_hsa_id=CLINIC)
    faults = read_directory(files.folder, "BLE").faults
    assert [(fault.row, fault.column) for fault in faults] == [(2, "parent_hsa_id"), (3, "parent_hsa_id")]


@pytest.mark.parametrize(("home_nursing", "intake", "n"), [("0", "0", 0), ("1", "1", 2)])
def test_a_branch_needs_exactly_one_way_in_and_is_named(
    files: Files, home_nursing: str, intake: str, n: int
) -> None:
    rows_of = [
        r | {"intake": home_nursing} if r["hsa_id"] == HOME_NURSING else r for r in files.rows("units")
    ]
    files.write("units", [r | {"intake": intake} if r["hsa_id"] == INTAKE else r for r in rows_of])
    reason = f"Verksamheten Vård och omsorg Sölvesborg ({SOLVESBORG}) har {n} enheter med intake 1. Exakt en ska ha det."
    assert [fault.reason for fault in read_directory(files.folder, "BLE").faults] == [reason]


def test_a_unit_cannot_leave_the_circle_its_cases_were_written_in(
    blekinge: str, import_directory: Import, files: Files
) -> None:
    files.change("units", HOME_NURSING, parent_hsa_id="SE2120000852-I000", branch_hsa_id="SE2120000852-I000")
    faults = import_directory(files.folder).faults
    row = next(n for n, r in enumerate(files.rows("units"), 1) if r["hsa_id"] == HOME_NURSING)
    assert [(fault.row, fault.column) for fault in faults] == [(row, "branch_hsa_id")]


def test_a_missing_file_is_one_fault(files: Files) -> None:
    (files.folder / "organisations.csv").unlink()
    faults = read_directory(files.folder, "BLE").faults
    assert [(fault.file, fault.row) for fault in faults] == [("organisations.csv", None)]


def test_a_byte_order_mark_and_semicolons_are_read_alike(
    blekinge: str, import_directory: Import, files: Files
) -> None:
    for name in ("groups", "counties"):
        file = files.folder / f"{name}.csv"
        file.write_text("\ufeff" + file.read_text("utf-8").replace(",", ";"), "utf-8")
    assert import_directory(files.folder).touched == 0
