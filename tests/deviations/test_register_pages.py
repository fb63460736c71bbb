"""The register: every case of the branch, the sealed copies, and registry numbers."""

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader
from sqlalchemy import Engine, text

from backend.core import clock
from backend.core import text as text_of
from tests.deviations.test_case_pages import DECLINE, KARLSKRONA, NEXT_MONTH, RESEND
from tests.people import ANNA, BERIT, BOB, BOBS_UNIT, CHARLIE, COORDINATOR, IDA, MATS, filed

Of = Callable[..., TestClient]
REGISTRAR_A, REGISTRAR_B = "registrator@solvesborg.example", "registrator@region.example"
SAFETY_B = "patientsakerhet@region.example"
SURGERY = "SE2321000081-S021"


@pytest.fixture
def declined(blekinge: str, client_of: Of) -> str:
    number = filed(ANNA)
    client_of(BOB).post(f"/deviations/{number}/question", data={"text": "En fråga före avböjandet."})
    client_of(ANNA).post(f"/deviations/{number}/reply", data={"text": "Ett svar."})
    assert client_of(BOB).post(f"/deviations/{number}/decline", data=DECLINE).status_code == 303
    return number


def listed(client: TestClient, show: str = "") -> list[str]:
    return sorted(set(re.findall(r"BLE-\d{4}-\w{6}", client.get(f"/register?show={show}").text)))


def copy_of(client: TestClient) -> str:
    """The address of the latest copy in the register."""
    found = re.search(r'href="(/register/copies/\d+)"', client.get("/register?show=sealed").text)
    assert found is not None
    return found[1]


def told(client: TestClient, address: str) -> dict[str, list[str]]:
    """What the page's lists say, by their words."""
    rows: dict[str, list[str]] = {}
    for term, words in re.findall(
        r'<dt>([^<]*)</dt>\s*<dd class="prose">([^<]*)</dd>', client.get(address).text
    ):
        rows.setdefault(unescape(term), []).append(unescape(words))
    return rows


def story(client: TestClient, address: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'"event-what"><strong>([^<]*)<', client.get(address).text)]


def post(client: TestClient, number: str, verb: str, **data: object) -> None:
    assert client.post(f"/deviations/{number}/{verb}", data=data).status_code == 303


def test_the_register_lists_what_came_and_went(blekinge: str, client_of: Of) -> None:
    out, into = filed(ANNA), filed(BOB, sender_unit=BOBS_UNIT, receiver_unit="SE2120000852-V010")
    registrar = client_of(REGISTRAR_A)
    assert listed(registrar) == sorted([out, into])
    assert (listed(registrar, "out"), listed(registrar, "in")) == ([out], [into])
    assert listed(registrar, "unregistered") == sorted([out, into])
    done = registrar.post(f"/deviations/{out}/register", data={"registry_number": "VO 2026/17"})
    assert done.status_code == 303
    assert "VO 2026/17" in registrar.get("/register").text
    assert listed(registrar, "unregistered") == [into]
    assert "VO 2026/17" not in client_of(REGISTRAR_B).get("/register").text
    assert listed(client_of("sas@solvesborg.example")) == []


@pytest.mark.usefixtures("blekinge")
def test_who_opens_the_register(client_of: Of) -> None:
    asked = {
        who: client_of(who).get("/register").status_code
        for who in (REGISTRAR_A, MATS, BOB, BERIT, COORDINATOR)
    }
    assert asked == {REGISTRAR_A: 200, MATS: 200, BOB: 403, BERIT: 403, COORDINATOR: 403}
    assert client_of(REGISTRAR_A).get("/register?show=nonsense&page=-4").status_code == 200


def test_what_left_the_branch_is_read_as_a_sealed_copy(client_of: Of, declined: str) -> None:
    registrar = client_of(REGISTRAR_B)
    assert listed(registrar) == []
    assert listed(registrar, "sealed") == [declined]
    (address,) = set(
        re.findall(r'href="(/register/copies/\d+)"', registrar.get("/register?show=sealed").text)
    )
    client_of(ANNA).post(f"/deviations/{declined}/note", data={"text": "Något senare."})
    for who in (REGISTRAR_B, SAFETY_B):
        page = client_of(who).get(address)
        assert page.status_code == 200
        assert "Går inte att ändra" in page.text
        assert "En fråga före avböjandet." in page.text
        assert "Något senare." not in page.text
    for who in (BOB, BERIT, MATS, REGISTRAR_A, IDA, CHARLIE, COORDINATOR):
        assert client_of(who).get(address).status_code == 404
        assert client_of(who).post(address, data={"registry_number": "1"}).status_code == 404
    assert client_of(SAFETY_B).post(address, data={"registry_number": "1"}).status_code == 403
    assert registrar.post(address, data={"registry_number": "x" * 101}).status_code == 422
    assert registrar.post(address, data={"registry_number": "HS 2026/4"}).status_code == 303
    assert "HS 2026/4" in registrar.get("/register?show=sealed").text
    assert registrar.get("/register/copies/999999").status_code == 404
    assert registrar.get("/register/copies/ett").status_code == 422


def test_the_copy_tells_in_what_words_the_branch_declined(client_of: Of, declined: str) -> None:
    registrar = client_of(REGISTRAR_B)
    rows = told(registrar, copy_of(registrar))
    assert rows["Skäl"] == ["Vi var inte inblandade"]
    assert rows["Era ord"] == ["Vi var aldrig med."]
    assert rows["Ni föreslog"] == ["Hemsjukvården Karlskrona, Karlskrona kommun"]
    assert (
        story(registrar, copy_of(registrar))[-1]
        == "Ärendet avböjdes, förslag: Hemsjukvården Karlskrona, Karlskrona kommun"
    )


def test_the_copy_tells_all_of_an_answer_and_of_what_was_proposed(blekinge: str, client_of: Of) -> None:
    number, ward = filed(ANNA), client_of(BOB)
    answer = {
        "outcome": "partly",
        "cause_areas": ["communication", "technology"],
        "cause": "Listan skrevs inte ut.",
        "patient_informed": "true",
        "actions": "Utskrift vid hemgång.",
        "actions_owner": "Vårdenhetschef",
        "actions_due_on": "2099-05-04",
        "follow_up": "Stickprov.",
    }
    post(ward, number, "answer", **answer)
    post(client_of(ANNA), number, "verdict", verdict="returned", comment="Vem ringer?")
    onward = {"unit": KARLSKRONA, "reason": "other_process", "comment": "De hade patienten."}
    post(ward, number, "redirect", **onward)
    post(client_of(ANNA), number, "confirm-redirect", confirm="false", comment="Nej, ni.")
    post(ward, number, "redirect", unit=SURGERY, reason="wrong_recipient", comment="Kirurgen skrev ut.")
    post(client_of(SAFETY_B), number, "redirect", **onward)
    post(client_of(ANNA), number, "confirm-redirect", confirm="true", comment="Senare ord.")
    registrar = client_of(REGISTRAR_B)
    rows = told(registrar, copy_of(registrar))
    assert rows["Orsak inom"] == ["Kommunikation och information; Teknik och utrustning"]
    assert rows["Patienten informerad"] == ["Ja"]
    assert rows["Åtgärder"] == ["Utskrift vid hemgång – Vårdenhetschef, klart senast 4 maj 2099"]
    assert rows["Avsändarens bedömning"] == ["Åter för nytt svar"]
    assert rows["Avsändarens ord om svaret"] == ["Vem ringer?"]
    assert rows["Ni föreslog"] == ["Hemsjukvården Karlskrona, Karlskrona kommun"] * 2
    assert rows["Skäl"] == ["Hör till en annan väg, till exempel klagomål eller orosanmälan"] * 2
    assert rows["Era ord"] == ["De hade patienten."] * 2
    assert rows["Beslut"] == ["Nej"]
    stays = [(unit, *rows[unit]) for unit in ("Medicin avdelning 43 Karlskrona", "Kirurgavdelning 46")]
    assert [(unit, stay.partition(", skickat vidare")[2].rpartition(": ")[2]) for unit, stay in stays] == [
        ("Medicin avdelning 43 Karlskrona", "fel mottagare"),
        ("Kirurgavdelning 46", ""),
    ]
    assert "Senare ord." not in registrar.get(copy_of(registrar)).text
    assert "Annan mottagare föreslogs: Hemsjukvården Karlskrona" in story(registrar, copy_of(registrar))


def test_the_copy_of_a_dispute_tells_what_both_sides_proposed(blekinge: str, client_of: Of) -> None:
    number, ward, home = filed(ANNA), client_of(BOB), client_of("chef@solvesborg.example")
    post(ward, number, "decline", **DECLINE)
    post(home, number, "resend", **RESEND)
    post(ward, number, "decline", **DECLINE | {"comment": "Fortfarande inte vi."})
    post(client_of(BERIT), number, "settle", outcome="not_ours", comment="Vi hade henne inte.")
    post(home, number, "settle", outcome="partly", comment="Dela på det?")
    post(client_of(BERIT), number, "settle", outcome="partly", comment="Ja.")
    post(home, number, "verdict", verdict="returned", comment="Mer.")
    onward = {"unit": KARLSKRONA, "reason": "wrong_recipient", "comment": "Nu vet vi."}
    post(ward, number, "redirect", **onward)
    post(home, number, "confirm-redirect", confirm="true")
    registrar = client_of(REGISTRAR_B)
    rows = told(registrar, copy_of(registrar))
    assert rows["Era ord"] == ["Fortfarande inte vi.", "Vi hade henne inte.", "Nu vet vi."]
    assert rows["Avsändarens ord"] == ["Dela på det?"]
    assert rows["Lösning"] == ["Vi delar inte bilden", "Vi delar bilden delvis"]
    assert rows["Beslut"] == ["Ersatt av ett nytt förslag", "Ja"]


def test_what_the_two_had_noted_beside_the_answer_is_lost_to_neither_when_the_case_goes_on(
    blekinge: str, client_of: Of
) -> None:
    number, ward = filed(ANNA), client_of(BOB)
    day = text_of.short_date(clock.today())
    later = text_of.short_date(clock.today() + timedelta(days=40))
    post(ward, number, "patient-identified", on=clock.today().isoformat(), how="telephone", ground="consent")
    post(ward, number, "delay-notice", reason="Läkaren är ledig.", promised_on=NEXT_MONTH)
    post(ward, number, "redirect", unit=KARLSKRONA, reason="wrong_recipient", comment="De hade patienten.")
    post(client_of(ANNA), number, "confirm-redirect", confirm="true")
    identified = f"{day}. Per telefon. Patienten har samtyckt"
    promised = f"Svaret utlovat till {later}. Läkaren är ledig."
    registrar = client_of(REGISTRAR_B)
    rows = told(registrar, copy_of(registrar))
    assert (rows["Patienten identifierad"], rows["Besked om försening"]) == ([identified], [promised])
    sender, receiver = (client_of(who).get(f"/deviations/{number}").text for who in (ANNA, CHARLIE))
    assert [said in sender for said in (identified, promised)] == [True, True]
    assert [said in receiver for said in (identified, promised, "Läkaren är ledig")] == [False] * 3


def test_a_number_given_while_the_case_was_here_is_the_copys_too(blekinge: str, client_of: Of) -> None:
    number, registrar = filed(ANNA), client_of(REGISTRAR_B)
    post(registrar, number, "register", registry_number="RB 2026/77")
    post(client_of(BOB), number, "decline", **DECLINE)
    assert listed(registrar, "sealed") == [number]
    shown = registrar.get("/register?show=sealed").text
    assert ("RB 2026/77" in shown, "Saknas" in shown) == (True, False)
    address = copy_of(registrar)
    assert 'value="RB 2026/77"' in registrar.get(address).text
    assert told(client_of(SAFETY_B), address)["Diarienummer"] == ["RB 2026/77"]
    assert not re.search(
        r'Förseglade kopior utan diarienummer</a> <span class="count">', registrar.get("/").text
    )
    registrar.post(address, data={"registry_number": "RB 2026/78"})
    assert told(client_of(SAFETY_B), address)["Diarienummer"] == ["RB 2026/78"]
    # Nor does the sender's own number reach the receiver's copy.
    assert "RB 2026" not in client_of(REGISTRAR_A).get("/register").text


@pytest.mark.parametrize("how", ["declined", "redirected"])
def test_a_flag_that_nobody_had_taken_over_stands_on_the_copy_and_with_safety_until_somebody_has(
    blekinge: str, client_of: Of, how: str
) -> None:
    number, safety = filed(ANNA), client_of(SAFETY_B)
    post(safety, number, "flag", law="lex_maria", comment="Fel dos i tre dagar.")
    # The other party's flag is its own.
    post(client_of(MATS), number, "flag", law="lex_sarah", comment="Bara hos oss.")
    assert "Lex Maria eller lex Sarah som ingen har tagit över" in safety.get("/").text
    if how == "declined":
        post(client_of(BOB), number, "decline", **DECLINE)
    else:
        post(client_of(BOB), number, "redirect", unit=KARLSKRONA, comment="De hade patienten.")
        post(client_of(ANNA), number, "confirm-redirect", confirm="true")
    assert safety.get(f"/deviations/{number}").status_code == 404
    registrar, title = client_of(REGISTRAR_B), "i ärenden som har lämnat er"
    address = copy_of(registrar)
    start = safety.get("/").text
    assert (title in start, f'href="{address}"' in start, number in start) == (True, True, True)
    for client in (registrar, safety):
        page = client.get(address).text
        assert ("Lex Maria kan gälla" in page, "Fel dos i tre dagar." in page) == (True, True)
        assert ("Lex Sarah" in page, "Bara hos oss." in page) == (False, False)
    assert ("Vem har tagit över?" in safety.get(address).text, "Vem har tagit över?" in page) == (True, True)
    assert "Vem har tagit över?" not in registrar.get(address).text
    chief = {"law": "lex_maria", "taken_over_by": "Chefläkare"}
    for who in (BOB, BERIT, MATS, REGISTRAR_A, IDA, CHARLIE, COORDINATOR):
        assert client_of(who).post(f"{address}/take-over", data=chief).status_code == 404
    assert registrar.post(f"{address}/take-over", data=chief).status_code == 403
    refused = safety.post(f"{address}/take-over", data={**chief, "taken_over_by": ""})
    assert (refused.status_code, "Skriv vilken funktion som har tagit över." in refused.text) == (422, True)
    assert safety.post(f"{address}/take-over", data={**chief, "law": "lex_sarah"}).status_code == 404
    assert safety.post("/register/copies/999999/take-over", data=chief).status_code == 404
    assert safety.post(f"{address}/take-over", data=chief).headers["location"] == address
    page = registrar.get(address).text
    assert "Chefläkare tog över" in page
    assert title not in safety.get("/").text
    # Mats has his own to take over, and sees nothing of the copy.
    assert title not in client_of(MATS).get("/").text


def test_a_copy_sealed_when_copies_held_less_is_still_read(
    client_of: Of, declined: str, superuser: Engine
) -> None:
    with superuser.begin() as connection:
        content = connection.scalar(text("select content from sealed_copies"))
        leg = {name: content["legs"][0][name] for name in ("unit", "sent_at", "acknowledged_at")}
        proposal = {"kind": "redirect", "at": leg["sent_at"], "outcome": None, "comment": "Till dem."}
        less = {
            **{name: content[name] for name in ("report", "questions", "answers")},
            "legs": [leg],
            "events": [{**content["events"][0], "to_unit": None}],
            "proposals": [{**proposal, "decision": None}],
            "declined": {"reason": "other", "comment": "Ord."},
        }
        connection.execute(
            text("update sealed_copies set content = cast(:less as jsonb)"), {"less": json.dumps(less)}
        )
    registrar = client_of(REGISTRAR_B)
    rows = told(registrar, copy_of(registrar))
    assert (rows["Skäl"], rows["Era ord"]) == (["Annat"], ["Ord.", "Till dem."])


def test_the_start_page_of_a_registrar_counts_what_is_to_be_registered(client_of: Of, declined: str) -> None:
    page = client_of(REGISTRAR_B).get("/").text
    assert re.search(r'Förseglade kopior utan diarienummer</a> <span class="count">1<', page)


def test_a_case_is_had_as_a_pdf_with_its_registry_number_and_the_download_is_on_record(
    blekinge: str, client_of: Of, superuser: Engine
) -> None:
    number = filed()
    registrar = client_of("registrator@region.example")
    registrar.post(f"/deviations/{number}/register", data={"registry_number": "RB 2026/77"})
    answer = registrar.get(f"/deviations/{number}.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    words = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert [said in words for said in (number, "RB 2026/77", "utan läkemedelslista")] == [True] * 3
    with superuser.connect() as connection:
        told = connection.execute(text("select cases from audit_log where action = 'deviations.pdf'")).all()
    assert told == [([number],)]


def test_a_stranger_finds_no_pdf(blekinge: str, client_of: Of) -> None:
    assert client_of(CHARLIE).get(f"/deviations/{filed()}.pdf").status_code == 404
