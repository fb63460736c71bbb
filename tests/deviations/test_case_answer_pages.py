"""Writing the answer together: drafts, two who write at once, approval."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from tests.deviations.test_pages import ANSWER, PERSONNUMMER, errors
from tests.people import ALICE, ANNA, BERIT, BOB, BOBS_UNIT, CHARLIE, MATS, filed

pytestmark = pytest.mark.usefixtures("shared_blekinge")

Of = Callable[..., TestClient]


def test_a_draft_is_kept_and_shared_with_those_who_answer(client_of: Of) -> None:
    number = filed(ANNA)
    address = f"/deviations/{number}/answer"
    saved = client_of(BOB).post(f"{address}/draft", data={"cause": "Halva tanken.", "revision": "0"})
    assert saved.status_code == 200
    assert "Utkastet sparades" in saved.text
    assert ">\nHalva tanken.</textarea>" in client_of(BERIT).get(address).text
    assert "Ett utkast sparades" in client_of(BERIT).get(f"/deviations/{number}").text
    for other in (ANNA, MATS):
        assert client_of(other).post(f"{address}/draft", data={"cause": "Nej."}).status_code == 403
        assert "Halva tanken." not in client_of(other).get(f"/deviations/{number}").text
    assert client_of(CHARLIE).post(f"{address}/draft", data={"cause": "Nej."}).status_code == 404


def test_the_autosave_gets_its_corner_of_the_page_with_the_new_revision(client_of: Of) -> None:
    address = f"/deviations/{filed(ANNA)}/answer/draft"
    asked = {"HX-Request": "true", "HX-Target": "div#draft_status"}
    saved = client_of(BOB).post(address, data={"cause": "Ett.", "revision": "0"}, headers=asked)
    assert saved.text.strip().startswith('<div id="draft_status"')
    assert '<input type="hidden" name="revision" value="1">' in saved.text


def test_of_two_who_write_neither_loses_a_word(client_of: Of) -> None:
    number = filed(ANNA)
    address = f"/deviations/{number}/answer"
    bob, berit = client_of(BOB), client_of(BERIT)
    bob.post(f"{address}/draft", data={"cause": "Bobs text.", "revision": "0"})
    asked = {"HX-Request": "true", "HX-Target": "div#draft_status"}
    corner = berit.post(f"{address}/draft", data={"cause": "Berits text.", "revision": "0"}, headers=asked)
    assert corner.status_code == 409
    assert "Sektionsledare, Medicin avdelning 43 har sparat" in corner.text
    assert 'name="revision" value="0"' in corner.text
    for verb in ("/draft", "/propose", ""):
        both = berit.post(address + verb, data={**ANSWER, "cause": "Berits text.", "revision": "0"})
        assert both.status_code == 409
        assert "Bobs text." in both.text
        assert ">\nBerits text.</textarea>" in both.text
    # Having read both, the one who saves again means it.
    assert 'name="revision" value="1"' in both.text
    again = berit.post(f"{address}/draft", data={"cause": "Berits text.", "revision": "1"})
    assert again.status_code == 200
    assert ">\nBerits text.</textarea>" in bob.get(address).text


def test_a_page_is_not_in_conflict_with_what_it_saved_itself(client_of: Of) -> None:
    number = filed(ANNA)
    address, bob = f"/deviations/{number}/answer", client_of(BOB)
    opened = re.findall(r'name="writer" value="(\w+)"', bob.get(address).text + bob.get(address).text)
    assert len(set(opened)) == 2
    here, elsewhere = ({"revision": "0", "writer": name} for name in opened)
    # The answer to the first save never arrived: the page was being left, or had gone on to the next one.
    for words in ("Ett.", "Ett och två."):
        saved = bob.post(f"{address}/draft", data={**here, "cause": words})
        assert (saved.status_code, f'value="{here["writer"]}"' in saved.text) == (200, True)
    assert bob.post(f"{address}/draft", data={**elsewhere, "cause": "Annat."}).status_code == 409
    assert (
        bob.post(f"{address}/draft", data={"revision": "0", "writer": "", "cause": "Nej."}).status_code == 409
    )
    assert bob.post(address, data={**ANSWER, **here}).status_code == 303


def test_one_more_action_is_a_press_away_without_javascript(client_of: Of) -> None:
    number = filed(ANNA)
    address = f"/deviations/{number}/answer"
    bob = client_of(BOB)
    page = bob.post(f"{address}/draft", data={**ANSWER, "revision": "0", "more": "1"})
    assert page.text.count('name="actions"') == 2
    two = {**ANSWER, "actions": ["Ett.", "Två."], "actions_owner": ["", "Chef"], "actions_due_on": ["", ""]}
    assert bob.post(address, data={**two, "revision": "1"}).status_code == 303
    shown = client_of(ANNA).get(f"/deviations/{number}").text
    assert ("Ett." in shown, "Två – Chef" in shown) == (True, True)


def test_what_is_to_be_done_by_a_day_that_has_passed_is_refused_by_its_own_row(client_of: Of) -> None:
    address = f"/deviations/{filed(ANNA)}/answer"
    yesterday, today = (clock.today() - timedelta(days=1)).isoformat(), clock.today().isoformat()
    said = "Klart senast: dagen har passerat. Välj en dag som kommer, eller lämna fältet tomt."
    # Row two is empty: the fault still stands by the row that was filled in.
    rows = {"actions": ["Ett.", "", "Tre."], "actions_owner": ["", "", ""]}
    for days, field in (
        ([yesterday, "", today], "actions_due_on"),
        ([today, "", yesterday], "actions_due_on-3"),
    ):
        page = client_of(BOB).post(address, data={**ANSWER, **rows, "actions_due_on": days})
        assert (page.status_code, errors(page.text)) == (422, [said])
        assert f'href="#{field}"' in page.text
        assert f'id="{field}-error"' in page.text
    sent = client_of(BOB).post(address, data={**ANSWER, **rows, "actions_due_on": [today, "", ""]})
    assert sent.status_code == 303


def test_a_draft_with_a_personnummer_is_not_kept(client_of: Of, superuser: Engine) -> None:
    number = filed(ANNA)
    page = client_of(BOB).post(
        f"/deviations/{number}/answer/draft", data={"cause": f"Patienten 19{PERSONNUMMER}.", "revision": "0"}
    )
    assert page.status_code == 422
    assert "har inte sparats" in errors(page.text)[0]
    with superuser.connect() as connection:
        kept = connection.scalar(
            text(
                "select count(*) from answer_drafts a join deviations d on d.id = a.deviation_id"
                " where d.case_number = :number"
            ),
            {"number": number},
        )
    assert kept == 0


def test_a_guest_hands_the_answer_on_and_a_handler_sends_it(client_of: Of, superuser: Engine) -> None:
    number = filed(BOB, sender_unit=BOBS_UNIT, receiver_unit="SE2120000852-V010")
    address = f"/deviations/{number}/answer"
    alice, anna = client_of(ALICE), client_of(ANNA)
    assert anna.post(f"/deviations/{number}/invite", data={"email": ALICE}).status_code == 303
    page = alice.get(address).text
    assert ("Skicka för godkännande" in page, "Skicka svaret" in page) == (True, False)
    assert alice.post(address, data=ANSWER).status_code == 403
    half = alice.post(f"{address}/propose", data={"outcome": "agree", "revision": "0"})
    assert half.status_code == 422
    handed = alice.post(f"{address}/propose", data={**ANSWER, "revision": "0"})
    assert (handed.status_code, handed.headers["location"]) == (303, f"/deviations/{number}?did=handed_on")
    assert "Läs och skicka svaret" in anna.get(f"/deviations/{number}").text
    assert anna.post(address, data={**ANSWER, "revision": "1"}).status_code == 303
    with superuser.connect() as connection:
        assert (
            connection.scalar(
                text("select count(*) from answer_drafts where revision = 1 and typed ? 'outcome'")
            )
            == 0
        )


def test_where_answers_are_approved_the_unit_writes_and_its_manager_sends(
    client_of: Of, superuser: Engine
) -> None:
    number = filed(ANNA)
    with superuser.begin() as connection:
        connection.execute(
            text("update branches set approve_answers = true where hsa_id like 'SE2321000081-B%'")
        )
    address = f"/deviations/{number}/answer"
    bob, berit = client_of(BOB), client_of(BERIT)
    assert bob.post(address, data=ANSWER).status_code == 403
    assert bob.post(f"{address}/propose", data={**ANSWER, "revision": "0"}).status_code == 303
    assert "Svar att godkänna" in berit.get("/").text
    page = berit.get(address).text
    assert "Skrivet av Sektionsledare, Medicin avdelning 43." in page
    assert berit.post(address, data={**ANSWER, "revision": "1"}).status_code == 303
    with superuser.begin() as connection:
        connection.execute(text("update branches set approve_answers = false"))


def owed(superuser: Engine, number: str, kind: str) -> list[str | None]:
    """To whom mails of a kind about a case are owed: a person, or None for all at the case."""
    with superuser.connect() as connection:
        rows = connection.execute(
            text(
                "select p.email from outbox j join deviations d on d.id = j.subject_id"
                " left join people p on p.id = j.person_id"
                " where d.case_number = :number and j.kind = :kind order by j.id"
            ),
            {"number": number, "kind": f"notifications.{kind}"},
        )
        return [row[0] for row in rows]


def test_an_answer_is_given_back_with_a_word_to_its_writer_and_the_draft_stays(
    client_of: Of, superuser: Engine
) -> None:
    number = filed(BOB, sender_unit=BOBS_UNIT, receiver_unit="SE2120000852-V010")
    address = f"/deviations/{number}/answer"
    alice, anna = client_of(ALICE), client_of(ANNA)
    anna.post(f"/deviations/{number}/invite", data={"email": ALICE})
    word = {"comment": "Skriv vem som ser till det."}
    assert anna.post(f"{address}/give-back", data=word).status_code == 409
    alice.post(f"{address}/propose", data={**ANSWER, "revision": "0"})
    assert [client_of(one).post(f"{address}/give-back", data=word).status_code for one in (ALICE, BOB)] == [
        403
    ] * 2
    assert "Lämna tillbaka" not in alice.get(address).text
    empty = anna.post(f"{address}/give-back", data={"comment": " "})
    assert (empty.status_code, errors(empty.text)) == (422, ["Skriv vad svaret behöver."])
    assert ">\nListan skickades inte.</textarea>" in empty.text
    given = anna.post(f"{address}/give-back", data=word)
    assert (given.status_code, given.headers["location"]) == (
        303,
        f"/deviations/{number}?did=given_back_answer",
    )
    assert anna.post(f"{address}/give-back", data=word).status_code == 409
    assert owed(superuser, number, "mention") == [ALICE]
    page = alice.get(address).text
    assert "Skriv vem som ser till det." in page
    assert ">\nListan skickades inte.</textarea>" in page
    assert "Läs och skicka svaret" not in anna.get(f"/deviations/{number}").text
    assert "Skriv vem som ser till det." not in client_of(BOB).get(f"/deviations/{number}").text
    # Handed on again it is news again to those who approve.
    alice.post(f"{address}/propose", data={**ANSWER, "revision": "1"})
    assert owed(superuser, number, "for_approval") == [None, None]
    assert "Skriv vem som ser till det." not in alice.get(address).text


def test_the_answer_page_of_a_case_that_has_moved_on_says_so(client_of: Of) -> None:
    number = filed(ANNA)
    client_of(BOB).post(f"/deviations/{number}/answer", data=ANSWER)
    assert client_of(BERIT).get(f"/deviations/{number}/answer").status_code == 409
