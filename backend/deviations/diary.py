"""A case on paper, for the diary: one PDF that is both archive format (PDF/A-2a) and accessible (PDF/UA-1).

What people wrote goes in as data and is never read as markup. All dates in the file are the moment given, so that
the same paper is the same bytes.
"""

import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime

from backend.core import text
from backend.core.text import gettext as _
from backend.settings import ROOT

TEMPLATE = ROOT / "frontend" / "templates" / "diary" / "case.typ"

# PDF/A refuses a file with a sign that its font cannot draw, and a nurse's smiley must not stop the archive.
# Latin, Greek and Cyrillic letters with the marks of ordinary text are kept; of the rest the number is written out.
_UNDRAWN = re.compile(r"[^\n\x20-\x7e\xa0-\xac\xae-\u024f\u0384-\u03ce\u0400-\u045f–—‘’‚“”„†•…‹›€]")


@dataclass(frozen=True)
class Section:
    """A heading with its rows: (label, what stands there). Line breaks are kept."""

    heading: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CasePaper:
    """What a branch's paper of a case says. Whoever fills it in has already left out what that branch may not see.

    `branch` is whose paper it is; `as_of` the moment that it shows, aware.
    """

    case_number: str
    registry_number: str | None
    title: str
    branch: str
    as_of: datetime
    sections: tuple[Section, ...]


def paper(of: CasePaper) -> bytes:
    """The PDF. Raises ValueError for a naive moment."""
    import typst  # noqa: PLC0415  memory that only the registrar needs

    made: bytes = typst.compile(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        ignore_system_fonts=True,
        sys_inputs={"paper": payload(of)},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=of.as_of.replace(microsecond=0),  # a PDF tells no finer time
    )
    return made


def payload(of: CasePaper) -> str:
    """The paper as the template reads it: JSON of words only, every sign one that can be drawn."""
    said = {
        **asdict(of),
        "as_of": _("Utskrivet {when}").format(when=text.moment(of.as_of)),
        "registry_number": of.registry_number and _("Diarienummer {n}").format(n=of.registry_number),
        "page": _("Sida"),
        "of_pages": _("av"),
    }
    return json.dumps(_drawn(said), ensure_ascii=False)


def _drawn(thing: object) -> object:
    if isinstance(thing, str):
        composed = unicodedata.normalize("NFC", thing).replace("\r\n", "\n").replace("\t", " ")
        return _UNDRAWN.sub(lambda sign: f"[U+{ord(sign.group()):04X}]", composed)
    if isinstance(thing, dict):
        return {key: _drawn(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_drawn(value) for value in thing]
    return thing
