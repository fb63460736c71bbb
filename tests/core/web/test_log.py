"""The log says what happened to a request, and nothing of what it was about."""

import logging
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from tests.accounts.browsers import PASSWORD, log_in
from tests.people import ANNA, ANNAS_UNIT, BOB, BOBS_UNIT, CHARLIE, filed

CANARY = "Kanariefågel"
# Of Skatteverket's best known test person.
NUMBER = "19121212-1212"


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that was written to the log, by whatever way, since the last time."""
    caplog.set_level(logging.DEBUG)

    def since() -> str:
        out, err = capfd.readouterr()
        # Of the two that speak here, the first is the browser's side; the second only notes the loop's kind.
        other = [
            r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore", "asyncio"))
        ]
        caplog.clear()
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join([out, err, *other]))

    return since


def lines(log: str) -> list[tuple[str, str, str]]:
    """Method, route and status of each request."""
    return [
        (found["method"], found["route"], found["status"])
        for line in log.splitlines()
        if " request " in line
        for found in [dict(re.findall(r"(\w+)=(\S+)", line))]
    ]


def test_a_line_holds_the_pattern_of_the_route_and_nothing_that_was_typed(
    blekinge: str, client_of: Callable[..., TestClient], said: Callable[[], str]
) -> None:
    number = filed()
    anna, bob, charlie = client_of(ANNA), client_of(BOB), client_of(CHARLIE)
    said()
    report = {
        "category": "medication.list",
        "sender_unit": ANNAS_UNIT,
        "receiver_unit": BOBS_UNIT,
        "occurred_on": "2026-01-01",
        "target_group": "older",
    }
    anna.post("/deviations", data={**report, "description": f"{CANARY} kom hem utan lista."})
    anna.post("/deviations", data={**report, "description": f"{CANARY} {NUMBER} kom hem utan lista."})
    bob.get(f"/deviations/{number}")
    charlie.get(f"/deviations/{number}")
    anna.get("/deviations", params={"direction": CANARY, "state": NUMBER})
    anna.get("/deviations", params={"page": CANARY})
    anna.get(f"/{CANARY}/{NUMBER}")
    anna.get(f"/deviations/{CANARY}%00")
    bob.post(f"/deviations/{number}/answer", data={"cause": f"{CANARY} {NUMBER}"})
    anna.post("/deviations/draft", data={"description": CANARY}, headers={"Sec-Fetch-Site": "cross-site"})
    anna.get("/static/app.css", headers={"Referer": f"http://testserver/deviations/{number}"})
    anna.head("/healthz")
    log = said()
    assert lines(log) == [
        ("POST", "/deviations", "303"),
        ("POST", "/deviations", "422"),
        ("GET", "/deviations/{case_number}", "200"),
        ("GET", "/deviations/{case_number}", "404"),
        ("GET", "/deviations", "200"),
        ("GET", "/deviations", "422"),
        ("GET", "-", "404"),
        ("GET", "/deviations/{case_number}", "422"),
        ("POST", "/deviations/{case_number}/answer", "422"),
        ("POST", "-", "403"),
        ("GET", "-", "200"),
        ("HEAD", "/healthz", "200"),
    ]
    for word in (CANARY, NUMBER, NUMBER.replace("-", ""), number, "BLE-"):
        assert word not in log


def test_neither_password_nor_address_nor_cookie_is_in_the_log(
    blekinge: str, anonymous: TestClient, said: Callable[[], str]
) -> None:
    said()
    log_in(anonymous, ANNA, f"{CANARY} fel")
    log_in(anonymous, ANNA)
    token = anonymous.cookies["session"]
    anonymous.get("/")
    anonymous.post("/logout")
    log = said()
    assert [line[1:] for line in lines(log)] == [
        ("/login", "422"),
        ("/login", "303"),
        ("/", "200"),
        ("/logout", "303"),
    ]
    for word in (CANARY, PASSWORD, ANNA, token, "session="):
        assert word not in log
