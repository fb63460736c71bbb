"""Who saw or did what, as whom, and when: one row a page, and never one less."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from backend.audit import actions as audit
from backend.core import clock, db
from tests.people import ALICE, ANNA, BOB, CHARLIE, COORDINATOR, MATS, acting, filed

CARE, REGION, KARLSKRONA = "SE2120000852-V000", "SE2321000081-B000", "SE2120000829-V000"
Row = tuple[str, str | None, list[str], str | None, list[str]]


@pytest.fixture
def written(blekinge: str, superuser: Engine) -> Callable[[], list[Row]]:
    """What was added since the last time: action, person, roles, branch, cases. The times are checked here."""
    with superuser.connect() as connection:
        last = [connection.scalar(text("select coalesce(max(id), 0) from audit_log"))]

    def since() -> list[Row]:
        with superuser.connect() as connection:
            found = connection.execute(
                text(
                    "select log.id, at, action, email, roles, b.hsa_id, cases, details, session_id"
                    " from audit_log log left join people p on p.id = person_id"
                    " left join branches b on b.id = branch_id where log.id > :last order by log.id"
                ),
                {"last": last[0]},
            ).all()
        last[0] = max((row.id for row in found), default=last[0])
        assert all(clock.now() - row.at < timedelta(minutes=5) for row in found)
        assert all(row.session_id is not None for row in found if row.action.startswith(("refused", "home")))
        return [(row.action, row.email, row.roles, row.hsa_id, row.cases) for row in found]

    return since


def shown(page: Any) -> list[str]:
    main = page.text.partition('<main id="main"')[2]
    return sorted(set(re.findall(r"BLE-\d{4}-\w{6}", main)))


ANNAS = (ANNA, ["handler", "reporter"], CARE)
BOBS = (BOB, ["handler", "reporter"], REGION)
MATSS = (MATS, ["handler", "safety"], CARE)


def test_every_page_that_shows_cases_is_one_row_with_their_numbers(
    blekinge: str, client_of: Callable[..., TestClient], written: Callable[[], list[Row]]
) -> None:
    first, second = sorted([filed(), filed()])
    anna, bob, mats = client_of(ANNA), client_of(BOB), client_of(MATS)
    written()
    for client, who, path, action, cases in (
        (anna, ANNAS, f"/deviations/{first}", "deviations.show", [first]),
        (bob, BOBS, f"/deviations/{first}", "deviations.show", [first]),
        (mats, MATSS, f"/deviations/{first}", "deviations.show", [first]),
        (bob, BOBS, f"/deviations/{first}/answer", "deviations.show", [first]),
        (anna, ANNAS, "/deviations", "deviations.list", [first, second]),
        (bob, BOBS, "/inbox", "deviations.inbox", [first, second]),
        (anna, ANNAS, "/", "home", [first, second]),
        (bob, BOBS, "/", "home", [first, second]),
    ):
        page = client.get(path)
        assert page.status_code == 200
        assert (path, shown(page)) == (path, cases)
        (row,) = written()
        assert (*row[:4], sorted(row[4])) == (action, *who, cases)
        # A block of the page shows the same, and so does a look at its headers alone.
        client.get(path, headers={"HX-Request": "true", "HX-Target": "form#cases"})
        client.head(path)
        assert [again[:4] for again in written()] == [row[:4]] * 2


def test_a_page_without_cases_writes_nothing(
    blekinge: str, client_of: Callable[..., TestClient], written: Callable[[], list[Row]]
) -> None:
    filed()
    charlie = client_of(CHARLIE)
    written()
    for path in ("/", "/settings", "/help", "/directory", "/summaries", "/deviations/new"):
        page = charlie.get(path)
        assert (path, page.status_code, shown(page)) == (path, 200, [])
    assert written() == []


def test_what_was_found_to_be_wrong_on_a_page_that_shows_the_case_is_a_view_too(
    blekinge: str, client_of: Callable[..., TestClient], written: Callable[[], list[Row]]
) -> None:
    number = filed()
    anna, bob = client_of(ANNA), client_of(BOB)
    written()
    assert bob.post(f"/deviations/{number}/answer").status_code == 422
    assert anna.post(f"/deviations/{number}/withdraw").status_code == 422
    assert written() == [("deviations.show", *BOBS, [number]), ("deviations.show", *ANNAS, [number])]


def test_a_deed_is_on_record_with_its_case(
    blekinge: str, client_of: Callable[..., TestClient], written: Callable[[], list[Row]]
) -> None:
    number = filed()
    assert written()[-1] == ("deviations.report", *ANNAS, [number])
    bob = client_of(BOB)
    written()
    bob.post(f"/deviations/{number}/acknowledge")
    assert written() == [("deviations.acknowledge", *BOBS, [number])]


def test_a_refusal_is_on_record_though_its_request_was_undone(
    blekinge: str, client_of: Callable[..., TestClient], written: Callable[[], list[Row]]
) -> None:
    number = filed()
    alice, anna, charlie, county = (client_of(who) for who in (ALICE, ANNA, CHARLIE, COORDINATOR))
    written()
    tries = [
        charlie.get(f"/deviations/{number}"),
        charlie.get("/deviations/BLE-2026-000000"),
        charlie.post(f"/deviations/{number}/withdraw", data={"comment": "Fel."}),
        alice.get(f"/deviations/{number}"),
        anna.get(f"/deviations/{number}/answer"),
        county.get("/deviations/new"),
    ]
    assert [answer.status_code for answer in tries] == [404, 404, 404, 404, 403, 403]
    charlies = (CHARLIE, ["handler", "reporter"], KARLSKRONA)
    assert written() == [
        ("refused.404", *charlies, [number]),
        ("refused.404", *charlies, ["BLE-2026-000000"]),
        ("refused.404", *charlies, [number]),
        ("refused.404", ALICE, ["reporter"], CARE, [number]),
        ("refused.403", *ANNAS, [number]),
        ("refused.403", COORDINATOR, ["coordinator"], None, []),
    ]


def test_the_number_asked_for_is_kept_short(
    blekinge: str, client_of: Callable[..., TestClient], written: Callable[[], list[Row]]
) -> None:
    charlie = client_of(CHARLIE)
    written()
    charlie.get(f"/deviations/{'x' * 500}")
    assert [row[4] for row in written()] == [["x" * 40]]


def test_a_record_is_undone_with_the_deed_it_tells_of(
    blekinge: str, written: Callable[[], list[Row]]
) -> None:
    def fail() -> None:
        with acting(ANNA) as (session, me):
            audit.record(session, me, "test.deed")
            raise RuntimeError("after the record")

    with pytest.raises(RuntimeError):
        fail()
    assert "test.deed" not in [row[0] for row in written()]


def test_the_log_is_only_added_to(blekinge: str, superuser: Engine) -> None:
    filed()
    with superuser.connect() as connection:
        before = connection.execute(text("select * from audit_log order by id")).all()
    assert before != []
    for statement in (
        "update audit_log set action = 'nothing'",
        "delete from audit_log",
        "truncate audit_log",
        "drop table audit_log",
        "alter table audit_log disable row level security",
    ):
        for role in ("app", "counter"):
            with pytest.raises(DBAPIError), db.unit_of_work(db.Scope(role, branches=(1, 2, 3))) as session:
                session.execute(text(statement))
    with superuser.connect() as connection:
        assert connection.execute(text("select * from audit_log order by id")).all() == before


def test_nobody_writes_in_the_log_of_another_branch(blekinge: str, superuser: Engine) -> None:
    with superuser.connect() as connection:
        ids: dict[str, int] = dict(connection.execute(text("select hsa_id, id from branches")).all())
    forged = text(
        "insert into audit_log (at, action, branch_id, roles, cases, details)"
        " values (now(), 'forged', :branch, '{}', '{}', '{}')"
    )
    with db.unit_of_work(db.Scope(branches=(ids[CARE],))) as session:
        session.execute(forged, {"branch": ids[CARE]})
    with pytest.raises(DBAPIError), db.unit_of_work(db.Scope(branches=(ids[CARE],))) as session:
        session.execute(forged, {"branch": ids[REGION]})
