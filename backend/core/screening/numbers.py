"""Certain personnummer and samordningsnummer in free text, which are refused before anything is stored.

Certain is what has a possible birth date and the right check digit, spelled as such numbers are spelled. Source:
folkbokföringslagen (1991:481) 18 and 18 a §§ and Skatteverket's SKV 704 and 707: YYYYMMDD-NNNC, for a
samordningsnummer with 60 added to the day; a plus sign from the year of the hundredth birthday; check digit by
the Luhn algorithm over the last ten digits.

How: digits with at most a small gap between them form a run. Beside the digits of a run stand its seams, one sign
per gap, so that how a number is spelled can be asked of a regular expression: `x` no gap, a space, `|` a line
break, `-` a dash or plus sign, `~` a dash with space about it. The number itself is never returned or kept.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from backend.core.clock import today as today_in_sweden
from backend.core.screening.hits import Hit, Kind


def certain(text: str, *, today: date | None = None) -> list[Hit]:
    """Every certain personnummer and samordningsnummer in the text, in order; none is in the future of `today`.

    Phone numbers, case numbers, HSA-ids, organisation numbers, times, and longer numbers are left alone.

    One spelling has two readings: "20260518 1405" is mostly the afternoon of a day in May, and one time in ten has
    the check digit of a child born that day. Where the date lies within the last 400 days, the last four digits
    are a time of day and nothing but space stands before them, it is therefore only probable (and warned for),
    unless a word such as "pnr" or "född" stands before it. Without the century it stays certain: so do people of a
    hundred years write.
    """
    latest = today or today_in_sweden()
    hits = [
        hit
        for found in _RUN.finditer(text)
        for hit in _in_run(_read(text, found.start(), found.end()), latest)
    ]
    return sorted(hits, key=lambda hit: hit.start)


# The signs. \d holds the decimal digits of every script, fullwidth and mathematical ones too.
_DIGIT = r"[\d⁰¹²³⁴-⁹₀-₉①-⑨⓪]"
# Written but not seen: soft hyphen, zero-width and direction marks, combining and variation marks.
_UNSEEN = (
    r"\u00ad\u0300-\u036f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ufe00-\ufe0f\ufeff"
)
_DASH = (
    r"\-+\u058a\u2010-\u2015\u2043\u207a\u207b\u208a\u208b\u2212\u2e3a\u2e3b\ufe58\ufe62\ufe63\uff0b\uff0d"
)
_SPACES = rf"[\s{_UNSEEN}]{{0,8}}"
_RUN = re.compile(rf"{_DIGIT}(?:{_SPACES}(?:[{_DASH}]{{1,2}}{_SPACES})?{_DIGIT}){{9,}}")
_ONLY_UNSEEN = re.compile(rf"[{_UNSEEN}]*")
_ANY_DASH = re.compile(rf"[{_DASH}]")

# What may not stand against a number: a capital letter, as in HSA-ids and case numbers (but "PNR" may), the sign of
# a country code before it, the minutes of a time after it.
_NOT_BEFORE = re.compile(rf"(?:(?<!\bPNR)(?<!NUMMER)(?<=[A-ZÅÄÖ])[{_DASH}]?|[+\uff0b])\Z")
_NOT_AFTER = re.compile(rf"[{_DASH}]?[A-ZÅÄÖ]|[.:]\d\d?(?!\d)")
_PHONE_BEFORE = re.compile(
    r"(?:\b(?:tel|tfn|tlf|mobil|sms|fax)|\b(?:ring|ringa|ringer|ringde|nås)\b|telefon|växel)\D{0,30}\Z",
    re.IGNORECASE,
)

# A birth date and four more digits, starting at any digit of the run.
_MONTH_DAY_LAST = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])\d{4}"
_TWELVE = re.compile(rf"(?=(?:18|19|20)\d\d{_MONTH_DAY_LAST})")
_TEN = re.compile(rf"(?=\d\d{_MONTH_DAY_LAST})")

# The spellings, as the seams inside the number. The century says so much that any spacing will do after it.
_LAST = "(?:xxx|x x| {3})"
_SPELLED_TWELVE = re.compile(
    rf"[x ]{{11}}|[x ]{{7}}[-~]{_LAST}|xxx[-~]x[-~]x[-~ ]{_LAST}|x[-~][x ]{{5}}[-~]{_LAST}"
)
_SPELLED_TEN = re.compile(
    rf"x{{9}}|(?:xxxxx|x x x| {{5}})[-~]{_LAST}|x[-~]x[-~]x[-~ ]{_LAST}|(?:xxxxx|x x x) xxx"
)
# Alone on its line or among words it may be spaced as it likes; where it starts with 0, unlike a phone number.
_ALONE_TEN = re.compile(r"[x ]{9}")
_ALONE_TEN_LIKE_PHONE = re.compile(r"x x x x x|xxxxx x x| {9}")

# "2026-05-18 1405" and "20260518 1405" are a date and a time rather than the number of a child born then.
_DATE_AND_TIME = re.compile(r"(?:(?:xx)?x([-~ ])x\1x|x{7}) (?:xxx|x x)")
_SAID_TO_BE_A_NUMBER = re.compile(
    r"(?:\bp\.?nr|person-?n(?:umme)?r|samordningsn(?:umme)?r|\bid-?n(?:umme)?r|\bfödd|\bföddes)\W{0,3}\Z",
    re.IGNORECASE,
)
_RECENT = timedelta(days=400)
_OLDEST = date(1890, 1, 1)
# Twice the digit, its own digits added up.
_DOUBLED = str.maketrans("0123456789", "0246813579")


class _Run(NamedTuple):
    """Digits (as ASCII), where each stands in the text, the seams (before, between, after), what is around."""

    digits: str
    at: list[int]
    seams: str
    before: str
    after: str


def _read(text: str, start: int, end: int) -> _Run:
    digits: list[str] = []
    at: list[int] = []
    seams = ["|"]
    gap_from = start
    for position in range(start, end):
        value = unicodedata.digit(text[position], None)
        if value is None:
            continue
        if at:
            seams.append("x" if position == gap_from else _seam(text[gap_from:position]))
        digits.append(str(value))
        at.append(position)
        gap_from = position + 1
    return _Run(
        "".join(digits), at, "".join(seams) + "|", text[max(0, start - 50) : start], text[end : end + 5]
    )


@lru_cache(maxsize=1024)
def _seam(gap: str) -> str:
    if _ONLY_UNSEEN.fullmatch(gap):
        return "x"
    if _ANY_DASH.search(gap):
        return "~" if re.search(r"\s", gap) else "-"
    return "|" if re.search(r"[\n\r\u2028\u2029]", gap) else " "


def _in_run(run: _Run, latest: date) -> Iterator[Hit]:
    taken = 0
    twelve = [
        hit for found in _TWELVE.finditer(run.digits) if (hit := _number(run, found.start(), 12, latest))
    ]
    ten = [hit for found in _TEN.finditer(run.digits) if (hit := _number(run, found.start(), 10, latest))]
    for hit in sorted(twelve + ten, key=lambda hit: (hit.start, -hit.end)):
        if hit.start >= taken:
            taken = hit.end
            yield hit


def _number(run: _Run, first: int, length: int, latest: date) -> Hit | None:
    """The number of that length from digit `first` of the run, if it is one. The cheap questions come first."""
    end = first + length
    if run.seams[first] in "x-" or run.seams[end] in "x-" or not _spelled(run, first, end):
        return None
    last_ten = run.digits[end - 10 : end]
    if not right_check_digit(last_ten) or last_ten[6:9] == "000" or _touches_a_name(run, first, end):
        return None
    born = _birth_date(run.digits[first : end - 4], latest)
    if born is None or (latest - born < _RECENT and _is_date_and_time(run, first, end)):
        return None
    kind: Kind = "samordningsnummer" if last_ten[4] >= "6" else "personnummer"
    return Hit(run.at[first], run.at[end - 1] + 1, kind)


def _spelled(run: _Run, first: int, end: int) -> bool:
    inner = run.seams[first + 1 : end].replace("|", " ")
    if len(inner) == 11:
        return bool(_SPELLED_TWELVE.fullmatch(inner))
    like_phone = run.digits[first] == "0" != run.digits[first + 1] and inner[5] not in "-~"
    if like_phone and first == 0 and _PHONE_BEFORE.search(run.before):
        return False
    if _SPELLED_TEN.fullmatch(inner):
        return True
    if run.seams[first] != "|" or run.seams[end] != "|":
        return False
    return bool((_ALONE_TEN_LIKE_PHONE if like_phone else _ALONE_TEN).fullmatch(inner))


def _touches_a_name(run: _Run, first: int, end: int) -> bool:
    if first == 0 and _NOT_BEFORE.search(run.before):
        return True
    return end == len(run.digits) and bool(_NOT_AFTER.match(run.after))


def right_check_digit(ten: str) -> bool:
    return (sum(map(int, ten[::2].translate(_DOUBLED))) + sum(map(int, ten[1::2]))) % 10 == 0


def _birth_date(written: str, latest: date) -> date | None:
    """The latest possible one. A plus is not asked for: with two digits, what fits 189x fits 199x too."""
    month, day = int(written[-4:-2]), int(written[-2:]) % 60
    years = (
        [int(written[:4])] if len(written) == 8 else [century + int(written[:2]) for century in (2000, 1900)]
    )
    for year in years:
        try:
            born = date(year, month, day)
        except ValueError:
            continue
        if _OLDEST <= born <= latest:
            return born
    return None


def _is_date_and_time(run: _Run, first: int, end: int) -> bool:
    if first == 0 and _SAID_TO_BE_A_NUMBER.search(run.before):
        return False
    hour, minute = run.digits[end - 4 : end - 2], run.digits[end - 2 : end]
    inner = run.seams[first + 1 : end].replace("|", " ")
    return hour < "24" and minute < "60" and bool(_DATE_AND_TIME.fullmatch(inner))
