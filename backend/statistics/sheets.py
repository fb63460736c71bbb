"""A branch's figures as a file that a Swedish Excel opens as it is."""

import csv
import io
from dataclasses import fields

from backend.core.text import gettext as _
from backend.core.text import sort_key
from backend.statistics.definitions import Counts
from backend.statistics.queries import Held, Line, Overview

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


def as_csv(overview: Overview, held: Held, by_party: list[Held]) -> str:
    """Every table in one: semicolons and decimal commas, shares as fractions with four decimals. What was sent on and
    the days are told by party and of all; elsewhere they are empty cells, not 0.
    """
    out = io.StringIO()
    sheet = csv.writer(out, delimiter=";", lineterminator="\r\n")
    sheet.writerow(
        [
            *(_("indelning"), _("namn"), _("riktning")),
            *(COLUMNS[f.name]() for f in fields(Counts)),
            *(_("andel besvarade"), _("osäkerhet från"), _("osäkerhet till")),
            *(_("skickade vidare"), _("dagar hos oss"), _("dagar hos motparten")),
        ]
    )
    cuts: list[tuple[str, list[Line]]] = [
        (_("månad"), overview.by_month),
        (_("motpart"), _with_all(overview.by_counterpart, by_party)),
        (_("enhet"), overview.by_unit),
        (_("kategori"), overview.by_category),
        (_("alla"), [overview.whole]),
    ]
    days = {(_("motpart"), one.name): one for one in by_party} | {(_("alla"), ""): held}
    for cut, lines in cuts:
        for line in lines:
            lay = days.get((cut, line.name))
            incoming = (_("till oss"), *_numbers(line.incoming, _LEFT_US), *_days_in(lay))
            outgoing = (_("från oss"), *_numbers(line.outgoing, frozenset()), *_days_out(lay))
            for row in (incoming, outgoing):
                sheet.writerow([cut, harmless(line.name), *row])
    # The byte order mark tells Excel that it is UTF-8.
    return "\ufeff" + out.getvalue()


def _with_all(lines: list[Line], by_party: list[Held]) -> list[Line]:
    """With the parties of whom all cases have left the branch: there are days, and nothing else to be seen."""
    gone = {one.name for one in by_party} - {line.name for line in lines}
    return sorted(
        [*lines, *(Line(name, Counts(), Counts()) for name in gone)], key=lambda line: sort_key(line.name)
    )


def _days_in(held: Held | None) -> list[str]:
    # How long the sender had it meanwhile is not ours to know.
    return [str(held.sent_on_by_us), str(held.with_us), ""] if held else ["", "", ""]


def _days_out(held: Held | None) -> list[str]:
    return [str(held.sent_on_by_them), str(held.back_with_us), str(held.with_them)] if held else ["", "", ""]


def _numbers(n: Counts, out_of_sight: frozenset[str]) -> list[str]:
    rate = n.answer_rate
    low, high = rate.interval
    shares = (rate.value, low, high) if rate.whole else (None, None, None)
    return [
        *("" if f.name in out_of_sight else str(getattr(n, f.name)) for f in fields(Counts)),
        *("" if share is None else f"{share:.4f}".replace(".", ",") for share in shares),
    ]
