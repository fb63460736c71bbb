"""Every route × every role × every case there may be between oneself and another: one table of what is answered."""

import re
from collections.abc import Callable, Iterator

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.deviations import actions
from backend.deviations.forms import DeclineForm, InviteForm
from backend.deviations.models import Reason
from tests.isolation.conftest import do
from tests.isolation.guarded import CASE, PEOPLE, SEES, door_of, routes
from tests.people import ALICE, ALICES_UNIT, ANNA, ANNAS_UNIT, BOB, BOBS_UNIT, CHARLIE, IDA, cookie_for, filed

PREFIX = "/deviations/{case_number}"
FRAGMENT = {"HX-Request": "true", "HX-Target": "main#content"}
Ask = Callable[..., httpx2.Response]


@pytest.fixture(scope="module")
def cases(shared_blekinge: str) -> dict[str, str]:
    """One case of each kind in the table, seen from the care branch of Sölvesborg."""
    to_ward = {"sender_unit": BOBS_UNIT, "receiver_unit": ANNAS_UNIT}
    found = {
        "own": filed(ANNA),
        "reported": filed(ALICE, sender_unit=ALICES_UNIT),
        "sent_to_me": filed(BOB, **to_ward),
        "left": filed(BOB, **to_ward),
        "other_branch": filed(IDA, sender_unit="SE2120000852-I010"),
        "foreign": filed(CHARLIE, sender_unit="SE2120000829-V010"),
        "missing": "BLE-2026-000000",
    }
    do(ANNA, actions.decline, found["left"], DeclineForm(reason=Reason.NOT_INVOLVED, comment="Inte vi."))
    return found


@pytest.fixture(scope="module")
def browser(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False, headers={"Sec-Fetch-Site": "same-origin"}) as client:
        yield client


@pytest.fixture
def ask(browser: TestClient, cases: dict[str, str], request: pytest.FixtureRequest, superuser: Engine) -> Ask:
    """Ask as the role that the test is for; for nobody without."""
    role = getattr(request, "param", None)
    cookies: dict[str, str] = {}
    if role:
        if role == "co_investigator":
            with superuser.begin() as connection:
                connection.execute(
                    text(
                        "insert into people (email, title) values (:email, 'Arbetsterapeut') on conflict do nothing"
                    ),
                    {"email": PEOPLE[role][0]},
                )
            do(ANNA, actions.invite, cases["own"], InviteForm(email=PEOPLE[role][0]))
        name, token = cookie_for(*PEOPLE[role])
        cookies = {name: token}

    def asked(method: str, address: str, **headers: str) -> httpx2.Response:
        browser.cookies.clear()
        browser.cookies.update(cookies)
        return browser.request(method, address, headers=headers)

    return asked


def case_routes(app: FastAPI) -> list[tuple[str, str]]:
    return [(method, path) for method, path in routes(app) if path.startswith(PREFIX)]


def other_routes(app: FastAPI) -> list[tuple[str, str]]:
    return [(method, path) for method, path in routes(app) if not path.startswith(PREFIX)]


def without_place(path: str) -> str:
    """The address of something that is not there."""
    filled = {
        "submission": "00000000-0000-4000-8000-000000000009",
        "batch_id": "00000000-0000-4000-8000-000000000009",
        "county": "BLE",
        "month": "2020-01",
        "hsa_id": "SE2120000000-X",
    }
    return re.sub(r"\{(\w+)\}", lambda found: filled.get(found[1], "999999"), path)


def test_every_route_stands_in_the_table(app: FastAPI) -> None:
    assert {path for _method, path in case_routes(app)} == {PREFIX + rest for rest in CASE}
    assert [route for route in other_routes(app) if door_of(*route) is None] == []


@pytest.mark.parametrize("ask", PEOPLE, indirect=True)
def test_a_case_opens_and_obeys_just_whom_the_table_names(
    app: FastAPI, ask: Ask, cases: dict[str, str], request: pytest.FixtureRequest
) -> None:
    """And what is another's is answered as what is not there: status, headers and body."""
    role = request.node.callspec.params["ask"]
    amiss = []
    for method, path in case_routes(app):
        right = CASE[path.removeprefix(PREFIX)]
        nothing = _told(ask(method, _address(path, cases["missing"])), cases["missing"])
        for state, number in cases.items():
            address = _address(path, number)
            answer = ask(method, address)
            found = {answer.status_code}
            if method == "GET":
                found.add(ask("GET", address, **FRAGMENT).status_code)
            if role not in SEES[state] and not (state == "left" and role in right.left):
                fits = found == {404} and _told(answer, number) == nothing
            elif not right.holds(role, state):
                fits = found == {403}
            else:
                fits = not found & {401, 403, 404, 500}
            if not fits:
                amiss.append((method, path, state, sorted(found)))
    assert amiss == []


@pytest.mark.parametrize("ask", ["handler", "coordinator"], indirect=True)
def test_asking_for_the_head_alone_opens_nothing(app: FastAPI, ask: Ask, cases: dict[str, str]) -> None:
    for method, path in routes(app):
        if method == "GET":
            address = without_place(_address(path, cases["foreign"]))
            assert ask("HEAD", address).status_code in (405, ask("GET", address).status_code), path


@pytest.mark.parametrize("ask", PEOPLE, indirect=True)
def test_whatever_is_not_a_case_opens_to_just_whom_the_table_names(
    app: FastAPI, ask: Ask, request: pytest.FixtureRequest
) -> None:
    role = request.node.callspec.params["ask"]
    amiss = []
    for method, path in other_routes(app):
        if path == "/logout" or path == "/settings/sessions/end":
            continue  # ends what the rest of the test acts by
        door, answer = door_of(method, path), ask(method, without_place(path))
        assert door is not None
        found = {answer.status_code}
        if method == "GET":
            found.add(ask("GET", without_place(path), **FRAGMENT).status_code)
        if role not in door.opens_to:
            fits = found == {door.others}
        elif "{" in path:
            fits = found == {404}
        else:
            fits = found <= {200, 303, 409, 422}
        if not fits:
            amiss.append((method, path, sorted(found)))
    assert amiss == []


def test_whoever_has_not_logged_in_is_shown_the_way_in_and_nothing_else(
    app: FastAPI, ask: Ask, cases: dict[str, str]
) -> None:
    amiss = []
    for method, path in routes(app):
        door = None if path.startswith(PREFIX) else door_of(method, path)
        if door is not None and door.public:
            continue
        answers = [
            ask(method, without_place(_address(path, number))) for number in (cases["own"], cases["missing"])
        ]
        if any((one.status_code, one.headers.get("location", "")[:6]) != (303, "/login") for one in answers):
            amiss.append((method, path, [one.status_code for one in answers]))
        whole = ask(method, without_place(path), **FRAGMENT)
        if not whole.headers.get("HX-Redirect", "").startswith("/login"):
            amiss.append((method, path, dict(whole.headers)))
    assert amiss == []


def _address(path: str, number: str) -> str:
    return path.replace("{case_number}", number).replace("{verb}", "question")


def _told(answer: httpx2.Response, number: str) -> tuple[object, ...]:
    """All of an answer but the time, the request's id, and the number that was asked for."""
    aside = {"date", "x-request-id"}
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in aside)
    own = answer.headers.get("x-request-id", "")
    body = answer.text.replace(number, "NUMBER")
    return answer.status_code, headers, body.replace(own, "ID") if own else body
