"""The outbox: what is owed is done once, by one worker, however many claim and however they die."""

import os
import secrets
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError
from structlog.testing import capture_logs

from backend.core import clock, jobs
from backend.core.db import NOBODY, unit_of_work
from backend.settings import ROOT
from tests.conftest import web_url
from tests.workers.broker import rung

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def kind() -> str:
    """A kind of job that no other test rings for: all share one broker."""
    return f"test.{secrets.token_hex(6)}"


def owe(kind: str, *, times: int = 1, due_at: datetime | None = None, key: str | None = None) -> None:
    with unit_of_work(NOBODY) as db:
        for subject in range(times):
            jobs.owe(db, kind, subject_id=subject, due_at=due_at, key=key)


def rows(superuser: Engine, columns: str) -> list[tuple[object, ...]]:
    with superuser.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"select {columns} from outbox order by id"))]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def test_a_debt_is_gone_with_the_work_that_caused_it_and_nothing_is_rung(
    database: str, superuser: Engine, kind: str
) -> None:
    def owe_and_fail() -> None:
        with unit_of_work(NOBODY) as db:
            jobs.owe(db, kind)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        owe_and_fail()
    assert (rows(superuser, "kind"), rung(kind)) == ([], 0)


def test_a_commit_that_fails_rings_no_job(database: str, superuser: Engine, kind: str) -> None:
    with superuser.begin() as connection:
        connection.exec_driver_sql(
            "create function refuse() returns trigger language plpgsql as $$ begin raise 'disk full'; end $$;"
            "create constraint trigger refuse after insert on outbox deferrable initially deferred"
            " for each row execute function refuse()"
        )
    # Deferred: every statement goes well, and only the commit is refused.
    with pytest.raises(DatabaseError, match="disk full"):
        owe(kind)
    assert (rows(superuser, "kind"), rung(kind)) == ([], 0)


def test_ten_debts_of_a_kind_in_one_unit_of_work_are_rung_for_once_it_is_safe(
    database: str, superuser: Engine, kind: str
) -> None:
    with unit_of_work(NOBODY) as db:
        for subject in range(10):
            jobs.owe(db, kind, subject_id=subject)
        db.flush()
        assert rung(kind) == 0
    assert (len(rows(superuser, "id")), rung(kind)) == (10, 1)


def test_what_is_due_later_is_neither_rung_for_nor_claimed_before(database: str, kind: str) -> None:
    with clock.at(MONDAY):
        owe(kind, due_at=MONDAY + minutes(1))
        assert (jobs.kinds_due(), jobs.claim(kind), rung(kind)) == ([], None, 0)
    with clock.at(MONDAY + minutes(1)):
        assert jobs.kinds_due() == [kind]
        assert jobs.claim(kind) is not None


def test_the_same_key_is_owed_once_even_after_it_is_done(database: str, superuser: Engine, kind: str) -> None:
    owe(kind, key="arrival:1")
    jobs.work(kind, lambda _claim: "sent")
    owe(kind, times=2, key="arrival:1")
    assert rows(superuser, "key, attempts, outcome") == [("arrival:1", 1, "sent")]
    assert jobs.claim(kind) is None


def test_parallel_claimers_never_take_the_same_row_and_leave_none(database: str, kind: str) -> None:
    owe(kind, times=200)
    taken: list[list[int]] = [[] for _ in range(8)]
    start = threading.Barrier(8)

    def claim_all(mine: list[int]) -> None:
        start.wait()
        while claim := jobs.claim(kind):
            mine.append(claim.id)

    claimers = [threading.Thread(target=claim_all, args=(mine,)) for mine in taken]
    for claimer in claimers:
        claimer.start()
    for claimer in claimers:
        claimer.join()
    together = [number for mine in taken for number in mine]
    assert (len(together), len(set(together))) == (200, 200)
    assert sum(bool(mine) for mine in taken) > 1


def test_the_oldest_debt_is_taken_first(database: str, kind: str) -> None:
    with clock.at(MONDAY):
        for subject, due_at in enumerate([MONDAY - minutes(1), MONDAY - minutes(9), MONDAY - minutes(5)]):
            with unit_of_work(NOBODY) as db:
                jobs.owe(db, kind, subject_id=subject, due_at=due_at)
        order = [claim.subject_id for _ in range(3) if (claim := jobs.claim(kind))]
    assert order == [1, 2, 0]


def test_what_a_dead_worker_took_comes_back_when_nobody_can_be_at_it_any_more(
    database: str, kind: str
) -> None:
    with clock.at(MONDAY):
        owe(kind)
        first = jobs.claim(kind)
    with clock.at(MONDAY + jobs.STUCK):
        assert (jobs.claim(kind), jobs.kinds_due()) == (None, [])
    with clock.at(MONDAY + jobs.STUCK + minutes(0.1)):
        assert jobs.kinds_due() == [kind]
        again = jobs.claim(kind)
    assert first is not None
    assert again is not None
    assert (again.id, first.attempts, again.attempts) == (first.id, 1, 2)


def test_work_that_takes_longer_than_a_claim_lasts_keeps_it_for_as_long_as_it_lives(
    database: str, superuser: Engine, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "STUCK", timedelta(seconds=0.4))
    monkeypatch.setattr(jobs, "RENEWED", 0.1)
    owe(kind)

    def slowly(_claim: jobs.Claim) -> str:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            assert jobs.claim(kind) is None
            time.sleep(0.02)
        return "sent"

    jobs.work(kind, slowly)
    assert rows(superuser, "attempts, outcome") == [(1, "sent")]


def test_a_claim_is_kept_no_longer_than_the_work_goes_on(
    database: str, superuser: Engine, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "RENEWED", 0.05)
    owe(kind, times=2)

    def do(claim: jobs.Claim) -> str:
        if claim.subject_id == 0:
            raise TimeoutError
        return "sent"

    jobs.work(kind, do)
    time.sleep(0.3)
    assert rows(superuser, "claimed_at is null, outcome") == [(True, "TimeoutError"), (False, "sent")]
    assert [thread.name for thread in threading.enumerate() if thread.name == "claim"] == []


def test_what_is_done_is_noted_once_the_database_is_back_and_what_was_not_is_nobodys_fault(
    database: str, superuser: Engine, kind: str
) -> None:
    """A mail that a server has taken must not go out again because the database was restarted just then."""
    owe(kind, times=2)
    done: list[int] = []

    def do(claim: jobs.Claim) -> str:
        if claim.subject_id == 1:
            close_down(superuser, for_seconds=0)
            with unit_of_work(NOBODY) as db:
                db.execute(text("select 1"))
                close_down(superuser, for_seconds=0)
                db.execute(text("select 1"))
        done.append(claim.id)
        close_down(superuser, for_seconds=0.5)
        return "sent"

    with capture_logs() as logs:
        jobs.work(kind, do)
    assert logs == [{"event": "job.no_database", "log_level": "warning", "kind": kind}]
    assert rows(superuser, "attempts, outcome, claimed_at is null") == [(1, "sent", False), (1, None, False)]
    assert len(done) == 1


def close_down(superuser: Engine, *, for_seconds: float) -> None:
    """End every connection of ours, and refuse new ones for a while, as a restarting server does."""
    admin = create_engine(superuser.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    name = superuser.url.database

    def order(statement: str) -> None:
        with admin.connect() as connection:
            connection.exec_driver_sql(statement)

    order(f"alter database {name} allow_connections {for_seconds == 0}")
    order(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        f" where datname = '{name}' and usename = 'samsvar_web'"
    )
    if for_seconds:
        threading.Timer(
            for_seconds, lambda: (order(f"alter database {name} allow_connections true"), admin.dispose())
        ).start()
    else:
        admin.dispose()


def test_what_fails_is_tried_ever_more_rarely_for_three_days_and_then_waits_for_a_person(
    database: str, superuser: Engine, kind: str
) -> None:
    now = MONDAY
    waits: list[float] = []
    with clock.at(now):
        owe(kind)
    for _try in range(jobs.ATTEMPTS):
        with clock.at(now):
            claim = jobs.claim(kind)
            assert claim is not None
            jobs.failed(claim, TimeoutError())
        with unit_of_work(NOBODY) as db:
            due_at = db.scalars(select(jobs.Owed.due_at)).one()
        with clock.at(due_at - timedelta(seconds=1)):
            assert jobs.claim(kind) is None
        waits.append((due_at - now).total_seconds())
        now = due_at
    assert waits[:9] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert timedelta(days=2.9) < now - MONDAY < timedelta(days=3.2)
    with clock.at(now + timedelta(days=9)):
        assert (jobs.claim(kind), jobs.kinds_due()) == (None, [])
    assert rows(superuser, "attempts, outcome, done_at, given_up_at is null") == [
        (jobs.ATTEMPTS, "TimeoutError", None, False)
    ]


def test_a_row_that_kills_every_worker_is_given_up_and_stops_no_other(
    database: str, superuser: Engine, kind: str
) -> None:
    now = MONDAY
    with clock.at(now):
        owe(kind)
    for _death in range(jobs.ATTEMPTS):
        with clock.at(now):
            assert jobs.claim(kind) is not None
        now += jobs.STUCK + minutes(1)
    with clock.at(now):
        owe(kind)
        innocent = jobs.claim(kind)
    assert innocent is not None
    assert rows(superuser, "id, outcome, given_up_at is null") == [
        (innocent.id - 1, "WorkerLostError", False),
        (innocent.id, None, True),
    ]


def test_whoever_wakes_up_after_losing_the_row_cannot_set_it_free(
    database: str, superuser: Engine, kind: str
) -> None:
    with clock.at(MONDAY):
        owe(kind)
        late = jobs.claim(kind)
    with clock.at(MONDAY + minutes(6)):
        present = jobs.claim(kind)
        assert late is not None
        assert present is not None
        jobs.failed(late, TimeoutError())
        assert (jobs.claim(kind), rows(superuser, "attempts, outcome")) == (None, [(2, None)])
        with unit_of_work(NOBODY) as db:
            jobs.done(db, present, "sent")
        jobs.failed(present, TimeoutError())
    assert rows(superuser, "outcome, given_up_at") == [("sent", None)]


def test_what_is_waived_is_not_done_and_says_why(database: str, superuser: Engine, kind: str) -> None:
    owe(kind, times=2)
    with unit_of_work(NOBODY) as db:
        jobs.waive(db, [kind, "test.other"], 0, "withdrawn")
    jobs.work(kind, lambda _claim: "sent")
    assert rows(superuser, "subject_id, outcome, attempts") == [(0, "withdrawn", 0), (1, "sent", 1)]


def test_done_belongs_to_the_transaction_that_did_it(database: str, superuser: Engine, kind: str) -> None:
    with clock.at(MONDAY):
        owe(kind)
        claim = jobs.claim(kind)
        assert claim is not None

        def do_and_fail() -> None:
            with unit_of_work(NOBODY) as db:
                jobs.done(db, claim, "sent")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            do_and_fail()
        assert rows(superuser, "done_at, outcome") == [(None, None)]
        with unit_of_work(NOBODY) as db:
            jobs.done(db, claim, "sent")
    assert rows(superuser, "done_at, outcome") == [(MONDAY, "sent")]


def test_one_that_fails_stops_no_other_and_only_its_class_is_kept(
    database: str, superuser: Engine, kind: str
) -> None:
    owe(kind, times=3)

    def do(claim: jobs.Claim) -> str:
        if claim.subject_id == 1:
            raise ValueError("Patienten heter Canary")
        return "sent"

    with capture_logs() as logs:
        jobs.work(kind, do)
    [(second,)] = [row[:1] for row in rows(superuser, "id, subject_id") if row[1] == 1]
    failure = {"kind": kind, "id": second, "attempt": 1, "error": "ValueError"}
    assert logs == [{"event": "job.failed", "log_level": "warning", **failure}]
    assert rows(superuser, "outcome") == [("sent",), ("ValueError",), ("sent",)]


def test_after_its_shift_a_job_gives_the_worker_back_and_rings_for_the_rest(
    database: str, superuser: Engine, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(kind, times=3)
    before = rung(kind)
    monkeypatch.setattr(jobs, "SHIFT", 0)
    jobs.work(kind, lambda _claim: "sent")
    assert rows(superuser, "outcome") == [("sent",), (None,), (None,)]
    assert (before, rung(kind)) == (1, 2)


def test_a_child_forked_after_the_bell_was_hung_rings_its_own(database: str, kind: str) -> None:
    """Celery forks its workers; a thread of the parent's does not come along."""
    program = """
        import os, sys, time
        from backend.core import bell
        from backend.core.db import NOBODY, unit_of_work
        def settle(hung):
            while hung._asked or not hung._waiting.empty(): time.sleep(0.01)
            time.sleep(0.3)
        bell.ring(sys.argv[1] + ".parent")
        settle(bell._bell(bell.broker_url()))
        if child := os.fork():
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        bell.ring(sys.argv[1])
        settle(bell._bell(bell.broker_url()))
        os._exit(0)
    """
    environment = {**os.environ, "DATABASE_URL": web_url(database)}
    command = [sys.executable, "-c", textwrap.dedent(program), kind]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=20)
    assert (rung(f"{kind}.parent"), rung(kind)) == (1, 1)


@pytest.mark.parametrize("code", ["40P01", "57014", "55P03", "57P01"])
def test_what_has_been_done_is_noted_in_the_end_whatever_befalls_the_database(
    database: str, code: str
) -> None:
    """A deadlock, a time-out, a lock, a restart: once the mail server has said yes there is no sending it again."""
    tries: list[int] = []

    def note() -> None:
        tries.append(1)
        with unit_of_work(NOBODY) as session:
            if len(tries) < 3:
                session.execute(text(f"do $$ begin raise exception using errcode = '{code}'; end $$"))

    jobs.surely(note)
    assert len(tries) == 3


def test_what_would_fail_as_surely_the_next_time_is_not_tried_again(database: str) -> None:
    tries: list[int] = []

    def note() -> None:
        tries.append(1)
        with unit_of_work(NOBODY) as session:
            session.execute(text("do $$ begin raise exception using errcode = '23505'; end $$"))

    with pytest.raises(IntegrityError):
        jobs.surely(note)
    assert len(tries) == 1
