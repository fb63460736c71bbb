"""A month is frozen once; what changes afterwards is a new issue, and the old one stays."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import ProgrammingError

from backend.core import clock, db, jobs
from backend.core.errors import ConflictError
from backend.core.jobs import Owed
from backend.summaries import actions
from backend.summaries.models import Snapshot
from tests.summaries.test_queries import county_id
from workers import summaries as worker

NEW_YEAR = datetime(2025, 1, 1, 8, tzinfo=UTC)


def make_missing() -> list[tuple[date, int, str]]:
    with db.unit_of_work(db.COUNTER) as session:
        return [(one.month, one.issue, one.reason) for one in actions.make_missing(session, county_id())]


def snapshots() -> Sequence[Snapshot]:
    with db.unit_of_work(db.NOBODY) as session:
        found = session.scalars(select(Snapshot).order_by(Snapshot.month, Snapshot.issue)).all()
        session.expunge_all()
        return found


def owed_for_a_month() -> list[tuple[str, str | None, str | None, bool]]:
    with db.unit_of_work(db.NOBODY) as session:
        # The import of the history has owed the job too, without a month.
        month = (Owed.kind == "summaries.snapshot") & Owed.key.is_not(None)
        rows = session.scalars(select(Owed).where(month).order_by(Owed.id))
        return [(row.kind, row.key, row.outcome, row.done_at is not None) for row in rows]


def test_every_finished_month_since_the_first_case_is_frozen_once(history: str) -> None:
    with clock.at(NEW_YEAR):
        made = make_missing()
        assert make_missing() == []
    assert made == [
        (date(year, month, 1), 1, "month_ended") for year in (2023, 2024) for month in range(1, 13)
    ]
    november = snapshots()[-2]
    assert (november.cut_off, november.made_at) == (datetime(2024, 11, 30, 23, tzinfo=UTC), NEW_YEAR)


def test_a_month_that_goes_on_is_not_frozen(history: str) -> None:
    # Still December in Sweden, by an instant.
    with clock.at(datetime(2024, 12, 31, 22, 59, 59, tzinfo=UTC)):
        assert make_missing()[-1][0] == date(2024, 11, 1)
        with pytest.raises(ConflictError), db.unit_of_work(db.COUNTER) as session:
            actions.make(session, county_id(), date(2024, 12, 1), "month_ended")
    with clock.at(datetime(2024, 12, 31, 23, tzinfo=UTC)):
        assert make_missing() == [(date(2024, 12, 1), 1, "month_ended")]


def test_what_comes_in_later_is_a_new_issue_of_the_months_it_changes(history: str, superuser: Engine) -> None:
    with clock.at(NEW_YEAR):
        make_missing()
        before = {(one.month, one.issue): (one.figures, one.made_at) for one in snapshots()}
        with superuser.begin() as connection:
            # A case of 2 January 2024 turns out to have been answered in time, in February.
            changed = connection.execute(
                text(
                    "update deviations set answered_at = '2024-02-10 12:00+01' where id = (select id from deviations"
                    " where sent_at > '2024-01-01' and answered_at is null and due_on > '2024-02-10'"
                    " order by sent_at limit 1)"
                )
            ).rowcount
        assert changed == 1
        made = make_missing()
        assert make_missing() == []
    # From the month of the answer to the end of the twelve that the case is counted in, then as late ever after.
    assert made == [(date(2024, month, 1), 2, "changed") for month in range(2, 13)]
    after = {(one.month, one.issue): (one.figures, one.made_at) for one in snapshots()}
    assert {key: after[key] for key in before} == before


def test_a_new_name_makes_no_new_issue(history: str, superuser: Engine) -> None:
    with clock.at(NEW_YEAR):
        make_missing()
        with superuser.begin() as connection:
            connection.execute(
                text("update organisations set name = 'Omdöpta kommunen' where kind = 'municipality'")
            )
        assert make_missing() == []


def test_without_cases_there_is_no_month(blekinge: str) -> None:
    assert make_missing() == []


@pytest.mark.parametrize(
    "forbidden",
    ["update snapshots set issue = 9", "delete from snapshots", "select description from deviations"],
)
def test_who_counts_can_neither_change_what_is_frozen_nor_read_a_word(history: str, forbidden: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), db.unit_of_work(db.COUNTER) as session:
        session.execute(text(forbidden))


def test_the_past_month_is_owed_once_for_each_county(blekinge: str) -> None:
    for _tick in range(2):
        with clock.at(NEW_YEAR), db.unit_of_work(db.NOBODY) as session:
            actions.owe_past_month(session)
    assert owed_for_a_month() == [("summaries.snapshot", "snapshot:BLE:2024-12", None, False)]
    with clock.at(datetime(2025, 1, 31, 23, tzinfo=UTC)), db.unit_of_work(db.NOBODY) as session:
        actions.owe_past_month(session)
    assert [row[1] for row in owed_for_a_month()] == ["snapshot:BLE:2024-12", "snapshot:BLE:2025-01"]


def owe() -> None:
    with db.unit_of_work(db.NOBODY) as session:
        jobs.owe(session, "summaries.snapshot", subject_id=county_id(), key="snapshot:BLE:2024-12")


def test_the_job_makes_what_is_missing_and_pays_the_debt(history: str) -> None:
    with clock.at(NEW_YEAR):
        owe()
        worker.snapshot()
        worker.snapshot()
    assert len(snapshots()) == 24
    assert owed_for_a_month() == [("summaries.snapshot", "snapshot:BLE:2024-12", "made 24", True)]


def test_a_job_that_fails_still_owes_and_has_written_nothing(history: str, superuser: Engine) -> None:
    with superuser.begin() as connection:
        connection.execute(text("revoke insert on snapshots from samsvar_counter"))
    with clock.at(NEW_YEAR):
        owe()
        worker.snapshot()
        assert (snapshots(), owed_for_a_month()[0][2:]) == ([], ("ProgrammingError", False))
    with superuser.begin() as connection:
        connection.execute(text("grant insert on snapshots to samsvar_counter"))
    with clock.at(datetime(2025, 1, 1, 9, tzinfo=UTC)):
        worker.snapshot()
    assert (len(snapshots()), owed_for_a_month()[0][2:]) == (24, ("made 24", True))
