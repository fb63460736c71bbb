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

__all__ = [
    "Figures",
    "Left",
    "Line",
    "Overview",
    "Question",
    "answer_figures",
    "answer_rate",
    "categories_of",
    "cut_off",
    "last_month",
    "left",
    "overview",
    "sent_in",
    "units_of",
]
