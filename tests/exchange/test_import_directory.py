"""The directory of a county: read in, again, and beside another."""

from pathlib import Path

import pytest

from backend.exchange.outcome import KINDS
from tests.exchange.conftest import Import, Looks, Rows
from tests.exchange.files import Files
from tests.exchange.places import (
    BLEKINGE,
    CLINIC,
    DIVISION,
    HOME_NURSING,
    INTAKE,
    ROOT,
    SOLVESBORG,
    WARD,
    path,
    places,
)
from tests.people import ANNA, MATS


def test_the_whole_county_is_read_in(database: str, import_directory: Import) -> None:
    outcome = import_directory(BLEKINGE)
    assert outcome.faults == []
    assert {kind: dict(count) for kind, count in outcome.counts.items()} == {
        "counties": {"added": 1},
        "organisations": {"added": 7},
        "branches": {"added": 17},
        "units": {"added": 85},
        "categories": {"added": 25},
        "steering_documents": {"added": 6},
        "groups": {"added": 5},
        "people": {"added": 26},
        "assignments": {"added": 35},
        "agreements": {"added": 1},
    }
    assert set(outcome.counts) < set(KINDS)


def test_a_unit_knows_its_way_to_the_root(blekinge: str, rows: Rows) -> None:
    assert path(rows, WARD) == [ROOT, DIVISION, CLINIC, WARD]
    assert path(rows, ROOT) == [ROOT]


def test_a_branch_is_named_by_its_root_and_has_one_way_in(blekinge: str, rows: Rows) -> None:
    found = rows(
        """select b.name, o.name, u.hsa_id from branches b join organisations o on o.id = b.organisation_id
        join units u on u.branch_id = b.id and u.intake where b.hsa_id = :branch""",
        branch=SOLVESBORG,
    )
    assert found == [("Vård och omsorg Sölvesborg", "Sölvesborgs kommun", INTAKE)]


def test_a_providers_unit_names_who_commissioned_it(blekinge: str, rows: Rows) -> None:
    query = "select u.hsa_id, b.hsa_id from units u join branches b on b.id = u.commissioned_by_id"
    assert rows(query) == [("SE0000000001-A010", "SE2120000829-V000")]


def test_categories_keep_the_order_of_the_file_and_their_parents(
    blekinge: str, rows: Rows, files: Files
) -> None:
    query = """select c.code, coalesce(p.code, '') from categories c left join categories p on p.id = c.parent_id
        order by c.position"""
    wanted = [(r["code"], r["parent_code"]) for r in files.rows("categories")]
    assert rows(query) == wanted


def test_a_county_begins_with_the_default_agreement(blekinge: str, rows: Rows) -> None:
    query = "select version, valid_from::text, terms::text from agreements"
    assert rows(query) == [(1, "2000-01-01", "{}")]


def test_the_same_files_again_write_no_row(blekinge: str, import_directory: Import, every_row: Looks) -> None:
    before = every_row()
    outcome = import_directory(BLEKINGE)
    assert (outcome.ok, outcome.touched) == (True, 0)
    assert every_row() == before


def test_what_is_read_in_stands_in_the_access_log(blekinge: str, rows: Rows) -> None:
    query = "select action, details->>'county' from audit_log"
    assert rows(query) == [("exchange.import_directory", "BLE")]


def test_a_dry_run_counts_and_writes_no_row(
    blekinge: str, import_directory: Import, every_row: Looks, files: Files
) -> None:
    before = every_row()
    files.drop("people", ANNA).change("units", WARD, name="Medicinavdelning 43")
    outcome = import_directory(files.folder, dry_run=True)
    assert outcome.counts["units"] == {"changed": 1, "unchanged": 84}
    assert outcome.counts["people"] == {"ended": 1, "unchanged": 25}
    assert outcome.counts["assignments"] == {"ended": 2, "unchanged": 33}
    assert every_row() == before


@pytest.fixture
def neighbour(files: Files) -> Files:
    """Another county, of one branch with one person, in files like those of Blekinge."""
    root = "SE2120000999-V000"
    unit = {
        "hsa_id": root,
        "organisation_hsa_id": "SE2120000999-K",
        "parent_hsa_id": "",
        "branch_hsa_id": root,
    }
    unit |= {"name": "Omsorg", "kind": "administration", "care_level": "home_care", "intake": "1"}
    person = {"email": "mas@granne.example", "title": "MAS, Granne", "role": "safety", "scope_kind": "branch"}
    files.write("counties", [{"code": "GRA", "name": "Granne"}])
    files.write(
        "organisations", [{"hsa_id": "SE2120000999-K", "name": "Granne kommun", "kind": "municipality"}]
    )
    files.write("units", [unit | {"commissioned_by": ""}])
    files.write("people", [person | {"scope": root}])
    return files


def test_a_county_is_read_in_beside_another_and_touches_nothing_of_it(
    blekinge: str, import_directory: Import, every_row: Looks, neighbour: Files
) -> None:
    before = every_row()
    outcome = import_directory(neighbour.folder, "GRA")
    assert outcome.counts["units"] == {"added": 1}
    assert outcome.counts["categories"] == {"added": 25}
    after = every_row()
    assert [table for table in before if not set(before[table]) <= set(after[table])] == []
    assert import_directory(BLEKINGE).touched == 0


@pytest.mark.parametrize(("kind", "key"), [("organisations", "SE2120000852-K"), ("units", HOME_NURSING)])
def test_a_county_cannot_take_what_is_anothers(
    blekinge: str, import_directory: Import, neighbour: Files, kind: str, key: str
) -> None:
    if kind == "organisations":
        neighbour.add(kind, hsa_id=key, name="Sölvesborgs kommun", kind="municipality")
    else:
        [root] = neighbour.rows("units")
        neighbour.add(kind, **root | {"hsa_id": key, "parent_hsa_id": root["hsa_id"], "intake": "0"})
    faults = import_directory(neighbour.folder, "GRA").faults
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [(f"{kind}.csv", 2, "hsa_id")]


def test_whoever_works_in_two_counties_is_ended_in_neither_by_the_other(
    blekinge: str, import_directory: Import, rows: Rows, neighbour: Files, tmp_path: Path
) -> None:
    neighbour.change("people", "mas@granne.example", email=MATS)
    assert import_directory(neighbour.folder, "GRA").ok
    query = "select title, ended_on from people where email = :email"
    assert rows(query, email=MATS) == [("MAS, Sölvesborgs kommun", None)]
    without = Files(BLEKINGE, tmp_path / "without").drop("people", MATS)
    counts = import_directory(without.folder).counts
    assert (counts["people"]["ended"], counts["assignments"]["ended"]) == (0, 2)
    assert places(MATS) == ["branch:SE2120000999-V000 safety"]
