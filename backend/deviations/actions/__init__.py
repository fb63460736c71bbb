"""What can be done to a deviation: one function per verb of the trade, `(db, me, deviation, form)`."""

from backend.deviations.actions.bulk import bulk, unacknowledge, undo
from backend.deviations.actions.drafts import discard_draft, save_draft
from backend.deviations.actions.judge import judge, withdraw
from backend.deviations.actions.report import report
from backend.deviations.actions.respond import acknowledge, answer
from backend.deviations.actions.views import remove_view, rename_view, restore_view, save_view, search

__all__ = [
    "acknowledge",
    "answer",
    "bulk",
    "discard_draft",
    "judge",
    "remove_view",
    "rename_view",
    "report",
    "restore_view",
    "save_draft",
    "save_view",
    "search",
    "unacknowledge",
    "undo",
    "withdraw",
]
