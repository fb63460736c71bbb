"""On which day who is reminded, and to whom it is raised: worked out by hand from an almanac."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.calendar import Calendar
from backend.deviations.clocks import RECEIVING, Escalation, Kind, Mark, Terms, terms_from
from backend.deviations.steps import Step, steps, untouched, untouched_before

SWEDEN = Calendar()


def told(
    kind: Kind, started: str, due_on: str, terms: Terms | None = None, **more: str
) -> list[tuple[str, str, str]]:
    days = {name: date.fromisoformat(day) for name, day in more.items()}
    found = steps(
        kind, date.fromisoformat(started), date.fromisoformat(due_on), terms or Terms(), SWEDEN, **days
    )
    return [(str(step.on), step.role, step.name) for step in found]


def test_a_case_to_acknowledge_is_reminded_of_on_days_three_and_five_and_then_raised() -> None:
    assert told("acknowledge", "2026-03-02", "2026-03-09") == [
        ("2026-03-05", "handler", "day_3"),
        ("2026-03-09", "handler", "day_5"),
        ("2026-03-16", "manager", "raised"),
        ("2026-03-23", "safety", "raised"),
        ("2026-03-30", "head", "raised"),
    ]


def test_an_answer_is_reminded_of_at_half_at_four_fifths_at_the_end_and_after() -> None:
    # 60 days from 2 March are 1 May, a holiday; the due date is Monday the 4th. Half of it is Good Friday.
    assert told("answer", "2026-03-02", "2026-05-04") == [
        ("2026-04-07", "handler", "percent_50"),
        ("2026-04-22", "handler", "percent_80"),
        ("2026-05-04", "handler", "percent_100"),
        ("2026-05-11", "handler", "after_5"),
        ("2026-05-11", "manager", "raised"),
        ("2026-05-19", "handler", "after_10"),
        ("2026-05-19", "safety", "raised"),
        ("2026-05-26", "head", "raised"),
    ]


def test_the_sender_is_asked_once_more_and_then_it_goes_home_by_itself() -> None:
    assert told("reply", "2026-03-02", "2026-03-09") == [("2026-03-05", "reporter", "day_3")]
    assert told("verdict", "2026-03-02", "2026-03-30") == [("2026-03-25", "reporter", "percent_80")]
    assert told("confirm_redirect", "2026-03-02", "2026-03-04") == []
    assert told("settle", "2026-03-02", "2026-03-16") == [("2026-03-09", "manager", "percent_50")]


def test_what_lies_before_the_case_came_is_not_owed_to_whoever_then_got_it() -> None:
    assert [
        day for day, _role, _name in told("answer", "2026-03-02", "2026-05-04", held_since="2026-04-22")
    ] == [
        "2026-05-04",
        "2026-05-11",
        "2026-05-11",
        "2026-05-19",
        "2026-05-19",
        "2026-05-26",
    ]


def test_a_case_that_comes_late_is_chased_from_the_day_it_came() -> None:
    assert told("answer", "2026-03-02", "2026-05-04", held_since="2026-06-01")[:2] == [
        ("2026-06-08", "handler", "after_5"),
        ("2026-06-08", "manager", "raised"),
    ]


def test_a_promised_date_silences_what_lies_before_it_and_is_itself_a_step() -> None:
    assert told("answer", "2026-03-02", "2026-05-04", promised_on="2026-05-20") == [
        ("2026-05-20", "handler", "promised"),
        ("2026-05-27", "handler", "after_5"),
        ("2026-05-27", "manager", "raised"),
        ("2026-06-03", "handler", "after_10"),
        ("2026-06-03", "safety", "raised"),
        ("2026-06-10", "head", "raised"),
    ]


def test_a_case_that_nobody_opens_is_told_to_safety_after_two_working_days() -> None:
    assert untouched(date(2026, 12, 23), Terms(), SWEDEN) == Step("untouched", "safety", date(2026, 12, 29))


@pytest.mark.parametrize("days", [1, 2, 4])
def test_what_safety_has_been_told_of_is_known_by_the_day_it_came(days: int) -> None:
    terms = Terms(untouched=days)
    new_year = [date(2026, 12, 14) + timedelta(days=n) for n in range(35)]
    for came in new_year:
        for today in new_year:
            told_by_now = untouched(came, terms, SWEDEN).on <= today
            assert told_by_now == (came < untouched_before(today, terms, SWEDEN)), (came, today)


def test_the_agreement_says_otherwise() -> None:
    terms, _calendar = terms_from(
        {
            "reminders": {"acknowledge": [["after", 1]]},
            "escalation": [["safety", 3]],
            "untouched": 4,
        }
    )
    assert terms.reminders["acknowledge"] == (Mark("after", 1),)
    assert terms.reminders["answer"] == Terms().reminders["answer"]
    assert (terms.escalation, terms.untouched) == ((Escalation("safety", 3),), 4)
    assert told("acknowledge", "2026-03-02", "2026-03-09", terms) == [
        ("2026-03-10", "handler", "after_1"),
        ("2026-03-12", "safety", "raised"),
    ]


@pytest.mark.parametrize("mark", [("percent", 101), ("percent", 0), ("after", 0), ("day", 0)])
def test_a_mark_that_is_none_is_refused(mark: tuple[str, int]) -> None:
    with pytest.raises(ValueError, match="no mark"):
        Mark(*mark)  # type: ignore[arg-type]


DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@given(
    kind=st.sampled_from(sorted(RECEIVING)),
    started=DAYS,
    time=st.integers(0, 90),
    held=st.none() | st.integers(0, 120),
    promised=st.none() | st.integers(0, 200),
)
def test_every_step_is_a_working_day_after_the_case_came_and_each_is_taken_once(
    kind: Kind, started: date, time: int, held: int | None, promised: int | None
) -> None:
    def later(n: int | None) -> date | None:
        return None if n is None else date.fromordinal(started.toordinal() + n)

    due_on = SWEDEN.next_working_day(date.fromordinal(started.toordinal() + time))
    found = steps(kind, started, due_on, Terms(), SWEDEN, held_since=later(held), promised_on=later(promised))
    since = max(started, later(held) or started)
    assert all(SWEDEN.is_working_day(step.on) and step.on > since for step in found)
    assert len({(step.name, step.role) for step in found}) == len(found)
    # Whoever holds it, and however late, it is raised to each in turn, each later than the one before.
    raised = [step for step in found if step.name == "raised"]
    assert [step.role for step in raised] == ["manager", "safety", "head"]
    assert sorted({step.on for step in raised}) == [step.on for step in raised]
    if promised is not None and (day := later(promised)) is not None and day > since:
        assert min(step.on for step in found) >= day
