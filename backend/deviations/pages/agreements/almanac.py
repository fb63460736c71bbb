"""A county's days off as its pages show them: this year's and next year's, by name."""

from typing import Any

from backend.core import calendar, clock, text
from backend.core.calendar import Calendar
from backend.core.text import gettext as _


def years(own: Calendar) -> list[dict[str, Any]]:
    """This year and next: the days off of the whole country by name, and the county's own."""
    year = clock.today().year
    shown = []
    for one in (year, year + 1):
        national = calendar.national_days_off(one)
        shown.append(
            {
                "year": one,
                "days": [
                    {
                        "iso": f"{day}",
                        "day": text.long_date(day).rsplit(" ", 1)[0],
                        "name": national.get(day, _("Stängt i länet")),
                        "own": day in own.added,
                        "open": day in own.removed,
                        "past": day < clock.today(),
                    }
                    for day in sorted(
                        {*national, *(day for day in own.added | own.removed if day.year == one)}
                    )
                ],
            }
        )
    return shown
