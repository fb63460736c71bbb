"""The main job, for real: a report goes from a nurse's phone to a ward and comes back answered."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE

Enter = Callable[..., Page]
NURSE = "hemsjukvard@solvesborg.example"
WARD = "avd43@region.example"
MAS = "mas@solvesborg.example"
STORY = "Patienten kom hem utan läkemedelslista och insulindosen fick sökas per telefon."


def file_a_report(page: Page, *, story: str = STORY) -> str:
    """From the start page to the receipt; gives the case number."""
    page.get_by_role("link", name="Rapportera en avvikelse").click()
    receiver = page.locator("input#receiver_unit")
    receiver.fill("avdelning 43")
    receiver.press("ArrowDown")
    receiver.press("Enter")
    page.get_by_label("Vad gäller det?").select_option(label="Läkemedelslista")
    page.get_by_label("Vad hände?").fill(story)
    page.get_by_role("button", name="Granska först").click()
    expect(page.get_by_role("heading", name="Stämmer det här?")).to_be_visible()
    page.get_by_role("button", name="Skicka", exact=True).click()
    page.wait_for_url(re.compile(r"/deviations/BLE-\d{4}-[0-9A-Z]{6}$"))
    return page.url.rsplit("/", 1)[-1]


def ongoing(page: Page) -> int:
    """The number of ongoing cases sent by the branch, as the MAS reads it."""
    page.goto("/figures")
    return int(page.get_by_role("row").filter(has_text="Pågår").get_by_role("cell").nth(1).inner_text())


def test_a_deviation_is_filed_answered_and_closed(enter: Enter) -> None:
    mas = enter(MAS, DESK)
    nurse = enter(NURSE, PHONE)
    number = file_a_report(nurse)
    expect(
        nurse.get_by_text("Tack! Ärendet är skickat till Medicin avdelning 43 Karlskrona.")
    ).to_be_visible()
    expect(nurse.get_by_text("du får veta svaret")).to_be_visible()

    ward = enter(WARD, DESK)
    ward.goto("/inbox")
    ward.locator(".case", has_text=number).get_by_role("link").click()
    expect(ward.get_by_text(STORY)).to_be_visible()
    ward.get_by_role("button", name="Kvittera").click()
    expect(ward.get_by_text("Ärendet kvitterades")).to_be_visible()
    ward.get_by_role("link", name="Svara").click()
    ward.get_by_label("Vi delar bilden", exact=True).check()
    ward.get_by_label("Varför blev det så?").fill("Listan skrevs ut men skickades inte med.")
    ward.get_by_label("Rutiner och riktlinjer").check()
    ward.get_by_label("Åtgärd", exact=True).fill("Checklistan för hemgång får en rad om listan.")
    ward.get_by_label("Hur följer ni upp?").fill("Stickprov på tio hemgångar.")
    ward.get_by_role("button", name="Skicka svaret").click()
    expect(ward.get_by_text("Besvarat, inväntar bedömning")).to_be_visible()

    nurse.goto(f"/deviations/{number}")
    expect(nurse.get_by_text("Listan skrevs ut men skickades inte med.")).to_be_visible()
    nurse.get_by_role("button", name="Ja, svaret räcker").click()
    expect(nurse.get_by_text("Svaret godtogs och ärendet avslutades")).to_be_visible()
    assert "Sektionsledare, Medicin avdelning 43" in nurse.locator(".timeline").inner_text()

    expect(mas.get_by_role("heading", name="Hej!")).to_be_visible()
    mas.goto(f"/deviations/{number}")
    expect(mas.get_by_text("Avslutat", exact=True).first).to_be_visible()


def test_the_mas_sees_the_figure_change(enter: Enter) -> None:
    mas = enter(MAS, DESK)
    before = ongoing(mas)
    file_a_report(enter(NURSE))
    assert ongoing(mas) == before + 1


@pytest.mark.parametrize("stranger", ["hemsjukvard@karlskrona.example", "ifo@solvesborg.example"])
def test_a_stranger_gets_the_same_404_as_for_a_number_that_does_not_exist(
    enter: Enter, stranger: str
) -> None:
    number = file_a_report(enter(NURSE))
    page = enter(stranger)
    foreign = page.goto(f"/deviations/{number}")
    assert foreign is not None
    assert foreign.status == 404
    text = page.locator("main").inner_text()
    missing = page.goto("/deviations/BLE-2026-000000")
    assert missing is not None
    assert missing.status == 404
    code = re.compile(r"kod\s+\w+")
    assert code.sub("", page.locator("main").inner_text()) == code.sub("", text)


def test_the_mails_of_a_case_arrive_by_a_real_job_and_hold_no_content(enter: Enter) -> None:
    number = file_a_report(enter(NURSE), story="Kanariefågel: en text som aldrig får stå i ett mejl.")
    page = enter(None, DESK)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        page.goto("/demo/post")
        # Sent at once in the hours of work; at night and at the weekend it waits for the morning.
        sent = page.locator("section.card", has_text=number)
        waiting = page.get_by_role("table", name="Mejl som väntar").get_by_role("row").filter(has_text=number)
        if sent.count() or waiting.count():
            break
        page.wait_for_timeout(500)
    assert (sent.count() > 0) != (waiting.count() > 0)
    assert "Kanariefågel" not in page.locator("body").inner_text()
    planned = (
        page.get_by_role("table", name="Planerade påminnelser").get_by_role("row").filter(has_text=number)
    )
    expect(planned.filter(has_text="kvittera").filter(has_text="enhetens handläggare")).to_have_count(2)
    expect(planned.filter(has_text="ytterst ansvarig")).to_have_count(2)


def test_everything_works_without_javascript(enter: Enter) -> None:
    page = enter(NURSE, PHONE, java_script_enabled=False)
    page.goto("/deviations/new")
    page.locator("select#receiver_unit").select_option(value="SE2321000081-S011")
    page.get_by_label("Vad gäller det?").select_option(label="Läkemedelslista")
    page.get_by_label("Vad hände?").fill(STORY)
    page.get_by_role("button", name="Granska först").click()
    page.get_by_role("button", name="Skicka", exact=True).click()
    number = page.url.rsplit("/", 1)[-1]
    page.locator("summary", has_text="Återta ärendet").click()
    page.get_by_label("Varför?").fill("Det gällde en annan avdelning.")
    page.get_by_role("button", name="Ja, återta").click()
    expect(page.get_by_text("Återtaget").first).to_be_visible()
    assert page.url.endswith(number)


def test_a_draft_keeps_itself(enter: Enter) -> None:
    page = enter(NURSE)
    page.goto("/deviations/new")
    page.get_by_label("Vad hände?").fill("Ett halvfärdigt utkast om en hemgång.")
    expect(page.get_by_text("Utkastet sparades")).to_be_visible()
    page.goto("/")
    page.locator("#drafts").get_by_role("link", name="Fortsätt skriva").first.click()
    expect(page.get_by_label("Vad hände?")).to_have_value("Ett halvfärdigt utkast om en hemgång.")


def test_an_error_is_said_first_and_nothing_typed_is_lost(enter: Enter) -> None:
    page = enter(NURSE)
    page.goto("/deviations/new")
    page.get_by_label("Vad hände?").fill("Kort")
    page.get_by_role("button", name="Granska först").click()
    expect(page).to_have_title(re.compile("^Fel:"))
    expect(page.locator("#error-summary")).to_be_focused()
    expect(page.get_by_label("Vad hände?")).to_have_value("Kort")
    page.get_by_role("link", name="Skriv minst 10 tecken.").click()
    expect(page.get_by_label("Vad hände?")).to_be_focused()
