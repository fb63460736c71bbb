"""The unit of work: what is told to a person is true, and what is not safe is not rung for."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from redis import Redis
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, StatementError

from backend.core import bell, clock, db
from backend.core.jobs import Owed
from backend.core.web.middleware import HEADERS
from backend.settings import settings
from tests.people import ANNA, ANNAS_UNIT, BOB, BOBS_UNIT, CHARLIE, filed

REPORT = {
    "description": "Patienten kom hem utan läkemedelslista.",
    "category": "medication.list",
    "sender_unit": ANNAS_UNIT,
    "receiver_unit": BOBS_UNIT,
    "occurred_on": clock.today().isoformat(),
    "target_group": "older",
}


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """The real broker, in a numbered database that no other test rings into."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 15 + 1
    ours, theirs = _numbered(os.environ["REDIS_URL"], number)
    with Redis.from_url(theirs) as client:
        client.flushdb()
        with monkeypatch.context() as patch:
            patch.setenv("REDIS_URL", ours)
            _forget_the_settings()
            yield client
        _forget_the_settings()
        client.flushdb()


def _numbered(url: str, number: int) -> tuple[str, str]:
    """That database of the broker, as Celery and as redis-py write it."""
    if url.startswith("redis+socket://"):
        socket = url.removeprefix("redis+socket://").partition("?")[0]
        return f"redis+socket://{socket}?virtual_host={number}", f"unix://{socket}?db={number}"
    address = urlsplit(url)._replace(path=f"/{number}").geturl()
    return address, address


def _forget_the_settings() -> None:
    settings.cache_clear()
    bell.broker_url.cache_clear()


def rung(broker: Redis) -> list[str]:
    """The jobs rung for until now. One bell rings them in order, so a last one tells when all are there."""
    bell.ring("test.last")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = [json.loads(message)["headers"]["task"] for message in broker.lrange("celery", 0, -1)]
        if found[:1] == ["test.last"]:
            return found[:0:-1]
        time.sleep(0.01)
    raise AssertionError("the bell does not ring")


def commits_fail(superuser: Engine) -> None:
    """Every statement of a report goes through, and then its commit does not."""
    with superuser.begin() as connection:
        connection.exec_driver_sql(
            "create function refuse() returns trigger language plpgsql as"
            " $$ begin raise exception 'the disk is full'; end $$;"
            "create constraint trigger refused_at_commit after insert on deviations"
            " deferrable initially deferred for each row execute function refuse()"
        )


def stored(superuser: Engine) -> dict[str, int | None]:
    with superuser.connect() as connection:
        return {
            table: connection.scalar(text(f"select count(*) from {table} {where}"))
            for table, where in {
                "deviations": "",
                "outbox": "where kind = 'notifications.arrival'",
                "audit_log": "where action = 'deviations.report'",
            }.items()
        }


def test_a_report_whose_commit_fails_is_an_error_to_the_person_and_rings_no_job(
    blekinge: str, superuser: Engine, client_of: Callable[..., TestClient], broker: Redis
) -> None:
    """The first test of the project: with the dependency's default scope the answer would be "saved"."""
    client = client_of(ANNA)
    commits_fail(superuser)
    answer = client.post("/deviations", data=REPORT)
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["Cache-Control"] == "no-store"
    assert re.findall(r"<h1[^>]*>([^<]*)", answer.text) == ["Något gick fel hos oss"]
    assert "Det du gjorde sparades inte." in answer.text
    assert "the disk is full" not in answer.text
    assert REPORT["description"] in answer.text  # to be copied, and sent again
    assert stored(superuser) == {"deviations": 0, "outbox": 0, "audit_log": 0}
    assert rung(broker) == []


def test_a_report_that_is_saved_rings_once_for_its_mail(
    blekinge: str, superuser: Engine, client_of: Callable[..., TestClient], broker: Redis
) -> None:
    answer = client_of(ANNA).post("/deviations", data=REPORT)
    assert answer.status_code == 303
    assert stored(superuser) == {"deviations": 1, "outbox": 1, "audit_log": 1}
    assert rung(broker) == ["notifications.arrival"]


def test_what_waits_for_the_commit_is_done_once_and_after_it(database: str, superuser: Engine) -> None:
    seen: list[int | None] = []

    def look() -> None:
        with superuser.connect() as connection:
            seen.append(connection.scalar(text("select count(*) from outbox")))

    with db.unit_of_work(db.NOBODY) as session:
        session.add(_owed("one"))
        db.after_commit(session, look)
        db.after_commit(session, look)
        assert seen == []
    assert seen == [1]


def test_what_waits_for_the_commit_is_not_done_where_the_work_fails(database: str) -> None:
    done: list[str] = []

    def fail() -> None:
        with db.unit_of_work(db.NOBODY) as session:
            db.after_commit(session, lambda: done.append("rung"))
            raise RuntimeError("before the commit")

    with pytest.raises(RuntimeError):
        fail()
    assert done == []


def test_a_witness_stands_when_the_work_around_it_is_undone(database: str, superuser: Engine) -> None:
    def fail() -> None:
        with db.unit_of_work(db.NOBODY) as session:
            session.add(_owed("undone"))
            session.flush()
            with db.witness() as aside:
                aside.add(_owed("witnessed"))
            raise RuntimeError("the request fails")

    with pytest.raises(RuntimeError):
        fail()
    with superuser.connect() as connection:
        assert connection.scalars(text("select key from outbox")).all() == ["witnessed"]


def _owed(key: str) -> Owed:
    return Owed(kind="test.kind", key=key, due_at=clock.now(), owed_at=clock.now())


def test_a_connection_goes_back_to_the_pool_without_role_branch_or_person(database: str) -> None:
    settings_of = text(
        "select current_user, current_setting('app.branches', true), current_setting('app.person', true)"
    )
    with db.unit_of_work(db.Scope(branches=(7, 8), person=9)) as session:
        assert tuple(session.execute(settings_of).one()) == ("samsvar_app", "{7,8}", "9")
        used = session.scalar(text("select pg_backend_pid()"))
    with db.engine().connect() as connection:
        assert connection.scalar(text("select pg_backend_pid()")) == used
        assert tuple(connection.execute(settings_of).one()) == ("samsvar_web", "", "")


def test_a_scope_holds_through_a_savepoint_and_in_the_next_transaction(database: str) -> None:
    role = text("select current_user")
    with db.unit_of_work(db.COUNTER) as session:
        with session.begin_nested():
            assert session.scalar(role) == "samsvar_counter"
        session.rollback()
        assert session.scalar(role) == "samsvar_counter"


def test_a_unit_of_work_becomes_someones_only_once(database: str) -> None:
    with db.unit_of_work(db.NOBODY) as session:
        db.narrow(session, db.Scope(branches=(1,), person=1))
        with pytest.raises(RuntimeError, match="already belongs to someone"):
            db.narrow(session, db.Scope(branches=(2,), person=2))


def test_web_may_not_become_operator_or_owner(database: str) -> None:
    for role in ("operator", "owner"):
        with (
            pytest.raises(DBAPIError, match="permission denied to set role"),
            db.unit_of_work(db.Scope(role)) as session,
        ):
            session.execute(text("select 1"))


def test_the_text_of_a_database_error_carries_no_parameters(database: str) -> None:
    with pytest.raises(DBAPIError) as failed, db.unit_of_work(db.NOBODY) as session:
        session.execute(text("select 1 / 0, cast(:typed as text)"), {"typed": "kanariefågel"})
    assert "division by zero" in str(failed.value)
    assert "kanariefågel" not in str(failed.value)


def test_a_naive_time_is_refused(database: str) -> None:
    with pytest.raises(StatementError, match="a naive time"), db.unit_of_work(db.NOBODY) as session:
        session.add(Owed(kind="test.kind", due_at=clock.now().replace(tzinfo=None), owed_at=clock.now()))


# The pool's size and overflow, less the one that is left to the request.
ALL_BUT_ONE = 29


def test_a_request_needs_one_connection_at_a_time(
    blekinge: str, superuser: Engine, client_of: Callable[..., TestClient]
) -> None:
    """Requests that hold one and wait for another would, all together, wait for ever."""
    number = filed()
    anna, charlie = client_of(ANNA), client_of(CHARLIE)
    held = [db.engine().connect() for _ in range(ALL_BUT_ONE)]
    try:
        began = time.monotonic()
        answers = [
            anna.post("/login", data={"email": ANNA, "password": "fel"}),
            anna.get("/"),
            anna.post("/deviations", data=REPORT),
            charlie.get(f"/deviations/{number}"),
            charlie.post(f"/deviations/{number}/withdraw", data={"comment": "Fel."}),
            charlie.post("/login", data={"email": BOB, "password": "samsvar-demo"}),
        ]
        assert [answer.status_code for answer in answers] == [422, 200, 303, 404, 404, 303]
        assert time.monotonic() - began < 20
    finally:
        for connection in held:
            connection.close()
