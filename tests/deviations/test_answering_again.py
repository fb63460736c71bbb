"""Answering anew: why, what was answered before, and that one may begin from it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from backend.core import clock, text
from backend.deviations import actions, queries
from backend.deviations.forms import CommentForm, MaskForm, VerdictForm
from backend.deviations.models import VerdictKind
from tests.deviations.test_pages import ANSWER
from tests.isolation.conftest import PATIENT_SAFETY, do
from tests.people import ANNA, BOB, acting, filed

pytestmark = pytest.mark.usefixtures("shared_blekinge")

Of = Callable[..., TestClient]


def turn(page: str) -> str:
    """What the card of one's own turn says."""
    found = re.search(r'<section[^>]*id="your-turn".*?</section>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", found[0]).split()) if found else ""


def answered(client_of: Of, **changed: object) -> str:
    number = filed(ANNA)
    sent = client_of(BOB).post(f"/deviations/{number}/answer", data={**ANSWER, **changed})
    assert sent.status_code == 303
    return number


def test_a_returned_answer_begins_from_the_one_before_and_says_what_was_missing(client_of: Of) -> None:
    number = answered(client_of)
    do(ANNA, actions.judge, number, VerdictForm(verdict=VerdictKind.RETURNED, comment="När är listan klar?"))
    bob = client_of(BOB)
    assert "Avsändaren behöver mer När är listan klar?" in turn(bob.get(f"/deviations/{number}").text)
    page = bob.get(f"/deviations/{number}/answer").text
    assert "När är listan klar?" in page
    assert "Fälten är ifyllda med det förra svaret." in page
    assert re.search(
        r'id="before".*?Listan skickades inte\..*?Checklistan ändras.*?</details>', page, re.DOTALL
    )
    assert ">\nListan skickades inte.</textarea>" in page
    assert ">\nChecklistan ändras.</textarea>" in page
    assert 'value="Enhetschef"' in page
    assert 'value="2027-01-31"' in page
    assert re.search(r'value="agree"[^>]*checked', page)
    assert len(re.findall(r'name="cause_areas"[^>]*checked', page)) == 2
    # What has been written since is what counts; the answer before stands under its fold.
    bob.post(f"/deviations/{number}/answer/draft", data={"cause": "Ett nytt försök.", "revision": "0"})
    page = bob.get(f"/deviations/{number}/answer").text
    assert ">\nEtt nytt försök.</textarea>" in page
    assert "Fälten är ifyllda" not in page
    assert re.search(r'id="before".*?Listan skickades inte\.', page, re.DOTALL)


def test_a_reopened_case_says_who_opened_it_and_why(client_of: Of) -> None:
    number = answered(client_of)
    do(ANNA, actions.judge, number, VerdictForm(verdict=VerdictKind.ACCEPTED, comment="Tack."))
    do("chef@solvesborg.example", actions.reopen, number, CommentForm(comment="Det hände igen i går."))
    said = "Hemsjukvården Sölvesborg har öppnat ärendet igen Det hände igen i går."
    assert said in turn(client_of(BOB).get(f"/deviations/{number}").text)
    page = client_of(BOB).get(f"/deviations/{number}/answer").text
    assert said in " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert ">\nListan skickades inte.</textarea>" in page


def test_a_day_that_has_passed_since_is_not_promised_again(client_of: Of) -> None:
    number = answered(client_of, actions_due_on=clock.today().isoformat())
    do(ANNA, actions.judge, number, VerdictForm(verdict=VerdictKind.RETURNED, comment="När?"))
    with clock.at(clock.now() + timedelta(days=3)):
        page = client_of(BOB).get(f"/deviations/{number}/answer").text
    assert re.search(r'id="actions_due_on"[^>]*value="20', page) is None
    assert ">\nChecklistan ändras.</textarea>" in page


def test_a_first_answer_begins_empty(client_of: Of) -> None:
    page = client_of(BOB).get(f"/deviations/{filed(ANNA)}/answer").text
    assert ('id="before"' in page, "Fälten är ifyllda" in page) == (False, False)


def test_a_masked_word_does_not_come_back(client_of: Of) -> None:
    number = answered(client_of, cause="Kanariefågeln skickade inte listan.")
    do(ANNA, actions.judge, number, VerdictForm(verdict=VerdictKind.RETURNED, comment="När?"))
    with acting(BOB) as (db, me):
        latest = queries.answers(db, queries.deviation(db, me, number))[-1].id
    do(PATIENT_SAFETY, actions.mask, number, MaskForm(field=f"answers.{latest}.cause", start=0, end=13))
    page = client_of(BOB).get(f"/deviations/{number}/answer").text
    assert "Kanariefågeln" not in page
    assert ">\n▒▒▒ skickade inte listan.</textarea>" in page


@pytest.mark.parametrize("how", ["returned", "reopened"])
def test_the_picture_of_the_way_has_the_day_of_the_answer_that_is_waited_for_now(
    client_of: Of, how: str
) -> None:
    with clock.at(datetime(2026, 3, 2, 9, tzinfo=UTC)):
        number = answered(client_of)
    with clock.at(datetime(2026, 3, 10, 9, tzinfo=UTC)):
        if how == "returned":
            do(ANNA, actions.judge, number, VerdictForm(verdict=VerdictKind.RETURNED, comment="När?"))
        else:
            do(ANNA, actions.judge, number, VerdictForm(verdict=VerdictKind.ACCEPTED))
            do(PATIENT_SAFETY, actions.reopen, number, CommentForm(comment="Samma sak igen."))
        page = client_of(BOB).get(f"/deviations/{number}").text
        with acting(BOB) as (db, me):
            case = queries.deviation(db, me, number)
            now, first = case.next_due_on, case.due_on
    assert now is not None
    assert first is not None
    assert now != first
    assert f"Frist {text.day_and_month(now)}" in page
    assert f"Frist {text.day_and_month(first)}" not in page
