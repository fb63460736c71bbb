"""What crosses to the other party is looked at first, where it probably points out a person; nothing is stopped."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from backend.deviations import queries
from backend.deviations.models import State
from tests.deviations import verbs
from tests.people import ANNA, BERIT, BOB, CHARLIE, acting, filed

pytestmark = pytest.mark.usefixtures("blekinge")
Of = Callable[..., TestClient]
KARLSKRONA = "SE2120000829-V010"
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


WORDS = "Fråga Karin Lundin om det."


def changed(client: TestClient, number: str, verb: str, typed: dict[str, object]) -> str:
    """The page behind "Ändra", after a look at what was typed; its text stands in the field that it opens at."""
    look = client.post(f"/deviations/{number}/look/{verb}", data=typed).text
    found = re.search(r'formaction="([^"#]+)#([^"]+)"[^>]*><span>Ändra</span>', look)
    assert found is not None
    assert '<dd class="prose">not_involved' not in look
    kept_all: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', look):
        kept_all.setdefault(name, []).append(value)
    page = client.post(found.group(1), data=kept_all)
    assert page.status_code == 200
    assert re.search(rf'<textarea[^>]* id="{found.group(2)}"[^>]*>\s*{WORDS}</textarea>', page.text)
    assert 'name="look_first" value="yes"' in page.text
    return page.text


def test_the_look_leads_back_to_the_form_with_everything_kept(client_of: Of) -> None:
    number, bob = filed(), client_of(BOB)
    late = changed(bob, number, "delay-notice", {"reason": WORDS, "promised_on": "2030-01-02"})
    assert 'value="2030-01-02"' in late
    changed(bob, number, "question", {"text": WORDS})
    for way, unit in (("redirect", "unit"), ("decline", "suggested_unit")):
        page = changed(bob, number, way, {"comment": WORDS, "reason": "not_involved", unit: KARLSKRONA})
        assert f'value="{KARLSKRONA}" selected' in page
        assert 'value="not_involved" selected' in page
    answer = {"outcome": "partly", "cause": WORDS, "actions": ["Ett.", "Två."], "cause_areas": ["procedures"]}
    page = changed(bob, number, "answer", answer)
    assert [">\nEtt.<" in page, ">\nTvå.<" in page, 'value="partly" checked' in page] == [True] * 3
    assert state(number) == State.SENT


def test_the_senders_words_too_can_be_changed_after_the_look(client_of: Of) -> None:
    number, anna, bob = filed(), client_of(ANNA), client_of(BOB)
    assert bob.post(f"/deviations/{number}/question", data={"text": "Vilken dag?"}).status_code == 303
    changed(anna, number, "reply", {"text": WORDS})
    assert anna.post(f"/deviations/{number}/reply", data={"text": "I måndags."}).status_code == 303
    verbs.answer(number)
    changed(anna, number, "verdict", {"verdict": "returned", "comment": WORDS})
    verbs.judge(number, verbs.ACCEPTED)
    assert state(number) == State.CLOSED
    changed(client_of(BERIT), number, "reopen", {"comment": WORDS})
    # Only who may send it is shown the form.
    refused = client_of(CHARLIE).post(f"/deviations/{number}/reopen/change", data={"comment": WORDS})
    assert refused.status_code == 404
