"""The directory of a county as it changes: moved, gone, and back."""

import pytest

from backend.accounts import actions as accounts
from backend.core import clock, db
from backend.directory import queries as directory
from backend.settings import settings
from tests.exchange.conftest import Import, Rows
from tests.exchange.files import Files
from tests.exchange.places import (
    BLEKINGE,
    CLINIC,
    DIVISION,
    HOME_NURSING,
    INTAKE,
    PRIMARY_CARE,
    ROOT,
    SOLVESBORG,
    WARD,
    path,
    places,
)
from tests.people import ANNA, BOB, MATS


def test_a_moved_unit_takes_those_below_along(
    blekinge: str, import_directory: Import, rows: Rows, files: Files
) -> None:
    files.change("units", CLINIC, parent_hsa_id=PRIMARY_CARE)
    assert import_directory(files.folder).counts["units"] == {"changed": 1, "unchanged": 84}
    assert path(rows, CLINIC) == [ROOT, PRIMARY_CARE, CLINIC]
    assert path(rows, WARD) == [ROOT, PRIMARY_CARE, CLINIC, WARD]


def test_an_ended_unit_follows_the_one_it_hung_under(
    blekinge: str, import_directory: Import, rows: Rows, files: Files
) -> None:
    files.drop("people", BOB).drop("units", WARD)
    assert import_directory(files.folder).ok
    files.change("units", CLINIC, parent_hsa_id=PRIMARY_CARE)
    assert import_directory(files.folder).ok
    assert path(rows, WARD) == [ROOT, PRIMARY_CARE, CLINIC, WARD]


def test_a_new_unit_may_hang_under_another_new_one_written_after_it(
    blekinge: str, import_directory: Import, rows: Rows, files: Files
) -> None:
    new = {
        "organisation_hsa_id": "SE2321000081-R",
        "branch_hsa_id": ROOT,
        "kind": "ward",
        "care_level": "inpatient",
    }
    files.add(
        "units", hsa_id="SE2321000081-X2", parent_hsa_id="SE2321000081-X1", name="Rum", intake="0", **new
    )
    files.add("units", hsa_id="SE2321000081-X1", parent_hsa_id=CLINIC, name="Ny avdelning", intake="0", **new)
    assert import_directory(files.folder).counts["units"] == {"added": 2, "unchanged": 85}
    assert path(rows, "SE2321000081-X2") == [
        ROOT,
        DIVISION,
        CLINIC,
        "SE2321000081-X1",
        "SE2321000081-X2",
    ]


def test_a_gone_unit_ends_at_once_and_lives_again_when_it_comes_back(
    blekinge: str, import_directory: Import, rows: Rows, files: Files
) -> None:
    query = "select id, ended_on from units where hsa_id = :unit"
    [(unit_id, _none)] = rows(query, unit=WARD)
    files.drop("people", BOB).drop("units", WARD)
    assert import_directory(files.folder).counts["units"] == {"ended": 1, "unchanged": 84}
    assert rows(query, unit=WARD) == [(unit_id, clock.today())]
    with db.unit_of_work(db.NOBODY) as session:
        assert directory.unit_by_hsa_id(session, WARD) is None
    assert import_directory(files.folder).touched == 0
    assert import_directory(BLEKINGE).counts["units"] == {"changed": 1, "unchanged": 84}
    assert rows(query, unit=WARD) == [(unit_id, None)]


@pytest.mark.parametrize(("old", "new"), [(INTAKE, HOME_NURSING), (INTAKE, SOLVESBORG)])
def test_another_unit_may_become_the_way_in(
    blekinge: str, import_directory: Import, rows: Rows, files: Files, old: str, new: str
) -> None:
    files.change("units", old, intake="0").change("units", new, intake="1")
    assert import_directory(files.folder).counts["units"] == {"changed": 2, "unchanged": 83}
    query = """select u.hsa_id from units u join branches b on b.id = u.branch_id
        where b.hsa_id = :branch and u.intake"""
    assert rows(query, branch=SOLVESBORG) == [(new,)]


def test_a_new_unit_may_take_over_as_the_way_in_from_one_that_is_gone(
    blekinge: str, import_directory: Import, rows: Rows, files: Files
) -> None:
    [intake] = [row for row in files.rows("units") if row["hsa_id"] == INTAKE]
    files.drop("units", INTAKE).add("units", **intake | {"hsa_id": "SE2120000852-F001"})
    files.write("people", [row for row in files.rows("people") if row["scope"] != INTAKE])
    assert import_directory(files.folder).counts["units"] == {"added": 1, "ended": 1, "unchanged": 84}
    assert import_directory(BLEKINGE).counts["units"] == {"changed": 1, "ended": 1, "unchanged": 84}


@pytest.mark.parametrize(
    ("kind", "table", "column", "key"),
    [
        ("categories", "categories", "code", "transport"),
        ("steering_documents", "steering_documents", "code", "suicid"),
    ],
)
def test_what_is_gone_ends_today_and_lives_again(
    blekinge: str,
    import_directory: Import,
    rows: Rows,
    files: Files,
    kind: str,
    table: str,
    column: str,
    key: str,
) -> None:
    query = f"select ended_on from {table} where {column} = :key"
    files.drop(kind, key)
    assert import_directory(files.folder).counts[kind]["ended"] == 1
    assert rows(query, key=key) == [(clock.today(),)]
    assert import_directory(BLEKINGE).counts[kind]["changed"] >= 1
    assert rows(query, key=key) == [(None,)]


def test_a_gone_organisation_ends_with_its_units(
    blekinge: str, import_directory: Import, rows: Rows, files: Files
) -> None:
    files.drop("organisations", "SE0000000001-P").drop("units", "SE0000000001-A000", "SE0000000001-A010")
    files.drop("people", "hemtjanst@exempel.example", "chef@exempel.example")
    counts = import_directory(files.folder).counts
    assert [counts[kind]["ended"] for kind in ("organisations", "units", "people", "assignments")] == [
        1,
        2,
        2,
        2,
    ]
    assert rows("select name from organisations where ended_on is not null") == [("Omsorg Exempel AB",)]


def test_a_gone_person_may_act_nowhere_at_once_and_begins_anew_when_back(
    blekinge: str, import_directory: Import, rows: Rows, files: Files
) -> None:
    had = places(ANNA)
    assert had == [f"branch:{SOLVESBORG} handler", f"branch:{SOLVESBORG} reporter"]
    files.drop("people", ANNA)
    counts = import_directory(files.folder).counts
    assert (counts["people"]["ended"], counts["assignments"]["ended"]) == (1, 2)
    assert places(ANNA) == []
    assert import_directory(files.folder).touched == 0
    counts = import_directory(BLEKINGE).counts
    assert (counts["people"]["changed"], counts["assignments"]["added"]) == (1, 2)
    assert places(ANNA) == had
    query = """select count(*), count(valid_to) from assignments a join people p on p.id = a.person_id
        where p.email = :email"""
    assert rows(query, email=ANNA) == [(4, 2)]


def test_a_gone_assignment_gives_nothing_at_once(
    blekinge: str, import_directory: Import, files: Files
) -> None:
    kept = [row for row in files.rows("people") if (row["email"], row["role"]) != (ANNA, "handler")]
    files.write("people", kept)
    assert import_directory(files.folder).counts["assignments"] == {"ended": 1, "unchanged": 34}
    assert places(ANNA) == [f"branch:{SOLVESBORG} reporter"]


def test_people_get_the_demo_password_but_never_in_earnest(
    database: str,
    import_directory: Import,
    rows: Rows,
    files: Files,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SAMSVAR_ENV", "production")
    settings.cache_clear()
    import_directory(BLEKINGE)
    assert rows("select count(*) from passwords") == [(0,)]
    monkeypatch.setenv("SAMSVAR_ENV", "test")
    settings.cache_clear()
    import_directory(BLEKINGE)
    assert rows("select count(*) from passwords") == [(26,)]
    with db.unit_of_work(db.NOBODY) as session:
        _token, login = accounts.log_in(session, email=MATS, password="samsvar-demo", address="192.0.2.1")
        assert login.place == "branch"


def test_a_password_of_ones_own_is_kept(blekinge: str, import_directory: Import, rows: Rows) -> None:
    [(person_id,)] = rows("select id from people where email = :email", email=ANNA)
    with db.unit_of_work(db.OPERATOR) as session:
        accounts.set_password(session, int(str(person_id)), "own")
    import_directory(BLEKINGE)
    assert rows("select hash from passwords where person_id = :id", id=person_id) == [("own",)]
