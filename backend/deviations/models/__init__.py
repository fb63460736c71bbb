"""The tables of a deviation: the case and its route, what was answered, the turns it took, and each side's own."""

from backend.deviations.models.answer import (
    Answer,
    AnswerAction,
    CauseArea,
    Event,
    EventActor,
    Outcome,
    VerdictKind,
)
from backend.deviations.models.calendar import CalendarFeed
from backend.deviations.models.case import Deviation, EndedHow, EventKind, Handover, Reason, State
from backend.deviations.models.finding import Batch, CaseWord, SavedView, Search
from backend.deviations.models.team import AnswerDraft, CoInvestigator, Draft, Note, RiskFlag, Side
from backend.deviations.models.turns import (
    Link,
    Mask,
    MaskedOriginal,
    Pause,
    Proposal,
    Question,
    SealedCopy,
)

__all__ = [
    "Answer",
    "AnswerAction",
    "AnswerDraft",
    "Batch",
    "CalendarFeed",
    "CaseWord",
    "CauseArea",
    "CoInvestigator",
    "Deviation",
    "Draft",
    "EndedHow",
    "Event",
    "EventActor",
    "EventKind",
    "Handover",
    "Link",
    "Mask",
    "MaskedOriginal",
    "Note",
    "Outcome",
    "Pause",
    "Proposal",
    "Question",
    "Reason",
    "RiskFlag",
    "SavedView",
    "SealedCopy",
    "Search",
    "Side",
    "State",
    "VerdictKind",
]
