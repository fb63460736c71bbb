"""What a person reads when something does not go: in Swedish, with a way back, and with what they wrote."""

import itertools
import re
from collections.abc import Callable
from html import unescape

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, text

from backend.deviations import actions, queries
from tests.core.web.doors import MISSING, address, doors
from tests.deviations.verbs import together
from tests.people import ALICE, ANNA, ANSWER, BOB, CHARLIE, COORDINATOR, IDA, MATS, acting, filed

FRAGMENT = {"HX-Request": "true", "HX-Target": "form#cases"}
TAKES_THE_PLACE = {"HX-Retarget": "#main", "HX-Reselect": "#main", "HX-Reswap": "outerHTML"}


STRANGERS = (IDA, CHARLIE, ALICE, COORDINATOR)


def heading(answer: Response) -> str:
    return "; ".join(unescape(found) for found in re.findall(r"<h1[^>]*>([^<]*)", answer.text))


def kept(answer: Response) -> list[str]:
    """What was typed, given back to be copied."""
    return [
        unescape(found).strip()
        for found in re.findall(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)
    ]


def ways_on(answer: Response) -> list[str]:
    main = answer.text.partition('<main id="main"')[2].partition("</main>")[0] or answer.text
    return re.findall(r'href="([^"]+)"', main)


def test_every_error_is_a_page_in_swedish_with_a_way_back(
    blekinge: str, client_of: Callable[..., TestClient], anonymous: TestClient
) -> None:
    number = filed()
    anna = client_of(ANNA)
    pages = {
        anonymous.get("/nowhere"): (404, "Det finns inget här"),
        anonymous.get("/static/nowhere.css"): (404, "Det finns inget här"),
        anna.get(f"/deviations/{MISSING}"): (404, "Det finns inget här"),
        anna.get("/summaries/BLE/2024-13"): (404, "Det finns inget här"),
        anonymous.put("/login"): (405, "Det går inte att göra så"),
        anna.get(f"/deviations/{number}/verdict"): (405, "Det går inte att göra så"),
        client_of(COORDINATOR).get("/deviations/new"): (403, "Ditt uppdrag räcker inte till det här"),
        anna.get(f"/deviations/{number}/answer"): (403, "Ditt uppdrag räcker inte till det här"),
        anna.get("/deviations?page=two"): (422, "Det gick inte att läsa"),
        anna.get("/deviations/new?draft=two"): (422, "Det gick inte att läsa"),
        anna.get("/figures.csv?from=two"): (422, "Det gick inte att läsa"),
        # A sign that the database cannot hold.
        anna.get("/deviations/%00"): (422, "Det gick inte att läsa"),
        anna.get("/summaries/%00/2024-12"): (422, "Det gick inte att läsa"),
        anonymous.post("/login", data={"email": "\0", "password": "x"}): (422, "Det gick inte att läsa"),
        anonymous.post("/login", data={"email": "x" * 1_000_000}): (413, "För mycket på en gång"),
    }
    for answer, expected in pages.items():
        assert (answer.status_code, heading(answer)) == expected, answer.request.url
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert '<html lang="sv"' in answer.text
        assert ways_on(answer) == ["/"]
        assert f'"number">{answer.headers["X-Request-Id"]}<' in answer.text
    assert anonymous.put("/login").headers["Allow"] == "GET"


def test_an_error_takes_the_place_of_the_content_when_a_fragment_was_asked_for(
    blekinge: str, client_of: Callable[..., TestClient]
) -> None:
    answer = client_of(ANNA).get(f"/deviations/{MISSING}", headers=FRAGMENT)
    assert (answer.status_code, heading(answer)) == (404, "Det finns inget här")
    # The whole page, of which htmx takes the title and the content.
    assert {name: answer.headers[name] for name in TAKES_THE_PLACE} == TAKES_THE_PLACE
    assert "<title>Det finns inget här" in answer.text
    assert ways_on(answer) == ["/"]


def unmarked(answer: Response, number: str) -> tuple[int, dict[str, str], str]:
    """The whole answer, less the date, the request's id, and the number asked for."""
    body = answer.text.replace(answer.headers["X-Request-Id"], "ID").replace(number, "NUMBER")
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
    return answer.status_code, headers, body


def test_another_branchs_case_is_missing_byte_for_byte(
    app: FastAPI, blekinge: str, client_of: Callable[..., TestClient]
) -> None:
    number = filed()
    tried = [door for door in doors(app) if "{case_number}" in door[1]]
    assert len(tried) >= 6
    asking = [*itertools.product(STRANGERS, [{}], tried), *itertools.product([IDA], [FRAGMENT], tried)]
    for who, headers, (method, path) in asking:
        client = client_of(who)
        data = {"comment": "Försök."} if method == "POST" else None
        foreign, missing = (
            client.request(method, address(path, case_number=asked), data=data, headers=headers)
            for asked in (number, MISSING)
        )
        assert (who, path, unmarked(foreign, number)) == (who, path, unmarked(missing, MISSING))
        assert (who, path, foreign.status_code) == (who, path, 404)


def test_what_was_written_comes_back_when_somebody_was_faster(
    blekinge: str, client_of: Callable[..., TestClient]
) -> None:
    number = filed()
    with acting(BOB) as (db, me):
        actions.answer(db, me, queries.deviation(db, me, number), ANSWER)
    answer = client_of(BOB).post(
        f"/deviations/{number}/answer",
        data={
            "outcome": "agree",
            "cause_areas": "procedures",
            "cause": "Listan <följde> inte med.",
            "no_action_reason": "Rutinen är redan ändrad.",
            "follow_up": "Om tre månader.",
        },
    )
    assert (answer.status_code, heading(answer)) == (409, "Någon hann före")
    assert kept(answer) == ["Listan <följde> inte med.", "Rutinen är redan ändrad.", "Om tre månader."]
    assert "Listan &lt;följde&gt; inte med." in answer.text


@pytest.fixture
def breaking(superuser: Engine) -> Callable[[str], None]:
    """`breaking("deviations")`: whoever writes there meets a fault of ours."""

    def at(table: str) -> None:
        with superuser.begin() as connection:
            connection.execute(
                text(f"alter table {table} add column secret_of_ours integer not null default 0")
            )
            connection.execute(text(f"alter table {table} alter column secret_of_ours drop default"))

    return at


def test_our_own_fault_shows_no_insides_and_gives_back_what_was_written(
    blekinge: str,
    client_of: Callable[..., TestClient],
    breaking: Callable[[str], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    anna = client_of(ANNA)
    breaking("deviations")
    capfd.readouterr()
    answer = anna.post(
        "/deviations",
        data={
            "description": "Kanariefågeln kom hem utan läkemedelslista.",
            "suggestion": "Skicka listan med.",
            "category": "medication.list",
            "sender_unit": "SE2120000852-V010",
            "receiver_unit": "SE2321000081-S011",
            "occurred_on": "2026-01-01",
            "target_group": "older",
        },
    )
    assert (answer.status_code, heading(answer)) == (500, "Något gick fel hos oss")
    assert kept(answer) == ["Kanariefågeln kom hem utan läkemedelslista.", "Skicka listan med."]
    assert ways_on(answer) == ["/"]
    for inside in ("secret_of_ours", "psycopg", "sqlalchemy", "Traceback", "insert into", "Hemsjukvården"):
        assert inside.lower() not in answer.text.lower()
    said = "".join(capfd.readouterr())
    assert "error=IntegrityError" in said
    assert answer.headers["X-Request-Id"] in said
    assert "anariefågel" not in said


def test_our_own_fault_needs_no_database_to_say_so(
    blekinge: str, superuser: Engine, client_of: Callable[..., TestClient]
) -> None:
    anna = client_of(ANNA)
    with superuser.begin() as connection:
        connection.execute(text("alter table sessions rename to lost"))
    page, fragment = anna.get("/inbox"), anna.get("/inbox", headers=FRAGMENT)
    assert (page.status_code, heading(page)) == (500, "Något gick fel hos oss")
    assert (fragment.status_code, heading(fragment)) == (500, "Något gick fel hos oss")
    assert fragment.headers["HX-Retarget"] == "#main"


def test_what_only_the_database_refuses_is_missing_and_logged_as_a_fault(
    blekinge: str,
    superuser: Engine,
    client_of: Callable[..., TestClient],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The second lock holds where the first did not: the person learns nothing, and we learn of it."""
    number, bob = filed(), client_of(BOB)
    with superuser.begin() as connection:
        connection.execute(text("revoke update on deviations from samsvar_app"))
    capfd.readouterr()
    answer = bob.post(f"/deviations/{number}/acknowledge")
    assert (answer.status_code, heading(answer)) == (404, "Det finns inget här")
    assert "database.refused" in "".join(capfd.readouterr())


def test_whoever_presses_twice_is_told_that_it_may_be_done(
    blekinge: str, client_of: Callable[..., TestClient]
) -> None:
    """Both asked whether it was done before either had done it."""
    answers = []
    for _ in range(8):
        address = f"/deviations/{filed(ANNA)}/flag"
        browsers = [client_of(MATS) for _ in range(2)]
        press = iter(browsers)
        together(lambda: answers.append(next(press).post(address, data={"law": "lex_sarah"})), 2)  # noqa: B023
    assert {answer.status_code for answer in answers} == {303, 409}
    assert sum(answer.status_code == 303 for answer in answers) == 8
    words = [heading(answer) for answer in answers if answer.status_code == 409]
    assert words == ["Någon hann före"] * 8
