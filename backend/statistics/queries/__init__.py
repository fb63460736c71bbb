"""Reads: the figures of any cases by their codes, and a branch's own."""

from backend.statistics.queries.answers import (
    Figures,
    Question,
    answer_figures,
    answer_rate,
    categories_of,
    cut_off,
    sent_in,
    units_of,
)
from backend.statistics.queries.branch import Left, Line, Overview, last_month, left, overview
from backend.statistics.queries.days import Held, held

__all__ = [
    "Figures",
    "Held",
    "Left",
    "Line",
    "Overview",
    "Question",
    "answer_figures",
    "answer_rate",
    "categories_of",
    "cut_off",
    "held",
    "last_month",
    "left",
    "overview",
    "sent_in",
    "units_of",
]
