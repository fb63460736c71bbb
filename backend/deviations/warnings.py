"""What a writer is shown before a text crosses to the other party: what in it probably points out a person.

A warning stops nothing. The writer sees the words where they stand, and masks them with one press or lets them be.

A page with a form of its own does it so: the form holds a hidden `look_first`, and where `passages(typed, labels)` is
not empty the first press shows them (`ui.passages`) beside the typed values as hidden fields, without `look_first`.
A press on "Maska" sends `mask`, which `masked(typed, labels)` carries out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel

from backend.core import screening
from backend.core.screening import Hit, Kind
from backend.core.text import gettext as _
from backend.core.web import Typed

Labels = Mapping[str, Callable[[], str]]
"""The text fields of a page by name, in its order, each with what the page calls it."""

ALL = "all"
AROUND = 45

KINDS: dict[Kind, Callable[[], str]] = {
    "personnummer": lambda: _("Liknar ett personnummer"),
    "samordningsnummer": lambda: _("Liknar ett samordningsnummer"),
    "reserve_number": lambda: _("Liknar ett reservnummer"),
    "birth_date": lambda: _("Liknar ett födelsedatum"),
    "name": lambda: _("Liknar ett namn"),
    "phone": lambda: _("Liknar ett telefonnummer"),
    "email": lambda: _("Liknar en e-postadress"),
    "address": lambda: _("Liknar en adress"),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """One place to look at, with the words around it. `key` says which, when it is to be masked."""

    key: str
    field: str
    label: str
    kind: str
    before: str
    found: str
    after: str


def warnings_of(form: BaseModel) -> list[tuple[str, Hit]]:
    """Every probable hit in the texts of a form that is read, by the path of its field (`actions.0.text`)."""
    return [(field, hit) for field, text in _texts(form) for hit in screening.probable(text)]


def passages(typed: Typed, labels: Labels) -> list[Passage]:
    """Every probable hit in what was typed, in the order of the page."""
    return [
        Passage(_key(field, at, hit), field, labels[field](), KINDS[hit.kind](), *_context(text, hit))
        for field, at, text in _typed_texts(typed, labels)
        for hit in screening.probable(text)
    ]


def masked(typed: Typed, labels: Labels) -> Typed:
    """What was typed, with the passage that `mask` names (or `all` of them) masked where it stood.

    A passage that is no longer there, or never was, changes nothing.
    """
    wanted = set(typed.get("mask", []))
    after = {name: list(values) for name, values in typed.items() if name != "mask"}
    for field, at, text in _typed_texts(typed, labels):
        if ALL in wanted:
            after[field][at] = _all_masked(text)
        else:
            hits = [hit for hit in screening.probable(text) if _key(field, at, hit) in wanted]
            after[field][at] = screening.mask_out(text, hits)
    return after


def _all_masked(text: str) -> str:
    """Masked until nothing is left: without a name beside it, a word may turn out to have been one too."""
    while hits := screening.probable(text):
        text = screening.mask_out(text, hits)
    return text


def _texts(form: BaseModel, path: str = "") -> Iterator[tuple[str, str]]:
    for name in type(form).model_fields:
        value = getattr(form, name)
        if isinstance(value, str) and not isinstance(value, Enum):
            yield path + name, value
        for at, one in enumerate(value if isinstance(value, list) else []):
            if isinstance(one, BaseModel):
                yield from _texts(one, f"{path}{name}.{at}.")


def _typed_texts(typed: Typed, labels: Labels) -> Iterator[tuple[str, int, str]]:
    for field in labels:
        for at, text in enumerate(typed.get(field, [])):
            # Browsers send a line break as two signs; the form that is read, and the place of a hit, count one.
            yield field, at, text.replace("\r\n", "\n")


def _key(field: str, at: int, hit: Hit) -> str:
    return f"{field}.{at}:{hit.start}-{hit.end}"


def _context(text: str, hit: Hit) -> tuple[str, str, str]:
    """The words before, the passage and the words after, cut between words."""
    before, after = text[: hit.start], text[hit.end :]
    if len(before) > AROUND:
        before = "… " + before[-AROUND:].partition(" ")[2]
    if len(after) > AROUND:
        after = after[:AROUND].rpartition(" ")[0] + " …"
    return before, text[hit.start : hit.end], after
