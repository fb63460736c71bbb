"""The calendar of what waits: by a secret address, numbers only, and gone when its owner is."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations import actions, queries
from backend.deviations.forms import DeclineForm
from backend.deviations.models import Reason
from tests.deviations.test_ical import parsed
from tests.isolation.conftest import do
from tests.people import ANNA, ANSWER, BOB, COORDINATOR, IDA, MATS, acting, filed

pytestmark = pytest.mark.usefixtures("blekinge")

Of = Callable[..., TestClient]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def opened(client: TestClient) -> str:
    """The address that a person is shown, once."""
    page = client.post("/settings/calendar")
    assert page.status_code == 200
    found = re.search(r'id="calendar_address"[^>]*value="https?://[^/]+(/calendar/[\w-]+\.ics)"', page.text)
    assert found is not None, page.text
    return found[1]


def test_it_holds_what_the_inbox_holds_each_on_its_day_and_nothing_else_of_a_case(
    client_of: Of, anonymous: TestClient
) -> None:
    with clock.at(NOW):
        to_acknowledge, to_answer, late = (
            filed(ANNA, description="Kanariefågeln kom hem.") for _ in range(3)
        )
        do(BOB, actions.acknowledge, to_answer)
        address = opened(client_of(BOB))
        answer = anonymous.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        events = parsed(answer.text)
        assert [(one["SUMMARY"], one["DTSTART;VALUE=DATE"]) for one in events] == [
            (f"{to_acknowledge}: kvittera", "20260309"),
            (f"{late}: kvittera", "20260309"),
            (f"{to_answer}: svara", "20260504"),
        ]
        assert events[0]["URL"].endswith(f"/deviations/{to_acknowledge}")
        assert [
            w for w in ("Kanariefågeln", "Hemsjukvård", "Sölvesborg", "Läkemedel") if w in answer.text
        ] == []
        again = parsed(anonymous.get(address).text)
        assert [one["UID"] for one in again] == [one["UID"] for one in events]
    # What is late stands on today, until it is done.
    with clock.at(NOW + timedelta(days=10)):
        assert [one["DTSTART;VALUE=DATE"] for one in parsed(anonymous.get(address).text)][:2] == [
            "20260312"
        ] * 2
    with clock.at(NOW):
        do(BOB, actions.answer, to_answer, ANSWER)
        do(BOB, actions.decline, late, DeclineForm(reason=Reason.NOT_INVOLVED, comment="Inte vi."))
        assert [one["SUMMARY"] for one in parsed(anonymous.get(address).text)] == [
            f"{to_acknowledge}: kvittera"
        ]
        sender = parsed(anonymous.get(opened(client_of(ANNA))).text)
        assert {one["SUMMARY"] for one in sender} == {
            f"{to_answer}: läs svaret",
            f"{late}: skicka vidare eller återta",
        }
        assert parsed(anonymous.get(opened(client_of(IDA))).text) == []


def test_nobody_is_looked_at_but_the_owner_of_the_address(client_of: Of) -> None:
    """A browser in which somebody else is logged in reads the owner's calendar, not its own."""
    with clock.at(NOW):
        number = filed(ANNA)
        address = opened(client_of(BOB))
        assert [one["SUMMARY"] for one in parsed(client_of(IDA).get(address).text)] == [f"{number}: kvittera"]


def test_an_address_that_is_ended_renewed_or_never_was_is_answered_alike(
    client_of: Of, anonymous: TestClient
) -> None:
    with clock.at(NOW):
        bob = client_of(BOB)
        first, second = opened(bob), opened(bob)
        never = f"/calendar/{'x' * 43}.ics"
        assert anonymous.get(second).status_code == 200
        told = {_told(anonymous, address) for address in (first, never)}
        assert (
            bob.post("/settings/calendar/end").headers["location"]
            == "/settings/notifications?done=calendar_ended"
        )
        told.add(_told(anonymous, second))
        assert len(told) == 1
        assert next(iter(told))[0] == 404


def _told(client: TestClient, address: str) -> tuple[object, ...]:
    answer = client.get(address)
    headers = tuple((k, v) for k, v in answer.headers.items() if k not in ("date", "x-request-id"))
    return answer.status_code, headers, answer.text.replace(answer.headers["x-request-id"], "")


@pytest.mark.parametrize(
    "ending",
    [
        "update people set ended_on = '2026-03-02' where email = :email",
        "update assignments set valid_to = '2026-03-01' where person_id = (select id from people where email = :email)",
    ],
)
def test_it_ends_with_the_person_or_the_assignment(
    client_of: Of, anonymous: TestClient, superuser: Engine, ending: str
) -> None:
    with clock.at(NOW):
        address = opened(client_of(BOB))
        assert anonymous.get(address).status_code == 200
        with superuser.begin() as connection:
            connection.execute(text(ending), {"email": BOB})
        assert anonymous.get(address).status_code == 404


def test_only_a_hash_is_kept_and_the_address_is_in_no_log(
    client_of: Of, anonymous: TestClient, superuser: Engine
) -> None:
    with clock.at(NOW), structlog.testing.capture_logs() as lines:
        number = filed(ANNA)
        bob = client_of(BOB)
        address = opened(bob)
        token = address.split("/")[2].removesuffix(".ics")
        assert len(token) == 43  # 256 bits
        anonymous.get(address)
        assert token not in bob.get("/settings/notifications").text
    assert [line for line in lines if token in str(line)] == []
    assert [line["route"] for line in lines if line.get("route", "").startswith("/calendar")] == [
        "/calendar/{token}.ics"
    ]
    with superuser.connect() as connection:
        kept = connection.execute(text("select f::text from calendar_feeds f")).scalars().all()
        assert [row for row in kept if token in row] == []
        assert len(kept) == 1
        rows = connection.execute(
            text(
                "select action, cases, b.hsa_id from audit_log l join branches b on b.id = branch_id"
                " where action ~ 'calendar' order by l.id"
            )
        ).all()
    assert [tuple(row) for row in rows] == [
        ("calendar.open", [], "SE2321000081-B000"),
        ("calendar.feed", [number], "SE2321000081-B000"),
    ]


def test_whoever_works_in_no_branch_has_no_calendar(client_of: Of) -> None:
    coordinator = client_of(COORDINATOR)
    assert coordinator.post("/settings/calendar").status_code == 404
    assert coordinator.post("/settings/calendar/end").status_code == 404
    assert "Kalender" not in coordinator.get("/settings/notifications").text


def test_each_branch_of_a_person_has_its_own(client_of: Of, superuser: Engine) -> None:
    with clock.at(NOW):
        opened(client_of(MATS))
        opened(client_of(BOB))
        with acting(MATS) as (db, me):
            assert queries.calendar_feed(db, me) is not None
        with acting(IDA) as (db, me):
            assert queries.calendar_feed(db, me) is None
