"""The words of a letter: what waits for one person in one branch, a line each. Of a case there is its number, what to
do, by when, and the link; nothing of what it tells.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from backend.core import calendar, clock, text
from backend.core.text import gettext as _
from backend.settings import settings

MORNING_ENDS = 10


@dataclass(frozen=True)
class Letter:
    subject: str
    body: str


@dataclass(frozen=True)
class Line:
    """One thing to be told. `due_on` is the day by which the reader should act, where there is one; `address` where
    on the site it is done.
    """

    kind: str
    role: str
    unit: str
    address: str
    case_number: str = ""
    due_on: date | None = None


@dataclass(frozen=True)
class Words:
    """What is said of a kind: alone in a letter of its own (news; None for reminders), and as a line among others.

    `count` is how many of it are told of in the greeting: one, several.
    """

    line: Callable[[], str]
    alone: Callable[[], tuple[str, str]] | None = None
    count: Callable[[], tuple[str, str]] = lambda: (_("ärende att läsa"), _("ärenden att läsa"))


def _acknowledge() -> tuple[str, str]:
    return _("att kvittera"), _("att kvittera")


def _answer() -> tuple[str, str]:
    return _("att besvara"), _("att besvara")


def _read() -> tuple[str, str]:
    return _("svar att läsa"), _("svar att läsa")


def _question() -> tuple[str, str]:
    return _("med en fråga till er"), _("med frågor till er")


def _decide() -> tuple[str, str]:
    return _("att ta ställning till"), _("att ta ställning till")


# In this order in the greeting; the rest after.
COUNTED = (_acknowledge, _answer, _question, _decide, _read)

KINDS: dict[str, Words] = {
    "arrival": Words(
        lambda: _("nytt, att kvittera"),
        lambda: (
            _("{unit} har fått ett ärende att kvittera"),
            _("Ett ärende har kommit till {unit}.\n\n{number}: kvittera senast {day}."),
        ),
        _acknowledge,
    ),
    "returned": Words(
        lambda: _("svaret är skickat tillbaka, svara på nytt"),
        lambda: (
            _("{unit} har fått tillbaka ett ärende"),
            _("Avsändaren behöver mer i svaret från {unit}.\n\n{number}: svara på nytt senast {day}."),
        ),
        _answer,
    ),
    "answered": Words(
        lambda: _("svar att läsa"),
        lambda: (
            _("Du har fått svar på ett ärende"),
            _("Mottagaren har svarat. Läs svaret och säg om det räcker.\n\n{number}: helst före {day}."),
        ),
        _read,
    ),
    "question": Words(
        lambda: _("en fråga till er"),
        lambda: (
            _("{unit} har fått en fråga om ett ärende"),
            _("Mottagaren behöver veta mer för att kunna svara.\n\n{number}: svara på frågan senast {day}."),
        ),
        _question,
    ),
    "reply": Words(
        lambda: _("frågan är tillbaka, svara"),
        lambda: (
            _("Frågan om ett ärende hos {unit} är tillbaka"),
            _("Avsändaren har svarat, eller tiden för svar har gått ut.\n\n{number}: svar senast {day}."),
        ),
        _answer,
    ),
    "redirect_proposed": Words(
        lambda: _("förslag om annan mottagare, säg ja eller nej"),
        lambda: (
            _("Ett ärende från {unit} kan höra till någon annan"),
            _("Mottagaren föreslår en annan enhet. Ni säger ja eller nej.\n\n{number}: senast {day}."),
        ),
        _decide,
    ),
    "redirect_refused": Words(
        lambda: _("kvar hos er, svara"),
        lambda: (
            _("Ett ärende är kvar hos {unit}"),
            _("Förslaget om en annan mottagare gick inte igenom.\n\n{number}: svar senast {day}."),
        ),
        _answer,
    ),
    "declined": Words(
        lambda: _("avböjt, skicka vidare eller återta"),
        lambda: (
            _("Ett ärende från {unit} har avböjts"),
            _("Läs varför, och skicka det vidare eller återta det.\n\n{number}: senast {day}."),
        ),
        _decide,
    ),
    "disputed": Words(
        lambda: _("avböjt två gånger, kom överens"),
        lambda: (
            _("Ett ärende vid {unit} behöver en överenskommelse"),
            _(
                "Ärendet är avböjt två gånger. Parterna kommer överens om hur det slutar.\n\n{number}: senast {day}."
            ),
        ),
        _decide,
    ),
    "settle_proposed": Words(
        lambda: _("förslag till överenskommelse"),
        lambda: (
            _("Ett förslag till överenskommelse väntar på {unit}"),
            _("Den andra parten föreslår hur ärendet slutar.\n\n{number}: svara senast {day}."),
        ),
        _decide,
    ),
    "delay_notice": Words(
        lambda: _("svaret dröjer, se när det kommer"),
        lambda: (
            _("Svaret på ett ärende från {unit} dröjer"),
            _("Mottagaren har lämnat besked om när svaret kommer.\n\n{number}"),
        ),
    ),
    "reopened": Words(
        lambda: _("öppnat igen"),
        lambda: (
            _("Ett ärende vid {unit} är öppnat igen"),
            _("Det fanns mer att säga. Läs varför i ärendet.\n\n{number}"),
        ),
    ),
    "thanked": Words(
        lambda: _("mottagaren tackar"),
        lambda: (
            _("Mottagaren av ett ärende från {unit} tackar"),
            _("Mottagaren har läst det ni skrev, och tackar.\n\n{number}"),
        ),
    ),
    "settled": Words(
        lambda: _("den andra parten sade ja till förslaget"),
        lambda: (
            _("Den andra parten sade ja om ett ärende vid {unit}"),
            _("Ni är överens om hur ärendet slutar, och förslaget gäller.\n\n{number}"),
        ),
    ),
    "disagreed": Words(
        lambda: _("avslutat som oenighet"),
        lambda: (
            _("Ett ärende från {unit} är avslutat som oenighet"),
            _(
                "Parterna ser olika på det som hände, och ärendet är avslutat som oenighet."
                " Läs vad båda skrev.\n\n{number}"
            ),
        ),
    ),
    "unsettled": Words(
        lambda: _("tiden att komma överens är slut, avslutat som oenighet"),
        lambda: (
            _("Ett ärende vid {unit} är avslutat som oenighet"),
            _("Tiden att komma överens är slut, och ärendet är avslutat så.\n\n{number}"),
        ),
    ),
    "withdrawn": Words(
        lambda: _("återtaget, utan svar från mottagaren"),
        lambda: (
            _("Ett ärende från {unit} är återtaget"),
            _("Ärendet är avslutat utan svar från mottagaren. Läs varför.\n\n{number}"),
        ),
    ),
    "masked": Words(
        lambda: _("en uppgift är maskerad, ta ställning till personuppgiftsincident"),
        lambda: (
            _("En uppgift har maskerats i ett ärende vid {unit}"),
            _(
                "Ta ställning till om det är en personuppgiftsincident. Vad som stod där och vilka hos er som kan ha läst det finns bakom länken.\n\n{number}"
            ),
        ),
        _decide,
    ),
    "external": Words(
        lambda: _("ska skickas till en part utanför Samsvar"),
        lambda: (
            _("Ett ärende ska skickas till en part utanför Samsvar"),
            _("Mottagaren har ingen inloggning. Skriv ut ärendet, skicka det och för in svaret.\n\n{number}"),
        ),
        _decide,
    ),
    "mention": Words(
        lambda: _("en kollega vill att du läser en anteckning"),
        lambda: (
            _("En kollega vid {unit} vill att du läser en anteckning"),
            _("Du är nämnd i en intern anteckning.\n\n{number}"),
        ),
    ),
    "assigned": Words(
        lambda: _("tilldelat dig"),
        lambda: (
            _("Du har fått ett ärende vid {unit}"),
            _("Ärendet är tilldelat dig.\n\n{number}"),
        ),
    ),
    "invited": Words(
        lambda: _("du är inbjuden att medverka"),
        lambda: (
            _("Du är inbjuden att medverka i ett ärende vid {unit}"),
            _("Du kan läsa ärendet, anteckna och skriva på svaret.\n\n{number}"),
        ),
    ),
    "for_approval": Words(
        lambda: _("ett svar att godkänna"),
        lambda: (
            _("Ett svar från {unit} väntar på ditt godkännande"),
            _("Läs utkastet och skicka det, eller skriv vad som behöver ändras.\n\n{number}"),
        ),
        _decide,
    ),
    "report_for_review": Words(
        lambda: _("en rapport att läsa innan den skickas"),
        lambda: (
            _("En rapport från {unit} väntar på dig"),
            _("Läs rapporten och skicka den, eller lämna tillbaka den."),
        ),
        lambda: (_("rapport att granska"), _("rapporter att granska")),
    ),
    "report_given_back": Words(
        lambda: _("din rapport är lämnad tillbaka"),
        lambda: (
            _("Din rapport från {unit} är lämnad tillbaka"),
            _("Din chef vill att du ändrar något innan rapporten skickas."),
        ),
        lambda: (_("rapport att ändra"), _("rapporter att ändra")),
    ),
    "draft_ends": Words(
        lambda: _("ditt utkast tas snart bort"),
        lambda: (
            _("Ditt utkast i Samsvar tas snart bort"),
            _("Du började på en rapport som inte är skickad. Den tas bort {day}, om du inte fortsätter."),
        ),
        lambda: (_("utkast att skicka eller låta gå"), _("utkast att skicka eller låta gå")),
    ),
    # Reminders, by the clock that runs.
    "acknowledge": Words(lambda: _("kvittera"), count=_acknowledge),
    "answer": Words(lambda: _("svara, eller skriv när svaret kommer"), count=_answer),
    "returned_answer": Words(lambda: _("svara på nytt, eller skriv när svaret kommer"), count=_answer),
    "clock_reply": Words(lambda: _("svara på mottagarens fråga"), count=_question),
    "verdict": Words(lambda: _("läs svaret och säg om det räcker"), count=_read),
    "confirm_redirect": Words(lambda: _("säg ja eller nej till annan mottagare"), count=_decide),
    "clock_declined": Words(lambda: _("skicka vidare eller återta"), count=_decide),
    "settle": Words(lambda: _("kom överens om hur ärendet slutar"), count=_decide),
    "untouched": Words(
        lambda: _("ingen hos er har öppnat ärendet"),
        count=lambda: (_("som ingen öppnat"), _("som ingen öppnat")),
    ),
}

# Why a line comes to this reader, where it is not theirs to begin with.
RAISED: dict[str, Callable[[], str]] = {
    "manager": lambda: _("{unit} – till dig som chef, för att tiden har gått ut"),
    "safety": lambda: _("{unit} – till patientsäkerhet, för att ärendet inte har tagits om hand"),
    "head": lambda: _("{unit} – till dig som ytterst ansvarig. Ärendet öppnas av enheten själv"),
}


def write(lines: Sequence[Line], now: datetime) -> Letter:
    """One letter of one line or more. News that comes alone has a letter in its own words."""
    lines = _once_a_case(lines)
    if len(lines) == 1 and (alone := KINDS[lines[0].kind].alone):
        return _alone(lines[0], *alone())
    if all(line.case_number for line in lines):
        waiting = text.count(len(lines), _("ärende väntar"), _("ärenden väntar"))
    else:
        waiting = text.count(len(lines), _("sak väntar"), _("saker väntar"), one=_("en"))
    counted = Counter(of for of in COUNTED for line in lines if KINDS[line.kind].count == of)
    counted.update(of for line in lines if (of := KINDS[line.kind].count) not in COUNTED)
    hello = _("God morgon!") if clock.local(now).hour < MORNING_ENDS else _("Hej!")
    greeting = _("{hello} {waiting} på er i dag: {listed}.").format(
        hello=hello,
        waiting=waiting[:1].upper() + waiting[1:],
        listed=text.join([text.count(n, *of()) for of, n in counted.items()]),
    )
    today = calendar.local_date(now)
    parts = [greeting]
    for heading, group in groupby(sorted(lines, key=_order), key=_heading):
        parts.append("\n".join([heading, *(_line(line, today) for line in group)]))
    subject = _("Samsvar: {waiting} på er").format(waiting=waiting)
    return Letter(subject, "\n\n".join([*parts, _foot()]) + "\n")


def _once_a_case(lines: Sequence[Line]) -> list[Line]:
    """Whoever is reminded of a case twice over, on two clocks or in two roles, reads it once: what is nearest."""
    kept: dict[str, Line] = {}
    for line in sorted(lines, key=_order):
        news = KINDS[line.kind].alone is not None
        kept.setdefault(f"{line.case_number or line.address} {line.kind if news else ''}", line)
    return list(kept.values())


def _alone(line: Line, subject: str, body: str) -> Letter:
    if line.due_on is None and "{number}" in body:
        # What asks for nothing by a day, such as a good example, names none.
        body = body.partition("{number}")[0] + "{number}"
    words = {
        "unit": line.unit,
        "number": line.case_number,
        "day": text.long_date(line.due_on) if line.due_on else "",
    }
    foot = _("Öppna: {link}") if not line.case_number else _("Öppna ärendet: {link}")
    link = foot.format(link=f"{settings().base_url}{line.address}")
    return Letter(subject.format(**words), f"{body.format(**words)}\n\n{link}\n\n{_foot()}\n")


def _foot() -> str:
    return _("Mejlet innehåller inget ur ärendet. Det går inte att svara på.")


def _order(line: Line) -> tuple[int, str, date, str]:
    """What is the reader's own first, by unit; the most urgent first in each."""
    own = line.role not in RAISED
    return (0 if own else 1, _heading(line), line.due_on or date.max, line.case_number)


def _heading(line: Line) -> str:
    return (RAISED[line.role]() if line.role in RAISED else "{unit}").format(unit=line.unit)


def _line(line: Line, today: date) -> str:
    when = ""
    if line.due_on:
        template = (
            _(", senast {day} ({when})") if line.due_on >= today else _(", skulle varit klart {day} ({when})")
        )
        when = template.format(day=text.long_date(line.due_on), when=text.relative_day(line.due_on, today))
    name = f"{line.case_number}: " if line.case_number else ""
    return f"- {name}{KINDS[line.kind].line()}{when}\n  {settings().base_url}{line.address}"
