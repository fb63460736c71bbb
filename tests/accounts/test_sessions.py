"""How long a session lives, and what ends it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from tests.accounts.browsers import end_assignments, enter, give_place, log_in
from tests.people import ANNA, BOB, CHARLIE

Browser = Callable[..., TestClient]
MINUTE = timedelta(minutes=1)


def inside(client: TestClient) -> bool:
    """Whether the browser is let in. A page without cases, so that nothing but the session counts."""
    answer = client.get("/settings")
    doors = ("/login?next=%2Fsettings", "/login/assignment?next=%2Fsettings")
    assert answer.status_code == 200 or answer.headers["Location"] in doors
    return bool(answer.status_code == 200)


def with_cookie(browser: Browser, token: str | None) -> TestClient:
    client = browser()
    if token is not None:
        client.cookies.set("session", token)
    return client


def test_a_session_left_idle_for_half_an_hour_is_over(blekinge: str, browser: Browser) -> None:
    client, began = browser(), clock.now()
    with clock.at(began):
        enter(client, ANNA)
    found = []
    # Idle for 29 minutes, used, idle for 29 again, used, idle for 31.
    for minutes in (29, 58, 58 + 31, 58 + 32):
        with clock.at(began + minutes * MINUTE):
            found.append(inside(client))
    assert found == [True, True, False, False]


def test_a_session_used_all_day_is_over_after_ten_hours(blekinge: str, browser: Browser) -> None:
    client, began = browser(), clock.now()
    with clock.at(began):
        enter(client, ANNA)
    for minutes in range(20, 600, 20):
        with clock.at(began + minutes * MINUTE):
            assert inside(client), minutes
    with clock.at(began + 600 * MINUTE):
        assert not inside(client)


def test_choosing_another_place_does_not_lengthen_the_day(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    give_place(superuser, ANNA, "unit_id", "SE2120000829-V010", "reporter")
    client, began = browser(), clock.now()
    with clock.at(began):
        enter(client, ANNA)
        client.post("/login/assignment", data={"assignment": "branch:SE2120000829-V000"})
    for minutes in range(25, 600, 25):
        with clock.at(began + minutes * MINUTE):
            client.post("/login/assignment", data={"assignment": "branch:SE2120000829-V000"})
    with clock.at(began + 601 * MINUTE):
        assert not inside(client)


@pytest.mark.parametrize("token", [None, "", "x", "a" * 43, "a" * 5000])
def test_a_cookie_that_was_never_given_out_opens_nothing(
    blekinge: str, browser: Browser, token: str | None
) -> None:
    assert not inside(with_cookie(browser, token))


def test_a_session_ends_at_once_with_the_assignment_or_the_person(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    anna, bob = browser(), browser()
    enter(anna, ANNA)
    enter(bob, BOB)
    assert (inside(anna), inside(bob)) == (True, True)
    end_assignments(superuser, ANNA)
    with superuser.begin() as connection:
        connection.execute(
            text(
                "update people set ended_on = (now() at time zone 'Europe/Stockholm')::date where email = :e"
            ),
            {"e": BOB},
        )
    assert (inside(anna), inside(bob)) == (False, False)
    # Nor does the page for choosing tell one who has left where they used to work.
    assert bob.get("/login/assignment").headers["Location"] == "/login?next=%2Flogin%2Fassignment"
    assert bob.post("/login/assignment", data={"assignment": "branch:SE2321000081-B000"}).status_code == 303
    assert not inside(bob)


def test_logging_out_ends_the_session_and_empties_the_browser(blekinge: str, browser: Browser) -> None:
    client = browser()
    enter(client, ANNA)
    token = client.cookies["session"]
    assert client.get("/logout").status_code == 405
    assert inside(client)
    answer = client.post("/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "session" not in client.cookies
    assert not inside(with_cookie(browser, token))
    assert client.post("/logout").status_code == 303


def test_logging_in_anew_ends_the_session_before(blekinge: str, browser: Browser) -> None:
    client = browser()
    enter(client, ANNA)
    before = client.cookies["session"]
    log_in(client, CHARLIE)
    assert inside(client)
    assert not inside(with_cookie(browser, before))


def test_a_guess_leaves_the_session_of_that_browser_as_it_was(blekinge: str, browser: Browser) -> None:
    client = browser()
    enter(client, ANNA)
    log_in(client, CHARLIE, "fel lösenord")
    assert inside(client)


def test_another_browser_of_the_same_person_stays(blekinge: str, browser: Browser) -> None:
    ward, office = browser(), browser()
    enter(ward, ANNA)
    enter(office, ANNA)
    ward.post("/logout")
    assert (inside(ward), inside(office)) == (False, True)


def test_reading_notes_that_the_person_is_there_once_a_minute_at_most(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    client, began = browser(), clock.now()
    noted = []
    with clock.at(began):
        enter(client, ANNA)
    for seconds in (30, 90, 120):
        with clock.at(began + timedelta(seconds=seconds)):
            inside(client)
        with superuser.connect() as connection:
            seen = connection.scalars(text("select seen_at from sessions")).one()
        noted.append((seen - began).total_seconds())
    assert noted == [0, 90, 90]
