"""A case on paper, for the diary: one PDF that is both archive format (PDF/A-2a) and accessible (PDF/UA-1).

What people wrote goes in as data and is never read as markup. All dates in the file are the moment given, so that
the same paper is the same bytes.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from backend.core import papers, text
from backend.core.text import gettext as _
from backend.settings import ROOT

TEMPLATE = ROOT / "frontend" / "templates" / "diary" / "case.typ"


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
    return papers.made(TEMPLATE, payload(of), of.as_of)


def payload(of: CasePaper) -> str:
    """The paper as the template reads it: JSON of words only, every sign one that can be drawn."""
    said = {
        **asdict(of),
        "as_of": _("Utskrivet {when}").format(when=text.moment(of.as_of)),
        "registry_number": of.registry_number and _("Diarienummer {n}").format(n=of.registry_number),
        "page": _("Sida"),
        "of_pages": _("av"),
    }
    return papers.payload(said)
