"""A report that a manager reads before it leaves."""

import re
import uuid
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core.errors import ForbiddenError, NotFoundError
from backend.deviations import actions
from tests.deviations.test_pages import errors, report
from tests.people import ALICE, ANNA, BERIT, BOB, CHARLIE, COORDINATOR, IDA, MATS, acting

pytestmark = pytest.mark.usefixtures("shared_blekinge")

Of = Callable[..., TestClient]
CHEF = "chef@solvesborg.example"


def handed_over(description: str = "Patienten kom hem utan lista.", **changed: str) -> str:
    typed = report(description=description, **changed)
    submission = uuid.UUID(typed["submission"])
    with acting(ANNA) as (db, me):
        actions.save_draft(db, me, submission, {name: [value] for name, value in typed.items()})
        actions.hand_over(db, me, submission)
    return str(submission)


def test_the_manager_reads_and_sends_it_and_the_writer_stays_the_reporter(client_of: Of) -> None:
    submission = handed_over("Kanariefågel hos chefen.")
    chef = client_of(CHEF)
    assert "Rapporter att granska" in chef.get("/").text
    assert "Kanariefågel hos chefen." in chef.get("/reviews").text
    assert "Medicin avdelning 43 Karlskrona" in chef.get(f"/reviews/{submission}").text
    sent = chef.post(f"/reviews/{submission}/send")
    assert sent.status_code == 303
    address = sent.headers["location"].partition("?")[0]
    page = client_of(ANNA).get(address).text
    assert "Återta ärendet" in page
    assert "Tack! Ärendet är skickat" in page
    assert client_of(BOB).get(address).status_code == 200
    assert "Kanariefågel hos chefen." not in chef.get("/reviews").text
    assert chef.post(f"/reviews/{submission}/send").status_code == 404


def test_it_is_given_back_with_a_word_and_handed_over_again(client_of: Of) -> None:
    submission = handed_over()
    chef = client_of(CHEF)
    empty = chef.post(f"/reviews/{submission}/give-back", data={"comment": " "})
    assert (empty.status_code, errors(empty.text)) == (422, ["Skriv vad rapporten behöver."])
    given = chef.post(f"/reviews/{submission}/give-back", data={"comment": "Skriv vilken dag."})
    assert (given.status_code, given.headers["location"]) == (303, "/reviews?did=given_back")
    assert "Skriv vilken dag." in client_of(ANNA).get("/").text
    assert f"/reviews/{submission}" not in chef.get("/reviews").text
    assert chef.post(f"/reviews/{submission}/give-back", data={"comment": "Igen."}).status_code == 409
    with acting(ANNA) as (db, me):
        actions.hand_over(db, me, uuid.UUID(submission))
    assert f"/reviews/{submission}" in chef.get("/reviews").text


def test_the_word_it_was_given_back_with_stands_on_the_form_where_it_is_put_right(client_of: Of) -> None:
    submission = handed_over()
    client_of(CHEF).post(f"/reviews/{submission}/give-back", data={"comment": "Skriv vilken dag."})
    anna = client_of(ANNA)
    assert "Skriv vilken dag." in anna.get(f"/deviations/new?draft={submission}").text
    saved = anna.post("/deviations/draft", data=report(submission=submission))
    assert (saved.status_code, "Skriv vilken dag." in saved.text) == (200, True)
    assert "Lämnad tillbaka" not in anna.get("/deviations/new").text


def test_the_review_says_all_that_leaves_in_the_words_of_the_check_page(client_of: Of) -> None:
    submission = handed_over(occurred_on="2026-01-04", discovered_on="2026-01-05", legal_area="hsl")
    page = client_of(CHEF).get(f"/reviews/{submission}").text
    assert "söndag 4 januari 2026" in page
    assert "måndag 5 januari 2026" in page
    assert "Lagrum" in page
    assert "Vet inte" in page


def test_what_may_point_out_somebody_is_shown_to_the_manager_who_masks_it(client_of: Of) -> None:
    submission = handed_over("Greta Svensson kom hem utan lista. Ring 070-123 45 67.")
    chef, address = client_of(CHEF), f"/reviews/{submission}"
    page = chef.get(address).text
    assert "Kan texten peka ut någon?" in page
    assert "<mark>Greta Svensson</mark>" in page
    key = re.search(r'name="mask" value="(description[^"]*)"', page)
    assert key is not None
    masked = chef.post(f"{address}/mask", data={"mask": key[1]})
    assert (masked.status_code, "Greta Svensson" in masked.text) == (200, False)
    assert "Kan texten peka ut någon?" in masked.text
    rest = chef.post(f"{address}/mask", data={"mask": "all"}).text
    assert ("Kan texten peka ut någon?" in rest, "Det är maskat." in rest) == (False, True)
    sent = chef.post(f"{address}/send")
    page = client_of(BOB).get(sent.headers["location"].partition("?")[0]).text
    assert ("kom hem utan lista" in page, "Greta" in page, "070" in page) == (True, False, False)


def test_a_report_that_is_given_back_is_its_writers_to_mask(client_of: Of) -> None:
    submission = handed_over("Greta Svensson kom hem utan lista.")
    chef, address = client_of(CHEF), f"/reviews/{submission}"
    chef.post(f"{address}/give-back", data={"comment": "Ta bort namnet."})
    assert "Kan texten peka ut någon?" not in chef.get(address).text
    assert chef.post(f"{address}/mask", data={"mask": "all"}).status_code == 409
    assert client_of(BERIT).post(f"{address}/mask", data={"mask": "all"}).status_code == 404


def test_writing_on_takes_it_back_from_the_manager(client_of: Of) -> None:
    submission = handed_over()
    with acting(ANNA) as (db, me):
        actions.save_draft(db, me, uuid.UUID(submission), {"description": ["Jag skriver vidare."]})
    assert client_of(CHEF).get(f"/reviews/{submission}").status_code == 404


def test_only_the_units_managers_read_it(client_of: Of) -> None:
    submission = handed_over()
    asked = {
        who: (
            client_of(who).get("/reviews").status_code,
            client_of(who).get(f"/reviews/{submission}").status_code,
        )
        for who in (CHEF, MATS, BERIT, ALICE, IDA, CHARLIE, COORDINATOR)
    }
    assert asked == {
        CHEF: (200, 200),
        MATS: (200, 200),
        BERIT: (200, 404),
        **dict.fromkeys((ALICE, IDA, CHARLIE, COORDINATOR), (403, 403)),
    }


def test_a_report_that_is_not_whole_is_not_sent(client_of: Of) -> None:
    submission = handed_over("Kort")
    page = client_of(CHEF).post(f"/reviews/{submission}/send")
    assert (page.status_code, errors(page.text)) == (422, ["Skriv minst 10 tecken."])


def test_one_hands_over_only_ones_own_from_a_unit_of_ones_own() -> None:
    typed = report()
    submission = uuid.UUID(typed["submission"])
    with acting(ANNA) as (db, me):
        actions.save_draft(db, me, submission, {name: [value] for name, value in typed.items()})
    with acting(MATS) as (db, me), pytest.raises(NotFoundError):
        actions.hand_over(db, me, submission)
    with acting(ANNA) as (db, me):
        actions.save_draft(db, me, submission, {"sender_unit": ["SE2321000081-S011"]})
        with pytest.raises(ForbiddenError):
            actions.hand_over(db, me, submission)


def test_where_the_branch_wants_it_the_form_hands_the_report_to_the_manager(
    client_of: Of, superuser: Engine
) -> None:
    def wanted(yes: bool) -> None:
        with superuser.begin() as connection:
            connection.execute(
                text("update branches set review_before_sending = :yes where hsa_id = 'SE2120000852-V000'"),
                {"yes": yes},
            )

    wanted(True)
    try:
        anna, chef = client_of(ANNA), client_of(CHEF)
        assert "Lämna till chefen" in anna.get("/deviations/new").text
        answer = anna.post("/deviations", data=report(description="Kanariefågel i formuläret."))
        assert answer.headers["location"] == "/?did=handed_over"
        assert "Kanariefågel i formuläret." in chef.get("/reviews").text
        sent = chef.post("/deviations", data={**report(description="Chefens egen rapport.")})
        assert sent.headers["location"].startswith("/deviations/BLE-")
    finally:
        wanted(False)
