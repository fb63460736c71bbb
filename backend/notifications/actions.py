"""Writing to people. A mail holds a number and a link, and nothing else of a case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from backend.core import clock, mail, text
from backend.core.text import gettext as _
from backend.settings import settings


@dataclass(frozen=True)
class Letter:
    subject: str
    body: str


def write(kind: str, case_number: str, unit: str, due_on: date | None) -> Letter:
    """The letter of that kind about a case. `due_on` is the day by which the reader should act."""
    link = f"{settings().base_url}/deviations/{case_number}"
    day = text.long_date(due_on) if due_on else ""
    when = text.relative_day(due_on, clock.today()) if due_on else ""
    letters = {
        "arrival": (
            _("{unit} har fått ett ärende att kvittera"),
            _("Ett ärende har kommit till {unit}.\n\n{number}: kvittera senast {day}."),
        ),
        "returned": (
            _("{unit} har fått tillbaka ett ärende"),
            _("Avsändaren behöver mer i svaret från {unit}.\n\n{number}: svara på nytt senast {day}."),
        ),
        "answered": (
            _("Du har fått svar på ett ärende"),
            _("Mottagaren har svarat. Läs svaret och säg om det räcker.\n\n{number}: helst före {day}."),
        ),
        "question": (
            _("{unit} har fått en fråga om ett ärende"),
            _("Mottagaren behöver veta mer för att kunna svara.\n\n{number}: svara på frågan senast {day}."),
        ),
        "reply": (
            _("Frågan om ett ärende hos {unit} är tillbaka"),
            _("Avsändaren har svarat, eller tiden för svar har gått ut.\n\n{number}: svar senast {day}."),
        ),
        "redirect_proposed": (
            _("Ett ärende från {unit} kan höra till någon annan"),
            _("Mottagaren föreslår en annan enhet. Ni säger ja eller nej.\n\n{number}: senast {day}."),
        ),
        "redirect_refused": (
            _("Ett ärende är kvar hos {unit}"),
            _("Förslaget om en annan mottagare gick inte igenom.\n\n{number}: svar senast {day}."),
        ),
        "declined": (
            _("Ett ärende från {unit} har avböjts"),
            _("Läs varför, och skicka det vidare eller återta det.\n\n{number}: senast {day}."),
        ),
        "disputed": (
            _("Ett ärende vid {unit} behöver en överenskommelse"),
            _(
                "Ärendet är avböjt två gånger. Parterna kommer överens om hur det slutar.\n\n{number}: senast {day}."
            ),
        ),
        "settle_proposed": (
            _("Ett förslag till överenskommelse väntar på {unit}"),
            _("Den andra parten föreslår hur ärendet slutar.\n\n{number}: svara senast {day}."),
        ),
        "delay_notice": (
            _("Svaret på ett ärende från {unit} dröjer"),
            _("Mottagaren har lämnat besked om när svaret kommer.\n\n{number}"),
        ),
        "reopened": (
            _("Ett ärende vid {unit} är öppnat igen"),
            _("Det fanns mer att säga. Läs varför i ärendet.\n\n{number}"),
        ),
        "masked": (
            _("En uppgift har maskerats i ett ärende vid {unit}"),
            _(
                "Ta ställning till om det är en personuppgiftsincident. Underlaget finns i ärendet.\n\n{number}"
            ),
        ),
        "external": (
            _("Ett ärende ska skickas till en part utanför Samsvar"),
            _("Mottagaren har ingen inloggning. Skriv ut ärendet, skicka det och för in svaret.\n\n{number}"),
        ),
        "mention": (
            _("En kollega vid {unit} vill att du läser en anteckning"),
            _("Du är nämnd i en intern anteckning.\n\n{number}"),
        ),
        "assigned": (
            _("Du har fått ett ärende vid {unit}"),
            _("Ärendet är tilldelat dig.\n\n{number}"),
        ),
        "invited": (
            _("Du är inbjuden att medverka i ett ärende vid {unit}"),
            _("Du kan läsa ärendet, anteckna och skriva på svaret.\n\n{number}"),
        ),
        "for_approval": (
            _("Ett svar från {unit} väntar på ditt godkännande"),
            _("Läs utkastet och skicka det, eller skriv vad som behöver ändras.\n\n{number}"),
        ),
        "reminder_before": (
            _("Ett ärende hos {unit} ska snart besvaras"),
            _("Ett ärende hos {unit} väntar på svar.\n\n{number}: svar senast {day}, {when}."),
        ),
        "reminder_after": (
            _("Ett ärende hos {unit} skulle ha besvarats"),
            _(
                "Svaret på ett ärende hos {unit} skulle ha kommit {when}. "
                "Svara nu, så vet avsändaren.\n\n{number}: svar skulle ha kommit senast {day}."
            ),
        ),
    }
    subject, body = letters[kind]
    words = {"unit": unit, "number": case_number, "day": day, "when": when}
    foot = _("Öppna ärendet: {link}\n\nMejlet innehåller inget ur ärendet. Det går inte att svara på.")
    return Letter(subject.format(**words), f"{body.format(**words)}\n\n{foot.format(link=link)}\n")


def send(letter: Letter, to: Sequence[str], key: str) -> None:
    """Hand a letter over. `key` names the debt, so that every try carries the same Message-ID."""
    host = urlsplit(settings().base_url).hostname or "localhost"
    mail.send(to=to, subject=letter.subject, body=letter.body, message_id=f"<{key}@{host}>")
