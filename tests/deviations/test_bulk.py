"""Many cases at once: each by itself, told one by one, and taken back while nothing else has happened."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations import actions, queries
from tests.people import ALICE, ANNA, ANSWER, BERIT, BOB, CHARLIE, COORDINATOR, IDA, acting, filed

Of = Callable[..., TestClient]


def bulk(client: TestClient, *numbers: str) -> str:
    answer = client.post("/deviations/bulk", data={"verb": "acknowledge", "case_number": list(numbers)})
    assert answer.status_code == 303
    return str(answer.headers["location"])


def state(superuser: Engine, number: str) -> tuple[str, bool, bool]:
    """Its state, and whether the case and its leg are acknowledged."""
    with superuser.connect() as connection:
        row = connection.execute(
            text(
                "select d.state, d.acknowledged_at is not null, h.acknowledged_at is not null from deviations d"
                " join handovers h on h.deviation_id = d.id where case_number = :number"
            ),
            {"number": number},
        ).one()
    return row[0], row[1], row[2]


SENT, ACKNOWLEDGED = ("sent", False, False), ("acknowledged", True, True)


@pytest.fixture
def cases(blekinge: str) -> list[str]:
    return sorted(filed(ANNA) for _ in range(3))


def test_many_are_acknowledged_and_taken_back(client_of: Of, cases: list[str], superuser: Engine) -> None:
    bob = client_of(BOB)
    with superuser.connect() as connection:
        due = connection.execute(text("select case_number, next_due_on from deviations order by 1")).all()
    address = bulk(bob, *cases)
    assert [state(superuser, number) for number in cases] == [ACKNOWLEDGED] * 3
    page = bob.get(address).text
    assert ("<h1>Tre ärenden är kvitterade.</h1>" in page, "Ångra" in page) == (True, True)
    assert bob.post(f"{address}/undo").headers["location"] == address
    assert [state(superuser, number) for number in cases] == [SENT] * 3
    with superuser.connect() as connection:
        assert (
            connection.execute(text("select case_number, next_due_on from deviations order by 1")).all()
            == due
        )
        verbs = connection.scalars(text("select verb from events order by deviation_id, id")).all()
    assert verbs == ["sent", "acknowledge", "unacknowledge"] * 3
    page = bob.get(address).text
    assert "Ångrat: tre ärenden väntar åter på kvittens." in page
    assert "Kvittensen togs tillbaka" in bob.get(f"/deviations/{cases[0]}").text
    assert bob.post(f"{address}/undo").status_code == 409


def test_what_fails_stops_no_other_and_says_why(client_of: Of, cases: list[str], superuser: Engine) -> None:
    first, second, third = cases
    foreign = filed(CHARLIE, sender_unit="SE2120000829-V010", receiver_unit="SE2120000852-V010")
    with acting(BERIT) as (session, me):
        actions.answer(session, me, queries.deviation(session, me, second), ANSWER)
    bob = client_of(BOB)
    page = bob.get(bulk(bob, third, first, second, foreign, "BLE-2026-00000Z")).text
    assert [state(superuser, number)[0] for number in cases] == ["acknowledged", "answered", "acknowledged"]
    assert "<h1>Två ärenden är kvitterade.</h1>" in page
    left = page.partition("Står kvar som det var")[2]
    rows = dict(re.findall(r'<dt>([^<]*)</dt>\s*<dd class="prose">([^<]*)</dd>', left))
    assert set(rows) == {second, foreign, "BLE-2026-00000Z"}
    assert rows[second].startswith("Ärendet besvarades")
    # A foreign case is told as a missing one.
    assert rows[foreign] == rows["BLE-2026-00000Z"] == "Ärendet finns inte eller hör till ett annat uppdrag."


def test_what_has_moved_on_is_not_taken_back(client_of: Of, cases: list[str], superuser: Engine) -> None:
    bob = client_of(BOB)
    address = bulk(bob, *cases)
    with acting(BERIT) as (session, me):
        actions.answer(session, me, queries.deviation(session, me, cases[1]), ANSWER)
    bob.post(f"{address}/undo")
    assert [state(superuser, number)[0] for number in cases] == ["sent", "answered", "sent"]
    page = bob.get(address).text
    assert "Ångrat: två ärenden väntar åter på kvittens." in page
    assert "Ärendet besvarades" in page


def test_after_ten_minutes_it_is_too_late(client_of: Of, cases: list[str], superuser: Engine) -> None:
    bob = client_of(BOB)
    address = bulk(bob, *cases)
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert "Ångra" not in bob.get(address).text
        assert bob.post(f"{address}/undo").status_code == 409
    assert [state(superuser, number) for number in cases] == [ACKNOWLEDGED] * 3


def test_only_the_one_who_acknowledged_takes_it_back(
    client_of: Of, cases: list[str], superuser: Engine
) -> None:
    address = bulk(client_of(BOB), *cases)
    for who in (BERIT, ANNA, CHARLIE):
        other = client_of(who)
        assert (other.get(address).status_code, other.post(f"{address}/undo").status_code) == (404, 404)
    from backend.core.errors import ForbiddenError

    with acting(BERIT) as (session, me), pytest.raises(ForbiddenError):
        actions.unacknowledge(session, me, queries.deviation(session, me, cases[0]))
    assert state(superuser, cases[0]) == ACKNOWLEDGED


def test_the_same_case_twice_is_once_and_none_is_a_kind_word(client_of: Of, cases: list[str]) -> None:
    bob = client_of(BOB)
    page = bob.get(bulk(bob, cases[0], cases[0])).text
    assert "<h1>Ett ärende är kvitterat.</h1>" in page
    nothing = bob.post("/deviations/bulk", data={"verb": "acknowledge"})
    assert "Inget ärende var markerat." in bob.get(nothing.headers["location"]).text


@pytest.mark.parametrize(("who", "status"), [(ALICE, 303), (IDA, 303), (COORDINATOR, 403)])
def test_who_sees_none_of_them_acknowledges_none(
    client_of: Of, cases: list[str], superuser: Engine, who: str, status: int
) -> None:
    client = client_of(who)
    answer = client.post("/deviations/bulk", data={"verb": "acknowledge", "case_number": cases})
    assert answer.status_code in (status, 403)
    assert [state(superuser, number) for number in cases] == [SENT] * 3


@pytest.mark.parametrize(
    "data",
    [{"verb": "answer"}, {}, {"verb": "acknowledge", "case_number": [f"BLE-2026-{n:06}" for n in range(51)]}],
)
def test_what_no_page_sends_is_refused(client_of: Of, cases: list[str], data: dict[str, object]) -> None:
    assert client_of(BOB).post("/deviations/bulk", data={"case_number": cases, **data}).status_code == 422


def test_the_batch_page_with_a_bad_id(client_of: Of, blekinge: str) -> None:
    bob = client_of(BOB)
    assert bob.get("/deviations/batches/nonsense").status_code == 422
    assert bob.get("/deviations/batches/00000000-0000-4000-8000-000000000000").status_code == 404
    assert bob.get("/deviations/bulk").status_code == 404  # no case has that number


def handlers(superuser: Engine, cases: list[str]) -> list[str | None]:
    with superuser.connect() as connection:
        return [
            connection.scalar(
                text(
                    "select p.email from deviations d left join sides s on s.deviation_id = d.id"
                    " and s.branch_id = d.receiver_branch_id left join people p on p.id = s.handler_id"
                    " where d.case_number = :number"
                ),
                {"number": number},
            )
            for number in cases
        ]


def test_what_a_colleague_has_taken_since_is_not_taken_from_them(
    client_of: Of, cases: list[str], superuser: Engine
) -> None:
    boss, bob = client_of(BERIT), client_of(BOB)
    answer = boss.post("/deviations/bulk", data={"verb": "assign", "case_number": cases})
    address = str(answer.headers["location"])
    assert handlers(superuser, cases) == [BERIT] * 3
    with acting(BOB) as (_session, me):
        bob.post(f"/deviations/{cases[1]}/assign", data={"person": me.person_id})
    boss.post(f"{address}/undo")
    assert handlers(superuser, cases) == [None, BOB, None]
    page = boss.get(address).text
    assert "Ångrat: två ärenden har samma handläggare som förut." in page
    left = page.partition("Står kvar som det var")[2]
    assert re.findall(r'<dt>([^<]*)</dt>\s*<dd class="prose">([^<]*)</dd>', left) == [
        (cases[1], "Någon annan har blivit handläggare sedan dess.")
    ]


def test_many_are_taken_at_once_and_given_back(client_of: Of, cases: list[str], superuser: Engine) -> None:
    bob = client_of(BOB)
    bob.post(f"/deviations/{cases[0]}/acknowledge")
    answer = bob.post("/deviations/bulk", data={"verb": "assign", "case_number": cases})
    address = str(answer.headers["location"])
    assert handlers(superuser, cases) == [BOB] * 3
    assert "Tre ärenden är tilldelade." in bob.get(address).text
    bob.post(f"{address}/undo")
    assert handlers(superuser, cases) == [None] * 3
    assert "Ångrat: tre ärenden har samma handläggare som förut." in bob.get(address).text
