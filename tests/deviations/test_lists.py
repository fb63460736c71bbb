"""The list of cases and its filters: in the address, each one removable, none of them a way past who may see."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations.filters import Filters
from backend.deviations.models import EventKind, State
from tests.people import ALICE, ANNA, ANNAS_UNIT, BERIT, BOB, BOBS_UNIT, CHARLIE, IDA, MATS, filed

Of = Callable[..., TestClient]
REGION = "SE2321000081-R"
OLOFSTROM = "SE2120000811-K"


def numbers(page: str) -> set[str]:
    return set(re.findall(r"BLE-\d{4}-\w{6}", page.partition("<main")[2]))


@pytest.fixture
def cases(blekinge: str, superuser: Engine) -> dict[str, str]:
    """Cases of Anna's that differ in one thing each."""
    made = {
        "plain": filed(ANNA),
        "category": filed(ANNA, category="medication"),
        "good": filed(ANNA, event_kind="good_example"),
        "in": filed(BOB, sender_unit=BOBS_UNIT, receiver_unit=ANNAS_UNIT),
        "old": filed(ANNA),
        "late": filed(ANNA),
    }
    with superuser.begin() as connection:
        connection.execute(
            text("update deviations set sent_at = :at where case_number = :n"),
            {"at": clock.now() - timedelta(days=90), "n": made["old"]},
        )
        connection.execute(
            text("update deviations set next_due_on = :day where case_number = :n"),
            {"day": clock.today() - timedelta(days=1), "n": made["late"]},
        )
    return made


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"plain", "category", "good", "in", "old", "late"}),
        ("direction=in", {"in"}),
        ("direction=out&event_kind=good_example", {"good"}),
        ("category=medication", {"plain", "category", "good", "in", "old", "late"}),
        ("category=medication.list", {"plain", "good", "in", "old", "late"}),
        ("category=transport", set()),
        (f"party={REGION}", {"plain", "category", "good", "in", "old", "late"}),
        (f"party={OLOFSTROM}", set()),
        (f"unit={ANNAS_UNIT}", {"plain", "category", "good", "in", "old", "late"}),
        ("unit=SE2120000852-V020", set()),
        ("late=true", {"late"}),
        ("sent_to={before}", {"old"}),
        ("sent_from={today}", {"plain", "category", "good", "in", "late"}),
        ("sent_from={today}&sent_to={today}", {"plain", "category", "good", "in", "late"}),
        ("state=sent", {"plain", "category", "good", "in", "old", "late"}),
        ("state=closed", set()),
    ],
)
def test_each_filter_keeps_just_its_own(
    client_of: Of, cases: dict[str, str], query: str, shown: set[str]
) -> None:
    address = query.format(before=clock.today() - timedelta(days=30), today=clock.today())
    page = client_of(MATS).get(f"/deviations?{address}").text
    assert {name for name, number in cases.items() if number in numbers(page)} == shown


@pytest.mark.parametrize("who", [ALICE, IDA, CHARLIE])
def test_no_filter_shows_a_stranger_anything(client_of: Of, cases: dict[str, str], who: str) -> None:
    client = client_of(who)
    for query in ("", f"unit={ANNAS_UNIT}", f"party={REGION}", "late=true", "direction=in"):
        assert numbers(client.get(f"/deviations?{query}").text) == set()


def test_the_tabs_count_and_keep_the_other_filters(client_of: Of, cases: dict[str, str]) -> None:
    page = client_of(MATS).get("/deviations?state=sent&direction=in").text
    tabs = re.findall(r'<a href="([^"]*)"[^>]*>(Alla|Till oss|Från oss) <span class="count">(\d+)', page)
    assert [(href.replace("&amp;", "&"), label, n) for href, label, n in tabs] == [
        ("/deviations?state=sent", "Alla", "6"),
        ("/deviations?direction=in&state=sent", "Till oss", "1"),
        ("/deviations?direction=out&state=sent", "Från oss", "5"),
    ]
    assert "Visar 1–1 av 1." in page


def test_what_narrows_the_list_is_said_and_can_be_taken_away(client_of: Of, cases: dict[str, str]) -> None:
    page = client_of(MATS).get(f"/deviations?direction=in&state=sent&party={REGION}&late=true").text
    chosen = page.partition('class="chosen"')[2].partition("</nav>")[0]
    links = re.findall(
        r'<a(?: class="chosen-clear")? href="([^"]*)">(?:<span[^>]*>[^<]*</span>)?([^<]*)', chosen
    )
    assert [(href.replace("&amp;", "&"), label) for href, label in links] == [
        (f"/deviations?direction=in&party={REGION}&late=true", "Skickat"),
        ("/deviations?direction=in&state=sent&late=true", "Region Blekinge"),
        (f"/deviations?direction=in&state=sent&party={REGION}", "Försenade"),
        ("/deviations?direction=in", "Rensa"),
    ]


def test_nonsense_in_the_address_is_no_filter(client_of: Of, cases: dict[str, str]) -> None:
    nonsense = "direction=up&state=lost&event_kind=x&sent_from=igår&sent_to=9999-12-31&late=kanske&page=0"
    page = client_of(MATS).get(f"/deviations?{nonsense}")
    assert (page.status_code, numbers(page.text)) == (200, set(cases.values()))


def test_filters_go_to_an_address_and_back() -> None:
    whole = Filters(
        direction="in",
        state=State.SENT,
        unit="U",
        party="P",
        category="c",
        event_kind=EventKind.RISK,
        sent_from=date(2026, 1, 1),
        sent_to=date(2026, 2, 1),
        late=True,
    )
    assert Filters.read(whole.query()) == whole
    assert Filters.read({}) == Filters()
    assert Filters().query() == {}


def test_boxes_stand_only_where_the_verb_is_open(client_of: Of, cases: dict[str, str]) -> None:
    def picks(who: str, address: str) -> set[str]:
        return set(re.findall(r'name="case_number" value="([^"]*)"', client_of(who).get(address).text))

    sent_out = set(cases.values()) - {cases["in"]}
    assert {who: picks(who, "/deviations") for who in (BERIT, ANNA, MATS)} == {
        BERIT: sent_out,
        ANNA: {cases["in"]},
        MATS: {cases["in"]},
    }
    assert picks(BOB, "/inbox") == sent_out


def test_counting_and_listing_ask_as_often_for_one_case_as_for_many(client_of: Of, blekinge: str) -> None:
    from sqlalchemy import event

    from backend.core import db

    asked: list[str] = []
    client = client_of(BOB)
    event.listen(
        db.engine(), "before_cursor_execute", lambda *a: asked.append(a[2]) if "SELECT" in a[2] else None
    )
    filed(ANNA)
    asked.clear()
    client.get("/deviations")
    for_one = len(asked)
    for _ in range(9):
        filed(ANNA)
    asked.clear()
    client.get("/deviations")
    assert len(asked) == for_one
