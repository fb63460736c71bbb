"""The register: every case of the branch, the sealed copies, and registry numbers."""

import io
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader
from sqlalchemy import Engine, text

from tests.deviations.test_case_pages import DECLINE
from tests.people import ANNA, BERIT, BOB, BOBS_UNIT, CHARLIE, COORDINATOR, IDA, MATS, filed

Of = Callable[..., TestClient]
REGISTRAR_A, REGISTRAR_B = "registrator@solvesborg.example", "registrator@region.example"
SAFETY_B = "patientsakerhet@region.example"


@pytest.fixture
def declined(blekinge: str, client_of: Of) -> str:
    number = filed(ANNA)
    client_of(BOB).post(f"/deviations/{number}/question", data={"text": "En fråga före avböjandet."})
    client_of(ANNA).post(f"/deviations/{number}/reply", data={"text": "Ett svar."})
    assert client_of(BOB).post(f"/deviations/{number}/decline", data=DECLINE).status_code == 303
    return number


def listed(client: TestClient, show: str = "") -> list[str]:
    return sorted(set(re.findall(r"BLE-\d{4}-\w{6}", client.get(f"/register?show={show}").text)))


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
