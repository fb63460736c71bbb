"""One-time links by mail: used once, dead in time, and telling nobody who has an account."""

import re
import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, text

from backend.accounts import actions
from backend.core import clock, db
from backend.core.db import unit_of_work
from backend.directory import queries as directory
from backend.settings import settings
from tests.accounts.browsers import enter, log_in, told
from tests.directory.offices import person_id, recorded, rows
from tests.people import ADMINISTRATOR, ANNA, BOB
from workers import accounts as letters

Browser = Callable[..., TestClient]
NEW = "sju sorters kakor"


def work() -> None:
    letters.invitation()
    letters.reset()


def mails(superuser: Engine) -> list[tuple[list[str], str, str]]:
    return [(to, subject, body) for to, subject, body in rows(superuser, 'select "to", subject, body from caught_mails order by id')]  # type: ignore[misc]  # fmt: skip


def link_in(body: str) -> str:
    [address] = re.findall(re.escape(settings().base_url) + r"(/login/link/[\w-]{43})$", body, re.MULTILINE)
    assert isinstance(address, str)
    return address


def ask(client: TestClient, email: str) -> Response:
    answer: Response = client.post("/login/reset", data={"email": email})
    return answer


def linked(superuser: Engine, client: TestClient, email: str = ANNA) -> str:
    """The link that a person who has asked finds in the mail."""
    assert ask(client, email).status_code == 303
    work()
    return link_in(mails(superuser)[-1][2])


def choose(client: TestClient, link: str, password: str = NEW) -> Response:
    answer: Response = client.post(link, data={"new_password": password})
    return answer


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    client = browser()
    assert "/login/reset" in client.get("/login").text
    link = linked(superuser, client)
    [(to, subject, body)] = mails(superuser)
    assert (to, subject) == ([ANNA], "Välj ett nytt lösenord i Samsvar")
    assert "Länken fungerar en gång" in body
    page = client.get(link)
    assert page.status_code == 200
    assert client.get(link).status_code == 200  # reading it uses nothing up
    assert f"Välj ett lösenord för {ANNA}." in page.text
    answer = choose(client, link)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?chosen=true")
    assert "Lösenordet är valt." in client.get(answer.headers["Location"]).text
    assert client.get(link).status_code == 404
    assert choose(client, link, "ett annat lösenord").status_code == 404
    assert log_in(client, ANNA).status_code == 422
    assert log_in(client, ANNA, NEW).status_code == 303
    assert recorded(superuser, "accounts") == ["accounts.use_reset", "accounts.log_in"]


def test_a_new_password_ends_every_session_and_every_other_link(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    ward, thief = enter(browser(), ANNA), enter(browser(), ANNA)
    bob = enter(browser(), BOB)
    link = linked(superuser, browser())
    with unit_of_work(db.NOBODY) as session:
        anna = directory.person_by_email(session, ANNA)
        me = actions.stand_in(session, ADMINISTRATOR)
        assert anna is not None
        actions.invite(session, me, anna)
    work()
    letter = mails(superuser)[-1][2]
    invitation = link_in(letter)
    assert browser().get(invitation).status_code == 200
    # The link opens no door by itself.
    assert "Välj ett lösenord här, och logga sedan in med det:" in letter
    choose(browser(), link)
    assert [client.get("/settings").status_code for client in (ward, thief, bob)] == [303, 303, 200]
    assert browser().get(invitation).status_code == 404


def test_an_easy_password_is_refused_and_the_link_still_lives(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    client = browser()
    link = linked(superuser, client)
    for password in ("", "kort", "samsvar-demo", ANNA):
        assert (choose(client, link, password).status_code, len(told(choose(client, link, password)))) == (
            422,
            1,
        )
    assert log_in(client, ANNA).status_code == 303
    assert choose(client, link).status_code == 303


@pytest.mark.parametrize(
    ("purpose", "alive", "dead"),
    [
        ("reset", timedelta(minutes=59), timedelta(minutes=61)),
        ("invitation", timedelta(days=6, hours=23), timedelta(days=7, minutes=1)),
    ],
)
def test_a_link_dies_in_time(
    blekinge: str, browser: Browser, superuser: Engine, purpose: str, alive: timedelta, dead: timedelta
) -> None:
    client, now = browser(), clock.now()
    with clock.at(now):
        if purpose == "reset":
            link = linked(superuser, client)
        else:
            with unit_of_work(db.NOBODY) as session:
                anna = directory.person_by_email(session, ANNA)
                assert anna is not None
                actions.invite(session, actions.stand_in(session, ADMINISTRATOR), anna)
            work()
            link = link_in(mails(superuser)[-1][2])
    found = []
    for later in (alive, dead):
        with clock.at(now + later):
            found.append(client.get(link).status_code)
    assert found == [200, 404]


def test_only_the_latest_link_works_and_not_for_one_who_has_left(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    client = browser()
    first, second = linked(superuser, client), linked(superuser, client)
    assert [client.get(link).status_code for link in (first, second)] == [404, 200]
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update people set ended_on = (now() at time zone 'Europe/Stockholm')::date where email = :e"
            ),
            {"e": ANNA},
        )
    assert (client.get(second).status_code, choose(client, second).status_code) == (404, 404)
    assert client.get("/login/link/" + "a" * 43).status_code == 404


def test_a_known_and_an_unknown_address_are_answered_alike(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    known, unknown = (ask(browser(), email) for email in (ANNA, "ingen@solvesborg.example"))
    assert (known.status_code, known.headers["Location"]) == (
        unknown.status_code,
        unknown.headers["Location"],
    )
    page = browser().get(known.headers["Location"]).text
    assert "Hör adressen till någon här kommer ett mejl inom några minuter." in page
    # The same rows are written for both, and only one of them leads to a mail.
    assert rows(superuser, "select kind from outbox") == [("accounts.reset",)] * 2
    assert rows(superuser, "select count(*) from one_time_links") == [(2,)]
    work()
    assert [to for to, _subject, _body in mails(superuser)] == [[ANNA]]
    assert rows(superuser, "select outcome from outbox order by id") == [("sent",), ("nobody to write to",)]


def test_a_known_and_an_unknown_address_take_the_same_time(blekinge: str, browser: Browser) -> None:
    ask(browser(), ANNA)
    taken: dict[str, list[float]] = {"known": [], "unknown": []}
    for n in range(12):
        for kind, email in (("known", BOB), ("unknown", "ingen@solvesborg.example")):
            client = browser(f"192.0.2.{n}")
            with clock.at(clock.now() + timedelta(minutes=20 * n)):  # so that none of them is slowed
                began = time.perf_counter()
                assert ask(client, email).status_code == 303
                taken[kind].append(time.perf_counter() - began)
    ratio = statistics.median(taken["known"]) / statistics.median(taken["unknown"])
    assert 0.5 < ratio < 2


def test_asking_again_and_again_is_slowed_for_known_and_unknown_alike(
    blekinge: str, browser: Browser
) -> None:
    now = clock.now()
    found = []
    for email in (ANNA, "ingen@solvesborg.example"):
        with clock.at(now):
            answers = [ask(browser(), email) for _ in range(6)]
        found.append([(a.status_code, a.headers.get("Retry-After")) for a in answers])
        assert "Vänta en sekund och försök igen." in answers[-1].text
    assert found[0] == found[1] == [(303, None)] * 5 + [(429, "1")]
    # And logging in is not slowed by it.
    with clock.at(now):
        assert log_in(browser(), ANNA).status_code == 303


def test_what_is_kept_of_a_link_does_not_open_it(blekinge: str, browser: Browser, superuser: Engine) -> None:
    link = linked(superuser, browser())
    token = link.rpartition("/")[2]
    [(row, salt, kept)] = rows(
        superuser,
        "select row_to_json(l)::text, encode(salt, 'hex'), encode(token_hash, 'hex') from one_time_links l",
    )
    assert token not in str(row)
    for guess in (salt, kept):
        assert browser().get(f"/login/link/{guess}").status_code == 404
    assert rows(superuser, "select count(*) from outbox where outbox::text like :t", t=f"%{token}%") == [(0,)]


def test_an_invitation_is_the_organisations_own_to_send(
    blekinge: str, client_of: Browser, browser: Browser, superuser: Engine
) -> None:
    url = f"/directory/people/{person_id(superuser, ANNA)}/invite"
    assert {
        who: client_of(who).post(url).status_code for who in (ADMINISTRATOR, "admin@region.example", ANNA)
    } == {
        ADMINISTRATOR: 303,
        "admin@region.example": 404,
        ANNA: 403,
    }
    work()
    [(to, subject, body)] = mails(superuser)
    assert (to, subject) == ([ANNA], "Välkommen till Samsvar")
    client = browser()
    assert "Välkommen till Samsvar" in client.get(link_in(body)).text
    assert choose(client, link_in(body)).status_code == 303
    assert log_in(client, ANNA, NEW).status_code == 303


def test_a_link_that_died_before_it_was_sent_is_not_sent(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    ask(browser(), ANNA)
    with clock.at(clock.now() + timedelta(hours=2)):
        work()
    assert mails(superuser) == []
    assert rows(superuser, "select outcome from outbox") == [("no longer opens",)]


def test_where_a_password_opens_nothing_the_pages_say_so(
    blekinge: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Här loggar man in med organisationens inloggningstjänst."
    client = browser()
    assert [said in client.get(path).text for path in ("/login", "/login/reset")] == [False, False]
    monkeypatch.setattr(settings(), "env", "production")
    assert [said in client.get(path).text for path in ("/login", "/login/reset")] == [True, True]
    assert log_in(client, ANNA).status_code == 422


def test_guesses_older_than_a_day_are_forgotten_when_somebody_logs_in(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    long_ago = clock.now() - timedelta(hours=25)
    with clock.at(long_ago):
        log_in(browser(), BOB, "fel lösenord")
    log_in(browser("192.0.2.9"), BOB, "fel lösenord")
    log_in(browser(), ANNA)
    assert rows(superuser, "select count(*) from login_failures") == [(1,)]
