"""The directory of a county: read in once, again, changed, and wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.accounts import actions as accounts
from backend.core import clock, db
from backend.directory import queries as directory
from backend.exchange import COUNTIES
from backend.exchange.forms.directory import directory as read_directory
from backend.exchange.outcome import KINDS
from backend.settings import settings
from tests.exchange.conftest import Import, Looks
from tests.exchange.files import Files
from tests.people import ANNA, BOB, MATS

REGISTRAR = "registrator@solvesborg.example"
BLEKINGE = COUNTIES / "blekinge"
ROOT, DIVISION, CLINIC, WARD = (f"SE2321000081-{unit}" for unit in ("B000", "S000", "S010", "S011"))
PRIMARY_CARE = "SE2321000081-N000"
SOLVESBORG, HOME_NURSING, INTAKE = "SE2120000852-V000", "SE2120000852-V010", "SE2120000852-F000"


def rows(superuser: Engine, query: str, **values: object) -> list[tuple[object, ...]]:
    with superuser.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def path(superuser: Engine, hsa_id: str) -> list[object]:
    """The way from the root to a unit, as HSA-ids."""
    query = """select u.hsa_id from units me cross join unnest(me.path) with ordinality as step(id, n)
        join units u on u.id = step.id where me.hsa_id = :unit order by n"""
    return [row[0] for row in rows(superuser, query, unit=hsa_id)]


def places(email: str) -> list[str]:
    """Where a person may act, and as what."""
    with db.unit_of_work(db.NOBODY) as session:
        person = directory.person_by_email(session, email)
        if person is None:
            return []
        return [f"{p.key} {role}" for p in directory.places(session, person.id) for role in p.roles]


# --- once, and again ------------------------------------------------------------------------------------------------


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


def test_a_unit_knows_its_way_to_the_root(blekinge: str, superuser: Engine) -> None:
    assert path(superuser, WARD) == [ROOT, DIVISION, CLINIC, WARD]
    assert path(superuser, ROOT) == [ROOT]


def test_a_branch_is_named_by_its_root_and_has_one_way_in(blekinge: str, superuser: Engine) -> None:
    found = rows(
        superuser,
        """select b.name, o.name, u.hsa_id from branches b join organisations o on o.id = b.organisation_id
        join units u on u.branch_id = b.id and u.intake where b.hsa_id = :branch""",
        branch=SOLVESBORG,
    )
    assert found == [("Vård och omsorg Sölvesborg", "Sölvesborgs kommun", INTAKE)]


def test_a_providers_unit_names_who_commissioned_it(blekinge: str, superuser: Engine) -> None:
    query = "select u.hsa_id, b.hsa_id from units u join branches b on b.id = u.commissioned_by_id"
    assert rows(superuser, query) == [("SE0000000001-A010", "SE2120000829-V000")]


def test_categories_keep_the_order_of_the_file_and_their_parents(
    blekinge: str, superuser: Engine, files: Files
) -> None:
    query = """select c.code, coalesce(p.code, '') from categories c left join categories p on p.id = c.parent_id
        order by c.position"""
    wanted = [(r["code"], r["parent_code"]) for r in files.rows("categories")]
    assert rows(superuser, query) == wanted


def test_a_county_begins_with_the_default_agreement(blekinge: str, superuser: Engine) -> None:
    query = "select version, valid_from::text, terms::text from agreements"
    assert rows(superuser, query) == [(1, "2000-01-01", "{}")]


def test_the_same_files_again_write_no_row(blekinge: str, import_directory: Import, every_row: Looks) -> None:
    before = every_row()
    outcome = import_directory(BLEKINGE)
    assert (outcome.ok, outcome.touched) == (True, 0)
    assert every_row() == before


def test_what_is_read_in_stands_in_the_access_log(blekinge: str, superuser: Engine) -> None:
    query = "select action, details->>'county' from audit_log"
    assert rows(superuser, query) == [("exchange.import_directory", "BLE")]


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


# --- what has changed -----------------------------------------------------------------------------------------------


def test_a_moved_unit_takes_those_below_along(
    blekinge: str, import_directory: Import, superuser: Engine, files: Files
) -> None:
    files.change("units", CLINIC, parent_hsa_id=PRIMARY_CARE)
    assert import_directory(files.folder).counts["units"] == {"changed": 1, "unchanged": 84}
    assert path(superuser, CLINIC) == [ROOT, PRIMARY_CARE, CLINIC]
    assert path(superuser, WARD) == [ROOT, PRIMARY_CARE, CLINIC, WARD]


def test_an_ended_unit_follows_the_one_it_hung_under(
    blekinge: str, import_directory: Import, superuser: Engine, files: Files
) -> None:
    files.drop("people", BOB).drop("units", WARD)
    assert import_directory(files.folder).ok
    files.change("units", CLINIC, parent_hsa_id=PRIMARY_CARE)
    assert import_directory(files.folder).ok
    assert path(superuser, WARD) == [ROOT, PRIMARY_CARE, CLINIC, WARD]


def test_a_new_unit_may_hang_under_another_new_one_written_after_it(
    blekinge: str, import_directory: Import, superuser: Engine, files: Files
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
    assert path(superuser, "SE2321000081-X2") == [
        ROOT,
        DIVISION,
        CLINIC,
        "SE2321000081-X1",
        "SE2321000081-X2",
    ]


def test_a_gone_unit_ends_at_once_and_lives_again_when_it_comes_back(
    blekinge: str, import_directory: Import, superuser: Engine, files: Files
) -> None:
    query = "select id, ended_on from units where hsa_id = :unit"
    [(unit_id, _none)] = rows(superuser, query, unit=WARD)
    files.drop("people", BOB).drop("units", WARD)
    assert import_directory(files.folder).counts["units"] == {"ended": 1, "unchanged": 84}
    assert rows(superuser, query, unit=WARD) == [(unit_id, clock.today())]
    with db.unit_of_work(db.NOBODY) as session:
        assert directory.unit_by_hsa_id(session, WARD) is None
    assert import_directory(files.folder).touched == 0
    assert import_directory(BLEKINGE).counts["units"] == {"changed": 1, "unchanged": 84}
    assert rows(superuser, query, unit=WARD) == [(unit_id, None)]


@pytest.mark.parametrize(("old", "new"), [(INTAKE, HOME_NURSING), (INTAKE, SOLVESBORG)])
def test_another_unit_may_become_the_way_in(
    blekinge: str, import_directory: Import, superuser: Engine, files: Files, old: str, new: str
) -> None:
    files.change("units", old, intake="0").change("units", new, intake="1")
    assert import_directory(files.folder).counts["units"] == {"changed": 2, "unchanged": 83}
    query = """select u.hsa_id from units u join branches b on b.id = u.branch_id
        where b.hsa_id = :branch and u.intake"""
    assert rows(superuser, query, branch=SOLVESBORG) == [(new,)]


def test_a_new_unit_may_take_over_as_the_way_in_from_one_that_is_gone(
    blekinge: str, import_directory: Import, superuser: Engine, files: Files
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
    superuser: Engine,
    files: Files,
    kind: str,
    table: str,
    column: str,
    key: str,
) -> None:
    query = f"select ended_on from {table} where {column} = :key"
    files.drop(kind, key)
    assert import_directory(files.folder).counts[kind]["ended"] == 1
    assert rows(superuser, query, key=key) == [(clock.today(),)]
    assert import_directory(BLEKINGE).counts[kind]["changed"] >= 1
    assert rows(superuser, query, key=key) == [(None,)]


def test_a_gone_organisation_ends_with_its_units(
    blekinge: str, import_directory: Import, superuser: Engine, files: Files
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
    assert rows(superuser, "select name from organisations where ended_on is not null") == [
        ("Omsorg Exempel AB",)
    ]


def test_a_gone_person_may_act_nowhere_at_once_and_begins_anew_when_back(
    blekinge: str, import_directory: Import, superuser: Engine, files: Files
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
    assert rows(superuser, query, email=ANNA) == [(4, 2)]


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
    superuser: Engine,
    files: Files,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SAMSVAR_ENV", "production")
    settings.cache_clear()
    import_directory(BLEKINGE)
    assert rows(superuser, "select count(*) from passwords") == [(0,)]
    monkeypatch.setenv("SAMSVAR_ENV", "test")
    settings.cache_clear()
    import_directory(BLEKINGE)
    assert rows(superuser, "select count(*) from passwords") == [(26,)]
    with db.unit_of_work(db.NOBODY) as session:
        _token, login = accounts.log_in(session, email=MATS, password="samsvar-demo", address="192.0.2.1")
        assert login.place == "branch"


def test_a_password_of_ones_own_is_kept(blekinge: str, import_directory: Import, superuser: Engine) -> None:
    [(person_id,)] = rows(superuser, "select id from people where email = :email", email=ANNA)
    with db.unit_of_work(db.OPERATOR) as session:
        accounts.set_password(session, int(str(person_id)), "own")
    import_directory(BLEKINGE)
    assert rows(superuser, "select hash from passwords where person_id = :id", id=person_id) == [("own",)]


# --- several counties -----------------------------------------------------------------------------------------------


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
    blekinge: str, import_directory: Import, superuser: Engine, neighbour: Files, tmp_path: Path
) -> None:
    neighbour.change("people", "mas@granne.example", email=MATS)
    assert import_directory(neighbour.folder, "GRA").ok
    query = "select title, ended_on from people where email = :email"
    assert rows(superuser, query, email=MATS) == [("MAS, Sölvesborgs kommun", None)]
    without = Files(BLEKINGE, tmp_path / "without").drop("people", MATS)
    counts = import_directory(without.folder).counts
    assert (counts["people"]["ended"], counts["assignments"]["ended"]) == (0, 2)
    assert places(MATS) == ["branch:SE2120000999-V000 safety"]


# --- faults ---------------------------------------------------------------------------------------------------------

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
