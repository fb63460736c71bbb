"""The search page: a number opens its case, words find one's own, and nobody finds another's."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from backend.core import db
from backend.deviations import actions, finding, queries, searching
from backend.deviations.forms import WithdrawForm
from tests.people import (
    ALICE,
    ANNA,
    ANSWER,
    BERIT,
    BOB,
    CHARLIE,
    COORDINATOR,
    IDA,
    MATS,
    acting,
    filed,
)

Of = Callable[..., TestClient]
STRANGERS = (ALICE, IDA, CHARLIE, "vardcentral@region.example")


def search(client: TestClient, typed: str) -> str:
    """What stands on the page that a search leads to."""
    answer = client.post("/search", data={"q": typed})
    assert (answer.status_code, answer.headers["location"]) == (303, "/search")
    return client.get("/search").text.partition("<main")[2].partition("</main>")[0]


def numbers(page: str) -> set[str]:
    return set(re.findall(r"BLE-\d{4}-\w{6}", page))


@pytest.fixture
def number(blekinge: str) -> str:
    return filed(ANNA, sender_reference="Pärm 77-A", shared_reference="SAMSA-4711")


@pytest.mark.parametrize("who", [ANNA, MATS, BOB, BERIT])
@pytest.mark.parametrize(
    "typed",
    ["läkemedelslista", "läkemedel", "listor", "patienten hem", "SAMSA-4711", "Avdelning 43", "läkem"],
)
def test_both_parties_find_their_case_by_its_words(client_of: Of, number: str, who: str, typed: str) -> None:
    assert numbers(search(client_of(who), typed)) == {number}


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("typed", ["läkemedelslista", "SAMSA-4711", "Pärm 77-A", "läk"])
def test_a_stranger_finds_nothing(client_of: Of, number: str, who: str, typed: str) -> None:
    page = search(client_of(who), typed)
    assert (numbers(page), "Inget ärende har de orden." in page) == (set(), True)


def test_the_own_reference_is_found_by_the_own_party_only(client_of: Of, number: str) -> None:
    assert numbers(search(client_of(ANNA), "77-A")) == {number}
    assert numbers(search(client_of(BOB), "77-A")) == set()


def test_all_words_must_stand_in_the_case(client_of: Of, number: str) -> None:
    assert numbers(search(client_of(BOB), "läkemedelslista ambulans")) == set()
    other = filed(ANNA, description="Ambulansen hade inte fått någon läkemedelslista.")
    assert numbers(search(client_of(BOB), "läkemedelslista ambulans")) == {other}


def test_what_is_answered_is_found_at_once(client_of: Of, number: str) -> None:
    assert numbers(search(client_of(ANNA), "stickprov")) == set()
    with acting(BOB) as (session, me):
        actions.answer(session, me, queries.deviation(session, me, number), ANSWER)
    assert {who: numbers(search(client_of(who), "stickprov")) for who in (ANNA, BOB)} == {
        ANNA: {number},
        BOB: {number},
    }


def test_who_sees_the_case_no_more_does_not_find_it(client_of: Of, number: str, superuser: Engine) -> None:
    with acting(ANNA) as (session, me):
        actions.withdraw(session, me, queries.deviation(session, me, number), WithdrawForm(comment="Fel."))
    assert numbers(search(client_of(BOB), "läkemedelslista")) == set()
    assert numbers(search(client_of(ANNA), "läkemedelslista")) == {number}
    with superuser.connect() as connection:
        left = connection.scalars(
            text("select distinct b.hsa_id from case_words w join branches b on b.id = w.branch_id")
        ).all()
    assert left == ["SE2120000852-V000"]


def test_a_word_that_is_taken_out_of_the_text_is_gone_from_the_index(number: str, superuser: Engine) -> None:
    with acting(ANNA) as (session, me):
        case = queries.deviation(session, me, number)
        case.description = "Patienten kom hem utan [maskat]."
        searching.index(session, case)
        # What the walls let through is what it was before.
        assert session.info["scope"] == me.scope
    with superuser.connect() as connection:
        held = set(connection.scalars(text("select word from case_words")))
    # The category's own label still says it.
    assert {"maskat", "utan", "saknades"} & held == set()
    assert stems("maskat") <= held


def stems(written: str) -> set[str]:
    return searching.words_of(written)


@pytest.mark.parametrize(
    "spelled",
    [
        lambda n: n,
        lambda n: n.lower(),
        lambda n: n.replace("-", " "),
        lambda n: n.replace("-", ""),
        lambda n: n[4:],
        lambda n: n[9:],
        lambda n: f"  {n.replace('0', 'o').replace('1', 'l')} ",
        lambda n: n[:9] + n[9:].replace("0", "O").replace("1", "I"),
    ],
    ids=["as it is", "small", "spaces", "together", "no county", "code only", "o and l", "O and I"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_number_in_any_spelling_opens_the_case(
    client_of: Of, number: str, superuser: Engine, spelled: Callable[[str], str], method: str
) -> None:
    wanted = "BLE-2026-10K3Q9"
    with superuser.begin() as connection:
        connection.execute(text("update deviations set case_number = :new"), {"new": wanted})
    client, typed = client_of(BOB), spelled(wanted)
    answer = (
        client.get("/search", params={"q": typed})
        if method == "get"
        else client.post("/search", data={"q": typed})
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/deviations/{wanted}")


@pytest.mark.parametrize("who", STRANGERS)
def test_a_foreign_number_is_answered_as_a_missing_one(client_of: Of, number: str, who: str) -> None:
    def asked(typed: str) -> tuple[int, str]:
        client = client_of(who)
        answer = client.get("/search", params={"q": typed})
        page = answer.text.replace(typed, "N").replace(answer.headers["x-request-id"], "ID")
        return answer.status_code, page

    assert asked(number) == asked("BLE-2026-00000Z")
    assert "Vi hittade inget ärende med det numret." in asked(number)[1]


def test_words_stand_in_no_address_and_no_log(
    client_of: Of, number: str, superuser: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    client = client_of(BOB)
    page = search(client, "läkemedelslista ambulansvagn")
    assert "ambulansvagn" not in "".join(re.findall(r'(?:href|action)="([^"]*)"', page))
    assert "ambulansvagn" not in "".join(capsys.readouterr())
    with superuser.connect() as connection:
        logged = connection.scalars(text("select l::text from audit_log l")).all()
    assert [row for row in logged if "ambulansvagn" in row] == []
    # Typed into the address by hand they only fill the box.
    by_hand = client.get("/search", params={"q": "läkemedelslista"})
    assert (by_hand.status_code, numbers(by_hand.text)) == (200, set())


def test_every_search_is_on_record_with_what_it_showed(client_of: Of, number: str, superuser: Engine) -> None:
    client = client_of(BOB)
    search(client, "läkemedelslista")
    client.get("/search", params={"q": "BLE-2026-00000Z"})
    with superuser.connect() as connection:
        rows = connection.execute(
            text("select action, cases from audit_log where action ~ 'search|refused' order by id")
        ).all()
    assert rows == [("deviations.search", [number]), ("refused.404", ["BLE-2026-00000Z"])]


def test_the_search_is_remembered_for_its_person_alone_and_forgotten_when_emptied(
    client_of: Of, number: str
) -> None:
    bob = client_of(BOB)
    search(bob, "läkemedelslista")
    assert 'value="läkemedelslista"' in bob.get("/search").text
    assert "läkemedelslista" not in client_of(BERIT).get("/search").text
    assert 'value="läkemedelslista"' not in search(bob, " ")


def test_a_personnummer_is_not_searched_for_or_kept(client_of: Of, number: str, superuser: Engine) -> None:
    # A published test number (Skatteverket), spelled with a space.
    answer = client_of(BOB).post("/search", data={"q": "19121212 1212"})
    assert answer.status_code == 422
    assert "har inte sparats" in answer.text
    with superuser.connect() as connection:
        assert connection.scalar(text("select count(*) from searches")) == 0


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_opens_no_cases_has_no_search(client_of: Of, blekinge: str, method: str) -> None:
    client = client_of(COORDINATOR)
    assert client.request(method, "/search").status_code == 403
    assert 'id="find"' not in client.get("/").text
    assert 'id="find"' in client_of(ALICE).get("/").text


def test_a_long_answer_has_pages_and_an_end(
    client_of: Of, blekinge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [filed(ANNA) for _ in range(52)]
    client = client_of(BOB)
    first = search(client, "läkemedelslista")
    second = client.get("/search?page=2").text
    assert (len(numbers(first)), len(numbers(second) - numbers(first))) == (50, 2)
    assert "52 ärenden" in first
    monkeypatch.setattr(finding, "MOST_HITS", 10)
    page = search(client, "läkemedelslista")
    assert numbers(page) == set(kept[-10:])
    assert "Fler än 10 ärenden" in page


def test_imported_history_is_found_and_can_be_indexed_anew(
    history: str, client_of: Of, superuser: Engine
) -> None:
    with superuser.connect() as connection:
        held = "select deviation_id, branch_id, word, unit_id from case_words order by 1, 2, 3"
        before = connection.execute(text(held)).all()
    assert len(before) > 30_000
    with superuser.begin() as connection:
        connection.execute(text("delete from case_words where deviation_id % 2 = 0"))
        connection.execute(text("update case_words set word = word || 'x' where deviation_id % 3 = 0"))
    db.use(superuser.url.render_as_string(hide_password=False))
    with db.unit_of_work(db.OPERATOR) as session:
        searching.index_many(session, finding.every_case(session))
    db.engine().dispose()
    with superuser.connect() as connection:
        assert connection.execute(text(held)).all() == before


def test_the_index_serves_the_search_behind_the_walls(history: str, superuser: Engine) -> None:
    """Only leakproof comparisons reach an index under row-level security: a look at the plan as the app's own role."""
    with superuser.connect() as connection:
        leaky = connection.scalars(
            text(
                "select o.oprcode::text from pg_operator o join pg_proc p on p.oid = o.oprcode where not p.proleakproof"
                " and o.oprname in ('=', '<', '>=', '>') and o.oprleft = o.oprright"
                " and o.oprleft in ('int4'::regtype, 'int8'::regtype, 'text'::regtype)"
            )
        ).all()
        assert leaky == []
    with acting("patientsakerhet@region.example") as (session, me):
        plan = session.scalars(
            text(
                "explain select deviation_id from case_words where branch_id = :branch and word = 'stickprov'"
                " order by deviation_id desc limit 200"
            ),
            {"branch": me.branches[0]},
        ).all()
    assert [line for line in plan if "Index Only Scan Backward using ix_case_words_word" in line] != []
    assert [line for line in plan if "Sort" in line] == []


def test_each_kind_of_follower_finds_just_what_they_may_see(history: str) -> None:
    """The index's own narrowing by unit must hide nothing that `visible_to` shows, and show nothing that it hides."""
    for who in (ANNA, BOB, BERIT, MATS, ALICE, IDA, "patientsakerhet@region.example"):
        with acting(who) as (session, me):
            listed = set()
            page = 1
            from backend.deviations.filters import Filters

            while rows := queries.listing(session, me, Filters(), page)[: queries.PAGE]:
                listed |= {row.case_number for row in rows}
                page += 1
            held = session.execute(
                text(
                    "select d.case_number from deviations d join case_words w on w.deviation_id = d.id"
                    " where w.word = :word and w.branch_id = any(:branches)"
                ),
                {"word": "kontak", "branches": list(me.branches)},
            ).scalars()
            expected = set(held) & listed
            found = finding.by_words(session, me, "kontakta ")
            assert found.total == min(len(expected), finding.MOST_HITS)
            assert {row.case_number for row in found.rows} <= expected
