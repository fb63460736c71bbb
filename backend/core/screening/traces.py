"""What probably points out a person: numbers spelled wrong, birth dates, reserve numbers, telephones, addresses, names.

A wrong warning costs the writer a glance, a missed one may cost a patient their secrecy; yet a form that always warns
is not read. So what care prose is full of is left alone: dates, times, doses, rooms, readings, case numbers, HSA-ids,
organisation numbers, postal codes, and the telephone of a ward or a switchboard.

Sources: SKV 704 for the personnummer. Reserve numbers: Region Stockholm (99 and ten digits), Västra Götaland (date, K,
M or X, three digits), Skåne (date and four signs, at least one a letter), Inera's national one (century + 3, two or
three letters, digits), IVO's T123 and TF12. Telephone numbers: PTS's numbering plan, SS-ISO; at most ten digits.

How: most of a text has no digits, so the patterns look only at stretches where at least six stand close together.
They have bounded repeats only, so that no text takes long.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from backend.core.clock import today as today_in_sweden
from backend.core.screening.hits import Hit, Kind, joined
from backend.core.screening.names import names
from backend.core.screening.numbers import certain, right_check_digit


def probable(text: str, *, today: date | None = None) -> list[Hit]:
    """What in the text probably points out a person, in order, without what is `certain`.

    A number with the right date and the wrong check digit, or spelled so that it is not certain; a birth date; a
    reserve number; a name; a private telephone number; an e-mail or street address.
    """
    latest = today or today_in_sweden()
    plain = text.translate(_PLAIN) if _ODD.search(text) else text
    hits = joined(
        [*_numbers(plain, latest), *_spelled_dates(plain, latest), *_addresses(plain), *names(plain)]
    )
    if not hits:
        return []
    return _apart_from(hits, certain(text, today=latest))


def _apart_from(hits: list[Hit], others: list[Hit]) -> list[Hit]:
    """Those that touch none of the others; both lists are in order."""
    apart: list[Hit] = []
    rest = iter(others)
    other = next(rest, None)
    for hit in hits:
        while other is not None and other.end <= hit.start:
            other = next(rest, None)
        if other is None or hit.end <= other.start:
            apart.append(hit)
    return apart


# Sign for sign, so that places stay the same: dashes, spaces and digits of other kinds as ASCII's.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_SPACES = "\t\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000"
_WIDE = "".join(chr(0xFF10 + digit) for digit in range(10))
_PLAIN = str.maketrans(_DASHES + _SPACES + _WIDE, "-" * len(_DASHES) + " " * len(_SPACES) + "0123456789")
_ODD = re.compile(f"[{_DASHES}{_SPACES}{_WIDE}]")

# An event lies in the last ten years; what is older is the date of a birth.
_EVENTS = timedelta(days=3653)
_GROWN_UP = timedelta(days=18 * 365)

_MONTH = "(?:0[1-9]|1[0-2])"
_DAY = "(?:0[1-9]|[12][0-9]|3[01])"
_DAY_PLUS = "(?:0[1-9]|[12][0-9]|3[01]|6[1-9]|[78][0-9]|9[01])"
_YEAR = "(?:18|19|20)[0-9]{2}"
# Six digits or more with at most a little between them.
_STRETCH = re.compile(r"[0-9](?:[-./:_+*,()\sOoIl]{0,3}[0-9]){5,}")
_LEAD, _TAIL = 2, 16
# Where a number may begin and end: not inside another, nor inside an HSA-id or a case number.
_BEGIN = r"(?<![0-9A-ZÅÄÖ])(?<![0-9A-ZÅÄÖ][-./:,+])"
_END = r"(?![0-9A-ZÅÄÖ]|[-./:,+][0-9A-ZÅÄÖ])"

_NUMBER = re.compile(
    rf"{_BEGIN}(?P<date>(?:{_YEAR}|[0-9]{{2}})(?P<seam>[-./ ]?){_MONTH}(?P=seam){_DAY_PLUS})"
    rf"(?P<gap>[-./:_+*,\s]{{0,3}})(?P<last>[0-9]{{4}}){_END}"
)
# The end left out or struck over: 121212-XXXX, 121212-12**, 121212-121.
_CUT_NUMBER = re.compile(
    rf"{_BEGIN}(?P<date>(?:{_YEAR}|[0-9]{{2}}){_MONTH}{_DAY_PLUS})"
    rf"(?:-?(?P<struck>[0-9]{{0,3}}[xX*#?_]{{1,4}}|NNNN)|-(?:[0-9]{{3}}|[0-9]{{5}}))(?![\w*#?]|-[0-9])"
)
# Letters for digits, as they come from a scanner: 12l2O9-121O.
_SCANNED = re.compile(
    rf"{_BEGIN}(?=[0-9-]{{0,13}}[OoIl])(?:[0-9OoIl]{{8}}|[0-9OoIl]{{6}})[-+ ]?[0-9OoIl]{{4}}(?![\w-])"
)
_LOOKS_LIKE_A_DIGIT = re.compile(r"[0-9][-+ ]?[OoIl]|[OoIl][0-9]")
_AS_DIGITS = str.maketrans("OoIl", "0011")
# What is said to be a personnummer, however it is spelled.
_SAID = re.compile(
    r"(?:\bp\.?nr|person-?n(?:umme)?r|\bpers\.? ?nr|samordningsn(?:umme)?r|födelsen(?:umme)?r)[\s.:(=]{0,4}(?:är |var )?\Z"
)
_ANY_NUMBER = re.compile(r"[0-9](?:[-./ ]{0,3}[0-9xX*]){5,11}(?![0-9])")
_EVENT_DATE = re.compile(rf"20[0-9]{{2}}-{_MONTH}-{_DAY}")

_RESERVE = re.compile(
    rf"{_BEGIN}(?:(?:[0-9]{{2}})?[0-9]{{2}}(?:{_MONTH}{_DAY}|[2-9][0-9][45][0-9])"
    rf"(?:[- ]?(?=[0-9A-Z]{{0,3}}[0-9])[0-9]{{0,3}}[A-Z][0-9A-Z]{{0,3}}(?<=[0-9A-Z]{{4}})|[- ]?(?=[A-Z]{{4}})[A-Z]{{4}})"
    rf"|99(?:19|20)[0-9]{{4}}[- ]?[0-9]{{4}})(?![\w-])"
)
_SAID_RESERVE = re.compile(r"(?:reserv-?(?:n(?:umme)?r|id)|\bres\.? ?nr)[\s.:(=]{0,4}(?:är )?\Z")
_ANY_RESERVE = re.compile(r"[A-Z0-9-]{5,16}")

# A birth date is one that is said to be it, or that lies so far back that nothing else happened then.
_BORN = re.compile(
    r"(?:\bfödd[as]?|\bföddes|\bfödelse(?:datum|dag|tid|dato)|\bf\.?|\bfdat\w{0,2})[\s.:(=-]{0,3}(?:är |den |på |dag )?\Z"
)
_OF_A_LAW = re.compile(r"(?:\blag(?:en)?|sfs|förordning\w{0,3}|föreskrift\w{0,5}|beslut\w{0,3})[\s(]{1,3}\Z")
_OF_PATIENT = re.compile(
    r"\b(?:pat|patient(?:en)?|brukare?n?|kund(?:en)?|klient(?:en)?|kvinna|man|flicka|pojke|boende)[\s.:(,]{1,3}\Z"
)
_COMPACT_DATE = re.compile(
    rf"{_BEGIN}(?P<year>{_YEAR}|[0-9]{{2}})(?P<seam>[-./]?){_MONTH}(?P=seam){_DAY}{_END}"
)
_SPELLED_DATE = re.compile(
    r"[0-9]{1,2}(?:[/.] ?[01]?[0-9][-./ ]{1,2}"
    r"|(?::?[ea])? (?:jan|feb|mar|apr|maj|jun|jul|aug|sep|okt|nov|dec)[a-z]{0,6}\.? )"
    rf"(?P<year>{_YEAR}|[0-9]{{2}})(?![0-9]|[-.:,/][0-9])",
    re.IGNORECASE,
)

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")

_MORE = "(?:[ -]?[0-9])"
_PHONE = re.compile(
    r"(?<![0-9A-Za-zÅÄÖåäö+])(?<![0-9][-./:,])(?:"
    rf"(?:\+|00)[1-9][0-9]{{0,2}}(?: ?\(0\))?{_MORE}{{6,12}}"
    rf"|\(0[1-9][0-9]{{0,2}}\) ?[0-9]{_MORE}{{4,7}}"
    r"|07[0-9](?:[-/. ]{0,3}[0-9]){7}"
    rf"|(?:08 ?[-/] ?[0-9]{_MORE}{{5,7}}|0[1-9][0-9] ?[-/] ?[0-9]{_MORE}{{4,6}}|0[1-9][0-9]{{2}} ?[-/] ?[0-9]{_MORE}{{4,5}})"
    r"|(?:08 [0-9]{3}|0[1-9][0-9] [0-9]{2,3}|0[1-9][0-9]{2} [0-9]{2,3})(?: [0-9]{2,3}){1,3}"
    r"|0[1-9][0-9]{2} [0-9]{5,6}|0[1-9][0-9]{7,8}"
    r")(?![0-9A-Za-z]|[-./:,][0-9])"
)
_GROUPS = re.compile(r"[0-9]+")
# Whose telephone it is: the word nearest before it decides.
_WORKPLACE = re.compile(
    r"avdelning|mottagning|enhet|klinik|växel|central|reception|expedition|sjukhus|lasarett|apotek|kommun|region|boende"
    r"|team|jour|larm|support|vård|hemtjänst|psykiatri|kirurg|medicin|ortoped|ambulans|labb|akut|rehab|samordnar"
    r"|handläggar|^(?:avd|vc|säbo|mava|iva|bup)$"
)
_PERSON = re.compile(
    r"(?:patient|pat|brukare|kund|klient|dotter|son|mak[ae]|hustru|man|sambo|mamma|pappa|mor|far|syster|bror|anhörig"
    r"|närstående|granne|vän|god man|hennes|hans|privat|hem|hemma|mobil)(?:n|en|ens|ns|a|as|e|es|s)?$"
)
_LETTERS = re.compile(r"[^\W\d_]+")
_SENTENCE_END = re.compile(r"[.!?]\s+(?=[A-ZÅÄÖ])|\n")
_REFERENCE = re.compile(
    r"(?:order|remiss|artikel|ärende|faktura|serie|batch|lot|ref|diarie|dnr|kund|prov|kvitto|inventarie|\bid|org|lid|sn)"
    r"\w{0,12}[\s.:#-]{0,3}(?:nr|nummer|id)?[\s.:#]{0,3}\Z",
    re.IGNORECASE,
)

_STREETS = (
    *("gatan", "gata", "vägen", "väg", "gränden", "gränd", "torget", "torg", "stigen", "stig", "backen"),
    *("allén", "allé", "esplanaden", "promenaden", "slingan"),
)
_HOUSE = re.compile(
    r"[0-9]{1,3}(?:[A-Z](?!\w)| [A-HJ-Z](?!\w))?"
    r"(?:[ ,]{1,3}(?:lgh|lägenhet|vån|våning|tr|trappor|uppg|uppgång|port|läg)\.? ?[0-9A-Z]{0,4}){0,3}"
    r"(?:[ ,]{1,3}[0-9]{3} ?[0-9]{2} [A-ZÅÄÖ][a-zåäö]{1,20})?(?![0-9]|[.:,][0-9]|\w)",
    re.IGNORECASE,
)
_STREET = re.compile(r"(?:[A-ZÅÄÖ][\w:]{0,20}\.? ){0,3}[\w:-]{0,40} {1,2}\Z")
_NO_STREET = re.compile(
    r"(?:urin|luft|gall|om|tarm|fort|ut|in|av|gen|mellan|bak|fram|själv|andnings|ring|motor|gång|cykel|skogs?|grus)?(?:vägen|väg|stigen|stig)|gatan|torget|backen",
    re.IGNORECASE,
)


def _numbers(text: str, latest: date) -> Iterator[Hit]:
    for stretch in _STRETCH.finditer(text):
        start, end = max(0, stretch.start() - _LEAD), stretch.end() + _TAIL
        digits = sum(map(len, _GROUPS.findall(stretch.group())))
        if digits >= 8:
            yield from _phones(text, start, end)
        if digits >= 10:
            yield from _whole_numbers(text, start, end, latest)
        if _EVENT_DATE.fullmatch(stretch.group()) is None:
            yield from _broken_numbers(text, start, end, latest)
            yield from _reserve_numbers(text, start, end)
        yield from _said_numbers(text, stretch)
        yield from _birth_dates(text, start, end, latest)


def _whole_numbers(text: str, start: int, end: int, latest: date) -> Iterator[Hit]:
    for found in _NUMBER.finditer(text, start, end):
        digits = "".join(_GROUPS.findall(found["date"]))
        born = _birth_date(digits, latest)
        if born is None or _is_date_and_time(found, born, latest):
            continue
        if right_check_digit(digits[-6:] + found["last"]) or not _is_something_else(found, born, latest):
            yield Hit(*found.span(), _kind(digits))


def _broken_numbers(text: str, start: int, end: int, latest: date) -> Iterator[Hit]:
    for found in _CUT_NUMBER.finditer(text, start, end):
        born = _birth_date(found["date"], latest)
        # "260518-123" is more often a batch than a child.
        if born is not None and (found["struck"] or latest - born > _EVENTS):
            yield Hit(*found.span(), _kind(found["date"]))
    if _LOOKS_LIKE_A_DIGIT.search(text, start, end):
        for found in _SCANNED.finditer(text, start, end):
            digits = "".join(_GROUPS.findall(found.group().translate(_AS_DIGITS)))
            if _birth_date(digits[:-4], latest) is not None:
                yield Hit(*found.span(), _kind(digits[:-4]))


def _said_numbers(text: str, stretch: re.Match[str]) -> Iterator[Hit]:
    at = stretch.start()
    while at and stretch.start() - at < 4 and (text[at - 1] == "-" or "A" <= text[at - 1] <= "Z"):
        at -= 1  # a reserve number may begin with letters
    near = text[max(0, at - 30) : at].lower()
    if "n" not in near[-12:]:
        return
    if _SAID.search(near) and (number := _ANY_NUMBER.match(text, at)):
        yield Hit(*number.span(), "personnummer")
    if _SAID_RESERVE.search(near) and (number := _ANY_RESERVE.match(text, at)):
        yield Hit(*number.span(), "reserve_number")


def _is_date_and_time(found: re.Match[str], born: date, latest: date) -> bool:
    """ "2026-05-18 1405", where even a right check digit means nothing; without the dashes it is warned for."""
    blank = found["gap"] != "" and not found["gap"].strip()
    return bool(found["seam"]) and blank and latest - born < _EVENTS and _is_clock(found["last"])


def _is_something_else(found: re.Match[str], born: date, latest: date) -> bool:
    """Whether digits with the wrong check digit are a time, a dose, a telephone or a reference rather than a slip."""
    written, seam, gap, last = found["date"], found["seam"], found["gap"], found["last"]
    short = len(written) - 2 * len(seam) == 6
    # "20260518 1405", "2026-05-18 5000 E", "202605181405"
    if latest - born < _EVENTS and not gap.strip(" .:_\n,") and (gap or _is_clock(last)):
        return True
    if short and seam:
        return "-" not in gap  # "12 10 08 1500"
    if short and not gap:
        return written[0] == "0" or bool(_REFERENCE.search(found.string, 0, found.start()))
    return False


def _is_clock(four: str) -> bool:
    return four[:2] < "24" and four[2:] < "60"


def _kind(digits: str) -> Kind:
    return "samordningsnummer" if digits[-2] >= "6" else "personnummer"


def _birth_date(digits: str, latest: date) -> date | None:
    month, day = int(digits[-4:-2]), int(digits[-2:]) % 60
    years = [int(digits[:4])] if len(digits) == 8 else [century + int(digits[:2]) for century in (2000, 1900)]
    for year in years:
        try:
            born = date(year, month, day)
        except ValueError:
            continue
        if born <= latest:
            return born
    return None


def _reserve_numbers(text: str, start: int, end: int) -> Iterator[Hit]:
    for found in _RESERVE.finditer(text, start, end):
        yield Hit(*found.span(), "reserve_number")


def _birth_dates(text: str, start: int, end: int, latest: date) -> Iterator[Hit]:
    for found in _COMPACT_DATE.finditer(text, start, end):
        digits = "".join(_GROUPS.findall(found.group()))
        born = _birth_date(digits, latest)
        if born is None:
            continue
        long_ago = latest - born > (_GROWN_UP if len(digits) == 8 else _EVENTS)
        if len(digits) == 8:
            told = not _stands_after(_OF_A_LAW, found) and not _stands_after(_REFERENCE, found)
        else:
            told = _stands_after(_OF_PATIENT, found)
        if (long_ago and told) or _stands_after(_BORN, found):
            yield Hit(*found.span(), "birth_date")


def _spelled_dates(text: str, latest: date) -> Iterator[Hit]:
    """ "12 mars 1948" and "12/3-48"."""
    for found in _SPELLED_DATE.finditer(text):
        year = found["year"]
        if (len(year) == 4 and latest.year - int(year) > 18) or _stands_after(_BORN, found):
            yield Hit(*found.span(), "birth_date")


def _stands_after(words: re.Pattern[str], found: re.Match[str]) -> bool:
    return words.search(found.string[max(0, found.start() - 25) : found.start()].lower()) is not None


def _addresses(text: str) -> Iterator[Hit]:
    if "@" in text:
        for found in _EMAIL.finditer(text):
            yield Hit(*found.span(), "email")
    for number in _GROUPS.finditer(text):
        before = text[max(0, number.start() - 12) : number.start()]
        if not before.endswith(" ") or not before.rstrip(" ").lower().endswith(_STREETS):
            continue
        house = _HOUSE.match(text, number.start())
        street = _STREET.search(text, max(0, number.start() - 90), number.start())
        # "väg 27" is a road, "vägen 2" and "urinvägen 1" are none at all.
        if house and street and not _NO_STREET.fullmatch(street.group().rstrip(" ")):
            yield Hit(street.start(), house.end(), "address")


def _phones(text: str, start: int, end: int) -> Iterator[Hit]:
    for found in _PHONE.finditer(text, start, end):
        groups = _GROUPS.findall(found.group())
        digits = "".join(groups)
        if found.group()[0] == "+" or digits.startswith("00"):
            yield Hit(*found.span(), "phone")
            continue
        # "08-12 1500 ml": a number is said in twos and threes, or in one go.
        in_groups = len(groups) <= 2 or all(len(group) in (2, 3) for group in groups[1:])
        if not 8 <= len(digits) <= 10 or not in_groups:
            continue
        if digits.startswith("07") or not _is_a_workplaces(text, found.start()):
            yield Hit(*found.span(), "phone")


def _is_a_workplaces(text: str, at: int) -> bool:
    before = _SENTENCE_END.split(text[max(0, at - 80) : at])[-1]
    for word in reversed(_LETTERS.findall(before.lower())):
        if _WORKPLACE.search(word):
            return True
        if _PERSON.match(word):
            return False
    return _REFERENCE.search(before) is not None
