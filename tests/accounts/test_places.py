"""Where a person acts: chosen at login where there are several, and switched with a new session."""

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import urljoin, urlsplit

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, text

from tests.accounts.addresses import ELSEWHERE, ENCODED, OURS
from tests.accounts.browsers import enter, give_place, log_in, told
from tests.accounts.test_sessions import inside, with_cookie
from tests.people import ADMINISTRATOR, ANNA, CHARLIE, filed

Browser = Callable[..., TestClient]

CARE = "branch:SE2120000852-V000"
KARLSKRONA = "branch:SE2120000829-V000"
KARLSKRONAS_UNIT = "SE2120000829-V010"


def offered(page: Response) -> list[tuple[str, str, bool]]:
    """The places to choose from: what is sent, what is read, and whether it is the present one."""
    found = re.findall(
        r'<input([^>]*name="assignment"[^>]*)>\s*<label[^>]*>(.*?)</label>', page.text, re.DOTALL
    )
    return [
        (re.findall(r'value="([^"]*)"', field)[0], unescape(label).strip(), "checked" in field)
        for field, label in found
    ]


def numbers(page: Response) -> list[str]:
    return sorted(set(re.findall(r"BLE-\d{4}-\w{6}", page.text)))


def test_a_person_of_several_branches_chooses_and_is_nowhere_before(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    give_place(superuser, ANNA, "unit_id", KARLSKRONAS_UNIT, "reporter")
    client = browser()
    answer = log_in(client, ANNA, next="/inbox")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login/assignment?next=%2Finbox")
    assert not inside(client)
    # Every other page leads to the choice too, and back.
    assert client.get("/inbox").headers["Location"] == "/login/assignment?next=%2Finbox"
    page = client.get(answer.headers["Location"])
    assert offered(page) == [
        (KARLSKRONA, "Vård och omsorg Karlskrona", False),
        (CARE, "Vård och omsorg Sölvesborg", False),
    ]
    assert 'name="next" value="/inbox"' in page.text
    unchosen = client.cookies["session"]
    chosen = client.post("/login/assignment", data={"assignment": CARE, "next": "/inbox"})
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/inbox")
    assert "HttpOnly; Max-Age=36000; Path=/; SameSite=lax" in chosen.headers["Set-Cookie"]
    assert inside(client)
    assert not inside(with_cookie(browser, unchosen))
    assert offered(client.get("/login/assignment"))[1] == (CARE, "Vård och omsorg Sölvesborg", True)


def test_switching_shows_the_other_branchs_cases_and_the_old_cookie_is_dead(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    ours, theirs = filed(ANNA), filed(CHARLIE, sender_unit=KARLSKRONAS_UNIT)
    give_place(superuser, ANNA, "unit_id", KARLSKRONAS_UNIT, "handler")
    client = browser()
    enter(client, ANNA)
    client.post("/login/assignment", data={"assignment": CARE})
    assert numbers(client.get("/deviations")) == [ours]
    assert client.get(f"/deviations/{theirs}").status_code == 404
    before = client.cookies["session"]
    switched = client.post("/login/assignment", data={"assignment": KARLSKRONA})
    assert (switched.status_code, switched.headers["Location"]) == (303, "/")
    assert numbers(client.get("/deviations")) == [theirs]
    assert client.get(f"/deviations/{ours}").status_code == 404
    assert client.cookies["session"] != before
    assert not inside(with_cookie(browser, before))
    with superuser.connect() as connection:
        chosen = connection.scalars(
            text("select details ->> 'place' from audit_log where action = 'accounts.choose' order by id")
        ).all()
    assert chosen == [CARE, KARLSKRONA]


def test_only_a_place_of_ones_own_can_be_chosen(blekinge: str, browser: Browser, superuser: Engine) -> None:
    give_place(superuser, ANNA, "unit_id", KARLSKRONAS_UNIT, "reporter")
    with superuser.begin() as connection:
        connection.execute(
            text(
                "insert into assignments (person_id, role, branch_id, valid_from, valid_to)"
                " select p.id, 'safety', b.id, (now() at time zone 'Europe/Stockholm')::date - 9, (now() at time zone 'Europe/Stockholm')::date - 2 from people p, branches b"
                " where p.email = :email and b.hsa_id = 'SE2321000081-B000'"
            ),
            {"email": ANNA},
        )
    client = browser()
    enter(client, ANNA)
    for foreign in (
        "branch:SE2120000852-I000",  # another's
        "branch:SE2321000081-B000",  # over since the day before yesterday
        "organisation:SE2120000852-K",
        "SE2120000852-V000",
        "branch:",
        "county:BLE",
        "x",
    ):
        assert client.post("/login/assignment", data={"assignment": foreign}).status_code == 404, foreign
    assert not inside(client)
    nothing = client.post("/login/assignment", data={"next": "/inbox"})
    assert (nothing.status_code, told(nothing)) == (422, ["Uppdrag: fyll i det här fältet."])
    assert len(offered(nothing)) == 2
    assert 'name="next" value="/inbox"' in nothing.text


def test_the_way_on_never_leaves_the_site(blekinge: str, browser: Browser) -> None:
    client = browser()
    enter(client, ANNA)

    def way_on(address: str) -> str:
        answer = client.post("/login/assignment", data={"assignment": CARE, "next": address})
        assert answer.status_code == 303
        return str(answer.headers["Location"])

    assert {address: way_on(address) for address in OURS} == {address: address for address in OURS}
    assert {address: way_on(address) for address in ELSEWHERE} == dict.fromkeys(ELSEWHERE, "/")
    for address in ENCODED:
        # As a browser reads it, from the page that sent it there.
        assert urlsplit(urljoin("http://testserver/login", way_on(address))).netloc == "testserver"
        assert re.match(r"[/\\]{2}", way_on(address)) is None


def test_roles_in_one_branch_are_one_place_and_add_up(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    client = browser()
    assert client.get("/login/assignment").headers["Location"] == "/login?next=%2Flogin%2Fassignment"
    # Reporter and handler at her unit already; now safety of the branch too.
    give_place(superuser, ANNA, "branch_id", "SE2120000852-V000", "safety")
    enter(client, ANNA)
    assert inside(client)
    assert offered(client.get("/login/assignment")) == [(CARE, "Vård och omsorg Sölvesborg", True)]


def test_a_place_outside_every_branch_opens_no_case(blekinge: str, browser: Browser) -> None:
    number = filed(ANNA)
    client = browser()
    enter(client, ADMINISTRATOR)
    assert inside(client)
    assert numbers(client.get("/")) == []
    assert numbers(client.get("/deviations")) == []
    assert client.get(f"/deviations/{number}").status_code == 404
    assert client.get("/deviations/new").status_code == 403
