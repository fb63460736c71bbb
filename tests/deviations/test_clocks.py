"""When something is due, and how the date explains itself. The table was worked out by hand from an almanac."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backend.core.calendar import Calendar, at_hour, end_of_day, local_date
from backend.deviations.clocks import (
    Due,
    Kind,
    Pause,
    Span,
    Terms,
    days_late,
    days_left,
    due,
    due_words,
    is_late,
)

SWEDEN = Calendar()


def at(written: str) -> datetime:
    """Swedish time, "2026-03-02" at nine unless the hour is told."""
    moment = datetime.fromisoformat(written)
    return at_hour(moment.date(), moment.time() if "T" in written else time(9))


def paused(*intervals: str) -> list[Pause]:
    return [
        Pause(at(asked), at(replied)) for asked, replied in (interval.split("/") for interval in intervals)
    ]


def due_on(started: str, span: Span, pauses: Sequence[Pause] = (), calendar: Calendar = SWEDEN) -> date:
    return due("answer", at(started), span, calendar, pauses).due_on


WORKING = [
    # An ordinary week, and every day of it as the start.
    ("2026-03-02", 5, [], "2026-03-09"),
    ("2026-03-06", 5, [], "2026-03-13"),
    ("2026-03-07", 5, [], "2026-03-13"),
    ("2026-03-08", 5, [], "2026-03-13"),
    ("2026-03-08T23:59:59", 5, [], "2026-03-13"),
    ("2026-03-09T00:00", 5, [], "2026-03-16"),
    # No days at all: the day itself, or the first that works.
    ("2026-03-03", 0, [], "2026-03-03"),
    ("2026-03-08", 0, [], "2026-03-09"),
    # Easter, Christmas and New Year, Midsummer.
    ("2026-03-31", 5, [], "2026-04-09"),
    ("2026-03-16", 20, [], "2026-04-15"),
    ("2026-12-21", 5, [], "2026-12-30"),
    ("2026-12-23", 5, [], "2027-01-05"),
    ("2026-12-30", 5, [], "2027-01-11"),
    ("2027-12-23", 5, [], "2028-01-03"),
    ("2026-06-12", 5, [], "2026-06-22"),
    ("2026-06-18", 1, [], "2026-06-22"),
    # The clocks change, and a leap year.
    ("2026-03-29T03:30", 1, [], "2026-03-30"),
    ("2026-10-25T02:30", 1, [], "2026-10-26"),
    ("2028-02-28", 1, [], "2028-02-29"),
    # The example of the trade, without and with its pause.
    ("2026-04-14", 20, [], "2026-05-13"),
    ("2026-04-14", 20, ["2026-04-20/2026-04-23"], "2026-05-19"),
    # Pauses: within a day, over a weekend, over midnight, two, a third that is not given, two at once.
    ("2026-03-02", 5, ["2026-03-03T08:00/2026-03-03T17:00"], "2026-03-09"),
    ("2026-03-02", 5, ["2026-03-06T16:00/2026-03-08T10:00"], "2026-03-09"),
    ("2026-03-02", 5, ["2026-03-03T23:59/2026-03-04T00:01"], "2026-03-10"),
    ("2026-03-02", 5, ["2026-03-03/2026-03-04", "2026-03-05/2026-03-06"], "2026-03-11"),
    (
        "2026-03-02",
        5,
        ["2026-03-03/2026-03-04", "2026-03-05/2026-03-06", "2026-03-09/2026-03-10"],
        "2026-03-11",
    ),
    ("2026-03-02", 5, ["2026-03-03/2026-03-05", "2026-03-04/2026-03-06"], "2026-03-12"),
    # A pause from before the clock began counts from its start, and one wholly before not at all.
    ("2026-03-04", 5, ["2026-03-02/2026-03-05"], "2026-03-12"),
    ("2026-03-04", 5, ["2026-02-02/2026-02-05"], "2026-03-11"),
]

CALENDAR = [
    ("2026-11-02", 60, [], "2027-01-04"),
    # Onto a Saturday, a Sunday, långfredagen, a weekday nationaldagen, midsommarafton, julafton.
    ("2026-01-07", 10, [], "2026-01-19"),
    ("2026-01-08", 10, [], "2026-01-19"),
    ("2026-02-02", 60, [], "2026-04-07"),
    ("2025-04-07", 60, [], "2025-06-09"),
    ("2026-04-20", 60, [], "2026-06-22"),
    ("2026-10-25T02:30", 60, [], "2026-12-28"),
    # Over the change of the clocks, and February with and without its 29th.
    ("2026-03-28T23:30", 10, [], "2026-04-07"),
    ("2028-02-27", 2, [], "2028-02-29"),
    ("2027-02-27", 2, [], "2027-03-01"),
    # Five days waited lead to trettondedag jul; the date rolls once, after they are added.
    ("2026-11-02", 60, ["2026-11-10/2026-11-15"], "2027-01-07"),
    ("2026-01-07", 9, ["2026-01-08/2026-01-09"], "2026-01-19"),
    ("2026-01-07", 9, ["2026-01-10/2026-01-11", "2026-01-11/2026-01-12"], "2026-01-19"),
]


@pytest.mark.parametrize(("started", "n", "pauses", "expected"), WORKING)
def test_working_days_are_counted(started: str, n: int, pauses: list[str], expected: str) -> None:
    assert due_on(started, Span(n, "working"), paused(*pauses)) == date.fromisoformat(expected)


@pytest.mark.parametrize(("started", "n", "pauses", "expected"), CALENDAR)
def test_calendar_days_are_counted_and_roll_to_a_working_day(
    started: str, n: int, pauses: list[str], expected: str
) -> None:
    assert due_on(started, Span(n, "calendar"), paused(*pauses)) == date.fromisoformat(expected)


def test_the_day_of_sending_is_the_swedish_one() -> None:
    late_evening = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
    assert due("acknowledge", late_evening, Span(5, "working"), SWEDEN).due_on == date(2026, 3, 16)


def test_the_county_has_its_own_days() -> None:
    bridge = Calendar(added=frozenset({date(2026, 5, 15)}))
    assert due_on("2026-05-13", Span(1, "working"), calendar=bridge) == date(2026, 5, 18)
    at_work = Calendar(removed=frozenset({date(2025, 6, 6)}))
    assert due_on("2025-06-05", Span(1, "working"), calendar=at_work) == date(2025, 6, 6)


SENTENCES: list[tuple[Kind, str, Span, list[str], str]] = [
    (
        *("answer", "2026-11-02", Span(60, "calendar"), []),
        "Svar senast måndag 4 januari 2027: 60 dagar från 2 november slutar på nyårsdagen, så fristen flyttas till "
        "nästa arbetsdag.",
    ),
    (
        *("answer", "2026-04-14", Span(20, "working"), ["2026-04-20/2026-04-23"]),
        "Svar senast tisdag 19 maj 2026: 20 arbetsdagar från 14 april, plus 3 arbetsdagar medan ni väntade på vår "
        "komplettering. 1 och 14 maj är helgdagar.",
    ),
    (
        *("acknowledge", "2026-03-02", Span(5, "working"), []),
        "Kvittera senast måndag 9 mars 2026: 5 arbetsdagar från 2 mars.",
    ),
    (
        *("returned_answer", "2026-04-23", Span(10, "working"), []),
        "Nytt svar senast fredag 8 maj 2026: 10 arbetsdagar från 23 april. 1 maj är helgdag.",
    ),
    (
        *("verdict", "2026-12-21", Span(20, "working"), []),
        "Bedöm svaret senast måndag 25 januari 2027: 20 arbetsdagar från 21 december. "
        "24, 25 och 31 december och 1 och 6 januari är inga arbetsdagar.",
    ),
    (
        *("acknowledge", "2026-06-18", Span(1, "working"), []),
        "Kvittera senast måndag 22 juni 2026: 1 arbetsdag från 18 juni. 19 juni är ingen arbetsdag.",
    ),
    (
        *("answer", "2026-01-07", Span(9, "calendar"), ["2026-01-08/2026-01-09"]),
        "Svar senast måndag 19 januari 2026: 9 dagar från 7 januari, plus 1 dag medan ni väntade på vår "
        "komplettering, slutar på en lördag, så fristen flyttas till nästa arbetsdag.",
    ),
    (
        *("answer", "2026-01-08", Span(10, "calendar"), ["2026-01-09T08:00/2026-01-09T16:00"]),
        "Svar senast måndag 19 januari 2026: 10 dagar från 8 januari slutar på en söndag, så fristen flyttas till "
        "nästa arbetsdag.",
    ),
]


@pytest.mark.parametrize(("kind", "started", "span", "pauses", "sentence"), SENTENCES)
def test_the_date_explains_itself(
    kind: Kind, started: str, span: Span, pauses: list[str], sentence: str
) -> None:
    assert due(kind, at(started), span, SWEDEN, paused(*pauses)).explanation == sentence


def test_the_sender_reads_who_waited_for_whom() -> None:
    waited = paused("2026-03-03/2026-03-04")
    told = due("answer", at("2026-03-02"), Span(5, "working"), SWEDEN, waited, reader="sender")
    assert told == Due(
        date(2026, 3, 10),
        "Svar senast tisdag 10 mars 2026: 5 arbetsdagar från 2 mars, plus 1 arbetsdag medan mottagaren väntade på er "
        "komplettering.",
    )


def test_a_county_day_off_is_no_public_holiday() -> None:
    bridge = Calendar(added=frozenset({date(2026, 5, 15)}))
    assert due("answer", at("2026-05-13"), Span(1, "working"), bridge).explanation == (
        "Svar senast måndag 18 maj 2026: 1 arbetsdag från 13 maj. 14 och 15 maj är inga arbetsdagar."
    )
    assert due("answer", at("2026-05-05"), Span(10, "calendar"), bridge).explanation == (
        "Svar senast måndag 18 maj 2026: 10 dagar från 5 maj slutar på länets lediga dag, så fristen flyttas till "
        "nästa arbetsdag."
    )


def test_an_open_pause_counts_so_far_and_needs_to_know_how_far() -> None:
    asked = [Pause(at("2026-03-09"), None)]

    def due_by(as_of: datetime | None) -> date:
        return due("answer", at("2026-03-02"), Span(5, "working"), SWEDEN, asked, as_of=as_of).due_on

    assert due_by(at("2026-03-11")) == date(2026, 3, 11)
    assert due_by(at("2026-03-20")) == date(2026, 3, 20)
    assert due_by(at("2026-03-21")) == due_by(at("2026-03-22")) == date(2026, 3, 23)
    with pytest.raises(ValueError, match="as_of"):
        due_by(None)


def test_days_waited_are_added_to_the_days_and_not_to_the_moved_date() -> None:
    # Ten days end on a Saturday and move to Monday the 19th; asked that Monday, the day waited makes it Sunday.
    pauses = paused("2026-01-19/2026-01-20")
    assert due_on("2026-01-07", Span(10, "calendar"), pauses) == date(2026, 1, 19)


def test_impossible_times_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Span(-1, "working")
    with pytest.raises(ValueError, match="before it starts"):
        Pause(at("2026-03-03"), at("2026-03-02"))
    with pytest.raises(ValueError, match="time zone"):
        due("answer", datetime(2026, 3, 2), Span(5, "working"), SWEDEN)  # noqa: DTZ001


def test_the_agreement_gives_each_clock_its_time_by_severity_where_so_agreed() -> None:
    terms = Terms(
        by_severity={
            "answer": {4: Span(10, "working")},
            "acknowledge": {3: Span(2, "working"), 4: Span(1, "working")},
        }
    )
    assert [terms.span("acknowledge", severity) for severity in (None, 2, 3, 4)] == [
        Span(days, "working") for days in (5, 5, 2, 1)
    ]
    assert terms.span("verdict") == Span(20, "working")
    assert terms.span("returned_answer", severity=4) == Span(10, "working")
    assert terms.span("answer") == terms.span("answer", severity=3) == Span(60, "calendar")
    assert terms.span("answer", severity=4) == Span(10, "working")
    assert hash(terms) == hash(Terms())


def test_the_whole_due_date_is_in_time() -> None:
    last_day = date(2026, 10, 25)
    end = end_of_day(last_day)
    assert is_late(last_day, end - timedelta(microseconds=1)) is False
    assert is_late(last_day, end) is True
    assert is_late(last_day, datetime(2026, 10, 25, 23, 0, tzinfo=UTC)) is True


@pytest.mark.parametrize(
    ("now", "words", "late", "left"),
    [
        ("2026-05-16", "3 dagar kvar", 0, 3),
        ("2026-05-18T23:59", "1 dag kvar", 0, 1),
        ("2026-05-19T00:00", "Svar i dag", 0, 0),
        ("2026-05-19T23:59", "Svar i dag", 0, 0),
        ("2026-05-20T00:00", "1 dag försenat", 1, 0),
        ("2026-05-24", "5 dagar försenat", 5, 0),
    ],
)
def test_a_list_says_it_in_three_words(now: str, words: str, late: int, left: int) -> None:
    day = date(2026, 5, 19)
    assert (due_words(day, at(now)), days_late(day, at(now)), days_left(day, at(now))) == (words, late, left)


def test_the_last_day_names_what_is_due() -> None:
    kinds: tuple[Kind, ...] = ("acknowledge", "answer", "returned_answer", "verdict")
    words = [due_words(date(2026, 5, 19), at("2026-05-19"), kind) for kind in kinds]
    assert words == ["Kvittera i dag", "Svar i dag", "Nytt svar i dag", "Bedöm i dag"]


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
SPANS = st.builds(Span, st.integers(0, 90), st.sampled_from(["working", "calendar"]))
LENGTHS = st.timedeltas(timedelta(), timedelta(days=20))


@given(started=MOMENTS, span=SPANS, waits=st.lists(st.tuples(LENGTHS, LENGTHS), max_size=3))
def test_every_due_date_is_a_working_day_and_no_later_pause_brings_it_nearer(
    started: datetime, span: Span, waits: list[tuple[timedelta, timedelta]]
) -> None:
    pauses: list[Pause] = []
    dates = [due("answer", started, span, SWEDEN).due_on]
    moment = started
    for until_question, until_reply in waits:
        asked = moment + until_question
        moment = asked + until_reply
        pauses.append(Pause(asked, moment))
        dates.append(due("answer", started, span, SWEDEN, pauses).due_on)
    assert [SWEDEN.is_working_day(day) for day in dates] == [True] * len(dates)
    assert dates == sorted(dates)
    assert dates[3:] == dates[2:3] * len(dates[3:])


@given(started=MOMENTS, span=SPANS, more=st.integers(0, 30), later=LENGTHS)
def test_more_time_or_a_later_start_is_never_due_earlier(
    started: datetime, span: Span, more: int, later: timedelta
) -> None:
    first = due("answer", started, span, SWEDEN).due_on
    assert first <= due("answer", started, Span(span.n + more, span.unit), SWEDEN).due_on
    assert first <= due("answer", started + later, span, SWEDEN).due_on


@given(started=MOMENTS, span=SPANS, until_question=LENGTHS, waiting=LENGTHS)
def test_no_clock_runs_out_while_its_owner_waits(
    started: datetime, span: Span, until_question: timedelta, waiting: timedelta
) -> None:
    asked = started + until_question
    # Asked before the days are used up; one asked while the date has only been moved by a weekend adds to the days.
    start = local_date(started)
    used_up = (
        SWEDEN.add_working_days(start, span.n) if span.unit == "working" else start + timedelta(days=span.n)
    )
    assume(local_date(asked) <= used_up)
    now = asked + waiting
    assert not is_late(due("answer", started, span, SWEDEN, [Pause(asked, None)], as_of=now).due_on, now)
