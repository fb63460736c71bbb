"""Which clock runs on a case as it stands, and the sentence that explains its date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.core.calendar import local_date
from backend.deviations import clocks
from backend.deviations.models import Deviation, Draft, Handover, Pause, State
from backend.deviations.rules import WAITS_FOR, Turn, needs_answer


@dataclass(frozen=True)
class Deadline:
    kind: clocks.Kind
    party: Turn
    due_on: date
    explanation: str
    late: bool
    words: str


# The clock of each state in which the sender, or both, are waited for.
WAITING_CLOCKS: dict[State, clocks.Kind] = {
    State.QUESTION: "reply",
    State.REDIRECT_PROPOSED: "confirm_redirect",
    State.DECLINED: "declined",
    State.ANSWERED: "verdict",
    State.DISPUTED: "settle",
}


def answer_due(
    deviation: Deviation,
    pauses: Sequence[Pause],
    *,
    as_of: datetime,
    reader: clocks.Reader = "receiver",
) -> clocks.Due:
    """When the answer now waited for is due: the first one, a returned one, or one after a reopening.

    A pause that is still open counts up to `as_of`; a pause of an earlier clock does not count for a later one.
    """
    terms, calendar = clocks.terms_from(deviation.agreement.terms)
    kind: clocks.Kind = "returned_answer" if deviation.clock_kind == "returned_answer" else "answer"
    own = [pause for pause in pauses if pause.started_at >= deviation.clock_started_at]
    return clocks.due(
        kind,
        deviation.clock_started_at,
        terms.span(kind, deviation.severity),
        calendar,
        [clocks.Pause(pause.started_at, pause.ended_at) for pause in own],
        as_of=as_of,
        reader=reader,
    )


def last_day(deviation: Deviation, pauses: Sequence[Pause], now: datetime) -> date | None:
    """The last day for the answer that is or was waited for latest: of a case that was returned or opened again not that
    of its first answer, by which the figures go.
    """
    anew = deviation.clock_kind == "returned_answer" or deviation.reopened_at is not None
    if anew and needs_answer(deviation.event_kind):
        return answer_due(deviation, pauses, as_of=now).due_on
    return deviation.due_on


def from_now(deviation: Deviation, kind: clocks.Kind, now: datetime) -> date:
    """The day by which the one who is waited for should act, when the waiting begins now."""
    terms, calendar = clocks.terms_from(deviation.agreement.terms)
    return clocks.due(kind, now, terms.span(kind, deviation.severity), calendar).due_on


def held_since(deviation: Deviation, leg: Handover) -> datetime:
    """Since when whoever holds the case is waited for: as it came to them; imported history, as it was taken up."""
    return max(leg.sent_at, deviation.clock_started_at)


def acknowledge_due(deviation: Deviation, leg: Handover) -> clocks.Due:
    """When whoever holds the case should have said that it has come."""
    terms, calendar = clocks.terms_from(deviation.agreement.terms)
    span = terms.span("acknowledge", deviation.severity)
    return clocks.due("acknowledge", held_since(deviation, leg), span, calendar)


def running(
    deviation: Deviation,
    leg: Handover,
    pauses: Sequence[Pause],
    waiting_since: datetime,
    now: datetime,
    reader: clocks.Reader = "receiver",
) -> list[Deadline]:
    """The clocks that run now, the nearest first; none on resting history, or where nobody is waited for.

    `waiting_since` is when the case came into its present state.
    """
    state = State(deviation.state)
    if deviation.resting or state not in WAITS_FOR:
        return []
    terms, calendar = clocks.terms_from(deviation.agreement.terms)
    found: list[tuple[clocks.Kind, clocks.Due]] = []
    if state is State.SENT:
        found.append(("acknowledge", acknowledge_due(deviation, leg)))
    if waiting := WAITING_CLOCKS.get(state):
        found.append(
            (waiting, clocks.due(waiting, waiting_since, terms.span(waiting, deviation.severity), calendar))
        )
    elif needs_answer(deviation.event_kind):
        kind: clocks.Kind = "returned_answer" if deviation.clock_kind == "returned_answer" else "answer"
        found.append((kind, answer_due(deviation, pauses, as_of=now, reader=reader)))
    return [
        Deadline(
            kind,
            WAITS_FOR[state],
            due.due_on,
            due.explanation,
            clocks.is_late(due.due_on, now),
            clocks.due_words(due.due_on, now, kind),
        )
        for kind, due in found
    ]


DRAFT_KEPT, DRAFT_WARNED = timedelta(days=30), timedelta(days=7)


def draft_ends_on(draft: Draft) -> date:
    """The day on which a draft that nobody writes on is gone: thirty days after it was last saved or handed over."""
    return local_date(max(draft.saved_at, draft.for_review_at or draft.saved_at)) + DRAFT_KEPT


def is_dying(draft: Draft, today: date) -> bool:
    """Whether its writer is to be warned: the last seven days before that."""
    return today >= draft_ends_on(draft) - DRAFT_WARNED
