"""The days that cases lay with each, on a branch's own page and in its file: its own, and of what it sent, theirs."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from backend.core import clock
from backend.core.db import COUNTER, unit_of_work
from backend.deviations.forms import ResendForm
from backend.statistics import queries
from tests.deviations.verbs import (
    ACCEPTED,
    DECLINE,
    EXTERNAL,
    KARLSKRONA,
    MONDAY,
    act,
    later,
    with_an_external_party,
)
from tests.people import ANNA, ANSWER, BERIT, BOB, CHARLIE, MATS, acting, filed

KARLSKRONAS_SAFETY = "mas@karlskrona.example"
REGION, HOME, THERE = "Region Blekinge", "Sölvesborgs kommun", "Karlskrona kommun"


def lay(email: str) -> dict[str, tuple[int, ...]]:
    """By party: days with us of theirs, with them of ours, with us of ours; sent on by us and by them."""
    month = date(2026, 11, 1)
    with acting(email) as (db, me), unit_of_work(COUNTER) as counter:
        stayed = queries.overview(db, me, month, month, clock.now()).stayed
        whole, by_party = queries.held(counter, me, month, month, clock.now(), stayed)
    return {
        one.name: (one.with_us, one.with_them, one.back_with_us, one.sent_on_by_us, one.sent_on_by_them)
        for one in (*by_party, whole)
    }


def declined_and_sent_to(unit: str) -> str:
    """Three days with the ward, four back with the sender, and from then on elsewhere."""
    with clock.at(MONDAY):
        number = filed()
    with later(3):
        act("decline", number, BOB, DECLINE)
    with later(7):
        act("resend", number, ANNA, ResendForm(unit=unit, comment="Dit hör det."))
    return number


def test_each_is_told_of_its_own_days_and_the_sender_of_everybodys(blekinge: str) -> None:
    number = declined_and_sent_to(KARLSKRONA)
    with later(12):
        act("answer", number, CHARLIE, ANSWER)
        act("judge", number, ANNA, ACCEPTED)
    with later(20):
        assert lay(MATS) == {THERE: (0, 5, 0, 0, 0), REGION: (0, 3, 4, 0, 0), "": (0, 8, 4, 0, 0)}
        # Of where it went, and of how long, whoever let it go learns nothing.
        assert lay(BERIT) == {HOME: (3, 0, 0, 0, 0), "": (3, 0, 0, 0, 0)}
        assert lay(KARLSKRONAS_SAFETY) == {HOME: (5, 0, 0, 0, 0), "": (5, 0, 0, 0, 0)}


def test_the_days_of_whoever_let_a_case_go_stay_though_it_came_to_a_party_without_a_login(
    blekinge: str, superuser: Engine
) -> None:
    """The sender, who knows, does not count it: that party's answer comes another way."""
    with_an_external_party(superuser)
    declined_and_sent_to(EXTERNAL)
    with later(20):
        assert lay(BERIT) == {HOME: (3, 0, 0, 0, 0), "": (3, 0, 0, 0, 0)}
        assert lay(MATS)[""] == (0, 0, 0, 0, 0)


def test_a_branch_that_is_party_to_nothing_is_told_of_nothing(blekinge: str) -> None:
    declined_and_sent_to(KARLSKRONA)
    with later(20):
        assert lay("sas@solvesborg.example") == {"": (0, 0, 0, 0, 0)}


Of = Callable[..., TestClient]
NOVEMBER = {"from": "2026-11", "to": "2026-11"}


@pytest.mark.parametrize(
    ("email", "page", "file"),
    [
        (
            MATS,
            [[THERE, "0", "13", "0"], [REGION, "0", "23", "4"], ["Alla", "0", "36", "4"]],
            {THERE: ["0", "0", "13"], REGION: ["0", "4", "23"], "": ["0", "4", "36"]},
        ),
        (BERIT, [[HOME, "23", "0", "0"]], {HOME: ["0", "0", "0"], "": ["0", "0", "0"]}),
    ],
)
def test_the_page_and_the_file_say_the_same(
    blekinge: str, client_of: Of, email: str, page: list[list[str]], file: dict[str, list[str]]
) -> None:
    declined_and_sent_to(KARLSKRONA)
    with clock.at(MONDAY):
        filed()
    with later(20):
        client = client_of(email)
        html = client.get("/figures", params=NOVEMBER).text
        sheet = client.get("/figures.csv", params=NOVEMBER).text
    table = html.partition("Dagar som ärendena har legat hos var och en</caption>")[2].partition("</table>")[
        0
    ]
    rows = [re.findall(r"<t[hd] [^>]*>([^<]*)</t[hd]>", row) for row in table.split("<tr ")[2:]]
    assert rows == page
    assert {name: cells for name, cells in outgoing(sheet).items() if cells != ["", "", ""]} == file


def outgoing(sheet: str) -> dict[str, list[str]]:
    """By party: sent on, days with us, days with them, of what we sent."""
    rows = csv.DictReader(io.StringIO(sheet.removeprefix("\ufeff")), delimiter=";")
    columns = ("skickade vidare", "dagar hos oss", "dagar hos motparten")
    return {row["namn"]: [row[name] for name in columns] for row in rows if row["riktning"] == "från oss"}
