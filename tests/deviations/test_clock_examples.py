"""Cases as an almanac and a pencil have them: when each is due, and the whole sentence that says why.

Every row was counted by hand; the days off are named in the sentences. Dates are Swedish, at nine unless told.
"""

from dataclasses import dataclass
from datetime import date

import pytest

from backend.core.calendar import Calendar
from backend.deviations.clocks import Kind, Span, Unit, due
from tests.deviations.test_clocks import at, paused


@dataclass(frozen=True)
class Example:
    kind: Kind
    started: str
    n: int
    unit: Unit
    says: str
    pauses: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    sender: str = ""


def days(written: tuple[str, ...]) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, written))


MOVED = ", så fristen flyttas till nästa arbetsdag."
THE_YEARS_END = "24, 25 och 31 december och 1 januari är inga arbetsdagar."
THE_HOLIDAYS = "24, 25 och 31 december och 1 och 6 januari är inga arbetsdagar."
WAITED, LET_WAIT = (
    "medan ni väntade på vår komplettering",
    "medan mottagaren väntade på er komplettering",
)

SENTENCES = [
    # The examples of the trade, as both sides read them.
    Example(
        *("answer", "2026-04-14", 20, "working"),
        f"Svar senast tisdag 19 maj 2026: 20 arbetsdagar från 14 april, plus 3 arbetsdagar {WAITED}. "
        "1 och 14 maj är helgdagar.",
        pauses=("2026-04-20/2026-04-23",),
        sender=f"Svar senast tisdag 19 maj 2026: 20 arbetsdagar från 14 april, plus 3 arbetsdagar {LET_WAIT}. "
        "1 och 14 maj är helgdagar.",
    ),
    Example(
        *("answer", "2026-11-02", 60, "calendar"),
        f"Svar senast måndag 4 januari 2027: 60 dagar från 2 november slutar på nyårsdagen{MOVED}",
    ),
    # Sent a minute before midnight, and at midnight; over the night when the clocks go forward.
    Example(
        *("acknowledge", "2026-03-06T23:59", 5, "working"),
        "Kvittera senast fredag 13 mars 2026: 5 arbetsdagar från 6 mars.",
    ),
    Example(
        *("acknowledge", "2026-03-07T00:00", 5, "working"),
        "Kvittera senast fredag 13 mars 2026: 5 arbetsdagar från 7 mars.",
    ),
    Example(
        *("acknowledge", "2026-03-09T23:59", 5, "working"),
        "Kvittera senast måndag 16 mars 2026: 5 arbetsdagar från 9 mars.",
    ),
    Example(
        *("acknowledge", "2026-03-27T23:59", 1, "working"),
        "Kvittera senast måndag 30 mars 2026: 1 arbetsdag från 27 mars.",
    ),
    Example(
        *("answer", "2026-12-31T23:59", 60, "calendar"),
        "Svar senast måndag 1 mars 2027: 60 dagar från 31 december.",
    ),
    # A leap year has room for one more day.
    Example(
        *("answer", "2027-12-31", 60, "calendar"),
        "Svar senast tisdag 29 februari 2028: 60 dagar från 31 december.",
    ),
    Example(*("answer", "2026-03-02", 1, "calendar"), "Svar senast tisdag 3 mars 2026: 1 dag från 2 mars."),
    # A question over Christmas: 23, 28 and 29 December are working days, and each of five days is a day.
    Example(
        *("answer", "2026-12-01", 20, "working"),
        f"Svar senast fredag 8 januari 2027: 20 arbetsdagar från 1 december, plus 3 arbetsdagar {WAITED}. "
        f"{THE_HOLIDAYS}",
        pauses=("2026-12-22/2026-12-29",),
        sender=f"Svar senast fredag 8 januari 2027: 20 arbetsdagar från 1 december, plus 3 arbetsdagar {LET_WAIT}. "
        f"{THE_HOLIDAYS}",
    ),
    Example(
        *("answer", "2026-11-16", 60, "calendar"),
        f"Svar senast onsdag 20 januari 2027: 60 dagar från 16 november, plus 5 dagar {WAITED}.",
        pauses=("2026-12-23/2026-12-28",),
        sender=f"Svar senast onsdag 20 januari 2027: 60 dagar från 16 november, plus 5 dagar {LET_WAIT}.",
    ),
    Example(
        *("answer", "2026-11-02", 60, "calendar"),
        f"Svar senast torsdag 7 januari 2027: 60 dagar från 2 november, plus 5 dagar {WAITED}, "
        f"slutar på trettondedag jul{MOVED}",
        pauses=("2026-11-10/2026-11-15",),
        sender=f"Svar senast torsdag 7 januari 2027: 60 dagar från 2 november, plus 5 dagar {LET_WAIT}, "
        f"slutar på trettondedag jul{MOVED}",
    ),
    # Two questions, and a third that gives no more.
    Example(
        *("answer", "2026-02-02", 20, "working"),
        f"Svar senast fredag 6 mars 2026: 20 arbetsdagar från 2 februari, plus 4 arbetsdagar {WAITED}.",
        pauses=("2026-02-04/2026-02-06", "2026-02-16/2026-02-18"),
        sender=f"Svar senast fredag 6 mars 2026: 20 arbetsdagar från 2 februari, plus 4 arbetsdagar {LET_WAIT}.",
    ),
    Example(
        *("answer", "2026-02-02", 20, "working"),
        f"Svar senast fredag 6 mars 2026: 20 arbetsdagar från 2 februari, plus 4 arbetsdagar {WAITED}.",
        pauses=("2026-02-04/2026-02-06", "2026-02-16/2026-02-18", "2026-02-20/2026-02-27"),
    ),
    # A question that is answered the same day adds nothing, and the sentence does not speak of it.
    Example(
        *("answer", "2026-02-02", 20, "working"),
        "Svar senast måndag 2 mars 2026: 20 arbetsdagar från 2 februari.",
        pauses=("2026-02-04T08:00/2026-02-04T16:00",),
    ),
    # Each clock over its holidays.
    Example(
        *("acknowledge", "2026-04-01", 5, "working"),
        "Kvittera senast fredag 10 april 2026: 5 arbetsdagar från 1 april. 3 och 6 april är helgdagar.",
    ),
    Example(
        *("acknowledge", "2026-12-28", 5, "working"),
        "Kvittera senast torsdag 7 januari 2027: 5 arbetsdagar från 28 december. "
        "31 december och 1 och 6 januari är inga arbetsdagar.",
    ),
    Example(
        *("acknowledge", "2025-06-02", 5, "working"),
        "Kvittera senast tisdag 10 juni 2025: 5 arbetsdagar från 2 juni. 6 juni är helgdag.",
    ),
    Example(
        *("reply", "2026-12-22", 5, "working"),
        f"Svara på frågan senast måndag 4 januari 2027: 5 arbetsdagar från 22 december. {THE_YEARS_END}",
    ),
    Example(
        *("confirm_redirect", "2026-04-30", 2, "working"),
        "Säg ja eller nej senast tisdag 5 maj 2026: 2 arbetsdagar från 30 april. 1 maj är helgdag.",
    ),
    Example(
        *("declined", "2026-06-01", 20, "working"),
        "Skicka vidare eller återta senast tisdag 30 juni 2026: 20 arbetsdagar från 1 juni. "
        "19 juni är ingen arbetsdag.",
    ),
    Example(
        *("settle", "2026-05-05", 10, "working"),
        "Kom överens senast onsdag 20 maj 2026: 10 arbetsdagar från 5 maj. 14 maj är helgdag.",
    ),
    Example(
        *("returned_answer", "2026-12-15", 10, "working"),
        f"Nytt svar senast måndag 4 januari 2027: 10 arbetsdagar från 15 december. {THE_YEARS_END}",
    ),
    Example(
        *("verdict", "2026-06-05", 14, "calendar"),
        f"Bedöm svaret senast måndag 22 juni 2026: 14 dagar från 5 juni slutar på midsommarafton{MOVED}",
    ),
    Example(
        *("answer", "2026-12-07", 30, "calendar"),
        f"Svar senast torsdag 7 januari 2027: 30 dagar från 7 december slutar på trettondedag jul{MOVED}",
    ),
    Example(
        *("answer", "2026-12-04", 20, "calendar"),
        f"Svar senast måndag 28 december 2026: 20 dagar från 4 december slutar på julafton{MOVED}",
    ),
    # What the county has closed and opened itself.
    Example(
        *("acknowledge", "2026-05-11", 5, "working"),
        "Kvittera senast onsdag 20 maj 2026: 5 arbetsdagar från 11 maj. 14 och 15 maj är inga arbetsdagar.",
        closed=("2026-05-15",),
    ),
    Example(
        *("acknowledge", "2026-06-15", 5, "working"),
        "Kvittera senast måndag 22 juni 2026: 5 arbetsdagar från 15 juni.",
        opened=("2026-06-19",),
    ),
    Example(
        *("answer", "2026-12-04", 20, "calendar"),
        "Svar senast torsdag 24 december 2026: 20 dagar från 4 december.",
        opened=("2026-12-24",),
    ),
    Example(
        *("answer", "2026-12-04", 20, "calendar"),
        f"Svar senast onsdag 30 december 2026: 20 dagar från 4 december slutar på julafton{MOVED}",
        closed=("2026-12-28", "2026-12-29"),
    ),
]


@pytest.mark.parametrize("example", SENTENCES, ids=lambda one: f"{one.kind}-{one.started}")
def test_the_sentence_is_the_one_a_person_would_write(example: Example) -> None:
    calendar = Calendar(days(example.closed), days(example.opened))
    told = [
        due(
            example.kind,
            at(example.started),
            Span(example.n, example.unit),
            calendar,
            paused(*example.pauses),
            reader=reader,
        ).explanation
        for reader in ("receiver", "sender")
    ]
    assert told == [example.says, example.sender or told[1]]
    assert example.pauses == () or example.sender or told[1] == example.says.replace(WAITED, LET_WAIT)


# start, days, kind of days, pauses, closed, opened, the last day
DATES: list[tuple[str, int, Unit, tuple[str, ...], tuple[str, ...], tuple[str, ...], str]] = [
    # Every working day of the week before Christmas, five working days on.
    ("2026-12-17", 5, "working", (), (), (), "2026-12-28"),
    ("2026-12-18", 5, "working", (), (), (), "2026-12-29"),
    ("2026-12-24", 5, "working", (), (), (), "2027-01-05"),
    ("2026-12-31T23:59", 2, "working", (), (), (), "2027-01-05"),
    ("2027-01-01T00:00", 2, "working", (), (), (), "2027-01-05"),
    # Easter of 2027 is in March and that of 2028 in April, with första maj on a Monday.
    ("2027-03-24", 3, "working", (), (), (), "2027-03-31"),
    ("2028-04-12", 3, "working", (), (), (), "2028-04-19"),
    ("2028-04-27", 2, "working", (), (), (), "2028-05-02"),
    # Kristi himmelsfärd, and a nationaldag on a Tuesday.
    ("2027-05-05", 1, "working", (), (), (), "2027-05-07"),
    ("2028-06-02", 2, "working", (), (), (), "2028-06-07"),
    # Twenty working days, over Midsummer and over nothing.
    ("2027-06-10", 20, "working", (), (), (), "2027-07-09"),
    ("2026-08-03", 20, "working", (), (), (), "2026-08-31"),
    # 29 February counts as a day of either kind.
    ("2028-02-25", 2, "working", (), (), (), "2028-02-29"),
    ("2028-01-31", 30, "calendar", (), (), (), "2028-03-01"),
    ("2027-01-31", 30, "calendar", (), (), (), "2027-03-02"),
    # The clocks go back: a day of 25 hours is one day.
    ("2026-10-24T23:59", 2, "calendar", (), (), (), "2026-10-26"),
    ("2026-10-24T23:59", 1, "calendar", (), (), (), "2026-10-26"),
    # Asked on the last day, replied the day after; asked on a Friday, replied on the Monday.
    ("2026-03-02", 5, "working", ("2026-03-09/2026-03-10",), (), (), "2026-03-10"),
    ("2026-03-02", 5, "working", ("2026-03-06/2026-03-09",), (), (), "2026-03-10"),
    ("2026-03-02", 30, "calendar", ("2026-03-06/2026-03-09",), (), (), "2026-04-07"),
    # A closing day within a pause is waited by nobody, and one on the way is skipped.
    ("2026-03-02", 5, "working", ("2026-03-03/2026-03-05",), ("2026-03-04",), (), "2026-03-11"),
    ("2026-03-02", 5, "working", (), ("2026-03-04", "2026-03-05"), (), "2026-03-11"),
    # A Saturday that the county works is a working day like any other.
    ("2026-03-02", 5, "working", (), (), ("2026-03-07",), "2026-03-07"),
    ("2026-02-25", 10, "calendar", (), (), ("2026-03-07",), "2026-03-07"),
]


@pytest.mark.parametrize(("started", "n", "unit", "pauses", "closed", "opened", "last"), DATES)
def test_the_last_day_is_the_one_counted_by_hand(
    started: str,
    n: int,
    unit: Unit,
    pauses: tuple[str, ...],
    closed: tuple[str, ...],
    opened: tuple[str, ...],
    last: str,
) -> None:
    calendar = Calendar(days(closed), days(opened))
    found = due("answer", at(started), Span(n, unit), calendar, paused(*pauses)).due_on
    assert found == date.fromisoformat(last)
