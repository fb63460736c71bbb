"""The months that a page of figures asks for."""

from datetime import date

from backend.core import clock
from backend.core.errors import Fault, InvalidError
from backend.core.text import gettext as _
from backend.statistics import months

USUAL = 12
LONGEST = 24


def usual_period() -> tuple[date, date]:
    """The last twelve months, the present one included."""
    last = months.month_of(clock.today())
    return months.later(last, 1 - USUAL), last


def period(first: str, last: str) -> tuple[date, date]:
    """The months typed, each as 2023-01; an empty field is that of the usual period.

    Raises InvalidError where a month cannot be read, or they are the wrong way round or too many to draw.
    """
    usual = usual_period()
    faults = []
    read: list[date] = []
    for field, typed, otherwise in (("from", first, usual[0]), ("to", last, usual[1])):
        try:
            read.append(months.parse(typed.strip()) if typed.strip() else otherwise)
        except ValueError:
            faults.append(Fault(field, _("Skriv månaden som 2026-11.")))
    if faults:
        raise InvalidError(*faults)
    start, end = read
    # Only the first month given: a year from it, rather than everything since.
    if first.strip() and not last.strip():
        end = min(end, months.later(start, USUAL - 1))
    if end < start:
        raise InvalidError(Fault("to", _("Sista månaden ligger före den första. Byt plats på dem.")))
    if len(months.between(start, end)) > LONGEST:
        raise InvalidError(Fault("to", _("Välj högst {n} månader.").format(n=LONGEST)))
    return start, end
