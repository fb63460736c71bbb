"""Keys for the one who goes through many cases: they move, they keep away while one writes, and they can be turned off."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_the_loop import WARD, Enter


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.className"))


def test_keys_move_search_and_tell_of_themselves(enter: Enter) -> None:
    page = enter(WARD, DESK)
    page.goto("/inbox")
    links = page.locator(".case-link")
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("jk?gi")
    expect(page.locator("#find")).to_have_value("jk?gi")
    expect(page.locator("#keys")).to_be_hidden()
    links.nth(0).focus()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/deviations")


def test_keys_that_are_turned_off_stay_off(enter: Enter) -> None:
    page = enter(WARD, DESK)
    page.goto("/inbox")
    page.get_by_role("button", name="Kortkommandon").click()
    page.get_by_label("Kortkommandon är på").uncheck()
    page.get_by_role("button", name="Stäng").click()
    page.reload()
    page.keyboard.press("j")
    assert "case-link" not in focused(page)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_hidden()


def test_a_filter_keeps_the_focus_where_it_was(enter: Enter) -> None:
    page = enter("mas@solvesborg.example", DESK)
    page.goto("/deviations")
    page.locator("#filter-fold > summary").click()
    page.locator("#state").focus()
    page.locator("#state").select_option("closed")
    page.wait_for_url("**state=closed**")
    expect(page.locator(".chosen")).to_contain_text("Avslutat")
    expect(page.locator("#state")).to_be_focused()


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_case_is_ticked_with_a_finger_and_taken_back(enter: Enter, viewport: dict[str, int]) -> None:
    """The whole row is a link, and the box lies on top of it."""
    page = enter(WARD, viewport)
    for address in ("/deviations", "/inbox"):
        page.goto(address)
        boxes = page.locator(".case-pick")
        boxes.nth(0).click()
        boxes.nth(1).click()
        boxes.nth(1).click()
        expect(page).to_have_url(re.compile(address + "$"))
        expect(page.get_by_role("checkbox", checked=True)).to_have_count(1)
