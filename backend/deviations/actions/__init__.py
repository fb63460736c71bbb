"""What can be done to a deviation: one function per verb of the trade, `(db, me, deviation, form)`."""

from backend.deviations.actions.drafts import discard_draft, save_draft
from backend.deviations.actions.judge import judge, withdraw
from backend.deviations.actions.report import report
from backend.deviations.actions.respond import acknowledge, answer

__all__ = ["acknowledge", "answer", "discard_draft", "judge", "report", "save_draft", "withdraw"]
