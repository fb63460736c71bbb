"""The pages that belong to no single room."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, text

from backend.core import bell, clock, db
from backend.core.mail import CaughtMail
from backend.settings import settings
from tests.conftest import web_url
from tests.people import ADMINISTRATOR, ALICE, ANNA, ANNAS_UNIT, BOB, CHARLIE, COORDINATOR, IDA, MATS, filed
from workers import notifications

Browsers = Callable[..., TestClient]


def main(answer: Response) -> str:
    return answer.text.partition('<main id="main"')[2].partition("</main>")[0]


def numbers(answer: Response) -> list[str]:
    return sorted(set(re.findall(r"BLE-\d{4}-\w{6}", main(answer))))


def menu(answer: Response) -> list[str]:
    nav = answer.text.partition("<nav")[2].partition("</nav>")[0]
    return [unescape(label) for label in re.findall(r"<a [^>]*>([^<]*)", nav)]


def test_the_start_page_shows_what_is_ones_own_and_nothing_of_others(
    blekinge: str, client_of: Browsers
) -> None:
    case = filed(ANNA)
    homes = {
        who: client_of(who).get("/")
        for who in (ANNA, BOB, MATS, ALICE, IDA, CHARLIE, COORDINATOR, ADMINISTRATOR)
    }
    assert {answer.status_code for answer in homes.values()} == {200}
    assert {who: numbers(answer) for who, answer in homes.items()} == {
        ANNA: [case],
        BOB: [case],
        MATS: [],
        ALICE: [],
        IDA: [],
        CHARLIE: [],
        COORDINATOR: [],
        ADMINISTRATOR: [],
    }


def test_a_role_without_cases_learns_what_waits_for_it_or_that_nothing_does(
    blekinge: str, client_of: Browsers
) -> None:
    assert "Hit kommer gruppens teman" in main(client_of("lsvo@lan.example").get("/"))
    assert "Här ska du kunna granska åtkomstloggen" in main(client_of("granskare@region.example").get("/"))
    with clock.at(datetime(2026, 5, 4, 8, tzinfo=UTC)):
        coordinator, administrator = client_of(COORDINATOR), client_of(ADMINISTRATOR)
        assert "Inget väntar på dig just nu." in main(coordinator.get("/"))
        home = main(administrator.get("/"))
        told = re.search(r"(\d+) av \d+ enheter behöver något", main(administrator.get("/directory/health")))
    assert told
    assert re.search(rf"Enheter som behöver något.*?{told[1]}\b", home, re.DOTALL)
    assert "Inget väntar" not in home


def test_the_menu_leads_only_where_one_may_go(blekinge: str, client_of: Browsers) -> None:
    whole = ["Start", "Inkorg", "Ärenden", "Rapportera", "Siffror", "Månaden"]
    menus = {}
    for who in (ANNA, MATS, ALICE, COORDINATOR):
        client = client_of(who)
        page = client.get("/")
        menus[who] = menu(page)
        nav = page.text.partition("<nav")[2].partition("</nav>")[0]
        links = re.findall(r'<a href="([^"]*)"', nav)
        assert {client.get(link).status_code for link in links} == {200}
    assert menus == {
        ANNA: whole,
        MATS: [*whole, "Vart ärendena går"],
        ALICE: ["Start", "Ärenden", "Rapportera", "Månaden"],
        COORDINATOR: ["Start", "Månaden"],
    }


def test_the_start_page_shows_five_that_wait_and_says_that_there_are_more(
    blekinge: str, client_of: Browsers
) -> None:
    cases = [filed(ANNA) for _ in range(6)]
    page = client_of(BOB).get("/")
    assert len(numbers(page)) == 5
    assert set(numbers(page)) < set(cases)


@pytest.mark.parametrize("path", ["/help", "/accessibility"])
def test_a_page_for_everybody_needs_no_login_and_no_database(anonymous: TestClient, path: str) -> None:
    answer = anonymous.get(path)
    assert answer.status_code == 200
    assert len(re.findall(r"<h1", answer.text)) == 1
    assert "Logga ut" not in answer.text


@pytest.mark.parametrize("path", ["/", "/directory", "/settings"])
def test_a_page_of_ones_own_needs_a_login(anonymous: TestClient, path: str) -> None:
    assert anonymous.get(path).headers["Location"].startswith("/login")


def test_settings_say_who_and_where_one_is(blekinge: str, client_of: Browsers) -> None:
    page = main(client_of(ANNA).get("/settings"))
    assert "Sjuksköterska, Hemsjukvården Sölvesborg" in page
    assert "Vård och omsorg Sölvesborg" in page
    assert 'action="/logout"' in page
    assert "Byt uppdrag" not in page


def test_the_directory_is_for_every_role_and_shows_units_and_no_people(
    blekinge: str, superuser: Engine, client_of: Browsers
) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update units set ended_on = (now() at time zone 'Europe/Stockholm')::date where hsa_id = 'SE2321000081-S012'"
            )
        )
        living = connection.scalars(text("select hsa_id from units where ended_on is null")).all()
    for who in (ANNA, COORDINATOR, ADMINISTRATOR):
        page = client_of(who).get("/directory")
        assert page.status_code == 200
        found = re.findall(r"SE\d{10}-[A-Z0-9]+", main(page))
        assert sorted(found) == sorted(living)
        assert "@" not in main(page)


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The broker is not where the settings say."""
    with monkeypatch.context() as patch:
        patch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        _forget()
        yield
    _forget()


def _forget() -> None:
    settings.cache_clear()
    bell.broker_url.cache_clear()


def test_health_is_the_process_alone(anonymous: TestClient) -> None:
    answer = anonymous.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_is_database_and_migrations_and_broker(
    database: str, superuser: Engine, anonymous: TestClient
) -> None:
    well = {"status": "ok", "database": "ok", "migrations": "ok", "broker": "ok"}
    ready = anonymous.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, well)
    with superuser.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))
    behind = anonymous.get("/readyz")
    assert (behind.status_code, behind.json()) == (
        503,
        {**well, "status": "unavailable", "migrations": "behind"},
    )
    db.use("postgresql://samsvar_web@127.0.0.1:1/nowhere")
    down = anonymous.get("/readyz")
    db.use(web_url(database))
    assert (down.status_code, down.json()) == (
        503,
        {**well, "status": "unavailable", "database": "down", "migrations": "unknown"},
    )
    assert anonymous.get("/healthz").status_code == 200


def test_without_the_broker_work_goes_on_and_a_warning_says_so(
    database: str, anonymous: TestClient, away: None
) -> None:
    answer = anonymous.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "database": "ok", "migrations": "ok", "broker": "warning"},
    )


def test_the_demos_letter_box_shows_what_waits_and_what_was_caught(
    blekinge: str, anonymous: TestClient
) -> None:
    empty = main(anonymous.get("/demo/post"))
    said = ("Inget väntar på att skickas.", "Inget är planerat.", "Inga mejl än.")
    assert [words in empty for words in said] == [True] * 3
    with clock.at(datetime(2026, 3, 2, 9, 0, tzinfo=UTC)):
        case = filed(ANNA, sender_unit=ANNAS_UNIT)
        notifications.due("arrival")
    with db.unit_of_work(db.NOBODY) as session:
        session.add(
            CaughtMail(
                message_id="<1@localhost>",
                to=[BOB],
                subject="Ett <ärende> att kvittera",
                body="Ett ärende har kommit.",
                caught_at=clock.now(),
            )
        )
    with clock.at(datetime(2026, 3, 2, 9, 1, tzinfo=UTC)):
        page = anonymous.get("/demo/post")
    assert page.status_code == 200
    waiting, _, rest = main(page).partition("<h2>Påminnelser om ingen gör något</h2>")
    planned, _, caught = rest.partition("<h2>Skickat</h2>")
    assert _rows(waiting) == [["nytt, att kvittera", case, BOB]]
    assert [row for row in _rows(planned) if row[0] != "svara, eller skriv när svaret kommer"] == [
        ["ingen hos er har öppnat ärendet", case, "patientsäkerhet"],
        ["kvittera", case, "enhetens handläggare"],
        ["kvittera", case, "enhetens handläggare"],
        ["kvittera", case, "chefen"],
        ["kvittera", case, "patientsäkerhet"],
        ["kvittera", case, "ytterst ansvarig"],
    ]
    assert len(_rows(planned)) == 14
    assert "Ett &lt;ärende&gt; att kvittera" in caught
    assert f"till {BOB}" in caught


def _rows(part: str) -> list[list[str]]:
    """The cells of each row of a table, without the moment."""
    return [
        [
            unescape(re.sub(r"<[^>]*>", "", cell)).strip()
            for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)
        ][1:]
        for row in re.findall(r"<tr.*?</tr>", part.partition("<tbody")[2], re.DOTALL)
    ]


def test_the_letter_box_is_not_there_outside_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.main import create_app

    with monkeypatch.context() as patch:
        for name, value in {
            "SAMSVAR_ENV": "production",
            "SAMSVAR_SECRET_KEY": "x" * 32,
            "SAMSVAR_BASE_URL": "https://samsvar.example",
            "SAMSVAR_SMTP_URL": "smtp://localhost",
        }.items():
            patch.setenv(name, value)
        settings.cache_clear()
        client = TestClient(create_app(), base_url="https://samsvar.example")
        answers = {
            path: client.get(path).status_code for path in ("/demo/post", "/docs", "/openapi.json", "/help")
        }
    settings.cache_clear()
    assert answers == {"/demo/post": 404, "/docs": 404, "/openapi.json": 404, "/help": 200}
