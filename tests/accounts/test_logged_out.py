"""Whoever is logged out while they write loses nothing: the words come back, with the way in and why."""

from html import unescape

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from backend.accounts.identity import cookie_name

CASE = "/deviations/BLE-2026-7K3Q9X"
AUTOSAVE = {"HX-Request": "true", "HX-Target": "div#draft_status"}
WORDS = "Vilken dag skrevs <patienten> ut?"


@pytest.fixture
def ended(shared_blekinge: str, anonymous: TestClient) -> TestClient:
    """A browser whose session is over: the cookie is there, and opens nothing."""
    anonymous.cookies.set(cookie_name(), "one-that-has-ended")
    return anonymous


def came_from(address: str) -> dict[str, str]:
    return {"Referer": f"http://testserver{address}"}


def way_in(answer: Response) -> str:
    return unescape(answer.text.partition('href="/login?next=')[2].partition('"')[0])


def test_what_was_typed_comes_back_with_the_way_in_and_why(ended: TestClient) -> None:
    answer = ended.post(f"{CASE}/question", data={"text": WORDS}, headers=came_from(CASE))
    assert answer.status_code == 401
    assert "<h1>Du har loggats ut</h1>" in answer.text.replace(' class="ds-heading"', "")
    assert f">\n{WORDS}</textarea>" in unescape(answer.text)
    assert "<patienten>" not in answer.text
    assert way_in(answer) == CASE.replace("/", "%2F")


@pytest.mark.parametrize(
    ("before", "back"),
    [
        (f"{CASE}/decline", f"{CASE}/decline"),
        (f"{CASE}/question", CASE),  # a page that only a form leads to
        ("/nowhere", CASE),
        ("//evil.example/inbox", CASE),
        ("", CASE),
    ],
)
def test_the_way_back_is_a_page_that_opens(ended: TestClient, before: str, back: str) -> None:
    answer = ended.post(f"{CASE}/question", data={"text": WORDS}, headers=came_from(before))
    assert way_in(answer) == back.replace("/", "%2F")


def test_another_sites_address_is_no_way_back(ended: TestClient) -> None:
    headers = {"Referer": "http://evil.example/inbox"}
    answer = ended.post("/deviations", data={"description": WORDS}, headers=headers)
    assert (answer.status_code, "evil" in answer.text, 'href="/login"' in answer.text) == (401, False, True)


def test_a_press_with_no_words_leads_to_the_login_that_says_why(ended: TestClient) -> None:
    answer = ended.post(f"{CASE}/acknowledge", headers=came_from(CASE))
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/login?next={CASE.replace('/', '%2F')}&ended=true",
    )
    assert "Du har loggats ut" in ended.get(answer.headers["Location"]).text
    assert "Du har loggats ut" not in ended.get("/login").text


def test_a_file_or_too_much_from_somebody_unknown_is_answered_as_before(ended: TestClient) -> None:
    file = ended.post("/directory/import", files={"people": ("a.csv", b"a;b")})
    assert file.headers["Location"].startswith("/login")
    assert ended.post(f"{CASE}/question", data={"text": "x" * 1_000_000}).status_code == 413


def test_an_autosave_is_answered_in_its_corner_and_moves_nobody(ended: TestClient) -> None:
    for address in ("/deviations/draft", f"{CASE}/answer/draft"):
        answer = ended.post(address, data={"cause": WORDS, "revision": "7"}, headers=AUTOSAVE)
        assert (answer.status_code, "HX-Redirect" in answer.headers) == (401, False)
        assert answer.text.strip().startswith('<div id="draft_status"')
        assert "Du har loggats ut" in answer.text
        # The draft that one began from, for the first save after one has come back.
        assert 'name="revision" value="7"' in answer.text
        assert 'target="_blank" rel="noopener"' in answer.text
