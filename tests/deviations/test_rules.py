"""Who may see and do what: the rule in Python and its twin in SQL give the same answer."""

import itertools
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session, selectinload

from backend.deviations import actions, queries, rules
from backend.deviations.forms import WithdrawForm
from backend.deviations.models import Deviation, State
from tests.people import (
    ADMINISTRATOR,
    ALICE,
    ALICES_UNIT,
    ANNA,
    ANNAS_UNIT,
    BERIT,
    BOB,
    BOBS_UNIT,
    CHARLIE,
    COORDINATOR,
    IDA,
    MATS,
    acting,
    filed,
)

EVERYBODY = [
    ALICE,
    ANNA,
    BOB,
    BERIT,
    MATS,
    IDA,
    CHARLIE,
    COORDINATOR,
    ADMINISTRATOR,
    "chef@solvesborg.example",
    "registrator@solvesborg.example",
    "sas@solvesborg.example",
    "skolskoterska@solvesborg.example",
    "patientsakerhet@region.example",
    "vardcentral@region.example",
    "mas@karlskrona.example",
    "hemtjanst@exempel.example",
    "chef@exempel.example",
    "granskare@region.example",
    "lsvo@lan.example",
]


@pytest.fixture(scope="module")
def cases(shared_blekinge: str) -> dict[str, str]:
    """One case of each constellation, by name."""
    numbers = {
        "by alice": filed(ALICE, sender_unit=ALICES_UNIT),
        "by anna": filed(ANNA),
        "from the ward": filed(BOB, sender_unit=BOBS_UNIT, receiver_unit=ANNAS_UNIT),
        "between others": filed(CHARLIE, sender_unit="SE2120000829-V010", receiver_unit="SE2321000081-N011"),
        "from another branch": filed(IDA, sender_unit="SE2120000852-I010", receiver_unit="SE2321000081-S042"),
        "between branches of one municipality": filed(
            IDA, sender_unit="SE2120000852-I010", receiver_unit="SE2120000852-V010"
        ),
        "from the provider": filed("hemtjanst@exempel.example", sender_unit="SE0000000001-A010"),
        "taken back": filed(ANNA),
    }
    with acting(ANNA) as (db, me):
        case = queries.deviation(db, me, numbers["taken back"])
        actions.withdraw(db, me, case, WithdrawForm(comment="Fel enhet."))
    return numbers


SEES = {
    ALICE: {"by alice"},
    ANNA: {"by anna", "from the ward", "between branches of one municipality", "taken back"},
    MATS: {
        "by alice",
        "by anna",
        "from the ward",
        "between branches of one municipality",
        "taken back",
    },
    BOB: {"by alice", "by anna", "from the ward", "from the provider"},
    BERIT: {"by alice", "by anna", "from the ward", "from the provider"},
    IDA: {"from another branch", "between branches of one municipality"},
    "sas@solvesborg.example": {"from another branch", "between branches of one municipality"},
    "skolskoterska@solvesborg.example": set(),
    CHARLIE: {"between others"},
    # Its own unit's, and those of the provider's unit that it has commissioned.
    "mas@karlskrona.example": {"between others", "from the provider"},
    "hemtjanst@exempel.example": {"from the provider"},
    "registrator@solvesborg.example": set(),
    COORDINATOR: set(),
    ADMINISTRATOR: set(),
}


@pytest.mark.parametrize("email", SEES)
def test_a_person_sees_just_the_cases_of_their_own_circle_and_reach(
    cases: dict[str, str], email: str
) -> None:
    with acting(email) as (db, me):
        seen = {row.case_number for row in queries.listing(db, me, queries.Filters())}
    assert {name for name, number in cases.items() if number in seen} == SEES[email]


@pytest.mark.parametrize("email", EVERYBODY)
def test_the_rule_and_its_sql_twin_agree(
    shared_blekinge: str, superuser: Engine, cases: dict[str, str], email: str
) -> None:
    """The rule is asked of every case there is, read past the walls; the twin as the person's own query."""
    with Session(superuser) as db:
        every = db.scalars(select(Deviation).options(selectinload(Deviation.sides))).all()
        db.expunge_all()
    with acting(email) as (db, me):
        by_sql = set(db.scalars(select(Deviation.id).where(rules.visible_to(me))))
        assert {case.id for case in every if rules.may_see(me, case)} == by_sql


@pytest.fixture
def without_walls(shared_blekinge: str, superuser: Engine) -> Iterator[None]:
    for switch in ("disable", "enable"):
        with superuser.begin() as connection:
            connection.execute(text(f"alter table deviations {switch} row level security"))
            connection.execute(text(f"alter table sides {switch} row level security"))
        if switch == "disable":
            yield


def test_the_first_lock_holds_without_the_second(cases: dict[str, str], without_walls: None) -> None:
    """`visible_to` alone, with row-level security switched off, still shows no stranger a case."""
    for email, expected in SEES.items():
        with acting(email) as (db, me):
            seen = {row.case_number for row in queries.listing(db, me, queries.Filters())}
        assert {name for name, number in cases.items() if number in seen} == expected, email


def test_what_is_taken_back_leaves_the_receivers_sight(cases: dict[str, str]) -> None:
    with acting(BOB) as (db, _me):
        assert db.scalar(select(Deviation.id).where(Deviation.case_number == cases["taken back"])) is None


MAY = {
    # (who, case of Anna to Bob's ward): the verbs, whatever the state.
    ANNA: {"accept", "return", "withdraw"},
    MATS: {"accept", "return", "withdraw"},
    "chef@solvesborg.example": {"accept", "return", "withdraw"},
    BOB: {"acknowledge", "answer"},
    BERIT: {"acknowledge", "answer"},
    "patientsakerhet@region.example": {"acknowledge", "answer"},
    ALICE: set(),
    IDA: set(),
    CHARLIE: set(),
    "vardcentral@region.example": set(),
    "registrator@region.example": set(),
    COORDINATOR: set(),
}


@pytest.mark.parametrize("email", MAY)
def test_who_may_make_which_move(cases: dict[str, str], email: str) -> None:
    with acting(ANNA) as (db, me):
        case = queries.deviation(db, me, cases["by anna"])
        db.expunge_all()
    with acting(email) as (_db, me):
        assert {verb for verb, move in rules.MOVES.items() if rules.may_move(me, case, move)} == MAY[email]


def test_a_reporter_judges_and_withdraws_their_own_report_only(cases: dict[str, str]) -> None:
    with acting(ALICE) as (db, me):
        own = queries.deviation(db, me, cases["by alice"])
        assert {verb for verb, move in rules.MOVES.items() if rules.may_move(me, own, move)} == {
            "accept",
            "return",
            "withdraw",
        }


LEGAL = {
    (State.SENT, "acknowledge"): State.ACKNOWLEDGED,
    (State.SENT, "answer"): State.ANSWERED,
    (State.SENT, "withdraw"): State.WITHDRAWN,
    (State.ACKNOWLEDGED, "answer"): State.ANSWERED,
    (State.RETURNED, "answer"): State.ANSWERED,
    (State.ANSWERED, "accept"): State.CLOSED,
    (State.ANSWERED, "return"): State.RETURNED,
}


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(State, rules.MOVES)))
def test_the_table_of_moves_is_the_life_of_a_deviation(state: State, verb: str) -> None:
    move = rules.MOVES[verb]
    assert (move.target if state in move.sources else None) == LEGAL.get((state, verb))


def test_every_state_that_waits_names_who_is_waited_for() -> None:
    waiting = {state for state in State if any(state in move.sources for move in rules.MOVES.values())}
    assert set(rules.WAITS_FOR) == waiting
