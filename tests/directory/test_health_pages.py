"""The page that tells an organisation whether cases reach its units, and the yearly word about one's own address."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text

from backend.core import bounces, clock, db
from backend.core.text import short_date
from tests.directory.offices import CARE, HOME, HOME_CARE, OWN, person_id, recorded, rows
from tests.directory.test_pages import main
from tests.people import ADMINISTRATOR, ALICE, ANNA, BERIT, BOB, COORDINATOR, MATS, filed

Browsers = Callable[..., TestClient]
CHIEF = "chef@solvesborg.example"
URL = "/directory/health"
DAY = timedelta(days=1)
ALL_WELL = "Alla enheter har någon som tar emot."


def cards(client: TestClient) -> dict[str, str]:
    """The units with something wrong, in the order of the page, each with the words of its card."""
    page = main(client.get(URL).text)
    found = re.findall(
        r'<(?:section class="card" id="(unit-[^"]+)".*?</section>|li id="(unit-[^"]+)".*?</li>)',
        page,
        re.DOTALL,
    )
    parts = re.split(r'(?=<(?:section class="card"|li) id="unit-)', page)[1:]
    names = [(one or other).removeprefix("unit-").upper() for one, other in found]
    assert len(names) == len(parts)
    return {
        name: " ".join(unescape(re.sub(r"<[^>]+>", " ", part)).split())
        for name, part in zip(names, parts, strict=True)
    }


def confirmed(superuser: Engine, at: datetime | None = None) -> None:
    """Everybody has said that mail reaches them, and has just logged in."""
    with superuser.begin() as connection:
        connection.execute(text("update people set address_confirmed_at = :at"), {"at": at or clock.now()})
        connection.execute(
            text(
                "insert into sessions (token_hash, person_id, several, started_at, seen_at)"
                " select decode(md5(email), 'hex'), id, false, :at, :at from people"
            ),
            {"at": clock.now()},
        )


def stand_in(superuser: Engine, *emails: str, by: str = ALICE, branch: str = CARE) -> None:
    with superuser.begin() as connection:
        for email in emails:
            connection.execute(
                text(
                    "insert into substitutes (person_id, substitute_id, branch_id, valid_from, valid_to, made_by_id)"
                    " select p.id, s.id, b.id, :today, :last, p.id from people p, people s, branches b"
                    " where p.email = :e and s.email = :by and b.hsa_id = :branch"
                ),
                {
                    "e": email,
                    "by": by,
                    "branch": branch,
                    "today": clock.today(),
                    "last": clock.today() + 9 * DAY,
                },
            )


def bounced(email: str, times: int) -> None:
    with db.unit_of_work(db.NOBODY) as session:
        for number in range(times):
            bounces.record(session, "mailbox", f"{email} {number}", [(email, "5.1.1")])


@contextmanager
def counting() -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    yield asked
    event.remove(db.engine(), "before_cursor_execute", note)


def test_each_sees_their_own_units_and_the_county_none(blekinge: str, client_of: Browsers) -> None:
    def units(who: str) -> set[str]:
        page = main(client_of(who).get(URL).text)
        return {hsa[:12] for hsa in re.findall(r"unit-(se\d{10}-\w+)", page)} | set(
            re.findall(r'role="rowheader">([^<]+)', page)
        )

    assert [client_of(who).get(URL).status_code for who in (ANNA, ALICE, COORDINATOR)] == [403] * 3
    safety = units(MATS)
    assert {one[:12] for one in safety if one.startswith("se")} == {OWN.lower()[:12]}
    assert "Barn och familj Sölvesborg" not in safety  # the same municipality's other branch
    manager = cards(client_of(BERIT))
    assert set(manager) == {"SE2321000081-S010", "SE2321000081-S011"}
    administrator = main(client_of(ADMINISTRATOR).get(URL).text)
    assert {one[:12].upper() for one in re.findall(r"unit-(se\d{10})", administrator)} == {OWN[:12]}
    assert f"unit-{OWN.lower()}-i000" in administrator
    assert "aldrig för länet" in administrator


def test_the_worst_stands_first_with_what_to_do_and_where(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    confirmed(superuser)
    bounced(ANNA, 3)
    bounced(CHIEF, 1)
    stand_in(superuser, ANNA, CHIEF)
    client = client_of(MATS)
    found = cards(client)
    assert list(found) == [HOME, CARE, f"{OWN}-F000"]
    day = short_date(clock.today())
    assert (
        f"Nås inte Vård och omsorg Sölvesborg Mejlen till {ANNA} kommer tillbaka, senast {day}. Be administratören"
        in found[HOME]
    )
    assert f"Ett mejl till {CHIEF} har kommit tillbaka, senast {day}. Be administratören" in found[CARE]
    assert "Bara en person tar emot, och ingen är utsedd att ersätta. Utse ersättare" in found[f"{OWN}-F000"]
    assert f"Tar emot: Sjuksköterska, Hemsjukvården Sölvesborg ({ANNA})." in found[HOME]
    page = client.get(URL).text
    assert f'href="mailto:{ADMINISTRATOR}"' in page
    assert "3 av 7 enheter behöver något." in page
    anna = person_id(superuser, ANNA)
    assert f'href="/directory/people/{anna}#account"' in client_of(ADMINISTRATOR).get(URL).text


def test_where_all_is_well_the_page_says_so(blekinge: str, client_of: Browsers, superuser: Engine) -> None:
    assert ALL_WELL not in client_of(MATS).get(URL).text
    confirmed(superuser)
    stand_in(superuser, ANNA, CHIEF, MATS)
    page = main(client_of(MATS).get(URL).text)
    assert ALL_WELL in page
    assert page.count('role="rowheader"') == 7
    assert re.findall(r'id="unit-', page) == []
    assert (
        "Enhetschef, Vård och omsorg Sölvesborg (chef@solvesborg.example), på Vård och omsorg Sölvesborg"
        in page
    )


def test_a_unit_without_anybody_is_told_with_the_way_to_add_someone(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    confirmed(superuser)
    with superuser.begin() as connection:
        connection.execute(
            text("update people set ended_on = :d where email = :e"), {"d": date(2024, 1, 1), "e": CHIEF}
        )
    found = cards(client_of(ADMINISTRATOR))
    assert next(iter(found)) == f"{OWN}-E000"
    assert "Lägg till någon" in found[HOME_CARE]
    page = client_of(ADMINISTRATOR).get(URL).text
    [way] = re.findall(r'href="([^"]+)">Lägg till någon<span class="ds-sr-only">: Hemtjänsten', page)
    form = client_of(ADMINISTRATOR).get(unescape(way)).text
    assert f'<option value="unit:{HOME_CARE}" selected' in form
    assert re.search(r'value="handler"[^>]* checked', form)


def test_cases_that_nobody_answers_are_counted_for_safety_and_managers_and_not_for_the_administrator(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    start = datetime(2026, 1, 12, 9, tzinfo=UTC)
    for week in range(4):
        with clock.at(start + week * 7 * DAY):
            filed(BOB, sender_unit="SE2321000081-S011", receiver_unit=HOME)
    with superuser.begin() as connection:  # the first was answered, late; the last is not yet due
        connection.execute(
            text("update deviations set answered_at = :at where id = (select min(id) from deviations)"),
            {"at": start + 90 * DAY},
        )
        connection.execute(
            text("update deviations set due_on = :on where id = (select max(id) from deviations)"),
            {"on": date(2026, 5, 1)},
        )
    with clock.at(datetime(2026, 4, 20, 9, tzinfo=UTC)):
        sentence = "Svarsfristen har gått ut utan svar för två ärenden i rad, de senaste som kom."
        client = client_of(MATS)
        assert f"Svarar inte Vård och omsorg Sölvesborg {sentence} Visa ärendena" in cards(client)[HOME]
        assert f"/deviations?direction=in&amp;unit={HOME}&amp;late=true" in client.get(URL).text
        page = client_of(ADMINISTRATOR).get(URL).text
        assert "Svarsfristen" not in page
        assert "Administratören ser inga ärenden." in page


def test_when_somebody_last_logged_in_and_opened_a_case_is_told(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    moment = datetime(2026, 3, 3, 9, tzinfo=UTC)
    with clock.at(moment):
        number = filed(BOB, sender_unit="SE2321000081-S011", receiver_unit=HOME)
        client_of(ANNA).get(f"/deviations/{number}")
    with clock.at(moment + 59 * DAY):
        assert "Ingen loggar in" not in cards(client_of(MATS))[HOME]
    with clock.at(moment + 60 * DAY):
        found = cards(client_of(MATS))
        assert "Ingen som tar emot har loggat in på två månader. Skriv till dem" in found[HOME]
        assert "Senast inloggad 3 mars 2026. Öppnade senast ett ärende 3 mars 2026." in found[HOME]
        assert "Ingen som tar emot har loggat in än." in found[CARE]
        assert "Öppnade senast" not in client_of(ADMINISTRATOR).get(URL).text


def test_the_page_asks_as_often_for_one_unit_as_for_many(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    few, many = client_of(BERIT), client_of("patientsakerhet@region.example")
    for client in (few, many):
        client.get(URL)
    with counting() as one:
        few.get(URL)
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into units (branch_id, parent_id, hsa_id, name, kind, care_level, intake, path)"
                " select branch_id, id, 'SE2321000081-X' || n, 'Ny ' || n, 'ward', 'inpatient', false, path"
                " from units, generate_series(1, 50) n where hsa_id = 'SE2321000081-S010'"
            )
        )
    with counting() as fifty:
        many.get(URL)
    print(f"queries: {len(one)}")
    assert len(fifty) == len(one)


def test_an_address_is_confirmed_with_one_press_once_a_year(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    task, way = "Når mejlen dig?", "/settings/confirm-address"
    now = datetime(2026, 3, 3, 9, tzinfo=UTC)
    with clock.at(now):
        bounced(ANNA, 3)
        client = client_of(ANNA)
        assert task in client.get("/").text
        assert ANNA in client.get(way).text
        assert [task in client_of(who).get("/").text for who in (ALICE, COORDINATOR, ADMINISTRATOR)] == [
            False
        ] * 3
        assert client.post(way).headers["Location"] == f"{way}?done=true"
        assert "Tack. Om ett år frågar vi igen." in client.get(f"{way}?done=true").text
        assert task not in client.get("/").text
        assert "unreachable" not in str(cards(client_of(MATS)))
        assert rows(superuser, "select count(*) from bounces") == [(0,)]
    for days, expected in ((364, False), (365, True)):
        with clock.at(now + days * DAY):
            assert (task in client_of(ANNA).get("/").text) is expected
    assert recorded(superuser) == ["directory.confirm_address"]


def test_a_new_address_is_not_the_one_that_was_confirmed(
    blekinge: str, client_of: Browsers, superuser: Engine
) -> None:
    client_of(ANNA).post("/settings/confirm-address")
    anna, client = person_id(superuser, ANNA), client_of(ADMINISTRATOR)
    query = "select address_confirmed_at is not null from people where id = :id"
    form = {"email": ANNA, "title": "Distriktssköterska, Hemsjukvården Sölvesborg"}
    assert client.post(f"/directory/people/{anna}/change", data=form).status_code == 303
    assert rows(superuser, query, id=anna) == [(True,)]
    assert (
        client.post(
            f"/directory/people/{anna}/change", data={**form, "email": "ny@solvesborg.example"}
        ).status_code
        == 303
    )
    assert rows(superuser, query, id=anna) == [(False,)]


def test_the_directory_marks_units_without_a_receiver(blekinge: str, client_of: Browsers) -> None:
    client = client_of(ANNA)
    found = main(client.get("/directory", params={"q": "karlshamns vårdcentral"}).text)
    assert "Saknar mottagare" in found
    assert "Saknar mottagare" not in main(client.get("/directory", params={"q": "hemsjukvården sölv"}).text)


@pytest.mark.parametrize(
    ("who", "expected"), [(MATS, True), (CHIEF, True), (ADMINISTRATOR, True), (ANNA, False)]
)
def test_the_way_there_is_shown_to_whom_it_opens(
    blekinge: str, client_of: Browsers, who: str, expected: bool
) -> None:
    client = client_of(who)
    assert [f'href="{URL}"' in client.get(page).text for page in ("/", "/directory")] == [expected] * 2
