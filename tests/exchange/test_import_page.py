"""An administrator reads in files: what would change is shown first, and then exactly that is done."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, text

from tests.directory.offices import CARE, HOME, HOME_CARE, OWN, recorded, rows
from tests.exchange.files import Files, as_spreadsheet
from tests.people import ADMINISTRATOR, ALICE, ANNA, BOB

Browsers = Callable[..., TestClient]


def check(client: TestClient, *files: Path) -> Response:
    answer: Response = client.post(
        "/directory/import/check", files={file.stem: (file.name, file.read_bytes()) for file in files}
    )
    return answer


def confirm(client: TestClient, page: Response) -> Response:
    form = page.text.partition('action="/directory/import"')[2].partition("</form>")[0]
    found = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
    answer: Response = client.post("/directory/import", data=found)
    return answer


def shown(page: Response) -> list[list[str]]:
    """The rows of the tables of changes."""
    body = page.text.partition('<main id="main"')[2]
    cells = [
        re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row)
        for row in re.findall(r'<tr role="row">(.*?)</tr>', body, re.DOTALL)
    ]
    return [[unescape(cell).strip() for cell in row] for row in cells if row and row[0] not in ("Vad", "Fil")]


def state(superuser: Engine) -> list[tuple[object, ...]]:
    return [
        *rows(superuser, "select hsa_id, name, intake, path, ended_on, successor_id from units order by id"),
        *rows(superuser, "select email, title, ended_on from people order by id"),
        *rows(superuser, "select id, role, valid_to from assignments order by id"),
    ]


def test_the_same_files_change_nothing_though_they_hold_the_whole_county(
    blekinge: str, client_of: Browsers, superuser: Engine, files: Files
) -> None:
    before = state(superuser)
    page = check(client_of(ADMINISTRATOR), files.folder / "units.csv", files.folder / "people.csv")
    assert page.status_code == 200
    assert "Katalogen stämmer redan med filerna." in page.text
    assert "95 rader gäller andra och lämnas orörda." in page.text
    assert state(superuser) == before


def test_what_changes_is_shown_by_row_and_then_done(
    blekinge: str, client_of: Browsers, superuser: Engine, files: Files
) -> None:
    client, alice = client_of(ADMINISTRATOR), client_of(ALICE)
    files.change("units", HOME, name="Hemsjukvården Väst").drop("units", HOME_CARE)
    files.add(
        "units",
        hsa_id=f"{OWN}-V090",
        organisation_hsa_id=f"{OWN}-K",
        parent_hsa_id=HOME,
        branch_hsa_id=CARE,
        name="Nattpatrullen",
        kind="unit",
        care_level="home_care",
        intake="0",
    )
    files.drop("people", ALICE).add(
        "people",
        email="ny@solvesborg.example",
        title="Undersköterska, Nattpatrullen",
        role="reporter",
        scope_kind="unit",
        scope=f"{OWN}-V090",
    )
    # What the file says of others is not ours to change.
    files.change("units", "SE2321000081-S011", name="Kapad").drop("people", "avd43@region.example")
    before = state(superuser)
    page = check(client, files.folder / "units.csv", files.folder / "people.csv")
    assert shown(page) == [
        [f"Nattpatrullen ({OWN}-V090)", "Ny", ""],
        [f"Hemsjukvården Väst ({HOME})", "Ändras", "Namn: Hemsjukvården Sölvesborg → Hemsjukvården Väst"],
        [f"Hemtjänsten Sölvesborg ({HOME_CARE})", "Avslutas", ""],
        ["ny@solvesborg.example", "Ny", ""],
        [ALICE, "Avslutas", ""],
        ["ny@solvesborg.example: Rapportör, Nattpatrullen", "Ny", ""],
        [f"{ALICE}: Rapportör, Hemtjänsten Sölvesborg", "Avslutas", ""],
    ]
    assert state(superuser) == before
    answer = confirm(client, page)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/directory/organisation?done=imported")
    assert rows(
        superuser,
        "select u.name, s.hsa_id from units u left join units s on s.id = u.successor_id"
        " where u.hsa_id in (:a, :b, 'SE2321000081-S011') order by u.hsa_id",
        a=HOME,
        b=HOME_CARE,
    ) == [
        ("Hemsjukvården Väst", None),
        ("Hemtjänsten Sölvesborg", CARE),
        ("Medicin avdelning 43 Karlskrona", None),
    ]
    assert rows(superuser, "select kind from outbox") == [("deviations.follow_successor",)]
    assert alice.get("/").headers["Location"] == "/login"
    assert recorded(superuser, "exchange")[-1] == "exchange.import_directory"
    again = check(client, files.folder / "units.csv", files.folder / "people.csv")
    assert "Katalogen stämmer redan med filerna." in again.text


def test_one_file_alone_leaves_the_rest_but_what_follows_from_it(
    blekinge: str, client_of: Browsers, superuser: Engine, files: Files
) -> None:
    client = client_of(ADMINISTRATOR)
    files.drop("units", HOME_CARE)
    page = check(client, files.folder / "units.csv")
    assert shown(page) == [
        [f"Hemtjänsten Sölvesborg ({HOME_CARE})", "Avslutas", ""],
        [f"{ALICE}: Rapportör, Hemtjänsten Sölvesborg", "Avslutas", ""],
    ]
    assert confirm(client, page).status_code == 303
    assert rows(superuser, "select ended_on from people where email = :e", e=ALICE) == [(None,)]
    people = Files(files.folder, files.folder.parent / "again").change(
        "people", ANNA, title="Sjuksköterska, Väst"
    )
    people.drop("people", ALICE)
    page = check(client, people.folder / "people.csv")
    assert shown(page) == [
        [
            ANNA,
            "Ändras",
            "Yrke och arbetsplats: Sjuksköterska, Hemsjukvården Sölvesborg → Sjuksköterska, Väst",
        ],
        [ALICE, "Avslutas", ""],
    ]
    assert confirm(client, page).status_code == 303
    assert rows(superuser, "select title from people where email = :e", e=ANNA) == [("Sjuksköterska, Väst",)]


def test_a_directory_that_changed_in_between_is_not_overrun(
    blekinge: str, client_of: Browsers, superuser: Engine, files: Files
) -> None:
    client = client_of(ADMINISTRATOR)
    files.change("units", HOME, name="Hemsjukvården Väst")
    page = check(client, files.folder / "units.csv")
    form = {"name": "Hemtjänsten Öst", "care_level": "home_care"}
    client.post(f"/directory/units/{HOME_CARE}/change", data=form)
    answer = confirm(client, page)
    assert answer.status_code == 409
    assert "Katalogen har ändrats sedan du granskade." in answer.text
    assert len(shown(answer)) == 2  # the file would undo what was done by hand, and now says so
    assert rows(superuser, "select name from units where hsa_id = :h", h=HOME) == [
        ("Hemsjukvården Sölvesborg",)
    ]
    assert confirm(client, answer).status_code == 303


def test_every_faulty_row_is_listed_and_nothing_is_done(
    blekinge: str, client_of: Browsers, superuser: Engine, files: Files
) -> None:
    files.change("units", HOME, care_level="sjuk").change(
        "units", HOME_CARE, parent_hsa_id="SE2120000852-SAKNAS"
    )
    files.change("people", ANNA, scope="SE2120000852-SAKNAS")
    before = state(superuser)
    page = check(client_of(ADMINISTRATOR), files.folder / "units.csv", files.folder / "people.csv")
    assert page.status_code == 422
    assert [row[:3] for row in shown(page)] == [
        ["units.csv", "65", "care_level"],
        ["units.csv", "66", "parent_hsa_id"],
        ["people.csv", "1", "scope"],
        ["people.csv", "2", "scope"],
    ]
    assert state(superuser) == before


def test_a_file_neither_locks_its_administrator_out_nor_opens_cases_for_them(
    blekinge: str, client_of: Browsers, files: Files
) -> None:
    client = client_of(ADMINISTRATOR)
    files.drop("people", ADMINISTRATOR)
    page = check(client, files.folder / "people.csv")
    assert [row[3] for row in shown(page)] == [
        f"Ditt eget uppdrag som administratör saknas i filen. Lägg till det: {ADMINISTRATOR}."
    ]
    own = {"email": ADMINISTRATOR, "title": "Administratör, Sölvesborgs kommun"}
    files.add("people", **own, role="administrator", scope_kind="organisation", scope=f"{OWN}-K")
    files.add("people", **own, role="safety", scope_kind="branch", scope=CARE)
    page = check(client, files.folder / "people.csv")
    assert [row[3] for row in shown(page)] == [
        "Du kan inte ge dig själv ett uppdrag som öppnar ärenden. Be en annan administratör."
    ]


def test_another_organisations_unit_cannot_be_claimed(
    blekinge: str, client_of: Browsers, files: Files
) -> None:
    ward = "SE2321000081-S011"
    files.change("units", ward, organisation_hsa_id=f"{OWN}-K", branch_hsa_id=CARE, parent_hsa_id=HOME)
    page = check(client_of(ADMINISTRATOR), files.folder / "units.csv")
    assert page.status_code == 422
    assert [(row[2], row[3].partition(",")[0]) for row in shown(page)] == [
        ("branch_hsa_id", "Enheten hör till verksamheten SE2321000081-B000")
    ]


def test_a_spreadsheet_will_do_and_no_file_will_not(blekinge: str, client_of: Browsers, files: Files) -> None:
    client = client_of(ADMINISTRATOR)
    found = files.change("units", HOME, name="Väst").rows("units")
    sheet = as_spreadsheet(
        files.folder / "units.xlsx", [list(found[0]), *(list(row.values()) for row in found)]
    )
    page = check(client, sheet)
    assert [row[1] for row in shown(page)] == ["Ändras"]
    assert confirm(client, page).status_code == 303
    empty = client.post("/directory/import/check", data={})
    assert (empty.status_code, "Välj minst en fil." in empty.text) == (422, True)


@pytest.mark.parametrize("packed", [".csv:%%%", ".csv:eJw=", ".exe:eJwDAAAAAAE=", "x"])
def test_what_no_page_of_ours_packed_is_refused(blekinge: str, client_of: Browsers, packed: str) -> None:
    answer = client_of(ADMINISTRATOR).post("/directory/import", data={"units": packed, "digest": "x"})
    assert answer.status_code in (409, 422)


def test_whom_another_organisation_has_ended_gets_what_the_file_gives_and_nothing_back(
    blekinge: str, client_of: Browsers, superuser: Engine, files: Files
) -> None:
    with superuser.begin() as connection:
        connection.execute(text("update people set ended_on = current_date where email = :bob"), {"bob": BOB})
    files.add("people", email=BOB, title="Vikarie", role="reporter", scope_kind="unit", scope=HOME)
    client = client_of(ADMINISTRATOR)
    assert confirm(client, check(client, files.folder / "people.csv")).status_code == 303
    assert rows(superuser, "select title, ended_on from people where email = :e", e=BOB) == [
        ("Vikarie", None)
    ]
    living = "select u.hsa_id from assignments a join people p on p.id = a.person_id join units u on u.id = a.unit_id where email = :e and valid_to is null"
    assert rows(superuser, living, e=BOB) == [(HOME,)]
