"""The calendar file: read back by the rules of RFC 5545, whatever stands in it."""

from datetime import UTC, date, datetime

from backend.deviations import ical
from backend.deviations.ical import Day

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = Day(
    "BLE-2026-7K3Q9X@samsvar",
    date(2026, 3, 31),
    "BLE-2026-7K3Q9X: svara",
    "https://samsvar.example/deviations/BLE-2026-7K3Q9X",
)


def parsed(file: str) -> list[dict[str, str]]:
    """The events of a calendar: lines unfolded, names and values apart."""
    assert file.endswith("END:VCALENDAR\r\n")
    assert "\n" not in file.replace("\r\n", "")
    assert max(len(line.encode()) for line in file.split("\r\n")) <= 75
    lines = file.replace("\r\n ", "").split("\r\n")
    assert (lines[0], lines[1]) == ("BEGIN:VCALENDAR", "VERSION:2.0")
    events: list[dict[str, str]] = []
    inside = False
    for line in lines:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            inside = True
            events.append({})
        elif line == "END:VEVENT":
            inside = False
        elif inside:
            events[-1][name] = value
    return events


def test_an_event_is_a_whole_day_with_a_number_and_what_to_do() -> None:
    assert parsed(ical.calendar([DAY], NOW)) == [
        {
            "UID": "BLE-2026-7K3Q9X@samsvar",
            "DTSTAMP": "20260302T090000Z",
            "DTSTART;VALUE=DATE": "20260331",
            "DTEND;VALUE=DATE": "20260401",
            "SUMMARY": "BLE-2026-7K3Q9X: svara",
            "URL": "https://samsvar.example/deviations/BLE-2026-7K3Q9X",
            "TRANSP": "TRANSPARENT",
            "CLASS": "PRIVATE",
        }
    ]


def test_an_empty_calendar_is_a_calendar_still() -> None:
    file = ical.calendar([], NOW)
    assert parsed(file) == []
    assert file.count("BEGIN:VTIMEZONE\r\n") == file.count("END:VTIMEZONE\r\n") == 1


def test_lines_are_folded_at_75_bytes_and_no_letter_is_cut_in_two() -> None:
    long = "å" * 100
    parts = list(ical.folded(f"SUMMARY:{long}"))
    assert [len(part.encode()) for part in parts] == [74, 75, 61]
    assert parts[0] + "".join(part[1:] for part in parts[1:]) == f"SUMMARY:{long}"
    assert list(ical.folded("x" * 75)) == ["x" * 75]


def test_signs_with_a_meaning_of_their_own_are_escaped() -> None:
    assert ical.escaped("a;b,c\\d\ne") == "a\\;b\\,c\\\\d\\ne"
