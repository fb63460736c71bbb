"""What one writes at length keeps itself, and is not lost with the session."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_the_loop import NURSE, WARD, Enter, file_a_report

STORY = "Ett halvfärdigt utkast om en hemgång utan lista."


def test_a_session_that_ends_takes_no_text_and_the_draft_is_kept_once_one_is_back(enter: Enter) -> None:
    page = enter(NURSE, DESK)
    page.goto("/deviations/new")
    page.context.clear_cookies()
    page.get_by_label("Vad hände?").fill(STORY)
    status = page.locator("#draft_status")
    expect(status.get_by_text("Du har loggats ut")).to_be_visible()
    assert page.url.endswith("/deviations/new")
    expect(page.get_by_label("Vad hände?")).to_have_value(STORY)
    with page.expect_popup() as opened:
        status.get_by_role("link", name="Logga in").click()
    door = opened.value
    door.get_by_label("E-postadress").fill(NURSE)
    door.get_by_label("Lösenord").fill("samsvar-demo")
    door.get_by_role("button", name="Logga in").click()
    door.wait_for_url("**/")
    page.get_by_label("Vad hände?").press_sequentially(" Och mer.")
    expect(status.get_by_text("Utkastet sparades")).to_be_visible()
    door.reload()
    expect(door.locator("#drafts").get_by_text("Och mer.").first).to_be_visible()


def the_answer_to(page: Page, number: str) -> None:
    page.goto(f"/deviations/{number}/answer")
    page.wait_for_load_state()


def write_for(page: Page, seconds: float) -> None:
    """A key at a time, with no pause to speak of."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        page.keyboard.type("x")
        page.wait_for_timeout(300)


def test_an_answer_written_without_a_pause_is_saved_meanwhile_and_soon_after(enter: Enter) -> None:
    number = file_a_report(enter(NURSE))
    page = enter(WARD, DESK)
    the_answer_to(page, number)
    saves: list[float] = []
    page.on("request", lambda one: saves.append(time.monotonic()) if one.url.endswith("/draft") else None)
    page.get_by_label("Varför blev det så?").focus()
    write_for(page, 12)
    assert len(saves) == 1
    expect(page.locator("#draft_status").get_by_text("Utkastet sparades")).to_be_visible()
    page.wait_for_timeout(3000)
    assert len(saves) == 2
    # Its own saves are no conflict, and what is saved is not saved again.
    expect(page.locator("#draft_status").get_by_text("Utkastet sparades")).to_be_visible()
    page.wait_for_timeout(1000)
    assert len(saves) == 2


def test_what_was_written_in_the_moment_before_one_left_is_there_when_one_comes_back(enter: Enter) -> None:
    nurse = enter(NURSE)
    number = file_a_report(nurse)
    page = enter(WARD, DESK)
    the_answer_to(page, number)
    page.get_by_label("Varför blev det så?").fill("Listan låg kvar i skrivaren.")
    page.get_by_role("link", name="Till ärendet").click()
    page.wait_for_url(f"**/deviations/{number}")
    # A browser says that a page is left once it has the next one: that one was drawn before the save.
    page.wait_for_timeout(1000)
    the_answer_to(page, number)
    expect(page.get_by_label("Varför blev det så?")).to_have_value("Listan låg kvar i skrivaren.")
    nurse.goto("/deviations/new")
    nurse.get_by_label("Vad hände?").fill("Skrivet alldeles innan sidan lämnades.")
    nurse.goto("/")
    nurse.wait_for_timeout(1000)
    nurse.reload()
    expect(nurse.locator("#drafts").get_by_text("alldeles innan sidan").first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_text_is_changed_after_the_look_without_being_written_anew(enter: Enter, scripts: bool) -> None:
    number = file_a_report(enter(NURSE))
    page = enter(WARD, PHONE, java_script_enabled=scripts)
    page.goto(f"/deviations/{number}")
    page.locator("summary", has_text="Hör ärendet inte till er").click()
    page.locator("summary", has_text="Fråga avsändaren").click()
    page.get_by_label("Vad behöver ni veta?").fill("Var det Karin Lundin som ringde?")
    page.get_by_role("button", name="Skicka frågan").click()
    page.get_by_role("button", name="Ändra").click()
    field = page.get_by_label("Vad behöver ni veta?")
    expect(field).to_have_value("Var det Karin Lundin som ringde?")
    expect(field).to_be_in_viewport()
    field.fill("Vem var det som ringde?")
    page.get_by_role("button", name="Skicka frågan").click()
    expect(page.get_by_text("Vem var det som ringde?")).to_be_visible()
