"""Every page and state: no axe violation, no sideways scroll, no word from the browser's console, light and dark."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_the_loop import MAS, NURSE, WARD, Enter

AXE = (Path(__file__).parent / "vendor" / "axe" / "axe.min.js").read_text("utf-8")
# Two frames drawn, and every change of colour or place over: a reading in the midst of one is of neither.
AT_REST = """
new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))).then(() => Promise.all(
    document.getAnimations().filter(one => one.effect.getComputedTiming().endTime < 10000).map(one => one.finished)
))
"""
AXE_RUN = """
rules => axe.run(document, {runOnly: rules})
    .then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(', ')))
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ROOM = ["target-size", "scrollable-region-focusable"]
COORDINATOR = "samordnare@lan.example"
ADMINISTRATOR = "admin@solvesborg.example"
REGISTRAR = "registrator@region.example"
NARROW = {"width": 320, "height": 640}


def goes_to(address: str) -> Callable[[Page], None]:
    return lambda page: page.goto(address) and None


def first_case(address: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.goto(address)
        page.locator(".case-link").first.click()
        page.wait_for_load_state()

    return go


def the_answer_page(page: Page) -> None:
    first_case("/inbox")(page)
    page.get_by_role("link", name="Svara").first.click()
    page.wait_for_load_state()


def a_faulty_answer(page: Page) -> None:
    the_answer_page(page)
    page.get_by_role("button", name="Skicka svaret").click()
    page.wait_for_selector("#error-summary")


def a_faulty_report(page: Page) -> None:
    page.goto("/deviations/new")
    page.get_by_role("button", name="Skicka", exact=True).click()
    page.wait_for_selector("#error-summary")


def a_draft_that_is_not_saved(page: Page) -> None:
    page.goto("/deviations/new")
    page.context.clear_cookies()
    page.get_by_label("Vad hände?").fill("En text vars skrivare har loggats ut.")
    page.wait_for_selector("#draft_status .alert")


def words_given_back_with_the_way_in(page: Page) -> None:
    a_draft_that_is_not_saved(page)
    page.get_by_role("button", name="Skicka", exact=True).click()
    page.wait_for_selector("#kept")


def a_report_to_look_at_first(page: Page) -> None:
    page.goto("/deviations/new")
    page.locator("input#receiver_unit").fill("avdelning 43")
    page.locator("input#receiver_unit").press("ArrowDown")
    page.locator("input#receiver_unit").press("Enter")
    page.get_by_label("Vad gäller det?").select_option(label="Läkemedelslista")
    page.get_by_label("Vad hände?").fill("Dottern Eva Lind ringde från 070-174 06 05.")
    page.get_by_role("button", name="Skicka", exact=True).click()
    page.wait_for_selector("mark")


def an_unfolded_report(page: Page) -> None:
    page.goto("/deviations/new")
    for fold in page.locator("form summary").all():
        fold.click()


def unfolded(address: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.goto(address)
        for fold in page.locator("main summary").all():
            fold.click()

    return go


def turn(way: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        first_case("/inbox")(page)
        page.goto(f"{page.url.partition('?')[0]}/{way}")

    return go


def a_nurses_page(page: Page) -> None:
    page.goto("/directory/people?q=hemsjuk")
    page.locator(".members a").first.click()
    page.wait_for_url("**/directory/people/*")
    for fold in page.locator("main summary").all():
        fold.click()


def a_faulty_person(page: Page) -> None:
    page.goto("/directory/people/new")
    page.get_by_role("button", name="Lägg till personen").click()
    page.wait_for_selector("#error-summary")


def a_search(page: Page) -> None:
    page.goto("/search")
    page.locator("#q").fill("läkemedelslista")
    page.locator("#q").press("Enter")
    page.wait_for_selector("#hits")


def an_unfolded_case(page: Page) -> None:
    first_case("/inbox")(page)
    for fold in page.locator("main summary").all():
        if fold.is_visible():
            fold.click()


def a_quiet_case(page: Page) -> None:
    first_case("/inbox")(page)
    if not page.locator("#quiet-now").count():
        page.locator("#quiet > summary").click()
        page.locator("#quiet-reason").fill("Vi väntar på apoteket.")
        page.get_by_role("button", name="Stäng av", exact=True).click()
        page.wait_for_selector("#quiet-now")
    for fold in page.locator("#quiet > summary, #reminding > summary, #way-table-fold > summary").all():
        fold.click()


def a_faulty_quiet(page: Page) -> None:
    first_case("/inbox")(page)
    page.locator("#quiet > summary").click()
    page.get_by_role("button", name="Stäng av", exact=True).click()
    page.wait_for_selector("#error-summary")


def a_new_calendar(page: Page) -> None:
    page.goto("/settings/notifications")
    opening = page.get_by_role("button", name="Skapa en kalenderadress")
    if opening.count():
        opening.click()
    else:
        page.get_by_text("Byt adress").click()
        page.get_by_role("button", name="Ja, skapa en ny").click()
    page.wait_for_selector("#calendar-new")


def a_faulty_turn(page: Page) -> None:
    turn("decline")(page)
    page.get_by_role("button", name="Avböj", exact=True).click()
    page.wait_for_selector("#error-summary")


def a_new_version_with_its_preview(page: Page) -> None:
    page.goto("/agreements/new")
    page.locator("#severities-answer summary").click()
    page.locator("#answer_n").fill("30")
    page.locator("#answer_n").blur()
    page.wait_for_selector("#preview .lead")


def a_faulty_version(page: Page) -> None:
    page.goto("/agreements/new")
    page.locator("#reminders_answer").fill("ibland")
    page.get_by_role("button", name="Förhandsvisa").first.click()
    page.wait_for_selector("#error-summary")


PAGES: dict[str, tuple[str | None, Callable[[Page], None]]] = {
    "log in": (None, goes_to("/login")),
    "help": (None, goes_to("/help")),
    "accessibility": (None, goes_to("/accessibility")),
    "letter box": (None, goes_to("/demo/post")),
    "start": (NURSE, goes_to("/")),
    "start of a coordinator": (COORDINATOR, goes_to("/")),
    "report": (NURSE, an_unfolded_report),
    "faulty report": (NURSE, a_faulty_report),
    "report to look at first": (NURSE, a_report_to_look_at_first),
    "draft that is not saved": (NURSE, a_draft_that_is_not_saved),
    "logged out with words given back": (NURSE, words_given_back_with_the_way_in),
    "inbox": (WARD, goes_to("/inbox")),
    "inbox that waits for others": (WARD, goes_to("/inbox?group=theirs")),
    "empty part of the inbox": (WARD, goes_to("/inbox?group=settle")),
    "quiet case": (WARD, a_quiet_case),
    "faulty quiet": (NURSE, a_faulty_quiet),
    "letters": (MAS, goes_to("/settings/notifications?done=saved")),
    "letters with a quiet case and a new calendar": (WARD, a_new_calendar),
    "list": (MAS, goes_to("/deviations")),
    "filtered list": (MAS, goes_to("/deviations?direction=out&state=closed&late=true")),
    "search": (MAS, a_search),
    "empty list": (MAS, goes_to("/deviations?state=withdrawn")),
    "case to answer": (WARD, first_case("/inbox")),
    "answer": (WARD, the_answer_page),
    "faulty answer": (WARD, a_faulty_answer),
    "case with an answer to judge": (NURSE, first_case("/inbox")),
    "closed case": (MAS, first_case("/deviations?state=closed")),
    "unfolded case": (WARD, an_unfolded_case),
    "redirect": (WARD, turn("redirect")),
    "decline": (WARD, turn("decline")),
    "faulty decline": (WARD, a_faulty_turn),
    "mask": (MAS, turn("mask")),
    "masked": (MAS, turn("masked")),
    "print": (WARD, turn("print")),
    "start of safety": (MAS, goes_to("/")),
    "start of a registrar": (REGISTRAR, goes_to("/")),
    "register": (REGISTRAR, goes_to("/register")),
    "sealed copies": (REGISTRAR, goes_to("/register?show=sealed")),
    "reviews": (MAS, goes_to("/reviews")),
    "figures": (MAS, goes_to("/figures?from=2023-01&to=2024-12")),
    "agreement": (COORDINATOR, goes_to("/agreements")),
    "agreement as others read it": (NURSE, goes_to("/agreements")),
    "version of the agreement": (COORDINATOR, goes_to("/agreements/BLE/1")),
    "new version": (COORDINATOR, a_new_version_with_its_preview),
    "new version with faults": (COORDINATOR, a_faulty_version),
    "months": (COORDINATOR, goes_to("/summaries")),
    "month": (COORDINATOR, goes_to("/summaries/BLE/2024-11")),
    "directory": (NURSE, goes_to("/directory")),
    "settings": (NURSE, unfolded("/settings")),
    "forgotten password": (None, goes_to("/login/reset")),
    "organisation": (ADMINISTRATOR, goes_to("/directory/organisation")),
    "branch": (MAS, goes_to("/directory/branches/SE2120000852-V000")),
    "unit": (ADMINISTRATOR, unfolded("/directory/units/SE2120000852-V010")),
    "new unit": (ADMINISTRATOR, goes_to("/directory/units/new")),
    "people": (ADMINISTRATOR, goes_to("/directory/people")),
    "person": (ADMINISTRATOR, a_nurses_page),
    "faulty person": (ADMINISTRATOR, a_faulty_person),
    "import": (ADMINISTRATOR, goes_to("/directory/import")),
    "health of the receiving units": (MAS, unfolded("/directory/health")),
    "contacts for when the systems are down": (NURSE, goes_to("/directory/contacts")),
    "escalation list": (ADMINISTRATOR, unfolded("/directory/organisation/escalation")),
    "address to confirm": (WARD, goes_to("/settings/confirm-address")),
    "jobs": (ADMINISTRATOR, goes_to("/jobs")),
    "404": (NURSE, goes_to("/deviations/BLE-2026-000000")),
    "403": (COORDINATOR, goes_to("/deviations/new")),
}


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible(enter: Enter, name: str) -> None:
    who, go = PAGES[name]
    page = enter(who, PHONE)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    found = {}
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    go(page)
    page.evaluate(AXE)
    # One visit for all three: what a page looks like is decided by its styles, however it was come to. The narrowest
    # differs from a phone only in how things find room.
    for scheme, viewport, rules in (("light", PHONE, RULES), ("dark", DESK, RULES), ("light", NARROW, ROOM)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        page.evaluate(AT_REST)
        violations = page.evaluate(AXE_RUN, rules)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if violations or wider > 0:
            found[f"{scheme} {viewport['width']}"] = (violations, wider)
    assert found == {}
    # The browser notes every answer of 4xx by itself; anything else would be a fault of the page.
    assert [words for words in said if "the server responded with a status of 4" not in words] == []


def tab_to(page: Page, words: str) -> None:
    passed = []
    for _ in range(60):
        page.keyboard.press("Tab")
        passed.append(
            page.evaluate("document.activeElement.id || (document.activeElement.innerText || '').trim()")
        )
        if passed[-1] == words:
            return
    raise AssertionError(f"no way by Tab to {words}, but past {passed}")


def test_the_report_is_filed_by_keyboard_alone(enter: Enter) -> None:
    page = enter(NURSE, DESK)
    page.goto("/deviations/new")
    page.locator("input#receiver_unit").focus()
    page.keyboard.type("avdelning 43")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    tab_to(page, "category")
    page.keyboard.type("Läkemedelslista")
    tab_to(page, "description")
    page.keyboard.type("Listan följde inte med hem.")
    tab_to(page, "Granska först")
    page.keyboard.press("Enter")
    page.wait_for_url("**/deviations/check")
    tab_to(page, "Skicka")
    page.keyboard.press("Enter")
    page.wait_for_url("**/deviations/BLE-*")


def test_every_target_on_a_phone_is_large_enough_for_a_thumb(enter: Enter) -> None:
    page = enter(NURSE, PHONE)
    page.goto("/deviations/new")
    small = page.evaluate(
        "[...document.querySelectorAll('main button, main summary, main select, main input:not([type=hidden]), main a')]"
        ".filter(e => e.offsetParent && !['radio', 'checkbox'].includes(e.type))"
        ".map(e => [e.innerText || e.name, e.getBoundingClientRect().height]).filter(([, h]) => h < 44)"
    )
    assert small == []
