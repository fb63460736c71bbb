"""Days off that a county closes and opens one by one, and the look at them that November asks for."""

from collections.abc import Callable
from datetime import date

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.agreements import actions, queries
from backend.core import clock, db
from tests.agreements.versions import COORDINATOR, another_county, at, errors, fields, made
from tests.people import ANNA, acting
from workers import agreements as jobs
from workers.app import celery

pytestmark = pytest.mark.usefixtures("blekinge")

Of = Callable[..., TestClient]
TASK = "Kontrollera stängda dagar 2027"


def press(browser: TestClient, typed: dict[str, str], **button: str) -> tuple[dict[str, str], list[str]]:
    page = browser.post("/agreements/check", data=typed | button).text
    return fields(page), errors(page)


def test_days_are_closed_and_opened_one_by_one_without_saving(client_of: Of) -> None:
    with clock.at(at("2026-03-02T09:00")):
        browser = client_of(COORDINATOR)
        typed = fields(browser.get("/agreements/new").text)
        typed, none = press(browser, typed | {"day": "2026-05-15"}, add="closed")
        assert (typed["closed"], typed["day"], none) == ("2026-05-15", "", [])
        typed, _ = press(browser, typed | {"day": "2027-05-07"}, add="closed")
        typed, _ = press(browser, typed, open_day="2026-06-19")
        assert (typed["closed"], typed["open"]) == ("2026-05-15 2027-05-07", "2026-06-19")
        typed, _ = press(browser, typed, undo_closed="2026-05-15")
        typed, _ = press(browser, typed, undo_open="2026-06-19")
        assert (typed["closed"], typed["open"]) == ("2027-05-07", "")
        for day, said in (
            ("2026-06-06", "Stängda dagar: lördag 6 juni 2026 är redan ledig i hela landet."),
            ("2026-02-27", "Stängda dagar: dagen har redan varit. Välj en som kommer."),
            ("2027-05-07", "Stängda dagar: dagen är redan stängd."),
            ("", "Stängda dagar: välj vilken dag det gäller."),
        ):
            kept, told = press(browser, typed | {"day": day, "answer_n": "31"}, add="closed")
            assert (told, kept["day"], kept["closed"], kept["answer_n"]) == ([said], day, "2027-05-07", "31")
    with acting(ANNA) as (session, me):
        assert len(queries.versions(session, me.county_id or 0)) == 1


def test_the_page_names_every_day_off_of_this_year_and_the_next(client_of: Of) -> None:
    with clock.at(at("2026-03-02T09:00")):
        made(client_of(COORDINATOR), closed="2026-05-15", open="2026-06-19")
        page = client_of(ANNA).get("/agreements").text
    for day in ("långfredagen", "midsommarafton", "julafton", "nyårsafton", "Stängt i länet", "Vi arbetar"):
        assert day in page
    assert "fredag 24 december" in page
    assert "torsdag 24 december" in page


class TestNovember:
    def asked(self, moment: str) -> list[tuple[object, ...]]:
        with clock.at(at(moment)), db.unit_of_work(db.NOBODY) as session:
            actions.owe_calendar_checks(session)
            rows = session.execute(text("select county_id, year from calendar_checks order by 1, 2"))
            return [tuple(row) for row in rows]

    def test_each_county_is_asked_once_on_its_first_working_day(
        self, client_of: Of, superuser: Engine
    ) -> None:
        another_county(superuser)
        with clock.at(at("2026-03-02T09:00")):
            made(client_of(COORDINATOR), closed="2026-11-02")
        # 1 November 2026 is a Sunday. Monday the 2nd is closed in Blekinge, and 08:15 is 07:15 UTC.
        assert self.asked("2026-10-31T12:00") == []
        assert self.asked("2026-11-02T07:14") == []
        assert [year for _county, year in self.asked("2026-11-02T07:16")] == [2027]
        assert [year for _county, year in self.asked("2026-11-03T07:16")] == [2027, 2027]
        assert len(self.asked("2026-12-24T12:00")) == 2
        with superuser.connect() as connection:
            assert (
                connection.scalar(
                    text("select count(*) from outbox where kind = 'agreements.calendar_check'")
                )
                == 2
            )

    def test_the_coordinators_get_one_letter(self, superuser: Engine) -> None:
        self.asked("2026-11-02T07:16")
        with clock.at(at("2026-11-02T07:17")):
            jobs.calendar_check()
            jobs.calendar_check()
        with superuser.connect() as connection:
            mails = connection.execute(text('select "to", subject, body from caught_mails')).all()
        assert [(mail.to, mail.subject) for mail in mails] == [([COORDINATOR], TASK)]
        assert "Har Blekinge dagar då ni inte räknar med att ärenden kvitteras" in mails[0].body
        assert "agreements.calendar_check" in celery.tasks

    def test_a_letter_that_is_late_does_not_come_at_night_or_at_the_weekend(self, superuser: Engine) -> None:
        self.asked("2026-11-27T23:30")
        came = []
        for moment in ("2026-11-27T23:31", "2026-11-29T12:00", "2026-11-30T07:14", "2026-11-30T07:15"):
            with clock.at(at(moment)):
                jobs.calendar_check()
            with superuser.connect() as connection:
                came.append(connection.scalar(text("select count(*) from caught_mails")))
        assert came == [0, 0, 0, 1]

    def test_it_is_a_task_until_somebody_has_looked(self, client_of: Of, superuser: Engine) -> None:
        self.asked("2026-11-02T07:16")
        with clock.at(at("2027-01-15T09:00")):
            browser = client_of(COORDINATOR)
            assert TASK in browser.get("/").text
            assert TASK in browser.get("/agreements").text
            assert TASK not in client_of(ANNA).get("/agreements").text
            assert client_of(ANNA).post("/agreements/calendar", data={"year": "2027"}).status_code == 403
            assert browser.post("/agreements/calendar", data={"year": "2031"}).status_code == 404
            assert browser.post("/agreements/calendar", data={"year": "snart"}).status_code == 422
            done = browser.post("/agreements/calendar", data={"year": "2027"})
            assert done.headers["location"] == "/agreements?done=checked"
            assert TASK not in browser.get("/").text
        with clock.at(at("2027-01-16T09:00")):
            browser.post("/agreements/calendar", data={"year": "2027"})
        with superuser.connect() as connection:
            who = connection.execute(
                text("select checked_at::date, email from calendar_checks join people on id = checked_by_id")
            ).one()
        assert tuple(who) == (date(2027, 1, 15), COORDINATOR)

    def test_who_looked_before_the_letter_left_gets_none(self, client_of: Of, superuser: Engine) -> None:
        self.asked("2026-11-02T07:16")
        with clock.at(at("2026-11-02T08:00")):
            client_of(COORDINATOR).post("/agreements/calendar", data={"year": "2027"})
            jobs.calendar_check()
        with superuser.connect() as connection:
            assert (
                connection.scalar(text("select outcome from outbox where kind like 'agreements%'"))
                == "looked at already"
            )
            assert connection.scalar(text("select count(*) from caught_mails")) == 0
