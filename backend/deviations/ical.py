"""A calendar file by RFC 5545: whole days, folded lines, nothing of a case but its number and what to do."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

# A calendar must hold something, also on a day when nothing waits: the zone that its days are in.
ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Stockholm
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19810329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE"""
LONGEST = 75


@dataclass(frozen=True, slots=True)
class Day:
    """Something to do on a day. `uid` is the same each time the calendar is read."""

    uid: str
    on: date
    summary: str
    address: str


def calendar(days: Iterable[Day], now: datetime) -> str:
    """The whole file, its lines ended and folded as the standard wants them."""
    return "".join(f"{part}\r\n" for line in _lines(days, now) for part in folded(line))


def _lines(days: Iterable[Day], now: datetime) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Samsvar//Samsvar//SV", "METHOD:PUBLISH")
    yield from ("X-WR-CALNAME:Samsvar", "REFRESH-INTERVAL;VALUE=DURATION:PT4H", *ZONE.splitlines())
    for day in days:
        yield from ("BEGIN:VEVENT", f"UID:{day.uid}", f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
        yield f"DTSTART;VALUE=DATE:{day.on:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{day.on + timedelta(days=1):%Y%m%d}"
        yield from (f"SUMMARY:{escaped(day.summary)}", f"URL:{day.address}")
        yield from ("TRANSP:TRANSPARENT", "CLASS:PRIVATE", "END:VEVENT")
    yield "END:VCALENDAR"


def escaped(words: str) -> str:
    """Text as the standard writes it."""
    for sign, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        words = words.replace(sign, written)
    return words


def folded(line: str) -> Iterator[str]:
    """A line in parts of at most 75 bytes, no letter cut in two; each part but the first begins with a space."""
    part = ""
    for sign in line:
        if len((part + sign).encode()) > LONGEST:
            yield part
            part = " "
        part += sign
    yield part
