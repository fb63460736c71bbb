"""What is drawn on paper: one PDF that is both archive format (PDF/A-2a) and accessible (PDF/UA-1).

Words go in as data and are never read as markup. All dates in the file are the moment given, so that the same paper
is the same bytes.
"""

import json
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

# PDF/A refuses a file with a sign that its font cannot draw, and a nurse's smiley must not stop the archive.
# Latin, Greek and Cyrillic letters with the marks of ordinary text are kept; of the rest the number is written out.
_UNDRAWN = re.compile(r"[^\n\x20-\x7e\xa0-\xac\xae-\u024f\u0384-\u03ce\u0400-\u045f–—‘’‚“”„†•…‹›€]")


def made(template: Path, payload: str, as_of: datetime) -> bytes:
    """The PDF of a template that reads `paper` from its inputs. Raises ValueError for a naive moment."""
    if as_of.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    import typst  # noqa: PLC0415  memory that only a few pages need

    drawn: bytes = typst.compile(
        str(template),
        root=str(template.parent),
        ignore_system_fonts=True,
        sys_inputs={"paper": payload},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=as_of.astimezone(UTC).replace(microsecond=0),  # a PDF tells no finer time
    )
    return drawn


def payload(said: object) -> str:
    """What the paper says as the template reads it: JSON of words only, every sign one that can be drawn."""
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
