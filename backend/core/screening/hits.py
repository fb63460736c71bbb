"""Where in a text something stands that should not, and how it is taken away."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "personnummer",
    "samordningsnummer",
    "reserve_number",
    "birth_date",
    "name",
    "phone",
    "email",
    "address",
]
MASK = "[maskat]"


@dataclass(frozen=True, slots=True)
class Hit:
    """Where in the text it stands, from `start` up to `end`, and what it is; never the words or the number."""

    start: int
    end: int
    kind: Kind


def joined(hits: Iterable[Hit]) -> list[Hit]:
    """In order, with those that overlap made one, called what the first and longest of them is called."""
    apart: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if apart and hit.start < apart[-1].end:
            last = apart.pop()
            hit = Hit(last.start, max(last.end, hit.end), last.kind)  # noqa: PLW2901
        apart.append(hit)
    return apart


def mask_out(text: str, hits: Iterable[Hit]) -> str:
    """The text with `[maskat]` in the place of every hit. What is masked is no hit, so once is as good as twice."""
    parts, at = [], 0
    for hit in joined(hits):
        parts += [text[at : hit.start], MASK]
        at = hit.end
    return "".join([*parts, text[at:]])
