"""The directory that everybody may read: in Swedish order, searched, with telephones."""

import re
from collections.abc import Callable
from html import unescape

from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from tests.directory.offices import HOME
from tests.people import ADMINISTRATOR, ANNA

Browsers = Callable[..., TestClient]


def main(page: str) -> str:
    return page.partition('<main id="main"')[2].partition("</main>")[0]


def rename(superuser: Engine, table: str, hsa_id: str, name: str) -> None:
    with superuser.begin() as connection:
        connection.execute(text(f"update {table} set name = :n where hsa_id = :h"), {"n": name, "h": hsa_id})


def test_organisations_and_branches_stand_in_swedish_order(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    rename(superuser, "organisations", "SE2321000081-R", "Ängen")
    rename(superuser, "organisations", "SE2120000852-K", "Ålands kommun")
    rename(superuser, "organisations", "SE2120000829-K", "Ön")
    rename(superuser, "branches", "SE2120000852-V000", "Äldre")
    rename(superuser, "branches", "SE2120000852-I000", "Åtgärder")
    page = main(client_of(ANNA).get("/directory").text)
    found = [unescape(name) for name in re.findall(r"<summary><span>([^<]*)", page)]
    assert found[-3:] == ["Ålands kommun", "Ängen", "Ön"]
    assert len(found) == 7
    captions = [unescape(name) for name in re.findall(r"<caption[^>]*>([^<]*)", page)]
    assert captions.index("Åtgärder") < captions.index("Äldre")


def test_a_word_finds_units_by_their_name_branch_or_organisation(blekinge: str, client_of: Browsers) -> None:
    client = client_of(ANNA)

    def found(q: str) -> list[str]:
        return re.findall(r"SE\d{10}-[A-Z0-9]+(?=<)", main(client.get("/directory", params={"q": q}).text))

    assert found("hemsjukvården sölv") == [HOME]
    assert found("HEMSJUKVÅRDEN SÖLV") == [HOME]
    assert found(HOME.lower()) == [HOME]
    assert len(found("sölvesborgs kommun")) == 12
    assert found("ingen enhet heter så") == []
    assert "Ingen enhet heter så." in client.get("/directory?q=xyzzy").text
    assert "&lt;b&gt;" in client.get("/directory?q=<b>").text


def test_telephones_are_shown_and_the_way_to_administration_only_to_its_administrator(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text("update units set telephone = '0456-81 60 00' where hsa_id = :h"), {"h": HOME}
        )
    way = 'href="/directory/organisation"'
    pages = {who: client_of(who).get("/directory").text for who in (ANNA, ADMINISTRATOR)}
    assert {who: ("0456-81 60 00" in page, way in main(page)) for who, page in pages.items()} == {
        ANNA: (True, False),
        ADMINISTRATOR: (True, True),
    }
