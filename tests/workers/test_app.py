"""The tick rings for what the database says is due, and for nothing else."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from backend.core import clock, jobs
from backend.core.db import NOBODY, unit_of_work
from tests.workers.broker import rung
from workers import beat
from workers.app import celery, tick
from workers.upkeep import prune


@pytest.fixture
def kind() -> Iterator[str]:
    """A job of this test's own, since all tests share one broker."""
    name = f"test.{secrets.token_hex(6)}"

    @celery.task(name=name)  # type: ignore[untyped-decorator]  # Celery brings no types
    def job() -> None:
        raise AssertionError("no worker runs here")

    yield name
    celery.tasks.pop(name)


def owe(kind: str, in_minutes: int = 0) -> None:
    """Owed, and not rung for."""
    with clock.at(clock.now()), unit_of_work(NOBODY) as db:
        jobs.owe(db, kind, due_at=clock.now() + timedelta(minutes=in_minutes))
        db.info.pop("after_commit", None)


def test_the_tick_rings_once_for_a_kind_whose_ring_was_lost(database: str, kind: str) -> None:
    for _ in range(3):
        owe(kind)
    assert rung(kind) == 0
    tick()
    assert rung(kind) == 1


def test_the_tick_is_silent_about_what_is_not_due_taken_done_or_unknown(database: str, kind: str) -> None:
    owe(kind, in_minutes=1)
    owe(f"{kind}.unknown")
    tick()
    assert (rung(kind), rung(f"{kind}.unknown")) == (0, 0)
    owe(kind)
    taken = jobs.claim(kind)
    tick()
    assert taken is not None
    with unit_of_work(NOBODY) as db:
        jobs.done(db, taken, "done")
    tick()
    assert rung(kind) == 0


def test_the_tick_rings_for_what_a_dead_worker_left(database: str, kind: str) -> None:
    owe(kind)
    assert jobs.claim(kind) is not None
    with clock.at(clock.now() + jobs.STUCK + timedelta(seconds=1)):
        tick()
    assert rung(kind) == 1


def test_a_tick_is_worth_nothing_once_a_few_others_have_come() -> None:
    entry = beat.celery.conf.beat_schedule["tick"]
    assert (entry["task"], entry["schedule"], entry["options"]["expires"]) == ("tick", 10.0, 30)
    assert celery.conf.beat_schedule == {}


def test_every_job_has_a_time_after_which_it_is_told_and_then_ended() -> None:
    celery.loader.import_default_modules()
    limits = {}
    for name, task in celery.tasks.items():
        if not name.startswith(("celery.", "test.")):
            limits[name] = (
                task.soft_time_limit or celery.conf.task_soft_time_limit,
                task.time_limit or celery.conf.task_time_limit,
            )
    assert {name: limit for name, limit in limits.items() if limit != (240, 270)} == {
        "summaries.snapshot": (1800, 1830),
        "upkeep.prune": (900, 930),
    }
    assert len(limits) >= 20


def test_once_a_day_what_was_done_long_ago_is_forgotten_and_what_was_given_up_is_not(
    database: str, superuser: Engine
) -> None:
    now = datetime(2026, 6, 1, 8, tzinfo=UTC)
    with clock.at(now), superuser.begin() as connection:
        connection.execute(
            text(
                "insert into outbox (kind, key, due_at, owed_at, done_at, given_up_at, dropped_reason, dropped_by_id)"
                " select 'test.old', name, :at, :at, done, given_up, reason, by from (values"
                " ('done today', cast(:now as timestamptz), cast(null as timestamptz), null, cast(null as int)),"
                " ('done long ago', :at, null, null, null),"
                " ('given up long ago', null, :at, null, null),"
                " ('dropped long ago', :at, :at, 'other', 1),"
                " ('dropped today', :now, :at, 'other', 1),"
                " ('owed', null, null, null, null)) rows (name, done, given_up, reason, by)"
            ),
            {"at": now - timedelta(days=90, seconds=1), "now": now},
        )
        connection.execute(
            text(
                "insert into login_failures (account, network, at) values ('a', 'b', :old), ('a', 'b', :new)"
            ),
            {"old": now - timedelta(days=1, seconds=1), "new": now - timedelta(hours=23)},
        )
    with clock.at(now):
        tick()
        tick()
        assert rung("upkeep.prune") >= 1
        prune()
    with superuser.connect() as connection:
        left = connection.scalars(text("select key from outbox where kind = 'test.old' order by id")).all()
        owed = connection.execute(
            text("select key, outcome from outbox where kind = 'upkeep.prune' order by id")
        ).all()
        tries = connection.scalars(text("select at from login_failures")).all()
    assert left == ["done today", "given up long ago", "dropped today", "owed"]
    assert [tuple(row) for row in owed] == [("prune:2026-06-01", "forgot 2 and 1")]
    assert tries == [now - timedelta(hours=23)]
    with clock.at(now + timedelta(days=1)):
        tick()
        assert {"test.old", "upkeep.prune"} <= set(jobs.kinds_due())
