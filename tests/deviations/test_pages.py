"""The pages of deviations, asked what every page is asked: does it work, for whom, and who gets nothing."""

import re
import uuid
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from tests.people import (
    ADMINISTRATOR,
    ALICE,
    ANNA,
    ANNAS_UNIT,
    BERIT,
    BOB,
    BOBS_UNIT,
    CHARLIE,
    COORDINATOR,
    IDA,
    MATS,
    filed,
)

Of = Callable[..., TestClient]
REPORT = {
    "receiver_unit": BOBS_UNIT,
    "sender_unit": ANNAS_UNIT,
    "category": "medication.list",
    "description": "Patienten kom hem utan läkemedelslista.",
    "target_group": "older",
    "severity": "",
}
ANSWER = {
    "outcome": "agree",
    "cause": "Listan skickades inte.",
    "cause_areas": ["procedures", "communication"],
    "actions": ["Checklistan ändras."],
    "actions_owner": ["Enhetschef"],
    "actions_due_on": ["2027-01-31"],
    "follow_up": "Stickprov.",
}


def report(**changed: str) -> dict[str, str]:
    return {**REPORT, "occurred_on": clock.today().isoformat(), "submission": str(uuid.uuid4()), **changed}


def errors(page: str) -> list[str]:
    """The sentences of the error summary."""
    summary = re.search(r'id="error-summary".*?</ul>', page, re.DOTALL)
    return re.findall(r"<li>(?:<a[^>]*>)?([^<]+)", summary.group()) if summary else []


def with_check_digit(nine: str) -> str:
    """A made number with a right check digit, so that no personnummer stands in this file."""
    total = sum(sum(divmod(int(sign) * (2 - i % 2), 10)) for i, sign in enumerate(nine))
    return f"{nine}{-total % 10}"


PERSONNUMMER = with_check_digit("121212" + "121")


@pytest.mark.usefixtures("blekinge")
class TestFiling:
    def test_a_report_is_filed_at_once_and_leads_to_its_case(self, client_of: Of) -> None:
        anna = client_of(ANNA)
        answer = anna.post("/deviations", data=report())
        assert answer.status_code == 303
        assert re.fullmatch(r"/deviations/BLE-\d{4}-[0-9A-HJKMNP-TV-Z]{6}", answer.headers["location"])
        page = anna.get(answer.headers["location"])
        assert page.status_code == 200
        assert "Tack! Ärendet är skickat till Medicin avdelning 43 Karlskrona." in page.text

    def test_a_double_tap_is_one_case(self, client_of: Of) -> None:
        anna, once = client_of(ANNA), report()
        first, second = anna.post("/deviations", data=once), anna.post("/deviations", data=once)
        assert first.headers["location"] == second.headers["location"]

    def test_the_check_page_shows_what_will_be_sent(self, client_of: Of) -> None:
        page = client_of(ANNA).post("/deviations/check", data=report(severity="3"))
        assert page.status_code == 200
        assert "Medicin avdelning 43 Karlskrona, Region Blekinge" in page.text
        assert "Betydande: kvarstående måttlig skada" in page.text

    def test_the_form_is_preset_so_that_three_fields_are_enough(self, client_of: Of) -> None:
        page = client_of(ANNA).get("/deviations/new").text
        assert f'name="sender_unit" value="{ANNAS_UNIT}"' in page
        assert f'value="{clock.today().isoformat()}"' in page
        assert re.search(r'name="target_group" value="older" checked', page)
        assert re.search(r'name="severity" value="" checked', page)

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("description", "Kort", "Skriv minst 10 tecken."),
            ("description", "", "Skriv vad som hände."),
            ("description", "x" * 4001, "Texten är för lång: högst 4000 tecken."),
            ("receiver_unit", "", "Välj vem som ska få ärendet."),
            ("category", "", "Välj vad det gäller."),
            ("occurred_on", "i går", "Skriv datumet som 2026-11-22."),
            ("occurred_on", "2199-01-01", "Datumet ligger i framtiden."),
            ("severity", "7", "Talet får inte vara större än 4."),
            ("target_group", "hundar", "Välj ett av alternativen."),
            ("event_kind", "olycka", "Välj ett av alternativen."),
        ],
    )
    @pytest.mark.parametrize("address", ["/deviations", "/deviations/check"])
    def test_a_fault_is_said_by_field_and_nothing_typed_is_lost(
        self, client_of: Of, superuser: Engine, field: str, value: str, sentence: str, address: str
    ) -> None:
        page = client_of(ANNA).post(address, data=report(**{field: value}, suggestion="Ring före hemgång."))
        assert page.status_code == 422
        assert errors(page.text) == [sentence]
        assert "<title>Fel:" in page.text
        assert "Ring före hemgång." in page.text
        with superuser.connect() as connection:
            assert connection.scalar(text("select count(*) from deviations")) == 0

    @pytest.mark.parametrize("field", ["description", "suggestion", "shared_reference", "sender_reference"])
    @pytest.mark.parametrize("address", ["/deviations", "/deviations/check", "/deviations/draft"])
    def test_a_personnummer_is_refused_and_stored_nowhere(
        self,
        client_of: Of,
        superuser: Engine,
        capsys: pytest.CaptureFixture[str],
        field: str,
        address: str,
    ) -> None:
        spelled = f"19{PERSONNUMMER[:6]} - {PERSONNUMMER[6:]}"
        page = client_of(ANNA).post(address, data=report(**{field: f"Patienten {spelled} kom hem."}))
        assert page.status_code == 422
        assert "Texten innehåller ett personnummer (tecken 11–25) och har inte sparats." in page.text
        assert "Skriv er egen referens i stället." in page.text
        with superuser.connect() as connection:
            for table in connection.scalars(
                text(
                    "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
                )
            ):
                stored = connection.scalar(
                    text(
                        f"select count(*) from {table} t where regexp_replace(t::text, '\\D', '', 'g') like :digits"
                    ),
                    {"digits": f"%{PERSONNUMMER}%"},
                )
                assert stored == 0, table
        assert PERSONNUMMER[6:] not in "".join(capsys.readouterr())

    def test_a_draft_is_kept_and_taken_up_again(self, client_of: Of) -> None:
        anna, half = client_of(ANNA), report(description="Bara")
        saved = anna.post(
            "/deviations/draft", data=half, headers={"HX-Request": "true", "HX-Target": "div#draft_status"}
        )
        assert saved.status_code == 200
        assert saved.text.strip().startswith('<div id="draft_status"')
        page = anna.get("/deviations/new", params={"draft": half["submission"]})
        assert ">\nBara</textarea>" in page.text
        assert client_of(MATS).get("/deviations/new", params={"draft": half["submission"]}).status_code == 404

    def test_a_draft_is_thrown_away_by_its_writer_only(self, client_of: Of) -> None:
        half = report(description="Bara")
        client_of(ANNA).post("/deviations/draft", data=half)
        submission = {"submission": half["submission"]}
        assert client_of(MATS).post("/deviations/draft/discard", data=submission).status_code == 404
        assert client_of(ANNA).post("/deviations/draft/discard", data=submission).status_code == 303
        assert client_of(ANNA).get("/deviations/new", params={"draft": half["submission"]}).status_code == 404

    @pytest.mark.parametrize("who", [COORDINATOR, ADMINISTRATOR, "registrator@solvesborg.example"])
    def test_a_role_that_may_not_file_is_told_so(self, client_of: Of, who: str) -> None:
        client = client_of(who)
        assert client.get("/deviations/new").status_code == 403
        assert client.post("/deviations", data=report()).status_code == 403


@pytest.fixture
def number(blekinge: str) -> str:
    return filed(ANNA)


class TestAnswering:
    def test_acknowledge_answer_return_answer_accept(self, client_of: Of, number: str) -> None:
        anna, bob = client_of(ANNA), client_of(BOB)
        address = f"/deviations/{number}"
        for client, verb, data in (
            (bob, "acknowledge", {}),
            (bob, "answer", ANSWER),
            (anna, "verdict", {"verdict": "returned", "comment": "När då?"}),
            (bob, "answer", ANSWER),
            (anna, "verdict", {"verdict": "accepted"}),
        ):
            done = client.post(f"{address}/{verb}", data=data)
            assert (done.status_code, done.headers["location"]) == (303, address)
        page = anna.get(address).text
        assert page.count("Listan skickades inte.") == 2
        assert "Checklistan ändras – Enhetschef, klart senast 31 januari 2027" in page
        assert "Svaret godtogs och ärendet avslutades" in page

    @pytest.mark.parametrize(
        ("missing", "sentences"),
        [
            (("outcome",), ["Välj hur ni ser på händelsen."]),
            (("cause",), ["Skriv varför det blev så."]),
            (("cause_areas",), ["Välj minst ett område för orsaken."]),
            (
                ("actions", "follow_up"),
                ["Skriv en åtgärd, eller varför ingen behövs.", "Skriv hur det följs upp."],
            ),
        ],
    )
    def test_an_answer_that_is_half_there_names_what_is_missing(
        self, client_of: Of, number: str, missing: tuple[str, ...], sentences: list[str]
    ) -> None:
        half = {key: value for key, value in ANSWER.items() if key not in missing}
        page = client_of(BOB).post(f"/deviations/{number}/answer", data=half)
        assert (page.status_code, errors(page.text)) == (422, sentences)
        assert "Enhetschef" in page.text

    def test_returning_and_withdrawing_need_a_reason(self, client_of: Of, number: str) -> None:
        anna, bob = client_of(ANNA), client_of(BOB)
        page = anna.post(f"/deviations/{number}/withdraw", data={"comment": " "})
        assert (page.status_code, errors(page.text)) == (422, ["Skriv varför ärendet återtas."])
        bob.post(f"/deviations/{number}/answer", data=ANSWER)
        page = anna.post(f"/deviations/{number}/verdict", data={"verdict": "returned"})
        assert (page.status_code, errors(page.text)) == (422, ["Skriv vad som saknas i svaret."])

    def test_the_one_who_comes_second_is_told_and_keeps_what_was_typed(
        self, client_of: Of, number: str
    ) -> None:
        client_of(BERIT).post(f"/deviations/{number}/answer", data=ANSWER)
        late = client_of(BOB).post(
            f"/deviations/{number}/answer", data={**ANSWER, "cause": "Min egen långa förklaring."}
        )
        assert late.status_code == 409
        assert "Ärendet besvarades" in late.text
        assert "Verksamhetschef, Medicin avdelning 43 Karlskrona" in late.text
        assert "Min egen långa förklaring." in late.text

    @pytest.mark.usefixtures("blekinge")
    def test_the_receivers_page_never_holds_the_reporters_name_or_own_reference(self, client_of: Of) -> None:
        number = filed(ANNA, sender_reference="vår egen väg till patienten")
        assert "vår egen väg till patienten" in client_of(ANNA).get(f"/deviations/{number}").text
        page = client_of(BOB).get(f"/deviations/{number}").text
        assert "vår egen väg till patienten" not in page
        assert ANNA not in page


# Who asks for a case of Anna's to Bob's ward, and what each way of asking is answered.
# page, answer page, acknowledge, verdict (illegal as it stands), withdraw
GUARDS = {
    ANNA: (200, 403, 403, 409, 303),
    MATS: (200, 403, 403, 409, 303),
    "chef@solvesborg.example": (200, 403, 403, 409, 303),
    BOB: (200, 200, 303, 403, 403),
    BERIT: (200, 200, 303, 403, 403),
    "patientsakerhet@region.example": (200, 200, 303, 403, 403),
    ALICE: (404, 404, 404, 404, 404),
    "registrator@solvesborg.example": (200, 403, 403, 403, 403),
    IDA: (404, 404, 404, 404, 404),
    "sas@solvesborg.example": (404, 404, 404, 404, 404),
    "skolskoterska@solvesborg.example": (404, 404, 404, 404, 404),
    "vardcentral@region.example": (404, 404, 404, 404, 404),
    CHARLIE: (404, 404, 404, 404, 404),
    "mas@karlskrona.example": (404, 404, 404, 404, 404),
    ADMINISTRATOR: (404, 404, 404, 404, 404),
    COORDINATOR: (404, 404, 404, 404, 404),
    "granskare@region.example": (404, 404, 404, 404, 404),
    "lsvo@lan.example": (404, 404, 404, 404, 404),
}


@pytest.mark.parametrize("fragment", [False, True], ids=["page", "fragment"])
@pytest.mark.parametrize("who", GUARDS)
def test_the_guard_table(client_of: Of, number: str, who: str, fragment: bool) -> None:
    client, address = client_of(who), f"/deviations/{number}"
    if fragment:
        client.headers |= {"HX-Request": "true", "HX-Target": "div#act"}
    asked = (
        client.get(address),
        client.get(f"{address}/answer"),
        client.post(f"{address}/acknowledge"),
        client.post(f"{address}/verdict", data={"verdict": "accepted"}),
        client.post(f"{address}/withdraw", data={"comment": "Fel enhet."}),
    )
    # Acknowledged by then where the role may, so that withdrawing comes too late only for the sender's own table.
    assert tuple(answer.status_code for answer in asked) == GUARDS[who]


@pytest.mark.parametrize("who", [ALICE, IDA, CHARLIE, COORDINATOR])
def test_to_a_stranger_a_foreign_case_is_byte_for_byte_a_missing_one(
    client_of: Of, number: str, who: str
) -> None:
    def asked(case_number: str) -> tuple[int, dict[str, str], str]:
        answer = client_of(who).get(f"/deviations/{case_number}")
        headers = {key: value for key, value in answer.headers.items() if key not in ("date", "x-request-id")}
        body = answer.text.replace(case_number, "N").replace(answer.headers["x-request-id"], "ID")
        return answer.status_code, headers, body

    assert asked(number) == asked("BLE-2026-000000")


def test_every_look_at_a_case_is_on_record(client_of: Of, number: str, superuser: Engine) -> None:
    bob = client_of(BOB)
    bob.get(f"/deviations/{number}")
    bob.get("/inbox")
    client_of(CHARLIE).get(f"/deviations/{number}")
    with superuser.connect() as connection:
        rows = connection.execute(
            text(
                "select p.email, l.action, l.roles, b.hsa_id, l.cases from audit_log l join people p on p.id = person_id"
                " join branches b on b.id = branch_id where action ~ 'show|inbox|refused' order by l.id"
            )
        ).all()
    assert rows == [
        (BOB, "deviations.show", ["handler", "reporter"], "SE2321000081-B000", [number]),
        (BOB, "deviations.inbox", ["handler", "reporter"], "SE2321000081-B000", [number]),
        (CHARLIE, "refused.404", ["handler", "reporter"], "SE2120000829-V000", [number]),
    ]


@pytest.mark.usefixtures("blekinge")
class TestLists:
    def test_an_empty_inbox_says_so_kindly(self, client_of: Of) -> None:
        assert "Allt är omhändertaget." in client_of(BOB).get("/inbox").text

    def test_the_inbox_says_what_waits_in_a_sentence(self, client_of: Of) -> None:
        filed(ANNA)
        number = filed(ANNA)
        client_of(BOB).post(f"/deviations/{number}/acknowledge")
        assert (
            "Två ärenden väntar på er: ett att kvittera och ett att besvara."
            in client_of(BOB).get("/inbox").text
        )

    def test_the_list_filters_by_direction_and_state(self, client_of: Of) -> None:
        out, into = filed(ANNA), filed(BOB, sender_unit=BOBS_UNIT, receiver_unit=ANNAS_UNIT)
        anna = client_of(ANNA)
        assert {number for number in (out, into) if number in anna.get("/deviations").text} == {out, into}
        assert out not in anna.get("/deviations?direction=in").text
        assert into not in anna.get("/deviations?direction=out").text
        assert out not in anna.get("/deviations?state=closed").text

    def test_the_list_answers_a_filter_with_its_block_alone(self, client_of: Of) -> None:
        answer = client_of(ANNA).get("/deviations", headers={"HX-Request": "true", "HX-Target": "div#cases"})
        assert answer.text.strip().startswith('<div id="cases">')
        assert answer.headers["vary"] == "HX-Request, HX-Target"

    def test_nonsense_in_the_address_is_taken_as_no_filter(self, client_of: Of) -> None:
        assert client_of(ANNA).get("/deviations?direction=up&state=lost&page=-3").status_code == 200

    def test_a_long_list_has_pages(self, client_of: Of) -> None:
        numbers = [filed(ANNA) for _ in range(52)]
        anna = client_of(ANNA)
        first, second = anna.get("/deviations").text, anna.get("/deviations?page=2").text
        assert sum(number in first for number in numbers) == 50
        assert sum(number in second for number in numbers) == 2
