"""The turns of a case as pages: each verb works, the other side sees it, and nobody else may."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from backend.core import clock
from tests.deviations.test_pages import ANSWER, errors
from tests.people import ALICE, ANNA, BERIT, BOB, BOBS_UNIT, CHARLIE, IDA, MATS, filed

pytestmark = pytest.mark.usefixtures("shared_blekinge")

Of = Callable[..., TestClient]
Step = tuple[str, str, dict[str, object]]
KARLSKRONA, TROSSO = "SE2120000829-V010", "SE2321000081-N011"
CHEF = "chef@solvesborg.example"
NEXT_MONTH = (clock.today() + timedelta(days=40)).isoformat()
ONWARD = {"unit": KARLSKRONA, "reason": "wrong_recipient", "comment": "De hade patienten."}
DECLINE = {"reason": "not_involved", "comment": "Vi var aldrig med.", "suggested_unit": KARLSKRONA}
RESEND = {"unit": BOBS_UNIT, "comment": "Vi tror att det är ni."}
ASKED: Step = (BOB, "question", {"text": "Vilken dag kom hen hem?"})
DISPUTED: Sequence[Step] = ((BOB, "decline", DECLINE), (ANNA, "resend", RESEND), (BOB, "decline", DECLINE))
CLOSED: Sequence[Step] = ((BOB, "answer", ANSWER), (ANNA, "verdict", {"verdict": "accepted"}))


@dataclass(frozen=True)
class Turn:
    """`before` brings the case where the verb is due; `seen` is what the other side then reads; `bad` is refused with
    `sentence`; `wrong` may see the case but not do this.
    """

    verb: str
    who: str
    data: dict[str, object]
    other: str
    seen: str
    wrong: str
    before: Sequence[Step] = ()
    bad: dict[str, object] = field(default_factory=dict)
    sentence: str = ""


TURNS = [
    Turn("acknowledge", BOB, {}, ANNA, "Ärendet kvitterades", ANNA),
    Turn("review", BOB, {}, ANNA, "Utredningen påbörjades", ANNA),
    Turn(
        *("question", BOB, {"text": "Vilken dag kom hen hem?"}, ANNA, "Vilken dag kom hen hem?", ANNA),
        bad={"text": " "},
        sentence="Skriv vad ni behöver veta.",
    ),
    Turn(
        *("reply", ANNA, {"text": "På fredagen."}, BOB, "På fredagen.", BOB, (ASKED,)),
        bad={"text": ""},
        sentence="Skriv ert svar på frågan.",
    ),
    Turn(
        *("delay-notice", BOB, {"reason": "Semestrar.", "promised_on": NEXT_MONTH}, ANNA, "Semestrar.", ANNA),
        bad={"reason": "Semestrar.", "promised_on": "2020-01-01"},
        sentence="Välj en dag som kommer.",
    ),
    Turn(
        *("redirect", BOB, ONWARD, ANNA, "Ska ärendet gå till Hemsjukvården Karlskrona?", ANNA),
        bad={"comment": "De hade patienten."},
        sentence="Välj vilken enhet ärendet hör till.",
    ),
    Turn(
        *("confirm-redirect", ANNA, {"confirm": "false", "comment": "Nej, ni."}, BOB, "Nej, ni.", BOB),
        before=((BOB, "redirect", ONWARD),),
        bad={"comment": "Nej, ni."},
        sentence="Välj ja eller nej.",
    ),
    Turn(
        *("decline", BOB, DECLINE, ANNA, "De föreslår Hemsjukvården Karlskrona.", ANNA),
        bad={"comment": "Vi var aldrig med."},
        sentence="Välj ett skäl.",
    ),
    Turn(
        *("resend", ANNA, RESEND, BOB, "Vi tror att det är ni.", BOB, ((BOB, "decline", DECLINE),)),
        bad={"unit": BOBS_UNIT},
        sentence="Skriv några ord till den som tar emot det.",
    ),
    Turn(
        *("settle", MATS, {"outcome": "partly", "comment": "Båda brast."}, BERIT, "Båda brast.", BOB),
        before=DISPUTED,
        bad={"comment": "Båda brast."},
        sentence="Välj hur ärendet ska sluta.",
    ),
    Turn(
        *("verdict", ANNA, {"verdict": "returned", "comment": "När då?"}, BOB, "När då?", BOB),
        before=((BOB, "answer", ANSWER),),
        bad={"verdict": "returned"},
        sentence="Skriv vad som saknas i svaret.",
    ),
    Turn(
        *("reopen", CHEF, {"comment": "Det hände igen."}, BOB, "Det hände igen.", ANNA, CLOSED),
        bad={"comment": ""},
        sentence="Skriv varför ärendet behöver öppnas igen.",
    ),
    Turn(
        *("patient-identified", ANNA, {"on": clock.today().isoformat(), "how": "telephone"}),
        *(BOB, "Patienten identifierad", "registrator@region.example"),
        bad={"on": clock.today().isoformat()},
        sentence="Välj hur.",
    ),
]


def post(client_of: Of, number: str, step: Step) -> int:
    who, verb, data = step
    return client_of(who).post(f"/deviations/{number}/{verb}", data=data).status_code


def brought(client_of: Of, steps: Sequence[Step]) -> str:
    number = filed(ANNA)
    assert [post(client_of, number, step) for step in steps] == [303] * len(steps)
    return number


def without_marks(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page))


@pytest.mark.parametrize("fragment", [False, True], ids=["page", "fragment"])
@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.verb)
def test_a_turn_is_taken_by_the_one_who_may_and_seen_by_the_other_side(
    client_of: Of, turn: Turn, fragment: bool
) -> None:
    number = brought(client_of, turn.before)
    address = f"/deviations/{number}/{turn.verb}"
    asked = {"HX-Request": "true", "HX-Target": "div#act"} if fragment else {}
    for stranger in (ALICE, IDA, CHARLIE):
        assert client_of(stranger).post(address, data=turn.data, headers=asked).status_code == 404
    wrong = client_of(turn.wrong).post(address, data=turn.data, headers=asked).status_code
    # A declined case has left the receiver's sight.
    assert wrong == (404 if turn.verb == "resend" else 403)
    if turn.bad:
        refused = client_of(turn.who).post(address, data=turn.bad, headers=asked)
        assert refused.status_code == 422
        if not fragment:
            assert errors(refused.text) == [turn.sentence]
            kept = [value for value in turn.bad.values() if str(value).strip() and " " in str(value)]
            assert [value for value in kept if str(value) not in refused.text] == []
            assert "<title>Fel:" in refused.text
    done = client_of(turn.who).post(address, data=turn.data, headers=asked)
    assert done.status_code == 303
    assert done.headers["location"].partition("?")[0] == (
        "/inbox" if turn.verb == "decline" else f"/deviations/{number}"
    )
    assert turn.seen in without_marks(client_of(turn.other).get(f"/deviations/{number}").text)


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.verb)
def test_the_link_of_every_error_leads_to_its_field(client_of: Of, turn: Turn) -> None:
    if not turn.bad:
        return
    page = client_of(turn.who).post(
        f"/deviations/{brought(client_of, turn.before)}/{turn.verb}", data=turn.bad
    )
    summary = page.text.partition('id="error-summary"')[2].partition("</ul>")[0]
    (target,) = re.findall(r'href="#([^"]+)"', summary)
    if target != "confirm-redirect-confirm":  # two buttons, of which a browser always presses one
        assert page.text.count(f'id="{target}"') == 1


@pytest.mark.parametrize("way", ["redirect", "decline", "resend"])
def test_finding_the_right_unit_has_a_page_for_the_one_who_may(client_of: Of, way: str) -> None:
    number = brought(client_of, ((BOB, "decline", DECLINE),) if way == "resend" else ())
    who = ANNA if way == "resend" else BOB
    page = client_of(who).get(f"/deviations/{number}/{way}")
    assert page.status_code == 200
    assert page.text.count(f'value="{KARLSKRONA}"') == 1
    # The sender's own units are no choice, nor where the case lies.
    assert "SE2120000852-V020" not in page.text
    assert (BOBS_UNIT in page.text) == (way == "resend")
    assert client_of(CHARLIE).get(f"/deviations/{number}/{way}").status_code == 404
    other = client_of(BOB if way == "resend" else ANNA).get(f"/deviations/{number}/{way}")
    assert other.status_code == (404 if way == "resend" else 403)


def test_the_unit_that_was_suggested_is_chosen_beforehand(client_of: Of) -> None:
    number = brought(client_of, ((BOB, "decline", DECLINE),))
    page = client_of(ANNA).get(f"/deviations/{number}/resend").text
    assert f'value="{KARLSKRONA}" selected' in page


def test_a_case_declined_a_second_time_says_beforehand_that_it_becomes_disputed(client_of: Of) -> None:
    number = filed(ANNA)
    first = client_of(BOB).get(f"/deviations/{number}/decline").text
    assert "Det här är andra gången ärendet avböjs" not in first
    number = brought(client_of, DISPUTED[:2])
    assert (
        "Det här är andra gången ärendet avböjs" in client_of(BOB).get(f"/deviations/{number}/decline").text
    )


def test_a_redirect_within_the_branch_is_done_at_once_and_leads_to_the_inbox(client_of: Of) -> None:
    number = filed(ANNA)
    sent_on = client_of(BOB).post(f"/deviations/{number}/redirect", data={**ONWARD, "unit": TROSSO})
    assert sent_on.headers["location"] == "/inbox?did=redirect"
    bob = client_of(BOB)
    assert "Ärendet är skickat vidare. Ni ser det inte längre." in bob.get("/inbox?did=redirect").text
    assert bob.get(f"/deviations/{number}").status_code == 404
    assert client_of("vardcentral@region.example").get(f"/deviations/{number}").status_code == 200


def test_a_yes_hands_the_case_to_the_new_unit_which_reads_nothing_of_what_was_said_before(
    client_of: Of,
) -> None:
    number = brought(client_of, (ASKED, (ANNA, "reply", {"text": "Ett svar till fyrtiotrean."})))
    assert post(client_of, number, (BOB, "redirect", ONWARD)) == 303
    assert post(client_of, number, (ANNA, "confirm-redirect", {"confirm": "true"})) == 303
    page = client_of(CHARLIE).get(f"/deviations/{number}")
    assert page.status_code == 200
    for before in ("Vilken dag kom hen hem?", "Ett svar till fyrtiotrean.", "De hade patienten."):
        assert before not in page.text
    assert "Ärendets väg mellan enheter" in page.text
    assert client_of(BOB).get(f"/deviations/{number}").status_code == 404


def test_the_two_settle_by_one_proposing_and_the_other_saying_yes(client_of: Of) -> None:
    number = brought(client_of, DISPUTED)
    proposed = {"outcome": "disagreement", "comment": "Vi ser det olika."}
    assert post(client_of, number, (MATS, "settle", proposed)) == 303
    theirs = client_of(BERIT).get(f"/deviations/{number}").text
    assert "Den andra partens förslag: Vi är oeniga och avslutar ärendet så" in theirs
    assert '<input type="hidden" name="outcome" value="disagreement">' in theirs
    assert post(client_of, number, (BERIT, "settle", {"outcome": "disagreement", "comment": "Ja."})) == 303
    assert "Ärendet avslutades som oenighet" in client_of(ANNA).get(f"/deviations/{number}").text


@pytest.mark.parametrize(
    ("steps", "who", "sentence"),
    [
        ((ASKED,), ANNA, "Svarar ni inte till och med"),
        ((ASKED,), BOB, "kommer ärendet tillbaka till er av sig självt."),
        (((BOB, "redirect", ONWARD),), ANNA, "blir ärendet kvar hos mottagaren."),
        (((BOB, "decline", DECLINE),), ANNA, "räknas ärendet som återtaget."),
        (((BOB, "answer", ANSWER),), ANNA, "räknas svaret som godtaget genom tystnad."),
        (DISPUTED, BERIT, "avslutas ärendet som oenighet."),
    ],
)
def test_every_waiting_state_says_what_happens_by_itself_and_when(
    client_of: Of, steps: Sequence[Step], who: str, sentence: str
) -> None:
    page = client_of(who).get(f"/deviations/{brought(client_of, steps)}").text
    assert sentence in page
    assert re.search(r"till och med \w+dag \d+ \w+ \d{4}", page)


def test_a_third_question_says_that_the_clock_goes_on(client_of: Of) -> None:
    reply: Step = (ANNA, "reply", {"text": "Ja."})
    number = brought(client_of, (ASKED, reply, ASKED, reply))
    assert "Den här frågan stannar inte er klocka." in client_of(BOB).get(f"/deviations/{number}").text
    assert post(client_of, number, ASKED) == 303
    assert "svarstiden löper" in client_of(BOB).get(f"/deviations/{number}").text


def test_a_good_example_is_thanked_for_and_the_thanks_are_read(client_of: Of) -> None:
    number = filed(ANNA, event_kind="good_example", category="good_example")
    assert "Ett tack till den som skrev" in client_of(BOB).get(f"/deviations/{number}").text
    assert post(client_of, number, (BOB, "acknowledge", {"comment": "Så fint att läsa!"})) == 303
    page = client_of(ANNA).get(f"/deviations/{number}").text
    assert "Tack från mottagaren" in page
    assert "Så fint att läsa!" in page


def test_two_reports_of_one_event_are_linked_for_those_who_see_both(client_of: Of) -> None:
    one, other = filed(ANNA), filed(ANNA)
    elsewhere = filed(ANNA, receiver_unit=KARLSKRONA)
    anna = client_of(ANNA)
    wrong = anna.post(f"/deviations/{one}/link", data={"case_number": "BLE-2026-000000"})
    assert errors(wrong.text) == ["Det finns inget sådant ärende bland dem du ser. Kontrollera numret."]
    for number in (other, elsewhere):
        assert anna.post(f"/deviations/{one}/link", data={"case_number": number}).status_code == 303
    bobs = client_of(BOB).get(f"/deviations/{one}").text
    assert (other in bobs, elsewhere in bobs) == (True, False)
    assert anna.post(f"/deviations/{one}/unlink", data={"case_number": other}).status_code == 303
    assert other not in client_of(BOB).get(f"/deviations/{one}").text


def test_the_print_view_holds_the_whole_case_and_nothing_to_press(client_of: Of) -> None:
    number = brought(client_of, (ASKED, (ANNA, "reply", {"text": "På fredagen."}), (BOB, "answer", ANSWER)))
    page = client_of(BOB).get(f"/deviations/{number}/print")
    assert page.status_code == 200
    for told in ("Vilken dag kom hen hem?", "På fredagen.", "Listan skickades inte.", "Händelser"):
        assert told in page.text
    assert page.text.partition("<main")[2].partition("</main>")[0].count("<form") == 0
    assert client_of(IDA).get(f"/deviations/{number}/print").status_code == 404


def test_what_was_typed_is_not_lost_when_the_case_has_moved_on(client_of: Of) -> None:
    number = brought(client_of, (ASKED,))
    late = client_of(BERIT).post(
        f"/deviations/{number}/question", data={"text": "Min långa fråga om läkemedlen."}
    )
    assert late.status_code == 409
    assert "Min långa fråga om läkemedlen." in late.text
    moved = client_of(BERIT).post(f"/deviations/{number}/decline", data=DECLINE)
    assert moved.status_code == 409
    assert "not_involved" not in moved.text


def test_a_code_in_the_address_that_is_none_of_ours_says_nothing(client_of: Of) -> None:
    page = client_of(ANNA).get(f"/deviations/{filed(ANNA)}?did=<b>hej</b>")
    assert page.status_code == 200
    assert 'id="flash"' not in page.text
