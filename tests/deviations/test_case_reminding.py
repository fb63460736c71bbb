"""What both sides read on a case's page of its clocks: how late, who is reminded when, and the way it has gone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from backend.core import clock
from backend.deviations import actions, queries
from backend.deviations.forms import (
    ConfirmRedirectForm,
    DelayForm,
    QuestionForm,
    QuietForm,
    RedirectForm,
    VerdictForm,
)
from backend.deviations.models import VerdictKind
from tests.isolation.conftest import OLOFSTROM, OLOFSTROMS_UNIT, do
from tests.people import ANNA, ANSWER, BERIT, BOB, MATS, acting, filed

pytestmark = pytest.mark.usefixtures("blekinge")

Of = Callable[..., TestClient]


def day(month: int, n: int, hour: int = 9) -> datetime:
    return datetime(2026, month, n, hour, tzinfo=UTC)


def steps(page: str) -> list[str]:
    found = re.search(r'id="reminding">(.*?)</details>', page, re.DOTALL)
    if found is None:
        return []
    rows = re.findall(r"<time[^>]*>.*?</span>\s*</li>", found[1], re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]


def late(page: str) -> list[str]:
    return re.findall(r'<p class="deadline-late">(.*?)</p>', page)


def chased(number: str) -> None:
    with acting(BOB) as (session, me):
        case_id = queries.deviation(session, me, number).id
    actions.chase(case_id)


def test_both_sides_read_the_same_days_and_roles_and_only_ones_own_ledger(client_of: Of) -> None:
    with clock.at(day(3, 2)):
        number = filed(ANNA)
        address = f"/deviations/{number}"
        do(BOB, actions.acknowledge, number)
        planned = [
            # Half of the time ends on Good Friday.
            "tisdag 7 april Påminnelse till handläggaren",
            "onsdag 22 april Påminnelse till handläggaren",
            "måndag 4 maj Påminnelse till handläggaren",
            "måndag 11 maj Påminnelse till handläggaren",
            "måndag 11 maj Ärendet lyfts till chefen",
            # Ascension Day lies between.
            "tisdag 19 maj Påminnelse till handläggaren",
            "tisdag 19 maj Ärendet lyfts till patientsäkerhet",
            "tisdag 26 maj Ärendet lyfts till högsta ansvariga",
        ]
        ours, theirs = client_of(BOB).get(address).text, client_of(ANNA).get(address).text
        assert steps(ours) == steps(theirs) == planned
        assert ("Påminnelserna går till er." in ours, "Påminnelserna går till er." in theirs) == (True, False)
        assert "Påminnelserna går till Medicin avdelning 43 Karlskrona." in theirs
    with clock.at(day(4, 22, 7)):
        chased(number)
        done = [f"{planned[0]} (inte skickad, en senare kom samma dag)", f"{planned[1]} (skickad)"]
        assert steps(client_of(BERIT).get(address).text) == [*done, *planned[2:]]
        # The sender reads that a day has passed, and nothing of whether anybody was told; today has not.
        assert steps(client_of(MATS).get(address).text) == [f"{planned[0]} (passerat)", *planned[1:]]


def hint(page: str) -> str:
    found = re.search(r'id="reminding">\s*<summary[^>]*>(.*?)</summary>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", found[1]).split()) if found else ""


def test_what_ones_own_side_has_turned_off_is_not_promised(client_of: Of) -> None:
    off = "(skickas inte, avstängt av er)"
    with clock.at(day(3, 2)):
        number = filed(ANNA)
        address = f"/deviations/{number}"
        do(BOB, actions.acknowledge, number)
        before = steps(client_of(BOB).get(address).text)
        do(BOB, actions.quiet, number, QuietForm(until="2026-04-22", reason="Sjukdom."))  # type: ignore[arg-type]
        page = client_of(BOB).get(address).text
        # On the day they want to hear of it again they do.
        assert steps(page) == [f"{before[0]} {off}", *before[1:]]
        assert hint(page) == "Så här påminns det Nästa 22 april 2026"
        assert steps(client_of(ANNA).get(address).text) == before
        do(BOB, actions.quiet, number, QuietForm(reason="Sjukdom."))
        page = client_of(BOB).get(address).text
        assert steps(page) == [f"{row} {off}" if "handläggaren" in row else row for row in before]
        # What is raised to others still is.
        assert hint(page) == "Så här påminns det Nästa 11 maj 2026"


def test_with_two_clocks_the_nearest_reminder_says_of_what(client_of: Of) -> None:
    with clock.at(day(3, 2)):
        page = client_of(BOB).get(f"/deviations/{filed(ANNA)}").text
        assert hint(page) == "Så här påminns det Nästa 4 mars 2026, om kvittensen"


def test_when_every_step_has_been_taken_it_says_so_and_where_the_case_now_stands(client_of: Of) -> None:
    with clock.at(day(3, 2)):
        number = filed(ANNA)
        do(BOB, actions.acknowledge, number)
    over = "Alla påminnelser är gjorda. Ärendet står kvar i länets sammanställning."
    with clock.at(day(5, 26)):
        assert over not in client_of(ANNA).get(f"/deviations/{number}").text
    with clock.at(day(5, 27)):
        for side in (ANNA, BOB):
            assert over in client_of(side).get(f"/deviations/{number}").text


def test_lateness_is_said_in_words_to_the_one_who_owes_and_the_one_who_waits(client_of: Of) -> None:
    with clock.at(day(3, 2)):
        number = filed(ANNA)
        assert late(client_of(BOB).get(f"/deviations/{number}").text) == []
    with clock.at(day(3, 11)):
        assert late(client_of(BOB).get(f"/deviations/{number}").text) == [
            "Kvittensen skulle ha kommit i måndags. Kvittera nu, så vet avsändaren att ni har ärendet."
        ]
        assert late(client_of(ANNA).get(f"/deviations/{number}").text) == [
            "Kvittensen skulle ha kommit i måndags. Mottagaren påminns."
        ]
        do(BOB, actions.acknowledge, number)
    with clock.at(day(5, 6)):
        assert late(client_of(BOB).get(f"/deviations/{number}").text) == [
            "Svaret skulle ha kommit i måndags. Svara nu, eller skriv när svaret kommer, så vet avsändaren."
        ]
        do(BOB, actions.delay_notice, number, DelayForm(reason="Sjukdom.", promised_on="2026-05-12"))  # type: ignore[arg-type]
        assert late(client_of(BOB).get(f"/deviations/{number}").text) == [
            "Svaret skulle ha kommit i måndags. Ni har lovat det till tisdag 12 maj 2026."
        ]
        # Nobody is reminded up to that day, so the one who waits is not told that somebody is.
        assert late(client_of(ANNA).get(f"/deviations/{number}").text) == [
            "Svaret skulle ha kommit i måndags. Mottagaren har lovat det till tisdag 12 maj 2026."
        ]
    with clock.at(day(5, 13)):
        assert late(client_of(BOB).get(f"/deviations/{number}").text) == [
            "Svaret skulle ha kommit för 9 dagar sedan, och ni lovade det till tisdag 12 maj 2026. Svara nu."
        ]
        assert late(client_of(ANNA).get(f"/deviations/{number}").text) == [
            "Svaret skulle ha kommit för 9 dagar sedan, och mottagaren lovade det till tisdag 12 maj 2026."
            " Mottagaren påminns."
        ]


def test_steps_of_a_leg_that_has_ended_are_not_shown(client_of: Of) -> None:
    with clock.at(day(3, 2)):
        number = filed(ANNA)
        do(BOB, actions.acknowledge, number)
        do(BOB, actions.redirect, number, RedirectForm(unit=OLOFSTROMS_UNIT, comment="Hör till er."))
        # The sender has the word now, for two working days.
        assert "Påminnelserna går till er." not in client_of(BOB).get(f"/deviations/{number}").text
        do(ANNA, actions.confirm_redirect, number, ConfirmRedirectForm(confirm=True, comment="Ja."))
        page = client_of(ANNA).get(f"/deviations/{number}").text
        assert "Påminnelserna går till Hemsjukvården Olofström." in page
        assert "Påminnelserna går till Medicin" not in page
        do(OLOFSTROM, actions.answer, number, ANSWER)
        do(ANNA, actions.judge, number, VerdictForm(verdict=VerdictKind.ACCEPTED))
        assert steps(client_of(ANNA).get(f"/deviations/{number}").text) == []


def finding(page: str) -> list[str]:
    return re.findall(r'<p class="finding">(.*?)</p>', page)


def drawn(page: str) -> list[str]:
    """The units that the picture and its table name."""
    way = re.search(r'id="way".*?</table>', page, re.DOTALL)
    return sorted(set(re.findall(r'class="lane-name"[^>]*>([^<]*)<', way[0]))) if way else []


def test_the_way_of_a_case_is_one_picture_with_one_finding_and_a_table(client_of: Of) -> None:
    with clock.at(day(3, 2)):
        number = filed(ANNA)
        assert finding(client_of(ANNA).get(f"/deviations/{number}").text) == []
    with clock.at(day(3, 6)):
        do(BOB, actions.question, number, QuestionForm(text="Vilken dag?"))
    with clock.at(day(3, 9)):
        do(ANNA, actions.reply, number, QuestionForm(text="I tisdags."))
    with clock.at(day(3, 14)):
        ours, theirs = (client_of(one).get(f"/deviations/{number}").text for one in (ANNA, BOB))
        assert finding(ours) == [
            "Ärendet har varit 12 dagar hos Medicin avdelning 43 Karlskrona, varav 3 väntade de på er."
        ]
        assert finding(theirs) == ["Ärendet har varit 12 dagar hos er, varav 3 väntade ni på avsändaren."]
        assert drawn(ours) == drawn(theirs) == ["Hemsjukvården Sölvesborg", "Medicin avdelning 43 Karlskrona"]
        assert 'role="img" aria-labelledby="way-picture-title way-picture-desc"' in ours
        assert " style=" not in ours
        assert finding(client_of(ANNA).get(f"/deviations/{number}/print").text) == finding(ours)


def test_a_receiver_is_drawn_its_own_legs_only(client_of: Of) -> None:
    with clock.at(day(3, 2)):
        number = filed(ANNA)
        do(BOB, actions.acknowledge, number)
    with clock.at(day(3, 6)):
        do(BOB, actions.redirect, number, RedirectForm(unit=OLOFSTROMS_UNIT, comment="Hör till er."))
        do(ANNA, actions.confirm_redirect, number, ConfirmRedirectForm(confirm=True, comment="Ja."))
    with clock.at(day(3, 16)):
        theirs = client_of(OLOFSTROM).get(f"/deviations/{number}").text
        assert finding(theirs) == ["Ärendet har varit 10 dagar hos er."]
        assert drawn(theirs) == ["Hemsjukvården Olofström"]
        ours = client_of(ANNA).get(f"/deviations/{number}").text
        assert finding(ours) == [
            "Ärendet har varit 4 dagar hos Medicin avdelning 43 Karlskrona."
            " Sedan var det 10 dagar hos Hemsjukvården Olofström."
        ]
