"""The same walls around every answer, whatever became of the request."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.deviations import actions, queries
from tests.people import ALICE, ANNA, ANSWER, BOB, COORDINATOR, acting, filed

WALLS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
PRIVATE = {**WALLS, "Cache-Control": "no-store"}
FRAGMENT = {"HX-Request": "true", "HX-Target": "form#cases"}


def test_every_kind_of_answer_has_the_same_walls(
    blekinge: str, superuser: Engine, client_of: Callable[..., TestClient], anonymous: TestClient
) -> None:
    number = filed()
    with acting(BOB) as (db, me):
        actions.answer(db, me, queries.deviation(db, me, number), ANSWER)
    anna, bob = client_of(ANNA), client_of(BOB)
    answers = {
        "page": anna.get("/deviations"),
        "fragment": anna.get("/deviations", headers=FRAGMENT),
        "file": anna.get("/figures.csv"),
        "health": anonymous.get("/healthz"),
        "to the login": anonymous.get("/inbox"),
        "fragment to the login": anonymous.get("/inbox", headers=FRAGMENT),
        "another site": anonymous.post("/login", headers={"Sec-Fetch-Site": "cross-site"}),
        "wrong role": client_of(COORDINATOR).get("/deviations/new"),
        "stranger": client_of(ALICE).get(f"/deviations/{number}"),
        "no such page": anonymous.get("/nowhere"),
        "no such file": anonymous.get("/static/nowhere.css"),
        "wrong method": anonymous.put("/login"),
        "too late": bob.post(f"/deviations/{number}/acknowledge"),
        "too large": anonymous.post("/login", data={"email": "x" * 1_000_000}),
        "with faults": anonymous.post("/login"),
        "not a number": anna.get("/deviations?page=two"),
        "not a form": anonymous.post("/login", content=b"?", headers={"Content-Type": "multipart/form-data"}),
    }
    with superuser.begin() as connection:
        connection.execute(text("alter table sessions rename to lost"))
    answers["our fault"] = anna.get("/inbox")
    assert {what: answer.status_code for what, answer in answers.items()} == {
        "page": 200,
        "fragment": 200,
        "file": 200,
        "health": 200,
        "to the login": 303,
        "fragment to the login": 204,
        "another site": 403,
        "wrong role": 403,
        "stranger": 404,
        "no such page": 404,
        "no such file": 404,
        "wrong method": 405,
        "too late": 409,
        "too large": 413,
        "with faults": 422,
        "not a number": 422,
        "not a form": 400,
        "our fault": 500,
    }
    for what, answer in answers.items():
        assert (what, {name: answer.headers.get(name) for name in PRIVATE}) == (what, PRIVATE)
        assert (what, len(answer.headers["X-Request-Id"])) == (what, 16)
        assert (what, answer.headers.get("Strict-Transport-Security")) == (what, None)
    assert len({answer.headers["X-Request-Id"] for answer in answers.values()}) == len(answers)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("/static/app.css", "public, max-age=3600"),
        ("/static/app.css?v=1", "public, max-age=31536000, immutable"),
    ],
)
def test_a_file_has_the_same_walls_and_may_be_kept(anonymous: TestClient, address: str, kept: str) -> None:
    answer = anonymous.get(address)
    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in WALLS} == WALLS
    assert answer.headers["Cache-Control"] == kept


def test_a_request_id_cannot_be_given_from_outside(anonymous: TestClient) -> None:
    assert anonymous.get("/healthz", headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] != "mine"


@pytest.mark.parametrize("path", ["/help", "/healthz", "/nowhere", "/inbox", "/static/app.css"])
def test_head_is_answered_as_get_without_the_body(anonymous: TestClient, path: str) -> None:
    asked, read = anonymous.head(path), anonymous.get(path)
    different = {"x-request-id", "date"}
    assert asked.status_code == read.status_code
    assert {name: value for name, value in asked.headers.items() if name not in different} == {
        name: value for name, value in read.headers.items() if name not in different
    }
    assert asked.content == b""
