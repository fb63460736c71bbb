"""The tick rings for what the database says is due, and for nothing else."""

import secrets
from collections.abc import Iterator
from datetime import timedelta

import pytest

from backend.core import clock, jobs
from backend.core.db import NOBODY, unit_of_work
from tests.workers.broker import rung
from workers.app import celery, tick


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
    entry = celery.conf.beat_schedule["tick"]
    assert (entry["task"], entry["schedule"], entry["options"]["expires"]) == ("tick", 10.0, 30)
