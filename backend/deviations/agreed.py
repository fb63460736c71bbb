"""An agreement in plain Swedish: what each of its terms means, and what one version changes from another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from backend.agreements import marks
from backend.core import clock, text
from backend.core.calendar import Calendar
from backend.core.text import gettext as _
from backend.deviations import clocks, risk
from backend.deviations.clocks import Kind, Mark, Span, Terms, days_in_words

# Asked for when needed: a text looked up while the module loads would keep the language of that moment.
LABELS: dict[Kind, Callable[[], str]] = {
    "acknowledge": lambda: _("Kvittera"),
    "answer": lambda: _("Besvara"),
    "returned_answer": lambda: _("Besvara på nytt"),
    "verdict": lambda: _("Bedöma svaret"),
    "reply": lambda: _("Svara på en fråga"),
    "confirm_redirect": lambda: _("Säga ja eller nej till ny mottagare"),
    "declined": lambda: _("Skicka vidare ett avböjt ärende"),
    "settle": lambda: _("Komma överens"),
}
_RULES: dict[Kind, Callable[[], str]] = {
    "acknowledge": lambda: _("Mottagaren kvitterar inom {days}."),
    "answer": lambda: _("Mottagaren svarar inom {days}."),
    "returned_answer": lambda: _("När svaret inte räckte svarar mottagaren på nytt inom {days}."),
    "verdict": lambda: _("Avsändaren säger inom {days} om svaret räcker. Annars räknas det som godtaget."),
    "reply": lambda: _("Avsändaren svarar inom {days}. Annars går ärendet tillbaka till mottagaren."),
    "confirm_redirect": lambda: _("Avsändaren svarar inom {days}. Annars blir ärendet kvar där det är."),
    "declined": lambda: _("Avsändaren skickar vidare eller återtar inom {days}. Annars återtas det."),
    "settle": lambda: _(
        "Efter två avböjanden har parterna {days} på sig. Annars avslutas ärendet som oenighet."
    ),
}
RAISED_TO: dict[str, Callable[[], str]] = {
    "manager": lambda: _("chefen"),
    "safety": lambda: _("kvalitet och patientsäkerhet"),
    "head": lambda: _("organisationens ledning"),
}


@dataclass(frozen=True)
class Line:
    label: str
    text: str


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


def lines(agreed: Mapping[str, object]) -> list[Line]:
    """What a stored agreement says, one line for each thing that can be agreed on."""
    terms, calendar = clocks.terms_from(agreed)
    this_year = clock.today().year
    return [
        *(Line(LABELS[kind](), _rule(terms, kind)) for kind in clocks.SPANS),
        Line(_("Försenade ärenden"), _raised(terms)),
        Line(
            _("Orörda ärenden"),
            _(
                "Har ingen öppnat ärendet inom {days} får verksamhetens kvalitet och patientsäkerhet veta det."
            ).format(days=days_in_words(terms.untouched, "working")),
        ),
        Line(
            _("Hög risk"),
            _("Från {n} poäng av {most} (allvarlighet gånger sannolikhet).").format(
                n=risk.threshold(agreed), most=risk.HIGHEST
            ),
        ),
        Line(_("Stängda dagar"), _listed(calendar.added, this_year)),
        Line(_("Helgdagar då vi arbetar"), _listed(calendar.removed, this_year)),
    ]


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[Change]:
    """The lines that say something else after than before; none where both agreements mean the same."""
    return [
        Change(old.label, old.text, new.text)
        for old, new in zip(lines(before), lines(after), strict=True)
        if old != new
    ]


def own_days(calendar: Calendar, year: int) -> list[date]:
    """What the county has closed in a year."""
    return sorted(day for day in calendar.added if day.year == year)


def _rule(terms: Terms, kind: Kind) -> str:
    said = [_RULES[kind]().format(days=_span(terms.span(kind)))]
    by_span = groupby(sorted(terms.by_severity.get(kind, {}).items()), key=lambda item: item[1])
    said += [
        _("Vid allvarlighet {severities} inom {days}.").format(
            severities=text.join([str(severity) for severity, _span_ in group]), days=_span(span)
        )
        for span, group in by_span
    ]
    return " ".join([*said, _reminded(terms.reminders.get(kind, ()))])


def _span(span: Span) -> str:
    return days_in_words(span.n, span.unit)


def _reminded(given: Sequence[Mark]) -> str:
    if not given:
        return _("Ingen påminnelse.")
    of = {when: [mark.n for mark in given if mark.when == when] for when in marks.LIMITS}
    words = {
        "day": lambda: _("på arbetsdag {n}"),
        "percent": lambda: _("när {n} av tiden har gått"),
        "after": lambda: _("{n} arbetsdagar efter"),
    }
    parts = [
        words[when]().format(
            n=text.join([text.percent(n / 100) if when == "percent" else str(n) for n in numbers])
        )
        for when, numbers in of.items()
        if numbers
    ]
    return _("Påminnelse {times}.").format(times=", ".join(parts))


def _raised(terms: Terms) -> str:
    if not terms.escalation:
        return _("Det som inte kvitteras eller besvaras i tid lyfts inte.")
    steps = [
        _("till {role} efter {days}").format(
            role=RAISED_TO[step.role](), days=days_in_words(step.after, "working")
        )
        for step in terms.escalation
    ]
    return _("Det som inte kvitteras eller besvaras i tid lyfts {steps}.").format(steps=text.join(steps))


def _listed(days: frozenset[date], since: int) -> str:
    kept = sorted(day for day in days if day.year >= since)
    return "; ".join(
        _("{year}: {days}").format(year=year, days=text.days_of_months(group))
        for year, group in groupby(kept, key=lambda day: day.year)
    ) or _("Inga.")
