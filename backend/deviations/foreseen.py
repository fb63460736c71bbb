"""What would become of a case sent on a day, under terms that are perhaps only being thought of. Pure calculation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from backend.core import text
from backend.core.calendar import at_hour
from backend.core.text import gettext as _
from backend.deviations import agreed as words
from backend.deviations import clocks, steps
from backend.deviations.clocks import Due, Kind
from backend.deviations.steps import Step

NOON = time(12)
SHOWN: tuple[Kind, ...] = ("acknowledge", "answer")


@dataclass(frozen=True)
class Foreseen:
    """In one sentence, by clock with its reason, and each day on which somebody is told, if nobody acts."""

    sentence: str
    due: Mapping[Kind, Due]
    told: list[tuple[date, str]]


def foresee(agreed: Mapping[str, object], sent_on: date, severity: int | None, today: date) -> Foreseen:
    """What a stored agreement means for a case sent at noon that day, if nobody lifts a finger."""
    terms, calendar = clocks.terms_from(agreed)
    sent_at = at_hour(sent_on, NOON)
    due = {kind: clocks.due(kind, sent_at, terms.span(kind, severity), calendar) for kind in SHOWN}
    coming = [
        (step.on, _told(kind, step))
        for kind in SHOWN
        for step in steps.steps(kind, sent_on, due[kind].due_on, terms, calendar)
    ]
    coming.append(
        (
            steps.untouched(sent_on, terms, calendar).on,
            _("Ingen har öppnat ärendet: kvalitet och patientsäkerhet får veta det"),
        )
    )
    coming += [(due[kind].due_on, _LAST[kind]()) for kind in SHOWN]
    when = _("i dag") if sent_on == today else text.short_date(sent_on)
    which = _("med allvarlighet {n}").format(n=severity) if severity else _("utan känd allvarlighet")
    sentence = _(
        "Ett ärende som skickas {when} {which} ska kvitteras senast {first} och besvaras senast {last}."
    ).format(
        when=when,
        which=which,
        first=text.long_date(due["acknowledge"].due_on),
        last=text.long_date(due["answer"].due_on),
    )
    return Foreseen(sentence, due, sorted(coming, key=lambda one: one[0]))


def _told(kind: Kind, step: Step) -> str:
    if step.name == "raised":
        late = (
            _("Inte kvitterat: lyfts till {role}")
            if kind == "acknowledge"
            else _("Inte besvarat: lyfts till {role}")
        )
        return late.format(role=words.RAISED_TO[step.role]())
    return _("Påminnelse om att kvittera") if kind == "acknowledge" else _("Påminnelse om att svara")


_LAST = {
    "acknowledge": lambda: _("Sista dag att kvittera"),
    "answer": lambda: _("Sista dag att svara"),
}
