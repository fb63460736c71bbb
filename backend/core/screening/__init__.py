"""Finds what points out a person in free text: what is refused, and what is warned for.

`certain` numbers are refused before anything is stored. What is `probable` (numbers spelled wrong, birth dates,
names, telephone numbers, e-mail and street addresses) is shown to the writer, who may take it out or let it stand.
Nothing here keeps or returns what was found, only where it stands.
"""

from backend.core.screening.hits import MASK, Hit, Kind, mask_out
from backend.core.screening.numbers import certain
from backend.core.screening.traces import probable

__all__ = ["MASK", "Hit", "Kind", "certain", "mask_out", "probable"]
