"""A report that nobody sends: its writer is warned, and then it is gone."""

import uuid
from collections.abc import Callable
from datetime import datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations import actions
from tests.agreements.versions import at
from tests.people import ALICE, ANNA, acting
from workers import deviations as jobs

pytestmark = pytest.mark.usefixtures("blekinge")

Of = Callable[..., TestClient]
WARNING = "Utkastet från 3 mars tas bort 2 april om du inte fortsätter."
MARCH_3 = at("2026-03-03T10:00")


def saved(moment: datetime, submission: uuid.UUID, by: str = ANNA, **typed: str) -> None:
    with clock.at(moment), acting(by) as (db, me):
        kept = {"description": "Läkemedelslistan saknades.", **typed}
        actions.save_draft(db, me, submission, {name: [value] for name, value in kept.items()})


def looked(moment: str) -> None:
    with clock.at(at(moment)):
        jobs.draft_ends()


def left(superuser: Engine) -> tuple[int, list[tuple[str, str]]]:
    """How many drafts there are, and what their writers have been told."""
    with superuser.connect() as connection:
        told = connection.execute(
            text("select kind, p.email from notices join people p on p.id = person_id order by notices.id")
        )
        return connection.scalar(text("select count(*) from drafts")) or 0, [
            (kind, who) for kind, who in told
        ]


def test_it_is_warned_of_after_23_days_and_gone_after_30(client_of: Of, superuser: Engine) -> None:
    saved(MARCH_3, uuid.uuid4())
    looked("2026-03-25T22:59")
    assert left(superuser) == (1, [])
    looked("2026-03-25T23:01")  # the 26th has begun in Sweden
    looked("2026-03-26T12:00")
    assert left(superuser) == (1, [("draft_ends", ANNA)])
    looked("2026-04-01T21:59")
    assert left(superuser) == (1, [("draft_ends", ANNA)])
    looked("2026-04-01T22:01")
    assert left(superuser) == (0, [("draft_ends", ANNA)])


def test_the_start_page_says_so_in_the_last_week(client_of: Of) -> None:
    saved(MARCH_3, uuid.uuid4())
    for day, shown in (("2026-03-25T12:00", False), ("2026-03-26T12:00", True), ("2026-04-01T12:00", True)):
        with clock.at(at(day)):
            assert (WARNING in client_of(ANNA).get("/").text) is shown


def test_whoever_writes_on_keeps_it(superuser: Engine) -> None:
    submission = uuid.uuid4()
    saved(MARCH_3, submission)
    saved(at("2026-03-20T10:00"), submission)
    looked("2026-03-26T12:00")
    assert left(superuser) == (1, [])
    looked("2026-04-12T12:00")
    assert left(superuser) == (1, [("draft_ends", ANNA)])
    saved(at("2026-04-18T10:00"), submission)
    looked("2026-04-19T12:00")
    assert left(superuser) == (1, [("draft_ends", ANNA)])
    looked("2026-05-11T12:00")
    looked("2026-05-18T12:00")
    assert left(superuser) == (0, [("draft_ends", ANNA), ("draft_ends", ANNA)])


def test_one_handed_to_the_manager_is_counted_from_that_day(superuser: Engine) -> None:
    submission = uuid.uuid4()
    saved(MARCH_3, submission, sender_unit="SE2120000852-V010")
    with clock.at(at("2026-03-20T10:00")), acting(ANNA) as (db, me):
        actions.hand_over(db, me, submission)
    looked("2026-03-26T12:00")
    looked("2026-04-02T12:00")
    assert left(superuser)[0] == 1
    looked("2026-04-12T12:00")
    assert ("draft_ends", ANNA) in left(superuser)[1]
    looked("2026-04-19T12:00")
    assert left(superuser)[0] == 0


def test_only_ones_own_drafts_end(superuser: Engine) -> None:
    saved(MARCH_3, uuid.uuid4())
    saved(at("2026-04-01T10:00"), uuid.uuid4())
    saved(MARCH_3, uuid.uuid4(), ALICE)
    looked("2026-03-26T12:00")
    assert left(superuser)[1] == [("draft_ends", ANNA), ("draft_ends", ALICE)]
    looked("2026-04-02T12:00")
    assert left(superuser) == (1, [("draft_ends", ANNA), ("draft_ends", ALICE)])


def test_what_is_sent_or_thrown_away_is_not_spoken_of(superuser: Engine) -> None:
    submission = uuid.uuid4()
    saved(MARCH_3, submission)
    with clock.at(at("2026-03-04T10:00")), acting(ANNA) as (db, me):
        actions.discard_draft(db, me, submission)
    looked("2026-03-26T12:00")
    assert left(superuser) == (0, [])
