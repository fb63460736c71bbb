"""What crosses to the other party is looked at first, where it probably points out a person; nothing is stopped."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from backend.deviations import queries
from backend.deviations.models import State
from tests.people import ANNA, BOB, CHARLIE, acting, filed

pytestmark = pytest.mark.usefixtures("blekinge")
Of = Callable[..., TestClient]
ASKED = {"text": "Är det Karin Lundin det gäller?", "look_first": "yes"}


def state(number: str) -> str:
    with acting(ANNA) as (db, me):
        return queries.deviation(db, me, number).state


def kept(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def test_the_first_press_shows_what_was_found_and_sends_nothing(client_of: Of) -> None:
    number, bob = filed(), client_of(BOB)
    page = bob.post(f"/deviations/{number}/question", data=ASKED)
    assert (page.status_code, "<mark>Karin Lundin</mark>" in page.text, state(number)) == (
        200,
        True,
        State.SENT,
    )
    assert kept(page.text) == {"text": "Är det Karin Lundin det gäller?"}
    sent = bob.post(f"/deviations/{number}/question", data=kept(page.text))
    assert (sent.status_code, state(number)) == (303, State.QUESTION)


def test_one_press_masks_it(client_of: Of) -> None:
    number, bob = filed(), client_of(BOB)
    page = bob.post(f"/deviations/{number}/look/question", data={**ASKED, "mask": "all"})
    assert kept(page.text) == {"text": "Är det [maskat] det gäller?"}
    assert "Det är maskat." in page.text
    assert client_of(CHARLIE).post(f"/deviations/{number}/look/question", data=ASKED).status_code == 404
    assert bob.post(f"/deviations/{number}/look/nothing", data=ASKED).status_code == 404


def test_words_that_point_out_nobody_go_at_once_and_so_does_a_system_that_does_not_ask(client_of: Of) -> None:
    number, other, bob = filed(), filed(), client_of(BOB)
    plain = {"text": "Vilken dag skrevs patienten ut?", "look_first": "yes"}
    assert bob.post(f"/deviations/{number}/question", data=plain).status_code == 303
    assert bob.post(f"/deviations/{other}/question", data={"text": ASKED["text"]}).status_code == 303


def test_the_answer_too_is_looked_at_with_all_its_actions_kept(client_of: Of) -> None:
    number, bob = filed(), client_of(BOB)
    answer = {
        "outcome": "agree",
        "cause_areas": ["procedures", "communication"],
        "cause": "Rutinen var inte känd.",
        "actions": ["Karin Lundin tar upp det på mötet.", "Checklistan ändras."],
        "follow_up": "Stickprov om tre månader.",
        "look_first": "yes",
    }
    page = bob.post(f"/deviations/{number}/answer", data=answer)
    assert (page.status_code, page.text.count('name="actions" value=')) == (200, 2)
    assert state(number) == State.SENT
