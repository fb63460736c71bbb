"""Versions of a county's agreement: made, read, withdrawn, and never felt by what is sent already."""

from collections.abc import Callable
from datetime import date

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.agreements import actions, forms, queries
from backend.core import clock
from backend.core.errors import ConflictError, ForbiddenError
from backend.deviations import clocks, deadlines, steps
from backend.deviations import queries as deviations
from backend.deviations.agreed import changes
from tests.agreements.versions import COORDINATOR, OTHER, another_county, at, errors, fields, made
from tests.deviations.verbs import answer, case
from tests.people import ANNA, BOB, acting, filed

pytestmark = pytest.mark.usefixtures("blekinge")

Of = Callable[..., TestClient]
NOW = at("2026-03-02T09:00")


def in_force(on: date) -> int:
    with acting(ANNA) as (db, me):
        return queries.agreement_in_force(db, me.county_id or 0, on).version


class TestMaking:
    def test_it_counts_from_its_first_day_and_for_what_is_sent_then(self, client_of: Of) -> None:
        with clock.at(NOW):
            place = made(client_of(COORDINATOR), answer_n="20", valid_from="2026-04-01")
            assert place == "/agreements?done=made"
            assert [in_force(date(2026, 3, 31)), in_force(date(2026, 4, 1))] == [1, 2]
            early = filed()
        with clock.at(at("2026-04-01T09:00")):
            late = filed()
            due = [told(number)[-1][1] for number in (early, late)]
        assert due == [date(2026, 5, 4), date(2026, 4, 21)]

    def test_a_case_that_is_sent_keeps_its_dates_steps_and_reasons(self, client_of: Of) -> None:
        with clock.at(NOW):
            number = filed(severity=3)
            before = told(number)
            made(
                client_of(COORDINATOR),
                acknowledge_n="1",
                answer_n="10",
                answer_unit="working",
                answer_severity_3_n="5",
                acknowledge_severity_3_n="2",
                verdict_severity_3_n="3",
                reminders_answer="dag 1",
                reminders_acknowledge="",
                escalation_manager="1",
                closed="2026-03-09 2026-04-30",
            )
            assert in_force(clock.today()) == 2
            assert told(number) == before
            newer = told(filed(severity=3))
            judged = filed(severity=3)
            answer(judged)
            assert case(judged).next_due_on == date(2026, 3, 5)
        assert [one[1] for one in before] == [date(2026, 3, 9), date(2026, 5, 4)]
        assert [one[1] for one in newer] == [date(2026, 3, 4), date(2026, 3, 10)]

    def test_it_begins_tomorrow_unless_another_day_is_chosen_so_that_it_can_be_taken_back(
        self, client_of: Of
    ) -> None:
        with clock.at(NOW):
            browser = client_of(COORDINATOR)
            page = fields(browser.get("/agreements/new").text)
            assert page["valid_from"] == "2026-03-03"

    def test_the_preview_says_what_a_case_would_meet_and_saves_nothing(self, client_of: Of) -> None:
        with clock.at(NOW):
            browser = client_of(COORDINATOR)
            typed = fields(browser.get("/agreements/new").text)
            typed |= {
                "answer_severity_3_n": "20",
                "answer_severity_3_unit": "working",
                "closed": "2026-03-20",
                "valid_from": f"{clock.today()}",
            }
            page = browser.post("/agreements/check", data=typed)
            part = browser.post(
                "/agreements/check",
                data=typed,
                headers={"HX-Request": "true", "HX-Target": "section#preview"},
            )
            assert in_force(clock.today()) == 1
        assert page.status_code == part.status_code == 200
        assert part.text.lstrip().startswith('<section id="preview"')
        for shown in (page.text, part.text):
            assert (
                "Ett ärende som skickas i dag med allvarlighet 3 ska kvitteras senast måndag 9 mars 2026 och besvaras "
                "senast tisdag 31 mars 2026." in shown
            )
            assert (
                "Svar senast tisdag 31 mars 2026: 20 arbetsdagar från 2 mars. 20 mars är ingen arbetsdag."
                in shown
            )
            assert "Inte besvarat: lyfts till chefen" in shown
            assert "Mottagaren svarar inom 60 dagar. Vid allvarlighet 3 inom 20 arbetsdagar." in shown
            assert "2026: 20 mars" in shown

    def test_nothing_is_saved_that_was_not_seen(self, client_of: Of) -> None:
        with clock.at(NOW):
            browser = client_of(COORDINATOR)
            typed = fields(browser.get("/agreements/new").text)
            unchanged = browser.post("/agreements", data=typed)
            seen = fields(browser.post("/agreements/check", data=typed | {"answer_n": "30"}).text)
            changed_since = browser.post("/agreements", data=seen | {"answer_n": "31"})
            assert in_force(clock.today()) == 1
        assert (unchanged.status_code, errors(unchanged.text)) == (
            422,
            ["Inget är ändrat, så det behövs ingen ny version."],
        )
        assert (changed_since.status_code, errors(changed_since.text)) == (
            422,
            ["Läs förhandsvisningen av det du har ändrat, och spara sedan."],
        )
        assert fields(changed_since.text)["answer_n"] == "31"

    def test_of_two_who_write_at_once_the_second_is_told(self, client_of: Of) -> None:
        with clock.at(NOW):
            browser = client_of(COORDINATOR)
            opened = fields(browser.get("/agreements/new").text) | {"valid_from": f"{clock.today()}"}
            seen = fields(browser.post("/agreements/check", data=opened | {"answer_n": "30"}).text)
            made(browser, answer_n="45")
            second = browser.post("/agreements", data=seen)
            assert second.status_code == 409
            assert "Någon annan har ändrat överenskommelsen medan du skrev." in errors(second.text)[0]
            assert in_force(clock.today()) == 2
            # What was typed stands there still, and is saved once it has been held against the new version.
            kept = fields(second.text)
            assert kept["answer_n"] == "30"
            assert browser.post("/agreements", data=kept).status_code == 422
            again = browser.post("/agreements/check", data=kept)
            assert "45 dagar" in again.text
            assert browser.post("/agreements", data=fields(again.text)).status_code == 303
            assert in_force(clock.today()) == 3

    def test_while_one_is_planned_no_other_is_made(self, client_of: Of) -> None:
        with clock.at(NOW):
            browser = client_of(COORDINATOR)
            made(browser, answer_n="30", valid_from="2026-04-01")
            typed = fields(browser.get("/agreements/new").text) | {"answer_n": "20"}
            seen = fields(browser.post("/agreements/check", data=typed).text)
            assert browser.post("/agreements", data=seen).status_code == 409

    def test_the_action_refuses_the_second_of_two(self) -> None:
        with clock.at(NOW), acting(COORDINATOR) as (db, me):
            form = forms.AgreementForm.model_validate(typed_form())
            actions.agree(db, me, form)
            for base in (1, 7):
                with pytest.raises(ConflictError, match="Någon annan"):
                    actions.agree(db, me, form.model_copy(update={"base": base}))


def typed_form(**changed: object) -> dict[str, object]:
    spans = {f"{kind}_n": 10 for kind in forms.CLOCKS} | {f"{kind}_unit": "working" for kind in forms.CLOCKS}
    return {
        "base": 1,
        "valid_from": clock.today(),
        **spans,
        "untouched": 2,
        "risk_threshold": 8,
        **changed,
    }


def told(number: str) -> list[tuple[str, date, str, list[steps.Step]]]:
    """Every clock of a new case: its date, its reason, its steps."""
    with acting(BOB) as (db, me):
        deviation = deviations.deviation(db, me, number)
        leg = deviations.handover(db, deviation)
        terms, calendar = clocks.terms_from(deviation.agreement.terms)
        running = deadlines.running(deviation, leg, [], deviation.sent_at, clock.now())
        return [
            (
                one.kind,
                one.due_on,
                one.explanation,
                steps.steps(one.kind, clock.local(leg.sent_at).date(), one.due_on, terms, calendar),
            )
            for one in running
        ]


class TestWithdrawing:
    def test_a_planned_version_is_taken_back_and_never_counts(self, client_of: Of) -> None:
        with clock.at(NOW):
            browser = client_of(COORDINATOR)
            made(browser, answer_n="30", valid_from="2026-04-01")
            assert "Version 2 börjar gälla onsdag 1 april 2026" in client_of(ANNA).get("/agreements").text
            gone = browser.post("/agreements/BLE/2/withdraw")
            assert (gone.status_code, gone.headers["location"]) == (303, "/agreements?done=withdrawn")
            assert browser.post("/agreements/BLE/2/withdraw").status_code == 409
            assert in_force(date(2026, 4, 1)) == 1
            # What it said can be taken up again, as the third.
            again = fields(browser.get("/agreements/new?start=2").text)
            assert (again["answer_n"], again["base"]) == ("30", "2")
            made(browser, answer_n="30")
        assert in_force(date(2026, 4, 1)) == 3

    def test_what_counts_already_is_not_taken_back(self, client_of: Of) -> None:
        with clock.at(NOW):
            browser = client_of(COORDINATOR)
            made(browser, answer_n="30")
            assert browser.post("/agreements/BLE/2/withdraw").status_code == 409
            assert browser.post("/agreements/BLE/1/withdraw").status_code == 409
            assert in_force(clock.today()) == 2


class TestWhoMay:
    def test_everybody_of_the_county_reads_and_only_its_coordinator_writes(self, client_of: Of) -> None:
        with clock.at(NOW):
            made(client_of(COORDINATOR), answer_n="30")
            for reader in (ANNA, BOB, "lsvo@lan.example", "admin@solvesborg.example"):
                browser = client_of(reader)
                page = browser.get("/agreements")
                assert page.status_code == browser.get("/agreements/BLE/1").status_code == 200
                assert "Mottagaren svarar inom 30 dagar." in page.text
                assert "Ny version" not in page.text
                for address in ("/agreements", "/agreements/check", "/agreements/BLE/2/withdraw"):
                    assert browser.post(address).status_code == 403
                assert browser.get("/agreements/new").status_code == 403

    def test_another_countys_coordinator_finds_nothing_and_changes_only_their_own(
        self, client_of: Of, superuser: Engine
    ) -> None:
        another_county(superuser)
        with clock.at(NOW):
            browser = client_of(OTHER)
            made(client_of(COORDINATOR), answer_n="30", valid_from="2026-04-01")
            assert "Blekinge" not in browser.get("/agreements").text
            assert browser.get("/agreements/BLE/1").status_code == 404
            assert browser.post("/agreements/BLE/2/withdraw").status_code == 404
            assert browser.get("/agreements/KRO/1").status_code == 200
            made(browser, answer_n="14")
            assert in_force(date(2026, 4, 1)) == 2
            assert "Mottagaren svarar inom 14 dagar." in browser.get("/agreements").text
            assert "Mottagaren svarar inom 60 dagar." in client_of(ANNA).get("/agreements").text

    def test_the_action_asks_too(self) -> None:
        with clock.at(NOW), acting(ANNA) as (db, me), pytest.raises(ForbiddenError):
            actions.agree(db, me, forms.AgreementForm.model_validate(typed_form()))


class TestHistory:
    def test_it_tells_who_when_and_what(self, client_of: Of) -> None:
        with clock.at(NOW):
            browser = client_of(COORDINATOR)
            made(browser, acknowledge_n="4", reminders_acknowledge="dag 2", closed="2026-05-15")
            page = browser.get("/agreements/BLE/2").text
            listed = browser.get("/agreements").text
        assert "Gjord 2 mars 2026, Länssamordnare, Blekinge." in page
        assert "Mottagaren kvitterar inom 5 arbetsdagar. Påminnelse på arbetsdag 3 och 5." in page
        assert "Mottagaren kvitterar inom 4 arbetsdagar. Påminnelse på arbetsdag 2." in page
        assert "Ändrade: kvittera, stängda dagar." in listed

    def test_a_version_written_out_means_what_the_defaults_mean(
        self, client_of: Of, superuser: Engine
    ) -> None:
        with clock.at(NOW):
            browser = client_of(COORDINATOR)
            made(browser, answer_n="30")
            made(browser, answer_n="60")
            with superuser.connect() as connection:
                stored = connection.scalar(text("select terms from agreements where version = 3"))
        assert changes({}, stored) == []
        written, default = clocks.terms_from(stored)[0], clocks.terms_from({})[0]
        assert [written.reminders[kind] for kind in clocks.SPANS] == [
            default.reminders.get(kind, ()) for kind in clocks.SPANS
        ]
        assert written.escalation == default.escalation
