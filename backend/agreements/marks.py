"""Reminders as a coordinator writes them: "dag 3, 50 %, 5 dagar efter". Pure calculation, both ways."""

import re
from collections.abc import Iterable

from backend.core.text import gettext as _

Mark = tuple[str, int]

# What each kind of mark can be, least and most; `deviations.clocks.Mark` holds the same.
LIMITS = {"day": (1, 250), "percent": (1, 100), "after": (1, 250)}
_ORDER = tuple(LIMITS)
_WRITTEN = (
    ("day", re.compile(r"(?:arbets)?dag (\d{1,3})")),
    ("percent", re.compile(r"(\d{1,3}) ?(?:%|procent)")),
    ("after", re.compile(r"(?:\+ ?)?(\d{1,3})(?: ?(?:arbets)?dag(?:ar)?)? efter|\+ ?(\d{1,3})")),
)


def read(text: str) -> tuple[list[Mark], list[str]]:
    """The marks in the order they come on a clock, each once; and the pieces that say nothing known."""
    pieces = [" ".join(piece.lower().split()) for piece in re.split(r"[,;\n]|\boch\b", text)]
    found: set[Mark] = set()
    unread = []
    for piece in filter(None, pieces):
        mark = _mark(piece)
        if mark is None:
            unread.append(piece)
        else:
            found.add(mark)
    return sorted(found, key=lambda mark: (_ORDER.index(mark[0]), mark[1])), unread


def _mark(piece: str) -> Mark | None:
    for when, pattern in _WRITTEN:
        if match := pattern.fullmatch(piece):
            n = int(next(filter(None, match.groups())))
            least, most = LIMITS[when]
            return (when, n) if least <= n <= most else None
    return None


def written(marks: Iterable[Mark]) -> str:
    """As `read` reads it."""
    words = {
        "day": lambda n: _("dag {n}").format(n=n),
        "percent": lambda n: _("{n} %").format(n=n),
        "after": lambda n: (_("1 dag efter") if n == 1 else _("{n} dagar efter")).format(n=n),
    }
    return ", ".join(words[when](n) for when, n in marks)
