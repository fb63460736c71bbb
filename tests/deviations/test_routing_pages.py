"""The pages of routing rules, what a rule would have done, and what is suggested to who reports."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from tests.agreements.people import INTAKE, PATRICIA, STROKE, add
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
RULE = {"category": "medication", "target_group": "", "care_level": "home_nursing", "unit": STROKE}
SENTENCE = "Ärenden från hemsjukvården om ”Läkemedel”"
HTMX = {"HX-Request": "true", "HX-Target": "div#suggested"}


def main(page: str) -> str:
    return page.partition('<main id="main"')[2].partition("</main>")[0]


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def errors(page: str) -> list[str]:
    summary = re.search(r'id="error-summary".*?</ul>', page, re.DOTALL)
    return re.findall(r"<li>(?:<a[^>]*>)?([^<]+)", summary.group()) if summary else []


def titles(page: str) -> list[str]:
    """The rules in force, in the order of the page."""
    return re.findall(r'id="rule-\d+-title">\s*([^<]+?)\s*</h3>', page)


def undo(client: TestClient, page: str) -> str:
    """Press the page's Ångra. Gives the page one lands on."""
    form = page.partition('id="undo"')[2].partition("</form>")[0]
    address = re.search(r'action="([^"]+)"', form)
    assert address
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    done = client.post(address.group(1), data=sent)
    assert done.status_code == 303
    return client.get(done.headers["location"]).text


@pytest.fixture
def patricia(blekinge: str, client_of: Of) -> TestClient:
    return client_of(PATRICIA)


class TestRules:
    def test_a_rule_is_made_changed_taken_away_and_each_is_undone(self, patricia: TestClient) -> None:
        assert "Inga regler än." in patricia.get("/routing").text
        made = patricia.post("/routing", data=RULE)
        assert made.status_code == 303
        page = patricia.get(made.headers["location"]).text
        assert titles(page) == [SENTENCE]
        assert "Regeln gäller från nu." in page
        assert titles(undo(patricia, page)) == []
        page = patricia.get(patricia.post("/routing", data=RULE).headers["location"]).text
        rule = re.findall(r'id="rule-(\d+)"', page)[0]
        changed = patricia.post("/routing", data={**RULE, "rule": rule, "target_group": "older"})
        page = patricia.get(changed.headers["location"]).text
        assert (titles(page), "Regeln är ändrad." in page) == ([f"{SENTENCE} som gäller äldre"], True)
        page = undo(patricia, page)
        assert titles(page) == [SENTENCE]
        rule = re.findall(r'id="rule-(\d+)"', page)[0]
        page = patricia.get(patricia.post(f"/routing/{rule}/end").headers["location"]).text
        assert (titles(page), "Regeln är borttagen." in page) == ([], True)
        assert titles(undo(patricia, page)) == [SENTENCE]

    def test_what_has_held_stays_to_be_read(self, patricia: TestClient) -> None:
        rule = add(unit=STROKE)
        patricia.post(f"/routing/{rule}/end")
        former = patricia.get("/routing").text.partition('id="former-rules"')[2]
        assert "Ärenden om ”Läkemedel”" in former
        assert "Strokeenheten" in former
        assert "Patientsäkerhetssamordnare, Region Blekinge" in former

    def test_a_change_begins_with_what_the_rule_says(self, patricia: TestClient) -> None:
        rule = add(care_level="home_nursing", unit=STROKE)
        page = patricia.get("/routing/new", params={"rule": rule}).text
        assert re.findall(r'<option value="([^"]+)" selected>', page) == [
            "medication",
            "home_nursing",
            STROKE,
        ]
        back = {"rule": rule, "category": "medication", "unit": BOBS_UNIT}
        page = patricia.get("/routing/new", params=back).text
        assert re.findall(r'<option value="([^"]+)" selected>', page) == ["medication", BOBS_UNIT]

    @pytest.mark.parametrize("verb", ["check", "save"])
    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"unit": ""}, "Välj vart ärendena ska gå."),
            ({"unit": ANNAS_UNIT}, "Välj en enhet i er egen verksamhet."),
            ({"target_group": "hundar"}, "Välj ett av alternativen."),
            ({"rule": "x"}, "Skriv ett heltal."),
            (
                {"category": "", "care_level": ""},
                "Välj minst en sak som avgör. Ärenden utan regel går till er väg in.",
            ),
        ],
    )
    def test_a_fault_is_said_and_what_was_chosen_is_kept(
        self, patricia: TestClient, verb: str, changed: dict[str, str], sentence: str, superuser: Engine
    ) -> None:
        typed = {**RULE, "first": "true", **changed}
        page = (
            patricia.get("/routing/check", params=typed)
            if verb == "check"
            else patricia.post("/routing", data=typed)
        )
        assert (page.status_code, errors(page.text)) == (422, [sentence])
        assert page.text.count("<title>Fel: ") == 1
        assert 'name="first" value="true" checked' in page.text
        with superuser.connect() as connection:
            assert connection.scalar(text("select count(*) from routing_rules")) == 0

    def test_a_rule_that_somebody_has_changed_is_a_conflict(self, patricia: TestClient) -> None:
        rule = add()
        assert patricia.post(f"/routing/{rule}/end").status_code == 303
        assert patricia.post(f"/routing/{rule}/end").status_code == 409
        assert patricia.post("/routing", data={**RULE, "rule": rule}).status_code == 409


WHO = {
    PATRICIA: 200,
    MATS: 200,
    "sas@solvesborg.example": 200,
    BOB: 403,
    BERIT: 403,
    ANNA: 403,
    ALICE: 403,
    IDA: 403,
    CHARLIE: 403,
    COORDINATOR: 403,
    ADMINISTRATOR: 403,
    "registrator@region.example": 403,
    "granskare@region.example": 403,
}


@pytest.mark.parametrize("fragment", [False, True], ids=["page", "fragment"])
@pytest.mark.parametrize("who", WHO)
def test_the_guard_table(blekinge: str, client_of: Of, who: str, fragment: bool) -> None:
    client = client_of(who)
    if fragment:
        client.headers |= HTMX
    foreign = add()
    own = WHO[who] == 200 and who == PATRICIA
    # Another branch's rule is as missing as one that never was.
    hidden = 404 if WHO[who] == 200 else 403
    asked = (
        client.get("/routing"),
        client.get("/routing/new"),
        client.get("/routing/check", params={**RULE, "unit": ""}),
        client.get("/routing/new", params={"rule": foreign}),
        client.get("/routing/new", params={"rule": foreign + 1000}),
        client.post("/routing", data={**RULE, "rule": str(foreign), "unit": BOBS_UNIT}),
        client.post(f"/routing/{foreign + 1000}/end"),
        client.post(f"/routing/{foreign + 1000}/restore"),
    )
    seen = WHO[who]
    assert [answer.status_code for answer in asked] == [
        seen,
        seen,
        422 if seen == 200 else 403,
        200 if own else hidden,
        hidden,
        303 if own else hidden,
        hidden,
        hidden,
    ]


def test_who_is_not_logged_in_is_asked_to(blekinge: str, anonymous: TestClient) -> None:
    for address in ("/routing", "/routing/new", "/routing/check", "/deviations/new/suggestion"):
        assert anonymous.get(address).headers["location"].startswith("/login")


def test_bad_ids_and_methods(patricia: TestClient) -> None:
    assert patricia.post("/routing/x/end").status_code == 422
    assert patricia.post("/routing/99999999999999/end").status_code == 422
    assert patricia.get("/routing", params={"made": "x"}).status_code == 422
    assert patricia.get("/routing", params={"made": 77, "ended": 78}).text.count("Ångra") == 0
    assert patricia.delete("/routing").status_code == 405
    assert patricia.get("/routing/1/end").status_code == 405


class TestPreview:
    def test_it_says_where_the_latest_cases_would_have_gone_and_moves_none(
        self, patricia: TestClient, superuser: Engine
    ) -> None:
        elsewhere = filed(ANNA)
        there = filed(ANNA, receiver_unit=STROKE)
        not_caught = filed(ANNA, category="sip")
        other_way = filed(BOB, sender_unit=BOBS_UNIT, receiver_unit=ANNAS_UNIT)
        with superuser.connect() as connection:
            before = connection.execute(text("select id, receiver_unit_id, revision from deviations")).all()
        page = patricia.get("/routing/check", params=RULE)
        assert page.status_code == 200
        caught, _, others = main(page.text).partition('id="others"')
        assert (
            "2 av era 3 senaste ärenden hade gått till Strokeenheten. 1 av dem gick till en annan enhet."
            in (words_of(caught))
        )
        rows = re.findall(r'<li class="case.*?</li>', caught, re.DOTALL)
        assert [(number in row, state in row) for row, number, state in zip(
            rows, (there, elsewhere), ("Samma enhet", "Hade gått till Strokeenheten"), strict=True
        )] == [(True, True)] * 2  # fmt: skip
        assert (not_caught in others, "Ingen regel" in others) == (True, True)
        assert other_way not in page.text
        with superuser.connect() as connection:
            assert (
                connection.execute(text("select id, receiver_unit_id, revision from deviations")).all()
                == before
            )
            assert connection.scalar(text("select count(*) from routing_rules")) == 0
            looks = connection.execute(
                text("select action, cases from audit_log where action = 'routing.check'")
            ).all()
        assert looks == [("routing.check", [not_caught, there, elsewhere])]

    def test_other_rules_are_weighed_against_the_tried_one(self, patricia: TestClient) -> None:
        filed(ANNA)
        stronger = add(category="medication.list", care_level="home_nursing")
        page = words_of(main(patricia.get("/routing/check", params=RULE).text))
        assert "Ert enda ärende hade inte berörts." in page
        # Tried in the place of that rule, it is not weighed against its former self.
        page = words_of(main(patricia.get("/routing/check", params={**RULE, "rule": stronger}).text))
        assert "Ert enda ärende hade gått till Strokeenheten." in page

    def test_thirty_are_enough(self, patricia: TestClient) -> None:
        numbers = [filed(ANNA) for _ in range(31)]
        page = patricia.get("/routing/check", params=RULE).text
        assert [number in page for number in numbers] == [False, *[True] * 30]

    def test_before_the_first_case_it_says_so(self, patricia: TestClient) -> None:
        page = patricia.get("/routing/check", params=RULE).text
        assert "Ni har inte fått några ärenden än, så det finns inget att jämföra med." in page

    def test_it_leads_to_saving_or_back_with_all_that_was_chosen(self, patricia: TestClient) -> None:
        page = main(patricia.get("/routing/check", params={**RULE, "first": "true"}).text)
        form = page.partition('id="save"')[2].partition("</form>")[0]
        sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        assert sent == {
            "category": "medication",
            "care_level": "home_nursing",
            "unit": STROKE,
            "first": "true",
        }
        assert patricia.post("/routing", data=sent).status_code == 303
        back = unescape(re.findall(r'href="(/routing/new[^"]*)"', page)[0])
        assert re.findall(r'<option value="([^"]+)" selected>', patricia.get(back).text) == [
            "medication",
            "home_nursing",
            STROKE,
        ]

    def test_a_changed_rule_moves_nothing_already_sent(self, patricia: TestClient, client_of: Of) -> None:
        number = filed(ANNA)
        patricia.post("/routing", data=RULE)
        page = words_of(client_of(ANNA).get(f"/deviations/{number}").text)
        assert "Till Medicin avdelning 43 Karlskrona, Region Blekinge" in page


ASK = {"category": "medication.list", "target_group": "older", "sender_unit": ANNAS_UNIT}
REASON = (
    "Förslag: Medicin avdelning 43 Karlskrona, Region Blekinge, eftersom ärenden om ”Läkemedel” "
    "som gäller äldre går dit."
)


@pytest.fixture
def rule(blekinge: str) -> int:
    return add(target_group="older")


@pytest.mark.usefixtures("rule")
class TestSuggestion:
    @pytest.mark.parametrize(
        ("receiver", "suggested"),
        [
            ({}, True),
            ({"receiver_unit": INTAKE}, True),
            ({"receiver_organisation": "SE2321000081-R"}, True),
            # Whoever has chosen a unit, or somebody else, is not contradicted.
            ({"receiver_unit": STROKE}, False),
            ({"receiver_organisation": "SE2120000829-K"}, False),
            ({"receiver_organisation": "nobody"}, False),
            ({"category": "sip"}, False),
            ({"category": ""}, False),
            ({"category": "nothing"}, False),
            ({"target_group": "adults"}, False),
        ],
    )
    def test_it_is_given_with_its_reason_where_it_helps(
        self, client_of: Of, receiver: dict[str, str], suggested: bool
    ) -> None:
        page = client_of(ANNA).get("/deviations/new/suggestion", params={**ASK, **receiver})
        assert page.status_code == 200
        assert (REASON in words_of(page.text)) is suggested
        assert ("Inget förslag." in page.text) is not suggested

    def test_alone_it_is_a_page_and_in_the_report_a_block(self, client_of: Of) -> None:
        anna = client_of(ANNA)
        page = anna.get("/deviations/new/suggestion", params=ASK)
        assert page.text.startswith("<!doctype html>")
        assert f'href="/deviations/new?receiver_unit={BOBS_UNIT}"' in page.text
        block = anna.get("/deviations/new/suggestion", params=ASK, headers=HTMX)
        assert block.text.strip().startswith('<div id="suggested"')
        assert block.headers["vary"] == "HX-Request, HX-Target"
        button = re.findall(r"<button[^>]*>", block.text)
        assert len(button) == 1
        assert f'name="receiver_unit" value="{BOBS_UNIT}" formaction="/deviations/draft"' in button[0]

    def test_one_press_takes_it_and_loses_nothing(self, client_of: Of) -> None:
        # As a browser sends it: the list's own value first, then the pressed button's.
        typed = {
            "submission": "6c1f1f8e-8c6f-4c39-9d63-0f7a5a1c2b11",
            "receiver_unit": [INTAKE, BOBS_UNIT],
            "description": "Listan saknades vid hemkomsten.",
            **ASK,
        }
        page = client_of(ANNA).post("/deviations/draft", data=typed)
        assert page.status_code == 200
        assert f'<option value="{BOBS_UNIT}" selected>' in page.text
        assert "Listan saknades vid hemkomsten." in page.text

    def test_a_rule_is_not_suggested_to_ones_own_branch(self, client_of: Of) -> None:
        page = client_of(BOB).get("/deviations/new/suggestion", params={**ASK, "sender_unit": BOBS_UNIT})
        assert "Inget förslag." in page.text

    def test_the_level_of_care_is_that_of_the_sending_unit(self, client_of: Of) -> None:
        add(category=None, care_level="home_nursing", unit=STROKE)
        anna = client_of(ANNA)
        found = {
            unit: "Strokeenheten" in anna.get("/deviations/new/suggestion", params={"sender_unit": unit}).text
            for unit in (ANNAS_UNIT, "SE2120000852-V020", "")
        }
        assert found == {ANNAS_UNIT: True, "SE2120000852-V020": False, "": False}

    @pytest.mark.parametrize("who", [COORDINATOR, ADMINISTRATOR, "registrator@solvesborg.example"])
    def test_who_may_not_file_is_told_so(self, client_of: Of, who: str) -> None:
        assert client_of(who).get("/deviations/new/suggestion", params=ASK).status_code == 403
