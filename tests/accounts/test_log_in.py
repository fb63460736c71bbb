"""Logging in: who gets in, what the others are told, and what is kept of it."""

import hashlib
import re
import statistics
import time
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.accounts.actions import passwords
from backend.settings import settings
from tests.accounts.addresses import ELSEWHERE
from tests.accounts.browsers import PASSWORD, end_assignments, log_in, told
from tests.people import ANNA, BOB, CHARLIE, IDA, MATS

Browser = Callable[..., TestClient]

WRONG = "E-postadressen och lösenordet hör inte ihop. Kontrollera båda."


def test_a_person_with_one_place_goes_straight_in(blekinge: str, browser: Browser) -> None:
    client = browser()
    answer = log_in(client, ANNA)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    page = client.get("/")
    assert page.status_code == 200
    assert re.findall(r"<strong>([^<]*)</strong>", page.text)[0] == "Vård och omsorg Sölvesborg"


def test_the_address_is_read_without_regard_to_capitals_and_spaces(blekinge: str, browser: Browser) -> None:
    assert log_in(browser(), f"  {ANNA.upper()} ").status_code == 303


def test_a_wrong_password_and_an_unknown_person_are_told_the_same(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update people set ended_on = (now() at time zone 'Europe/Stockholm')::date where email = :e"
            ),
            {"e": BOB},
        )
        connection.execute(
            text("delete from passwords where person_id = (select id from people where email = :e)"),
            {"e": CHARLIE},
        )
    answers = {
        who: log_in(browser(), who, password)
        for who, password in (
            (ANNA, "fel lösenord"),
            ("ingen@solvesborg.example", PASSWORD),
            (BOB, PASSWORD),  # has left
            (CHARLIE, PASSWORD),  # has never had a password
        )
    }
    pages = {
        re.sub(r'class="number">[0-9a-f]+', "", answer.text.replace(who, ""))
        for who, answer in answers.items()
    }
    assert len(pages) == 1
    assert [answer.status_code for answer in answers.values()] == [422] * 4
    assert told(answers[ANNA]) == [WRONG]
    assert [answer.headers.get("Set-Cookie") for answer in answers.values()] == [None] * 4
    assert "fel lösenord" not in answers[ANNA].text
    assert f'value="{ANNA}"' in answers[ANNA].text
    assert "<title>Fel: Logga in" in answers[ANNA].text


def test_a_wrong_password_and_an_unknown_person_take_the_same_time(blekinge: str, browser: Browser) -> None:
    known = [ANNA, BOB, CHARLIE, IDA, MATS]
    unknown = [f"ingen{n}@solvesborg.example" for n in range(5)]
    passwords._nobodys_hash()  # made once in the life of a process
    client, spent = browser(), {True: [0.0], False: [0.0]}
    for pair in zip(known, unknown, strict=True):
        for email in pair:
            began = time.perf_counter()
            assert log_in(client, email, "fel lösenord").status_code == 422
            spent[email in known].append(time.perf_counter() - began)
    ratio = statistics.median(spent[True][1:]) / statistics.median(spent[False][1:])
    assert 0.5 < ratio < 2


@pytest.mark.parametrize(
    ("typed", "sentences"),
    [
        ({}, ["E-postadress: fyll i det här fältet.", "Lösenord: fyll i det här fältet."]),
        (
            {"email": " ", "password": ""},
            ["E-postadress: fyll i det här fältet.", "Lösenord: fyll i det här fältet."],
        ),
        ({"email": ANNA}, ["Lösenord: fyll i det här fältet."]),
        ({"email": "a" * 255, "password": "x"}, ["Texten är för lång: högst 254 tecken."]),
        ({"email": ANNA, "password": "x" * 1001}, ["Texten är för lång: högst 1000 tecken."]),
    ],
)
def test_what_is_missing_or_too_long_is_said(
    anonymous: TestClient, typed: dict[str, str], sentences: list[str]
) -> None:
    answer = anonymous.post("/login", data=typed)
    assert (answer.status_code, told(answer)) == (422, sentences)
    assert "x" * 1001 not in answer.text


def test_a_person_whose_assignments_have_ended_is_told_so_and_not_let_in(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    end_assignments(superuser, ANNA)
    answer = log_in(browser(), ANNA)
    assert (answer.status_code, told(answer)) == (
        422,
        ["Du har inget uppdrag just nu. Kontakta din administratör."],
    )
    assert answer.headers.get("Set-Cookie") is None
    with superuser.connect() as connection:
        assert connection.scalar(text("select count(*) from sessions")) == 0


def test_the_password_is_kept_as_argon2id_and_the_cookie_as_its_hash(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    answer = log_in(browser(), ANNA)
    cookie = re.fullmatch(
        r"session=([\w-]{43}); HttpOnly; Max-Age=36000; Path=/; SameSite=lax", answer.headers["Set-Cookie"]
    )
    assert cookie is not None, answer.headers["Set-Cookie"]
    token = cookie.group(1)
    with superuser.connect() as connection:
        hashes = set(connection.scalars(text("select hash from passwords")))
        kept = connection.scalars(text("select token_hash from sessions")).one()
        row = connection.scalars(text("select row_to_json(s)::text from sessions s")).one()
    assert [hashed[:31] for hashed in hashes] == ["$argon2id$v=19$m=65536,t=3,p=4$"]
    assert bytes(kept) == hashlib.sha256(token.encode()).digest()
    assert token not in row


def test_behind_https_the_cookie_is_bound_to_the_host(blekinge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.main import create_app

    with monkeypatch.context() as patch:
        patch.setenv("SAMSVAR_BASE_URL", "https://samsvar.example")
        settings.cache_clear()
        client = TestClient(
            create_app(),
            base_url="https://samsvar.example",
            follow_redirects=False,
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        answer = log_in(client, ANNA)
        inside = client.get("/settings")
        out = client.post("/logout")
    settings.cache_clear()
    cookie = re.sub(r"=[\w-]{43};", "=…;", answer.headers["Set-Cookie"])
    assert cookie == "__Host-session=…; HttpOnly; Max-Age=36000; Path=/; SameSite=lax; Secure"
    assert inside.status_code == 200
    assert inside.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    removed = re.sub(r"expires=[^;]+; ", "", out.headers["Set-Cookie"])
    assert removed == '__Host-session=""; HttpOnly; Max-Age=0; Path=/; SameSite=lax; Secure'


def test_logging_in_and_out_is_on_record(blekinge: str, browser: Browser, superuser: Engine) -> None:
    client = browser()
    log_in(client, ANNA)
    client.post("/logout")
    with superuser.connect() as connection:
        rows = connection.execute(
            text(
                "select action, email from audit_log join people on people.id = person_id"
                " where action like 'accounts.%' order by audit_log.id"
            )
        ).all()
    assert [tuple(row) for row in rows] == [("accounts.log_in", ANNA), ("accounts.log_out", ANNA)]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_the_way_on_never_leaves_the_site(anonymous: TestClient, address: str) -> None:
    page = anonymous.get("/login", params={"next": address})
    assert re.findall(r'name="next" value="([^"]*)"', page.text) == ["/"]


def test_after_logging_in_a_person_comes_to_where_they_were_going(blekinge: str, browser: Browser) -> None:
    assert log_in(browser(), ANNA, next="/inbox").headers["Location"] == "/inbox"
    assert log_in(browser(), ANNA, next="//evil.example").headers["Location"] == "/"


def test_a_page_sends_whoever_is_not_logged_in_to_the_login_and_back(anonymous: TestClient) -> None:
    answer = anonymous.get("/deviations/BLE-2026-7K3Q9X")
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "/login?next=%2Fdeviations%2FBLE-2026-7K3Q9X",
    )
    assert anonymous.get("/").headers["Location"] == "/login"
    assert anonymous.post("/deviations").headers["Location"] == "/login"


def test_a_fragment_of_whoever_is_not_logged_in_moves_the_whole_page(anonymous: TestClient) -> None:
    headers = {"HX-Request": "true", "HX-Target": "form#cases"}
    answer = anonymous.get("/deviations", headers=headers)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/login?next=%2Fdeviations")
    assert "Location" not in answer.headers
    assert answer.headers["Vary"] == "HX-Request, HX-Target"
