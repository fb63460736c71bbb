"""Hiding a slip as a page: pointed out, seen in its place, hidden from all; and what safety then needs to know."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from tests.deviations.test_pages import ANSWER, errors
from tests.people import ALICE, ANNA, BERIT, BOB, CHARLIE, IDA, MATS, filed

pytestmark = pytest.mark.usefixtures("shared_blekinge")

Of = Callable[..., TestClient]
SAFETY_B = "patientsakerhet@region.example"
STORY = "Patienten Karin Lundin kom hem.\nKarin Lundin saknade läkemedelslista."


def hidden(page: str) -> dict[str, str]:
    """What the confirming form sends."""
    form = page.partition('id="confirm"')[2].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))


def test_words_are_pointed_out_shown_in_their_place_and_hidden_for_all(client_of: Of) -> None:
    number = filed(ANNA, description=STORY)
    client_of(BOB).post(f"/deviations/{number}/answer", data={**ANSWER, "cause": "Karin Lundin fick ingen."})
    mats, address = client_of(MATS), f"/deviations/{number}/mask"
    assert "Karin Lundin" in mats.get(address).text
    check = mats.post(f"{address}/check", data={"field": "description", "words": "karin   lundin"})
    assert "<mark>Karin Lundin</mark>" in check.text
    sent = hidden(check.text)
    assert sent == {"field": "description", "start": "10", "end": "22"}
    done = mats.post(address, data=sent)
    assert (done.status_code, done.headers["location"]) == (303, f"/deviations/{number}?did=mask")
    for who in (ANNA, MATS, BOB, BERIT, SAFETY_B):
        page = client_of(who).get(f"/deviations/{number}").text
        assert ("Lundin" in page, "En uppgift" in page or "Uppgifter är" in page) == (False, True)
        assert "▒▒▒ fick ingen." in page


def test_a_word_of_its_own_is_found_before_one_inside_another_and_an_initial_is_said_to_be_hidden_there_alone(
    client_of: Of,
) -> None:
    number = filed(ANNA, description="Evakuering av avdelning A. Eva var med.")
    address = f"/deviations/{number}/mask/check"
    check = client_of(MATS).post(address, data={"field": "description", "words": "eva"})
    assert "Evakuering av avdelning A. <mark>Eva</mark> var med." in check.text
    assert "överallt där samma ord står" in check.text
    check = client_of(MATS).post(address, data={"field": "description", "words": "A."})
    assert "avdelning <mark>A.</mark>" in check.text
    assert "överallt där samma ord står" in check.text
    check = client_of(MATS).post(address, data={"field": "description", "start": "24", "end": "25"})
    assert "avdelning <mark>A</mark>." in check.text
    assert "men bara just här" in check.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"field": "description", "words": ""}, "Skriv de ord som ska döljas, precis som de står."),
        ({"field": "nonsense", "words": "Karin"}, "Välj i vilken text uppgiften står."),
        (
            {"field": "description", "words": "Nils Nilsson"},
            "De orden finns inte i den texten. Kopiera dem därifrån, eller välj en annan text.",
        ),
    ],
)
def test_what_cannot_be_found_is_said_and_what_was_typed_is_kept(
    client_of: Of, typed: dict[str, str], sentence: str
) -> None:
    number = filed(ANNA, description=STORY)
    page = client_of(ANNA).post(f"/deviations/{number}/mask/check", data=typed)
    assert (page.status_code, errors(page.text)) == (422, [sentence])
    assert not typed["words"] or f'value="{typed["words"]}"' in page.text


def test_what_looks_like_a_slip_is_a_press_away(client_of: Of) -> None:
    number = filed(ANNA, description="Ring Karin Lundin om listan som aldrig kom.")
    page = client_of(ANNA).get(f"/deviations/{number}/mask").text
    form = page.partition('id="found-1"')[2].partition("</form>")[0]
    assert "<mark>Karin Lundin</mark>" in form
    pressed = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    check = client_of(ANNA).post(f"/deviations/{number}/mask/check", data=pressed)
    assert hidden(check.text) == pressed


def test_a_place_that_is_none_is_refused(client_of: Of) -> None:
    number = filed(ANNA, description=STORY)
    for data in ({"field": "description", "start": "900", "end": "910"}, {"field": "description"}):
        assert client_of(MATS).post(f"/deviations/{number}/mask", data=data).status_code == 422


def test_who_may_mask_and_who_may_open_what_was_masked(client_of: Of) -> None:
    number = filed(ANNA, description=STORY)
    address = f"/deviations/{number}"
    asked = {
        who: tuple(client_of(who).get(f"{address}/{page}").status_code for page in ("mask", "masked"))
        for who in (ANNA, MATS, SAFETY_B, BOB, BERIT, ALICE, IDA, CHARLIE)
    }
    assert asked == {
        ANNA: (200, 403),
        MATS: (200, 200),
        SAFETY_B: (200, 200),
        BOB: (403, 403),
        BERIT: (403, 403),
        ALICE: (404, 404),
        IDA: (404, 404),
        CHARLIE: (404, 404),
    }
    for verb in ("mask", "mask/check"):
        data = {"field": "description", "start": "10", "end": "22"}
        assert client_of(BOB).post(f"{address}/{verb}", data=data).status_code == 403
        assert client_of(IDA).post(f"{address}/{verb}", data=data).status_code == 404


def test_safety_learns_what_stood_there_and_who_of_their_own_may_have_read_it(
    client_of: Of, superuser: Engine
) -> None:
    number = filed(ANNA, description=STORY)
    address = f"/deviations/{number}"
    for who in (BOB, BOB, BERIT, ANNA):
        client_of(who).get(address)
    client_of(ANNA).post(f"{address}/mask", data={"field": "description", "start": "10", "end": "22"})
    ours, theirs = (client_of(who).get(f"{address}/masked").text for who in (SAFETY_B, MATS))
    assert "Karin Lundin" in ours
    assert "Sektionsledare, Medicin avdelning 43" in ours
    assert re.search(r"Sektionsledare.*?2 gånger.*?Verksamhetschef", ours, re.DOTALL)
    assert "Sjuksköterska, Hemsjukvården Sölvesborg" not in ours
    assert "Sektionsledare" not in theirs
    assert "inom 72 timmar" in ours
    with superuser.connect() as connection:
        opened = connection.scalar(
            text(
                "select count(*) from audit_log where action = 'deviations.masked' and :number = any(cases)"
            ),
            {"number": number},
        )
    assert opened == 2


def test_every_other_place_that_the_same_words_stand_in_is_shown_before_the_yes(client_of: Of) -> None:
    number = filed(ANNA, description="Sonen Bo Ek ringde. Senare kom bo ek själv.", suggestion="Ring Bo Ek.")
    address = f"/deviations/{number}/mask"
    page = client_of(ANNA).post(f"{address}/check", data={"field": "description", "words": "Bo Ek"}).text
    told = re.sub(r"<[^>]*>", "", page.partition('id="as-well"')[2].partition("</ul>")[0])
    assert "Samma ord står på 2 ställen till" in page
    assert ["Vad hände:" in told, "kom bo ek själv" in told, "Förslag:" in told, "Ring Bo Ek." in told] == [
        True
    ] * 4
    assert "Sonen" not in told.partition("Senare")[2]
    alone = client_of(ANNA).post(f"{address}/check", data={"field": "description", "words": "ringde"}).text
    assert 'id="as-well"' not in alone


def test_who_may_not_hide_a_slip_is_told_who_can(client_of: Of) -> None:
    number = filed(ANNA)
    bob, anna = (client_of(who).get(f"/deviations/{number}").text for who in (BOB, ANNA))
    assert ("Säg genast till kvalitet och patientsäkerhet" in bob, "dölj en uppgift" in bob) == (True, False)
    assert ("Säg genast till kvalitet och patientsäkerhet" in anna, "dölj en uppgift" in anna) == (
        False,
        True,
    )
