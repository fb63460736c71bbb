"""Swedish as people write it: dates, numbers, lists and order.

The forms follow Babel's Swedish locale and Språkrådets Myndigheternas skrivregler. Every sentence shown to
someone passes `gettext`, and is filled in with `.format` afterwards, so that it can be translated whole.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent

from backend.core.calendar import local_date
from backend.core.clock import STOCKHOLM, today

_SWEDISH = Locale("sv")


def gettext(text: str) -> str:
    """The text in the language in force. The source texts are Swedish, so for now it is the text itself."""
    return text


_ = gettext


def long_date(day: date) -> str:
    """With its weekday: "tisdag 19 maj 2026"."""
    return format_date(day, "EEEE d MMMM y", locale=_SWEDISH)


def short_date(day: date) -> str:
    """Without it: "19 maj 2026"."""
    return format_date(day, "d MMMM y", locale=_SWEDISH)


def day_and_month(day: date) -> str:
    """Where the year goes without saying: "19 maj"."""
    return format_date(day, "d MMMM", locale=_SWEDISH)


def weekday_and_day(day: date) -> str:
    """In a list of days: "tisdag 19 maj", with its year where it is another than today's."""
    pattern = "EEEE d MMMM" if day.year == today().year else "EEEE d MMMM y"
    return format_date(day, pattern, locale=_SWEDISH)


def moment(at: datetime) -> str:
    """The time in Sweden: "19 maj 2026 kl. 14.05". Raises ValueError for a naive time."""
    return (
        f"{short_date(local_date(at))} kl. {format_datetime(at, 'HH.mm', tzinfo=STOCKHOLM, locale=_SWEDISH)}"
    )


def days_of_months(days: Iterable[date]) -> str:
    """Several days, naming each month once: "24, 25 och 31 december och 1 januari"."""
    months = groupby(sorted(days), key=lambda day: (day.year, day.month))
    same_month = [list(group) for _month, group in months]
    return join(
        [join([*(str(day.day) for day in some[:-1]), day_and_month(some[-1])]) for some in same_month]
    )


def relative_day(day: date, today: date) -> str:
    """The day as said today: "i dag", "i måndags", "om 3 dagar", "för 12 dagar sedan"."""
    ahead = (day - today).days
    near = {0: _("i dag"), 1: _("i morgon"), -1: _("i går")}
    if ahead in near:
        return near[ahead]
    if ahead > 0:
        return _("om {n} dagar").format(n=number(ahead))
    if ahead > -7:
        return _("i {weekday}s").format(weekday=format_date(day, "EEEE", locale=_SWEDISH))
    return _("för {n} dagar sedan").format(n=number(-ahead))


def number(n: int) -> str:
    """In figures, thousands apart: "12 500" (with a non-breaking space)."""
    return format_decimal(n, locale=_SWEDISH)


def count(n: int, singular: str, plural: str, *, one: str = "ett") -> str:
    """How many, in words up to twelve: "inga ärenden", "ett ärende", "tre ärenden", "22 ärenden".

    `one` is the article of the singular: "ett" ärende, "en" åtgärd.
    """
    if n == 1:
        return f"{one} {singular}"
    words = (
        *(_("inga"), one, _("två"), _("tre"), _("fyra"), _("fem"), _("sex")),
        *(_("sju"), _("åtta"), _("nio"), _("tio"), _("elva"), _("tolv")),
    )
    return f"{words[n] if 0 <= n < len(words) else number(n)} {plural}"


def percent(share: float, decimals: int = 0) -> str:
    """A fraction as "38 %" or "37,8 %" (non-breaking space). Halves round up, as people are taught."""
    rounded = Decimal(repr(share)).quantize(Decimal(1).scaleb(-2 - decimals), ROUND_HALF_UP)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "") + "\u00a0%"
    return format_percent(rounded, pattern, locale=_SWEDISH)


def join(parts: Sequence[str]) -> str:
    """A list in a sentence: "a", "a och b", "a, b och c"."""
    if len(parts) < 2:
        return "".join(parts)
    return _("{most} och {last}").format(most=", ".join(parts[:-1]), last=parts[-1])


# In ASCII the three signs after z are { | }, which is where Sweden's 7-bit code (SIS 63 61 27) kept its letters.
_AFTER_Z = str.maketrans(
    {"å": "{", "ä": "|", "æ": "|", "ö": "}", "ø": "}", "ü": "y", "đ": "d", "ð": "d", "ł": "l"}
)


def sort_key(text: str) -> str:
    """A key that puts names in Swedish order (å, ä, ö after z; é as e, ü as y) when compared byte by byte.

    Capitals do not matter. In PostgreSQL keep it in a column with COLLATE "C".
    """
    placed = unicodedata.normalize("NFC", text.casefold()).translate(_AFTER_Z)
    return "".join(sign for sign in unicodedata.normalize("NFKD", placed) if not unicodedata.combining(sign))
