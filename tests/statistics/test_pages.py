"""The page of figures: for those who handle cases, of their own branch, both directions."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from tests.people import ADMINISTRATOR, ALICE, ANNA, CHARLIE, COORDINATOR, MATS

ClientOf = Callable[..., TestClient]
YEAR = {"from": "2023-01", "to": "2023-12"}


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\u00a0", " ").split())


def sheet(client: TestClient, **months: str) -> list[dict[str, str]]:
    answer = client.get("/figures.csv", params=months or YEAR)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))


def test_the_year_is_told_in_one_sentence_with_a_picture_and_a_table(
    history: str, client_of: ClientOf
) -> None:
    answer = client_of(MATS).get("/figures", params=YEAR)
    assert answer.status_code == 200
    finding = (
        "Av ärendena med utgången svarsfrist har vi besvarat 3 av 3 (44–100 %) av dem som kom till oss, och fått "
        "svar på 24 av 60 (40 %, 29–53 %) av dem vi skickade."
    )
    page = words_of(answer.text)
    assert (page.count(finding), answer.text.count('<svg xmlns="http://www.w3.org/2000/svg"')) == (1, 1)
    assert page.count("Varav 66 importerade.") == 1
    # The CSP of every page refuses these.
    assert re.findall(r"<style|style=|<script(?! src)|onclick=", answer.text) == []


def test_the_file_holds_the_same_year(history: str, client_of: ClientOf) -> None:
    client = client_of(MATS)
    rows = sheet(client)
    assert [row["skickade"] for row in rows if row["indelning"] == "alla"] == ["3", "66"]
    assert len([row for row in rows if row["indelning"] == "månad"]) == 24
    answer = client.get("/figures.csv", params=YEAR)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="siffror-2023-01-2023-12.csv"'


def test_another_branch_sees_its_own_cases_and_none_of_ours(history: str, client_of: ClientOf) -> None:
    ours, theirs = sheet(client_of(MATS)), sheet(client_of(CHARLIE))
    assert {row["namn"] for row in theirs if row["indelning"] == "enhet"} & {
        row["namn"] for row in ours if row["indelning"] == "enhet"
    } == set()
    assert [row["skickade"] for row in theirs if row["indelning"] == "alla"] != ["3", "66"]


@pytest.mark.parametrize("email", [ALICE, COORDINATOR, ADMINISTRATOR])
@pytest.mark.parametrize("path", ["/figures", "/figures.csv"])
def test_who_does_not_handle_cases_may_not(blekinge: str, client_of: ClientOf, email: str, path: str) -> None:
    assert client_of(email).get(path).status_code == 403


@pytest.mark.parametrize("email", [MATS, ANNA])
def test_handlers_and_safety_may(blekinge: str, client_of: ClientOf, email: str) -> None:
    assert client_of(email).get("/figures").status_code == 200


def test_who_is_not_logged_in_is_asked_to(blekinge: str, anonymous: TestClient) -> None:
    answer = anonymous.get("/figures")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Ffigures")


def test_empty_months_say_so_kindly_and_point_to_the_last_with_cases(
    history: str, client_of: ClientOf
) -> None:
    answer = client_of(MATS).get("/figures", params={"from": "2026-01", "to": "2026-10"})
    assert answer.status_code == 200
    assert words_of(answer.text).count("Inga ärenden de här månaderna") == 1
    assert answer.text.count('href="/figures?from=2024-01&amp;to=2024-12"') == 1


def test_without_any_case_it_points_nowhere(blekinge: str, client_of: ClientOf) -> None:
    answer = client_of(MATS).get("/figures")
    assert (answer.status_code, answer.text.count("/figures?from=")) == (200, 0)


def test_a_month_that_cannot_be_read_is_said_and_kept(blekinge: str, client_of: ClientOf) -> None:
    answer = client_of(MATS).get("/figures", params={"from": "januari", "to": "2023-12"})
    assert answer.status_code == 422
    assert answer.text.count("<title>Fel: Siffror – Samsvar</title>") == 1
    assert (answer.text.count('value="januari"'), answer.text.count('href="#from"')) == (1, 1)
    assert client_of(MATS).get("/figures.csv", params={"from": "januari"}).status_code == 422


def test_typed_words_are_never_mark_up(blekinge: str, client_of: ClientOf) -> None:
    answer = client_of(MATS).get("/figures", params={"from": '"><script>x</script>'})
    assert (answer.status_code, answer.text.count("<script>x")) == (422, 0)


def test_htmx_gets_the_same_page(history: str, client_of: ClientOf) -> None:
    answer = client_of(MATS).get(
        "/figures", params=YEAR, headers={"HX-Request": "true", "HX-Boosted": "true"}
    )
    assert (answer.status_code, answer.text.startswith("<!doctype html>")) == (200, True)


def test_figures_are_only_read(blekinge: str, client_of: ClientOf) -> None:
    assert client_of(MATS).post("/figures").status_code == 405
