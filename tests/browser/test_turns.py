"""A redirected, a disputed and a masked case, by clicking, from both sides, on a phone and on a desk."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_the_loop import MAS, NURSE, WARD, Enter, file_a_report

HEAD_OF_CLINIC = "chef.medicin@region.example"
KARLSKRONA = "hemsjukvard@karlskrona.example"
REGION_SAFETY = "patientsakerhet@region.example"
SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])


def opens(page: Page, number: str) -> None:
    page.goto(f"/deviations/{number}")
    fits(page)


def fits(page: Page) -> None:
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def unfold(page: Page, words: str) -> None:
    page.locator("summary", has_text=words).click()


def choose(page: Page, field: str, words: str) -> None:
    box = page.locator(f"input#{field}")
    box.fill(words)
    box.press("ArrowDown")
    box.press("Enter")


def decline(page: Page, number: str, words: str) -> None:
    opens(page, number)
    unfold(page, "Hör ärendet inte till er")
    page.get_by_role("link", name="Avböj ärendet").click()
    fits(page)
    page.get_by_label("Varför?").select_option(label="Vi var inte inblandade")
    page.get_by_label("Skriv med egna ord").fill(words)
    page.get_by_role("button", name="Avböj", exact=True).click()


@SIZES
def test_a_case_finds_the_right_unit_with_the_senders_yes(enter: Enter, size: dict[str, int]) -> None:
    nurse, ward = enter(NURSE, size), enter(WARD, size)
    number = file_a_report(nurse)
    opens(ward, number)
    unfold(ward, "Hör ärendet inte till er")
    ward.get_by_role("link", name="Skicka till rätt enhet").click()
    fits(ward)
    choose(ward, "unit", "hemsjukvården karlskrona")
    ward.get_by_label("Några ord om varför").fill("Patienten skrevs ut dit.")
    ward.get_by_role("button", name="Skicka vidare").click()
    expect(ward.get_by_text("Annan mottagare föreslagen, inväntar avsändaren")).to_be_visible()
    fits(ward)

    opens(nurse, number)
    expect(nurse.get_by_role("heading", name="Ska ärendet gå till Hemsjukvården Karlskrona?")).to_be_visible()
    expect(nurse.get_by_text("blir ärendet kvar hos mottagaren.")).to_be_visible()
    nurse.get_by_role("button", name="Ja, lämna ut ärendet").click()
    expect(nurse.get_by_role("heading", name="Ärendets väg mellan enheter")).to_be_visible()
    fits(nurse)

    gone = ward.goto(f"/deviations/{number}")
    assert gone is not None
    assert gone.status == 404
    karlskrona = enter(KARLSKRONA, size)
    opens(karlskrona, number)
    karlskrona.get_by_role("button", name="Kvittera").click()
    expect(karlskrona.get_by_text("Ärendet kvitterades")).to_be_visible()
    assert "Patienten skrevs ut dit." not in karlskrona.locator("body").inner_text()


@SIZES
def test_a_case_declined_twice_is_settled_by_the_two(enter: Enter, size: dict[str, int]) -> None:
    nurse, ward = enter(NURSE, size), enter(WARD, size)
    number = file_a_report(nurse)
    decline(ward, number, "Vi hade aldrig patienten.")
    ward.wait_for_url("**/inbox?did=decline")
    expect(ward.get_by_text("Ärendet är avböjt och tillbaka hos avsändaren.")).to_be_visible()

    opens(nurse, number)
    expect(nurse.get_by_text("Vi hade aldrig patienten.").first).to_be_visible()
    nurse.get_by_role("link", name="Skicka till en annan enhet").click()
    choose(nurse, "unit", "avdelning 43")
    nurse.get_by_label("Några ord om varför").fill("Jo, hen låg hos er till torsdagen.")
    nurse.get_by_role("button", name="Skicka vidare").click()
    nurse.wait_for_url(f"**/deviations/{number}")
    decline(ward, number, "Nej, inte hos oss.")
    expect(ward.get_by_role("heading", name="Parterna försöker komma överens")).to_be_visible()

    mas = enter(MAS, size)
    opens(mas, number)
    mas.get_by_label("Vi delar bilden delvis").check()
    mas.get_by_label("Några ord till den andra parten").fill("Det brast hos oss båda.")
    mas.get_by_role("button", name="Skicka förslaget").click()
    expect(mas.get_by_text("Ert förslag: Vi delar bilden delvis")).to_be_visible()
    fits(mas)

    head = enter(HEAD_OF_CLINIC, size)
    opens(head, number)
    expect(head.get_by_text("Den andra partens förslag: Vi delar bilden delvis")).to_be_visible()
    head.get_by_label("Några ord tillbaka").fill("Vi håller med.")
    head.get_by_role("button", name="Säg ja till förslaget").click()
    expect(head.get_by_text("Besvarat, inväntar bedömning")).to_be_visible()
    fits(head)


@SIZES
def test_a_slip_is_hidden_and_safety_learns_whom_it_may_have_reached(
    enter: Enter, size: dict[str, int]
) -> None:
    nurse, ward = enter(NURSE, size), enter(WARD, size)
    number = file_a_report(nurse, story="Karin Lundin kom hem utan läkemedelslista på fredagskvällen.")
    opens(ward, number)
    expect(ward.get_by_text("Karin Lundin kom hem")).to_be_visible()

    opens(nurse, number)
    unfold(nurse, "Mer om ärendet")
    nurse.get_by_role("link", name="Dölj en uppgift").click()
    fits(nurse)
    nurse.get_by_label("Vilka ord ska döljas?").fill("karin lundin")
    nurse.get_by_role("button", name="Visa vad som döljs").click()
    expect(nurse.locator("mark")).to_have_text("Karin Lundin")
    fits(nurse)
    nurse.get_by_role("button", name="Ja, dölj det för alla").click()
    expect(nurse.get_by_text("Uppgiften är dold för alla")).to_be_visible()

    opens(ward, number)
    expect(ward.get_by_text("▒▒▒ kom hem utan läkemedelslista")).to_be_visible()
    assert "Lundin" not in ward.locator("body").inner_text()

    mas = enter(MAS, size)
    opens(mas, number)
    mas.get_by_role("link", name=re.compile("personuppgiftsincident")).click()
    expect(mas.get_by_text("Karin Lundin")).to_be_visible()
    expect(mas.get_by_text("Sjuksköterska, Hemsjukvården Sölvesborg")).to_be_visible()
    fits(mas)


@SIZES
def test_a_branch_that_declined_learns_of_a_slip_that_its_people_had_read(
    enter: Enter, size: dict[str, int]
) -> None:
    nurse, ward = enter(NURSE, size), enter(WARD, size)
    number = file_a_report(nurse, story="Karin Lundin kom hem utan läkemedelslista på fredagskvällen.")
    decline(ward, number, "Patienten har inte varit hos oss.")
    opens(nurse, number)
    unfold(nurse, "Mer om ärendet")
    nurse.get_by_role("link", name="Dölj en uppgift").click()
    nurse.get_by_label("Vilka ord ska döljas?").fill("karin lundin")
    nurse.get_by_role("button", name="Visa vad som döljs").click()
    fits(nurse)
    nurse.get_by_role("button", name="Ja, dölj det för alla").click()
    expect(nurse.get_by_text("Uppgiften är dold för alla")).to_be_visible()

    safety = enter(REGION_SAFETY, size)
    safety.goto("/register?show=sealed")
    safety.get_by_role("link", name=number).click()
    expect(safety.get_by_text("En uppgift är maskerad")).to_be_visible()
    expect(safety.get_by_text("▒▒▒ kom hem utan läkemedelslista")).to_be_visible()
    fits(safety)
    safety.get_by_role("link", name=re.compile("personuppgiftsincident")).click()
    expect(safety.get_by_text("Ärendet har lämnat er.")).to_be_visible()
    expect(safety.get_by_text("Karin Lundin kom hem")).to_be_visible()
    expect(safety.get_by_text("Sektionsledare, Medicin avdelning 43")).to_be_visible()
    expect(safety.get_by_text("Hemsjukvården Sölvesborg")).to_have_count(0)
    fits(safety)
    safety.get_by_role("link", name="Till er förseglade kopia").click()
    expect(safety.get_by_role("heading", name="Förseglad kopia")).to_be_visible()


def test_a_question_is_asked_and_answered_in_the_case_without_javascript(enter: Enter) -> None:
    nurse, ward = enter(NURSE, PHONE), enter(WARD, PHONE, java_script_enabled=False)
    number = file_a_report(nurse)
    opens(ward, number)
    unfold(ward, "Hör ärendet inte till er")
    unfold(ward, "Fråga avsändaren")
    ward.get_by_label("Vad behöver ni veta?").fill("Vilken dag kom hen hem?")
    ward.get_by_role("button", name="Skicka frågan").click()
    expect(ward.get_by_text("kommer ärendet tillbaka till er av sig självt.")).to_be_visible()
    opens(nurse, number)
    nurse.get_by_label("Ert svar").fill("På fredagen.")
    nurse.get_by_role("button", name="Skicka svaret").click()
    opens(ward, number)
    expect(ward.get_by_text("På fredagen.")).to_be_visible()
