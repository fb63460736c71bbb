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
    # Keeps the branch's register, so reads what goes in and out of it.
    "registrator@solvesborg.example": {
        "by alice",
        "by anna",
        "from the ward",
        "between branches of one municipality",
        "taken back",
    },
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
        every = db.scalars(
            select(Deviation).options(selectinload(Deviation.sides), selectinload(Deviation.co_investigators))
        ).all()
        db.expunge_all()
    with acting(email) as (db, me):
        by_sql = set(db.scalars(select(Deviation.id).where(rules.visible_to(me))))
        assert {case.id for case in every if rules.may_see(me, case)} == by_sql


@pytest.fixture
def without_walls(shared_blekinge: str, superuser: Engine) -> Iterator[None]:
    for switch in ("disable", "enable"):
        with superuser.begin() as connection:
            connection.execute(text(f"alter table deviations {switch} row level security"))
            for table in ("sides", "co_investigators"):
                connection.execute(text(f"alter table {table} {switch} row level security"))
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


SENDS = {"reply", "confirm_redirect", "refuse_redirect", "resend", "accept", "return", "withdraw"}
RECEIVES = {
    "acknowledge",
    "unacknowledge",
    "review",
    "answer",
    "question",
    "redirect",
    "propose_redirect",
    "decline",
    "dispute",
}
MANAGES = {"settle", "disagree", "reopen"}
MAY = {
    # (who, case of Anna to Bob's ward): the verbs, whatever the state.
    ANNA: SENDS,
    MATS: SENDS | MANAGES,
    "chef@solvesborg.example": SENDS | MANAGES,
    BOB: RECEIVES,
    BERIT: RECEIVES | MANAGES,
    "patientsakerhet@region.example": RECEIVES | MANAGES,
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
            "reply",
            "accept",
            "return",
            "withdraw",
        }


LEGAL = {
    (State.ACKNOWLEDGED, "unacknowledge"): State.SENT,
    (State.SENT, "acknowledge"): State.ACKNOWLEDGED,
    (State.SENT, "review"): State.IN_REVIEW,
    (State.ACKNOWLEDGED, "review"): State.IN_REVIEW,
    (State.RETURNED, "review"): State.IN_REVIEW,
    **{
        (state, verb): target
        for state in (State.SENT, State.ACKNOWLEDGED, State.IN_REVIEW, State.RETURNED)
        for verb, target in (
            ("answer", State.ANSWERED),
            ("question", State.QUESTION),
            ("redirect", State.SENT),
            ("propose_redirect", State.REDIRECT_PROPOSED),
            ("decline", State.DECLINED),
            ("dispute", State.DISPUTED),
        )
    },
    (State.QUESTION, "reply"): State.IN_REVIEW,
    (State.REDIRECT_PROPOSED, "confirm_redirect"): State.SENT,
    (State.REDIRECT_PROPOSED, "refuse_redirect"): State.IN_REVIEW,
    (State.DECLINED, "resend"): State.SENT,
    (State.DISPUTED, "settle"): State.ANSWERED,
    (State.DISPUTED, "disagree"): State.CLOSED,
    (State.SENT, "withdraw"): State.WITHDRAWN,
    (State.ACKNOWLEDGED, "withdraw"): State.WITHDRAWN,
    (State.DECLINED, "withdraw"): State.WITHDRAWN,
    (State.ANSWERED, "accept"): State.CLOSED,
    (State.ANSWERED, "return"): State.RETURNED,
    (State.CLOSED, "reopen"): State.IN_REVIEW,
}


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(State, rules.MOVES)))
def test_the_table_of_moves_is_the_life_of_a_deviation(state: State, verb: str) -> None:
    move = rules.MOVES[verb]
    assert (move.target if state in move.sources else None) == LEGAL.get((state, verb))


def test_every_state_that_waits_names_who_is_waited_for() -> None:
    assert set(rules.WAITS_FOR) == set(State) - {State.CLOSED, State.WITHDRAWN}


def test_every_state_in_which_a_word_is_waited_for_has_a_way_home() -> None:
    """The receiver's own turn is chased; a word from the other side, or from both, is not waited for for ever."""
    assert set(rules.HOMES) == {state for state, turn in rules.WAITS_FOR.items() if turn != "receiver"}


def test_nobody_can_be_stuck_in_a_state() -> None:
    for state in State:
        if state is not State.WITHDRAWN:
            assert [verb for verb, move in rules.MOVES.items() if state in move.sources] != [], state
