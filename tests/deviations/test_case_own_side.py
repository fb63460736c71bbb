"""What one side keeps to itself: done by those who may, and never on the other side's page."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from tests.deviations.test_pages import errors
from tests.people import ALICE, ANNA, BERIT, BOB, CHARLIE, IDA, MATS, acting, filed

pytestmark = pytest.mark.usefixtures("shared_blekinge")

Of = Callable[..., TestClient]
SAFETY_B, REGISTRAR_B = "patientsakerhet@region.example", "registrator@region.example"
REGISTRAR_A, CHEF = "registrator@solvesborg.example", "chef@solvesborg.example"


def person(email: str) -> int:
    with acting(email) as (_db, me):
        return me.person_id


# verb: (form, a role that sees the case but may not, a form that is refused, and why)
OWN: dict[str, tuple[dict[str, object], str, dict[str, object] | None, str]] = {
    "note": ({"text": "kanariefågel anteckning"}, REGISTRAR_B, {"text": ""}, "Skriv anteckningen."),
    "reference": ({"reference": "kanariefågel referens"}, REGISTRAR_B, {"reference": "x" * 101}, ""),
    "risk": ({"severity": "3", "probability": "4"}, REGISTRAR_B, {"severity": "9"}, ""),
    "flag": (
        {"law": "lex_maria", "comment": "kanariefågel flagga"},
        BOB,
        {"comment": "kanariefågel flagga"},
        "Välj vilken lag det gäller.",
    ),
    "register": ({"registry_number": "kanariefågel 17/26"}, BOB, {"registry_number": "x" * 101}, ""),
}
DOER = {"flag": SAFETY_B, "register": REGISTRAR_B}


@pytest.mark.parametrize("verb", OWN)
def test_ones_own_side_keeps_its_own_and_the_other_never_reads_it(client_of: Of, verb: str) -> None:
    number = filed(ANNA)
    data, wrong, bad, sentence = OWN[verb]
    who, address = DOER.get(verb, BOB), f"/deviations/{number}/{verb}"
    assert {client_of(one).post(address, data=data).status_code for one in (ALICE, IDA, CHARLIE)} == {404}
    assert client_of(wrong).post(address, data=data).status_code == 403
    if bad is not None:
        refused = client_of(who).post(address, data=bad)
        assert refused.status_code == 422
        assert not sentence or errors(refused.text) == [sentence]
    done = client_of(who).post(address, data=data)
    assert (done.status_code, done.headers["location"]) == (303, f"/deviations/{number}")
    canary = "Riskpoäng" if verb == "risk" else "kanariefågel"
    assert canary in client_of(SAFETY_B).get(f"/deviations/{number}").text
    for other in (ANNA, MATS, REGISTRAR_A):
        for page in (f"/deviations/{number}", f"/deviations/{number}/print"):
            assert canary not in client_of(other).get(page).text


def test_the_senders_own_words_never_reach_the_receiver_either(client_of: Of) -> None:
    number = filed(ANNA, sender_reference="kanariefågel egen referens")
    anna, mats, address = client_of(ANNA), client_of(MATS), f"/deviations/{number}"
    assert anna.post(f"{address}/note", data={"text": "kanariefågel anteckning"}).status_code == 303
    assert mats.post(f"{address}/risk", data={"severity": "4", "probability": "4"}).status_code == 303
    flagged = mats.post(f"{address}/flag", data={"law": "lex_sarah", "comment": "kanariefågel"})
    assert flagged.status_code == 303
    client_of(REGISTRAR_A).post(f"{address}/register", data={"registry_number": "kanariefågel 9"})
    ours = mats.get(address).text
    assert ours.count("kanariefågel") >= 4
    for other in (BOB, BERIT, SAFETY_B, REGISTRAR_B):
        for page in (address, f"{address}/print", f"{address}/answer"):
            theirs = client_of(other).get(page).text
            assert [word for word in ("kanariefågel", "Lex Sarah kan", "16 av 16") if word in theirs] == []


def test_risk_is_said_in_words_at_and_under_the_threshold(client_of: Of) -> None:
    number = filed(ANNA)
    bob = client_of(BOB)
    bob.post(f"/deviations/{number}/risk", data={"severity": "2", "probability": "4"})
    at = bob.get(f"/deviations/{number}").text
    assert "8 av 16. Gränsen är 8: händelsen behöver en djupare analys." in at
    assert 'id="pile-high_risk"' in client_of(SAFETY_B).get("/").text
    bob.post(f"/deviations/{number}/risk", data={"severity": "2", "probability": "3"})
    assert "6 av 16. Det är under gränsen 8." in bob.get(f"/deviations/{number}").text
    assert (
        number
        not in client_of(SAFETY_B)
        .get("/")
        .text.partition('id="pile-high_risk"')[2]
        .partition("</details>")[0]
    )


def test_a_flag_is_taken_over_by_a_function(client_of: Of) -> None:
    number = filed(ANNA)
    safety, address = client_of(SAFETY_B), f"/deviations/{number}"
    safety.post(f"{address}/flag", data={"law": "lex_maria"})
    empty = safety.post(f"{address}/take-over", data={"law": "lex_maria", "taken_over_by": ""})
    assert errors(empty.text) == ["Skriv vilken funktion som har tagit över."]
    taken = safety.post(f"{address}/take-over", data={"law": "lex_maria", "taken_over_by": "Chefläkare"})
    assert taken.status_code == 303
    assert "Chefläkare tog över" in safety.get(address).text
    assert client_of(BOB).post(f"{address}/take-over", data={"law": "lex_maria"}).status_code == 403


def test_a_handler_takes_the_case_and_a_manager_gives_it(client_of: Of) -> None:
    number = filed(ANNA)
    address = f"/deviations/{number}"
    bob, berit = client_of(BOB), client_of(BERIT)
    assert bob.post(f"{address}/assign", data={"person": person(BERIT)}).status_code == 403
    assert bob.post(f"{address}/assign", data={"person": person(BOB)}).status_code == 303
    assert "Ta ärendet" not in bob.get(address).text
    assert "Du är handläggare" in bob.get("/").text
    assert berit.post(f"{address}/assign", data={"person": person(SAFETY_B)}).status_code == 303
    refused = berit.post(f"{address}/assign", data={"person": person(CHARLIE)})
    assert errors(refused.text) == ["Välj någon som handlägger ärenden på enheten."]
    assert "Patientsäkerhetssamordnare" not in client_of(ANNA).get(address).text


def test_a_note_names_the_colleagues_who_are_to_read_it(client_of: Of, superuser: Engine) -> None:
    number = filed(ANNA)
    bob = client_of(BOB)
    page = bob.get(f"/deviations/{number}").text
    assert re.search(rf'name="mention" value="{person(BERIT)}"', page)
    said = bob.post(f"/deviations/{number}/note", data={"text": "Läs det här.", "mention": person(BERIT)})
    assert said.status_code == 303
    assert "till Verksamhetschef, Medicinkliniken" in bob.get(f"/deviations/{number}").text
    stranger = bob.post(f"/deviations/{number}/note", data={"text": "Läs.", "mention": person(ANNA)})
    assert errors(stranger.text) == ["Välj bland kollegorna i listan."]
    with superuser.connect() as connection:
        told = connection.scalar(
            text("select count(*) from outbox where kind = 'notifications.mention' and person_id = :id"),
            {"id": person(BERIT)},
        )
    assert told == 1


def test_a_co_investigator_sees_the_one_case_until_the_invitation_ends(
    client_of: Of,
) -> None:
    """Alice is of the branch that receives the case, and follows none of its units."""
    number = filed(BOB, sender_unit="SE2321000081-S011", receiver_unit="SE2120000852-V010")
    alice, anna, address = client_of(ALICE), client_of(ANNA), f"/deviations/{number}"
    assert alice.get(address).status_code == 404
    assert anna.post(f"{address}/invite", data={"email": ALICE}).status_code == 303
    page = alice.get(address)
    assert page.status_code == 200
    assert "Skriv på svaret" in page.text
    assert "Du är inbjuden att medverka" in alice.get("/").text
    assert alice.post(f"{address}/acknowledge").status_code == 403
    assert alice.post(f"{address}/note", data={"text": "Min iakttagelse."}).status_code == 303
    assert "Undersköterska" in anna.get(address).text
    unknown = anna.post(f"{address}/invite", data={"email": "ingen@example.org"})
    assert errors(unknown.text) == [
        "Ingen med den adressen finns här. Be er administratör lägga till personen."
    ]
    assert client_of(MATS).get(address).text.count("Avsluta inbjudan") == 1
    assert "Undersköterska" not in client_of(BOB).get(address).text
    assert anna.post(f"{address}/end-invitation", data={"person": person(ALICE)}).status_code == 303
    assert alice.get(address).status_code == 404


def test_the_registrar_reads_the_case_and_sets_only_its_number(client_of: Of) -> None:
    number = filed(ANNA)
    registrar = client_of(REGISTRAR_A)
    page = registrar.get(f"/deviations/{number}").text
    forms = re.findall(r'action="/deviations/[^/"]+/([a-z-]+)"', page)
    assert forms == ["register"]
    assert registrar.post(f"/deviations/{number}/withdraw", data={"comment": "Fel."}).status_code == 403


@pytest.mark.parametrize("page", ["", "/print"])
def test_the_other_side_reads_unit_profession_and_telephone_and_never_who_it_was(
    client_of: Of, superuser: Engine, page: str
) -> None:
    people = {ANNA: "Distriktssköterska, Karin Kanarie", BOB: "Överläkare, Bo Bofink"}
    units = {ANNA: ("SE2120000852-V010", "0456-11 11 11"), BOB: ("SE2321000081-S011", "0455-22 22 22")}
    with superuser.begin() as connection:
        for email, (unit, telephone) in units.items():
            connection.execute(
                text("update units set telephone = :telephone where hsa_id = :unit"),
                {"telephone": telephone, "unit": unit},
            )
            connection.execute(
                text("update people set title = :title where email = :email"),
                {"title": people[email], "email": email},
            )
    number = filed(ANNA)
    client_of(BOB).post(f"/deviations/{number}/acknowledge")
    for reader, other in ((BOB, ANNA), (ANNA, BOB)):
        told = client_of(reader).get(f"/deviations/{number}{page}").text.replace("\u00a0", " ")
        profession, _comma, name = people[other].partition(", ")
        assert told.count(f"tfn {units[other][1]}") == 1
        assert (profession in told, name in told, other in told) == (True, False, False)
