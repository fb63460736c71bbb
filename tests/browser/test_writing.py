"""What one writes at length keeps itself, and is not lost with the session."""

from playwright.sync_api import expect

from tests.browser.conftest import DESK
from tests.browser.test_the_loop import NURSE, Enter

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
