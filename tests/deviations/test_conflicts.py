"""What may not be done to a case, and two people who act at once."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from backend.core import clock
from backend.core.errors import ConflictError, ForbiddenError, NotFoundError
from backend.deviations import queries
from backend.deviations.actions.moving import lock, touch
from backend.deviations.models import State
from tests.deviations.verbs import (
    ACCEPTED,
    MONDAY,
    RETURNED,
    acknowledge,
    answer,
    case,
    judge,
    together,
    withdraw,
)
from tests.people import ANNA, BERIT, BOB, CHARLIE, acting, filed


@pytest.fixture(autouse=True)
def _november(blekinge: str) -> object:
    with clock.at(MONDAY):
        yield


@pytest.mark.parametrize(
    ("before", "verb"),
    [
        ([acknowledge], acknowledge),
        ([answer], acknowledge),
        ([answer], answer),
        ([answer], withdraw),
        ([], lambda number: judge(number, ACCEPTED)),
        ([acknowledge], lambda number: judge(number, RETURNED)),
        ([answer, lambda number: judge(number, ACCEPTED)], answer),
        ([answer, lambda number: judge(number, ACCEPTED)], lambda number: judge(number, RETURNED)),
        ([withdraw], withdraw),
    ],
)
def test_an_illegal_move_is_a_conflict_that_changes_nothing(
    before: list[Callable[[str], None]], verb: Callable[[str], None]
) -> None:
    number = filed()
    for step in before:
        step(number)
    as_it_was = case(number)
    with pytest.raises(ConflictError) as refused:
        verb(number)
    as_it_is = case(number)
    assert (as_it_is.state, as_it_is.revision) == (as_it_was.state, as_it_was.revision)
    assert "2 november 2026 kl. 10.00" in refused.value.text


@pytest.mark.parametrize(("who", "verb"), [(ANNA, acknowledge), (ANNA, answer), (BOB, withdraw)])
def test_the_wrong_side_of_a_case_may_see_it_but_not_act(who: str, verb: Callable[..., None]) -> None:
    number = filed()
    with pytest.raises(ForbiddenError):
        verb(number, by=who)


@pytest.mark.parametrize("verb", [acknowledge, answer, withdraw])
def test_to_a_stranger_the_case_does_not_exist(verb: Callable[..., None]) -> None:
    number = filed()
    with pytest.raises(NotFoundError):
        verb(number, by=CHARLIE)


def test_of_two_who_act_at_once_one_wins_and_the_other_is_told() -> None:
    number, told = filed(), []

    def try_to_answer() -> None:
        try:
            answer(number)
        except ConflictError as conflict:
            told.append(conflict.text)

    together(try_to_answer, 5)
    assert len(told) == 4
    assert set(told) == {
        "Ärendet besvarades 2 november 2026 kl. 10.00 av Sektionsledare, Medicin avdelning 43 Karlskrona. "
        "Läs vad som har hänt innan du går vidare."
    }
    with acting(ANNA) as (db, me):
        assert len(queries.answers(db, queries.deviation(db, me, number))) == 1


def test_withdrawing_and_answering_at_once_leaves_one_of_them_done() -> None:
    for _ in range(3):
        number, outcome = filed(), []

        def attempt(number: str = number, outcome: list[str] = outcome) -> None:
            verb, by = (withdraw, ANNA) if threading.current_thread().name.endswith("1") else (answer, BOB)
            try:
                verb(number, by=by)
                outcome.append("done")
            except (ConflictError, NotFoundError):
                outcome.append("told")

        together(attempt, 2)
        assert "done" in outcome
        assert case(number).state in (State.WITHDRAWN, State.ANSWERED)


def test_who_opens_a_case_does_not_wait_for_who_acts_on_it() -> None:
    """Else each could hold what the other waits for, and one of them would be thrown out."""
    number = filed()
    with acting(BOB) as (db, me):
        lock(db, queries.deviation(db, me, number))
        with acting(BERIT) as (other, manager):
            other.execute(text("set local lock_timeout = '2s'"))
            touch(other, manager, queries.deviation(other, manager, number))
