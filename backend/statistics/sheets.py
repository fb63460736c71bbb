"""A branch's figures as a file that a Swedish Excel opens as it is."""

import csv
import io
from dataclasses import fields

from backend.core.text import gettext as _
from backend.statistics.definitions import Counts
from backend.statistics.queries import Line, Overview

# A spreadsheet takes a cell that begins so for a formula, and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

# A branch does not see what it has declined, or what was taken back from it: an empty cell, rather than a 0.
_LEFT_US = frozenset({"withdrawn", "declined"})

COLUMNS = {
    "sent": lambda: _("skickade"),
    "imported": lambda: _("varav importerade"),
    "good_examples": lambda: _("goda exempel"),
    "external": lambda: _("med part utan inloggning"),
    "withdrawn": lambda: _("återtagna"),
    "disagreed": lambda: _("avslutade som oenighet"),
    "declined": lambda: _("avböjda"),
    "ongoing": lambda: _("pågår"),
    "matured": lambda: _("med utgången svarsfrist"),
    "acknowledged": lambda: _("kvitterade"),
    "answered": lambda: _("besvarade"),
    "on_time": lambda: _("i tid"),
    "accepted": lambda: _("godtagna"),
    "accepted_by_silence": lambda: _("godtagna genom tystnad"),
}


def harmless(cell: str) -> str:
    """The text so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def as_csv(overview: Overview) -> str:
    """Every table in one: semicolons and decimal commas, shares as fractions with four decimals."""
    out = io.StringIO()
    sheet = csv.writer(out, delimiter=";", lineterminator="\r\n")
    sheet.writerow(
        [
            *(_("indelning"), _("namn"), _("riktning")),
            *(COLUMNS[f.name]() for f in fields(Counts)),
            *(_("andel besvarade"), _("osäkerhet från"), _("osäkerhet till")),
        ]
    )
    cuts: list[tuple[str, list[Line]]] = [
        (_("månad"), overview.by_month),
        (_("motpart"), overview.by_counterpart),
        (_("enhet"), overview.by_unit),
        (_("kategori"), overview.by_category),
        (_("alla"), [overview.whole]),
    ]
    for cut, lines in cuts:
        for line in lines:
            for way, n, out_of_sight in (
                (_("till oss"), line.incoming, _LEFT_US),
                (_("från oss"), line.outgoing, frozenset[str]()),
            ):
                sheet.writerow([cut, harmless(line.name), way, *_numbers(n, out_of_sight)])
    # The byte order mark tells Excel that it is UTF-8.
    return "\ufeff" + out.getvalue()


def _numbers(n: Counts, out_of_sight: frozenset[str]) -> list[str]:
    rate = n.answer_rate
    low, high = rate.interval
    shares = (rate.value, low, high) if rate.whole else (None, None, None)
    return [
        *("" if f.name in out_of_sight else str(getattr(n, f.name)) for f in fields(Counts)),
        *("" if share is None else f"{share:.4f}".replace(".", ",") for share in shares),
    ]
