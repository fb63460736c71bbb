"""Which clock runs on a case as it stands, and the sentence that explains its date."""

from dataclasses import dataclass
from datetime import date, datetime

from backend.deviations import clocks
from backend.deviations.models import Answer, Deviation, Handover, State
from backend.deviations.rules import WAITS_FOR, Party, needs_answer


@dataclass(frozen=True)
class Deadline:
    kind: clocks.Kind
    party: Party
    due_on: date
    explanation: str
    late: bool
    words: str


def running(deviation: Deviation, leg: Handover, latest: Answer | None, now: datetime) -> list[Deadline]:
    """The clocks that run now, the nearest first; none on imported history, or where nobody is waited for."""
    state = State(deviation.state)
    if deviation.imported or state not in WAITS_FOR:
        return []
    starts: list[tuple[clocks.Kind, datetime]] = []
    if state is State.SENT:
        starts.append(("acknowledge", leg.sent_at))
    if state in (State.SENT, State.ACKNOWLEDGED) and needs_answer(deviation.event_kind):
        starts.append(("answer", deviation.sent_at))
    if state is State.RETURNED and latest is not None and latest.verdict_at is not None:
        starts.append(("returned_answer", latest.verdict_at))
    if state is State.ANSWERED and latest is not None:
        starts.append(("verdict", latest.answered_at))
    terms, calendar = clocks.terms_from(deviation.agreement.terms)
    found = []
    for kind, started in starts:
        due = clocks.due(kind, started, terms.span(kind, deviation.severity), calendar)
        found.append(
            Deadline(
                kind,
                WAITS_FOR[state],
                due.due_on,
                due.explanation,
                clocks.is_late(due.due_on, now),
                clocks.due_words(due.due_on, now, kind),
            )
        )
    return found
