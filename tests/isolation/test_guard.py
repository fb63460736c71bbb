"""Every route × every role × every case there may be between oneself and another: one table of what is answered."""

import re
from collections.abc import Callable, Iterator

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core.web import templates
from backend.deviations import actions, queries
from backend.deviations.forms import DeclineForm, InviteForm, WithdrawForm
from backend.deviations.models import Reason
from tests.deviations.verbs import ACCEPTED
from tests.isolation.conftest import do
from tests.isolation.guarded import BLOCKS, CASE, PEOPLE, READ_COPIES, SEES, door_of, routes
from tests.people import (
    ALICE,
    ALICES_UNIT,
    ANNA,
    ANNAS_UNIT,
    ANSWER,
    BOB,
    BOBS_UNIT,
    CHARLIE,
    IDA,
    acting,
    cookie_for,
    filed,
)

SCHOOL_NURSE, SCHOOL_HEALTH = "skolskoterska@solvesborg.example", "SE2120000852-E010"
PREFIX = "/deviations/{case_number}"
# What the frame around a page's blocks looks like, and the blocks of the error pages, which are always sent whole.
NOT_ASKED_FOR = {"title", "head", "main", "advice", "way"}
# What is answered to whoever may: done, seen, or that what was typed or how the case stands does not fit.
DONE = {200, 303, 409, 422}
# A block is drawn from what its page was given: one case of each answer shows that it is let through no other way.
ASKED_IN_PARTS = {"own", "left", "foreign", "missing"}
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
        "family_services": filed(IDA, sender_unit="SE2120000852-I010"),
        "school_health": filed(SCHOOL_NURSE, sender_unit=SCHOOL_HEALTH),
        "to_school_health": filed(BOB, sender_unit=BOBS_UNIT, receiver_unit=SCHOOL_HEALTH),
        "foreign": filed(CHARLIE, sender_unit="SE2120000829-V010"),
        "missing": "BLE-2026-000000",
    }
    do(ANNA, actions.decline, found["left"], DeclineForm(reason=Reason.NOT_INVOLVED, comment="Inte vi."))
    return found


@pytest.fixture
def copies(cases: dict[str, str], superuser: Engine) -> dict[str, int]:
    """What was sealed for the care branch when it declined a case, and for the ward when one was taken back from it."""
    taken_back = filed(IDA, sender_unit="SE2120000852-I010")
    do(IDA, actions.withdraw, taken_back, WithdrawForm(comment="Fel mottagare."))
    with superuser.connect() as connection:
        sealed = connection.execute(
            text("select d.case_number, c.id from sealed_copies c join deviations d on d.id = c.deviation_id")
        )
        of = {row[0]: row[1] for row in sealed}
    return {"ours": of[cases["left"]], "theirs": of[taken_back], "missing": 999999}


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


def test_every_block_that_may_be_asked_for_alone_stands_in_the_table() -> None:
    defined = {
        block
        for name in templates().list_templates(extensions=["html"])
        for block in templates().get_template(name).blocks
    }
    assert defined - NOT_ASKED_FOR == {block for named in BLOCKS.values() for block in named}


@pytest.mark.parametrize("ask", PEOPLE, indirect=True)
def test_a_copy_sealed_for_a_branch_opens_to_its_registrar_and_safety_alone(
    ask: Ask, copies: dict[str, int], request: pytest.FixtureRequest
) -> None:
    role = request.node.callspec.params["ask"]
    path, found = "/register/copies/{copy_id}", {}
    for whose, copy_id in copies.items():
        answers = _answers(ask, "GET", path, path.replace("{copy_id}", str(copy_id)))
        found[whose] = _codes(answers)
        number = ask("POST", path.replace("{copy_id}", str(copy_id))).status_code
        assert number == {"ours": {"registrar": 303, "safety": 403}.get(role, 404)}.get(whose, 404)
    assert found == {"ours": {200} if role in READ_COPIES else {404}, "theirs": {404}, "missing": {404}}


@pytest.mark.parametrize("ask", PEOPLE, indirect=True)
def test_a_case_opens_and_obeys_just_whom_the_table_names(
    app: FastAPI, ask: Ask, cases: dict[str, str], request: pytest.FixtureRequest
) -> None:
    """And what is another's is answered as what is not there: status, headers and body."""
    role = request.node.callspec.params["ask"]
    amiss: list[object] = []
    for method, path in case_routes(app):
        right = CASE[path.removeprefix(PREFIX)]
        missing = _answers(ask, method, path, _address(path, cases["missing"]))
        nothing = [_told(answer, cases["missing"]) for answer in missing]
        for state, number in cases.items():
            answers = _answers(ask, method, path, _address(path, number), parts=state in ASKED_IN_PARTS)
            found = _codes(answers)
            if role not in SEES[state] and not (state == "left" and role in right.left):
                fits = (
                    found == {404}
                    and [_told(answer, number) for answer in answers] == nothing[: len(answers)]
                )
            elif not right.holds(role, state):
                fits = found == {403}
            else:
                fits = found <= DONE
            if not fits:
                amiss.append((method, path, state, found))
    assert amiss == []


@pytest.mark.parametrize("ask", PEOPLE, indirect=True)
def test_whatever_is_not_a_case_opens_to_just_whom_the_table_names(
    app: FastAPI, ask: Ask, request: pytest.FixtureRequest
) -> None:
    role = request.node.callspec.params["ask"]
    amiss: list[object] = []
    for method, path in other_routes(app):
        if path == "/logout" or path == "/settings/sessions/end":
            continue  # ends what the rest of the test acts by
        door = door_of(method, path)
        assert door is not None
        found = _codes(_answers(ask, method, path, without_place(path)))
        if role not in door.opens_to:
            fits = found == {door.others}
        elif "{" in path:
            fits = found == {404}
        else:
            fits = found <= DONE
        if not fits:
            amiss.append((method, path, found))
    assert amiss == []


def test_school_health_files_and_answers_like_everybody(blekinge: str) -> None:
    ours = filed(SCHOOL_NURSE, sender_unit=SCHOOL_HEALTH)
    theirs = filed(BOB, sender_unit=BOBS_UNIT, receiver_unit=SCHOOL_HEALTH)
    do(BOB, actions.answer, ours, ANSWER)
    do(SCHOOL_NURSE, actions.judge, ours, ACCEPTED)
    do(SCHOOL_NURSE, actions.answer, theirs, ANSWER)
    with acting(SCHOOL_NURSE) as (db, me):
        states = [queries.deviation(db, me, number).state for number in (ours, theirs)]
    assert states == ["closed", "answered"]


def test_whoever_has_not_logged_in_is_shown_the_way_in_and_nothing_else(
    app: FastAPI, ask: Ask, cases: dict[str, str]
) -> None:
    amiss: list[object] = []
    for method, path in routes(app):
        door = None if path.startswith(PREFIX) else door_of(method, path)
        if door is not None and door.public:
            continue
        answers = [
            ask(method, without_place(_address(path, number))) for number in (cases["own"], cases["missing"])
        ]
        if any((one.status_code, one.headers.get("location", "")[:6]) != (303, "/login") for one in answers):
            amiss.append((method, path, [one.status_code for one in answers]))
        whole = ask(method, without_place(path), **_block("main"))
        if not whole.headers.get("HX-Redirect", "").startswith("/login"):
            amiss.append((method, path, dict(whole.headers)))
    assert amiss == []


def _block(name: str) -> dict[str, str]:
    """The headers by which htmx asks for a block: the element it belongs in, by tag and id."""
    return {"HX-Request": "true", "HX-Target": f"div#{name}"}


def _answers(ask: Ask, method: str, path: str, address: str, *, parts: bool = True) -> list[httpx2.Response]:
    """The answer, and those to whoever asks for a page's head, or, with `parts`, for its blocks alone."""
    found = [ask(method, address)]
    if method == "GET":
        found.append(ask("HEAD", address))
    if method == "GET" and parts:
        found += [ask("GET", address, **_block(name)) for name in ("main", *BLOCKS.get(path, ()))]
    return found


def _codes(answers: list[httpx2.Response]) -> set[int | str]:
    """What was answered, in all the ways of asking; in words where an answer holds what it should not. That no page
    answers HEAD (405) says nothing of what is there.
    """
    whole, heads, parts = answers[0], answers[1:2], answers[2:]
    found: set[int | str] = {whole.status_code, *(part.status_code for part in parts)}
    for head in heads:
        found |= {head.status_code} - {405}
        if head.content:
            found.add("HEAD has a body")
    if any(part.status_code == 200 and part.text.startswith("<!doctype") for part in parts):
        found.add("a block came with the whole page")
    return found


def _address(path: str, number: str) -> str:
    return path.replace("{case_number}", number).replace("{verb}", "question")


def _told(answer: httpx2.Response, number: str) -> tuple[object, ...]:
    """All of an answer but the time, the request's id, and the number that was asked for."""
    aside = {"date", "x-request-id"}
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in aside)
    own = answer.headers.get("x-request-id", "")
    body = answer.text.replace(number, "NUMBER")
    return answer.status_code, headers, body.replace(own, "ID") if own else body
