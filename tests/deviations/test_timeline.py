"""The way of a case as a picture: who had it when, and what a reader of some legs only is shown."""

from datetime import UTC, date, datetime, timedelta

from backend.deviations import timeline
from backend.deviations.models import State
from backend.deviations.timeline import Bar, Lane, Picture, Stay, Turn

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def turn(days: float, state: State, leg: int = 1) -> Turn:
    return Turn(at(days), state, leg)


ASKED = [
    turn(0, State.SENT),
    turn(1, State.ACKNOWLEDGED),
    turn(4, State.QUESTION),
    turn(7, State.IN_REVIEW),
    turn(10, State.ANSWERED),
]
UNITS = {1: "Avd 43"}


def test_what_happens_in_the_middle_of_a_turn_does_not_cut_its_bar() -> None:
    turns = [
        turn(0, State.SENT),
        turn(1, State.ACKNOWLEDGED),
        turn(1, State.ACKNOWLEDGED),
        turn(2, State.IN_REVIEW),
    ]
    assert timeline.stays(turns, UNITS, "Vi", at(5)) == [Stay(1, "Avd 43", "has", at(0), at(5))]


def test_a_question_gives_the_sender_the_word_while_the_receiver_waits() -> None:
    assert timeline.stays(ASKED, UNITS, "Vi", at(12)) == [
        Stay(1, "Avd 43", "has", at(0), at(4)),
        Stay(1, "Avd 43", "waits", at(4), at(7)),
        Stay(0, "Vi", "has", at(4), at(7)),
        Stay(1, "Avd 43", "has", at(7), at(10)),
        Stay(0, "Vi", "has", at(10), at(12)),
    ]


def test_days_held_and_days_waited_are_counted_by_the_calendar() -> None:
    assert timeline.held(timeline.stays(ASKED, UNITS, "Vi", at(12))) == [("Avd 43", 10, 3)]
    over_midnight = [turn(0, State.SENT)]
    # Swedish midnight is fourteen hours after the start.
    assert timeline.held(timeline.stays(over_midnight, UNITS, "Vi", at(0.58))) == [("Avd 43", 0, 0)]
    assert timeline.held(timeline.stays(over_midnight, UNITS, "Vi", at(0.59))) == [("Avd 43", 1, 0)]


def test_a_case_that_is_over_is_with_nobody() -> None:
    closed = [*ASKED, turn(12, State.CLOSED)]
    assert timeline.stays(closed, UNITS, "Vi", at(90))[-1] == Stay(0, "Vi", "has", at(10), at(12))


def test_each_unit_of_the_route_has_a_lane_and_what_went_on_elsewhere_is_left_out() -> None:
    turns = [turn(0, State.SENT, 1), turn(2, State.SENT, 2), turn(6, State.ANSWERED, 2)]
    whole = timeline.stays(turns, {1: "Avd 43", 2: "Avd 44"}, "Vi", at(7))
    assert timeline.held(whole) == [("Avd 43", 2, 0), ("Avd 44", 4, 0)]
    theirs = timeline.stays(turns, {2: "Avd 44"}, "Vi", at(7))
    assert theirs == [Stay(2, "Avd 44", "has", at(2), at(6)), Stay(0, "Vi", "has", at(6), at(7))]


def test_both_have_the_word_in_a_dispute_and_nobody_but_the_sender_in_a_declined_case() -> None:
    turns = [turn(0, State.SENT), turn(2, State.DECLINED), turn(4, State.SENT, 2), turn(5, State.DISPUTED, 2)]
    found = timeline.stays(turns, {1: "A", 2: "B"}, "Vi", at(6))
    assert [(stay.lane, stay.what) for stay in found] == [(1, "has"), (0, "has"), (2, "has"), (0, "has")]
    assert found[2].end == found[3].end == at(6)


def test_what_was_written_down_late_stands_where_it_happened() -> None:
    turns = [turn(0, State.SENT), turn(5, State.ANSWERED), turn(3, State.SENT)]
    assert timeline.stays(turns, UNITS, "Vi", at(6))[0] == Stay(1, "Avd 43", "has", at(0), at(5))


def test_the_picture_is_per_cent_of_the_time_from_first_to_last() -> None:
    drawn = timeline.picture(timeline.stays(ASKED, UNITS, "Vi", at(20)), None)
    assert drawn == Picture(
        (
            Lane("Vi", (Bar("has", 20.0, 15.0), Bar("has", 50.0, 50.0))),
            Lane("Avd 43", (Bar("has", 0.0, 20.0), Bar("waits", 20.0, 15.0), Bar("has", 35.0, 15.0))),
        ),
        date(2026, 3, 2),
        date(2026, 3, 22),
        None,
    )


def test_a_due_date_ahead_makes_room_for_itself_and_one_behind_lies_on_the_way() -> None:
    found = timeline.stays([turn(0, State.SENT)], UNITS, "Vi", at(10))
    ahead = timeline.picture(found, date(2026, 3, 31))
    assert ahead is not None
    assert (ahead.due, ahead.last) == (100.0, date(2026, 3, 31))
    behind = timeline.picture(found, date(2026, 3, 6))
    assert behind is not None
    assert (behind.due, behind.last) == (45.83, date(2026, 3, 12))


def test_a_moment_is_still_seen_and_stays_within_the_picture() -> None:
    turns = [turn(0, State.SENT), turn(99.99, State.ANSWERED)]
    drawn = timeline.picture(timeline.stays(turns, UNITS, "Vi", at(100)), None)
    assert drawn is not None
    assert drawn.lanes[0].bars == (Bar("has", 99.2, 0.8),)


def test_there_is_no_picture_of_less_than_a_day() -> None:
    assert timeline.picture(timeline.stays([turn(0, State.SENT)], UNITS, "Vi", at(0.2)), None) is None
    assert timeline.picture([], None) is None
