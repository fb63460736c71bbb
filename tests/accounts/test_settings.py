"""One's own sessions and password."""

import re
from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from backend.accounts.actions import FREE_TRIES
from backend.core import clock
from tests.accounts.browsers import PASSWORD, enter, log_in, told
from tests.directory.offices import one, recorded
from tests.people import ANNA, BOB, COORDINATOR

Browser = Callable[..., TestClient]
NEW = "sju sorters kakor"


def change(client: TestClient, old: str, new: str) -> tuple[int, list[str]]:
    answer = client.post("/settings/password", data={"password": old, "new_password": new})
    return answer.status_code, told(answer)


def test_settings_show_where_one_is_logged_in_and_end_it_there(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    here, there = enter(browser(), ANNA), enter(browser(), ANNA)
    enter(browser(), BOB)
    page = here.get("/settings").text
    assert len(re.findall(r'id="session-\d+"', page)) == 2
    assert page.count("Här och nu") == 1
    assert page.count("Vård och omsorg Sölvesborg</strong>") == 3  # the head of the page, and both
    [other] = re.findall(r'action="(/settings/sessions/\d+/end)"', page)
    assert here.post(other).headers["Location"] == "/settings?done=session"
    assert (here.get("/settings").status_code, there.get("/settings").status_code) == (200, 303)
    assert here.post(other).status_code == 404  # over already
    assert recorded(superuser, "accounts")[-1] == "accounts.end_session"


def test_all_others_are_ended_at_once(blekinge: str, browser: Browser) -> None:
    clients = [enter(browser(), ANNA) for _ in range(3)]
    bob = enter(browser(), BOB)
    assert clients[0].post("/settings/sessions/end").status_code == 303
    assert [client.get("/settings").status_code for client in (*clients, bob)] == [200, 303, 303, 200]


def test_another_persons_session_is_not_there(blekinge: str, browser: Browser, superuser: Engine) -> None:
    anna, bob = enter(browser(), ANNA), enter(browser(), BOB)
    bobs = one(
        superuser, "select s.id from sessions s join people p on p.id = person_id where email = :e", e=BOB
    )
    assert anna.post(f"/settings/sessions/{bobs}/end").status_code == 404
    assert anna.post("/settings/sessions/999999/end").status_code == 404
    assert bob.get("/settings").status_code == 200
    assert browser().post(f"/settings/sessions/{bobs}/end").headers["Location"] == "/login"


def test_a_password_is_changed_by_who_knows_the_old_one(
    blekinge: str, browser: Browser, superuser: Engine
) -> None:
    here, there = enter(browser(), ANNA), enter(browser(), ANNA)
    assert change(here, "fel lösenord", NEW) == (422, ["Det är inte ditt nuvarande lösenord."])
    assert change(here, PASSWORD, "kort") == (
        422,
        ["Skriv minst 12 tecken. Några ord på rad är lätta att minnas."],
    )
    assert log_in(browser("192.0.2.2"), ANNA).status_code == 303
    assert change(here, PASSWORD, NEW) == (303, [])
    assert (here.get("/settings").status_code, there.get("/settings").status_code) == (200, 303)
    assert log_in(browser("192.0.2.2"), ANNA).status_code == 422
    assert log_in(browser("192.0.2.2"), ANNA, NEW).status_code == 303
    assert "accounts.change_password" in recorded(superuser, "accounts")


def test_whoever_finds_an_open_screen_cannot_guess_the_old_one_for_long(
    blekinge: str, browser: Browser
) -> None:
    client, now = enter(browser(), ANNA), clock.now()
    with clock.at(now):
        found = [change(client, "fel lösenord", NEW)[0] for _ in range(FREE_TRIES + 1)]
        page = client.post("/settings/password", data={"password": PASSWORD, "new_password": NEW})
    assert found == [422] * FREE_TRIES + [429]
    assert "Vänta en sekund och försök igen." in page.text


def test_a_place_outside_every_branch_has_no_absences(blekinge: str, browser: Browser) -> None:
    client = enter(browser(), COORDINATOR)
    assert "Frånvaro och ersättare" not in client.get("/settings").text
    assert client.post("/settings/substitutes", data={"substitute": "1"}).status_code == 404
