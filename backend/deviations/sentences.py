"""Whole sentences about a case as it stands: what happens by itself, how it ended, what was just done."""

from collections.abc import Callable
from datetime import date

from backend.core import clock, text
from backend.core.text import gettext as _
from backend.deviations import risk, words
from backend.deviations.clocks import Kind
from backend.deviations.models import Deviation, Side, State

# What happens when nobody says anything: to the one who is waited for, and to the one who waits.
BY_ITSELF: dict[Kind, tuple[Callable[[], str], Callable[[], str]]] = {
    "reply": (
        lambda: _("Svarar ni inte till och med {day} går ärendet tillbaka till mottagaren av sig självt."),
        lambda: _("Svarar avsändaren inte till och med {day} kommer ärendet tillbaka till er av sig självt."),
    ),
    "confirm_redirect": (
        lambda: _("Säger ni inget till och med {day} blir ärendet kvar hos mottagaren."),
        lambda: _("Säger avsändaren inget till och med {day} kommer ärendet tillbaka till er av sig självt."),
    ),
    "declined": (
        lambda: _("Gör ni inget till och med {day} räknas ärendet som återtaget."),
        lambda: _("Gör avsändaren inget till och med {day} räknas ärendet som återtaget."),
    ),
    "verdict": (
        lambda: _("Säger ni inget till och med {day} räknas svaret som godtaget genom tystnad."),
        lambda: _("Säger avsändaren inget till och med {day} räknas svaret som godtaget genom tystnad."),
    ),
    "settle": (
        lambda: _("Enas ni inte till och med {day} avslutas ärendet som oenighet."),
        lambda: _("Enas parterna inte till och med {day} avslutas ärendet som oenighet."),
    ),
}


def by_itself(kind: Kind, day: date, *, waited_for: bool) -> str | None:
    """What happens by itself after that day; None for a clock that leads nowhere but to being late."""
    if kind not in BY_ITSELF:
        return None
    return BY_ITSELF[kind][0 if waited_for else 1]().format(day=text.long_date(day))


# When a day has passed: to the one who is waited for, with what to do now, and to the one who waits.
LATE: dict[Kind, tuple[Callable[[], str], Callable[[], str]]] = {
    "acknowledge": (
        lambda: _("Kvittensen skulle ha kommit {day}. Kvittera nu, så vet avsändaren att ni har ärendet."),
        lambda: _("Kvittensen skulle ha kommit {day}. Mottagaren påminns."),
    ),
    "answer": (
        lambda: _(
            "Svaret skulle ha kommit {day}. Svara nu, eller skriv när svaret kommer, så vet avsändaren."
        ),
        lambda: _("Svaret skulle ha kommit {day}. Mottagaren påminns."),
    ),
    "returned_answer": (
        lambda: _(
            "Det nya svaret skulle ha kommit {day}. Svara nu, eller skriv när svaret kommer, så vet avsändaren."
        ),
        lambda: _("Det nya svaret skulle ha kommit {day}. Mottagaren påminns."),
    ),
}


# The same where the receiver has promised another day: nobody is reminded up to it, and after it they are. By whether
# that day too has passed.
PROMISED: dict[bool, tuple[Callable[[], str], Callable[[], str]]] = {
    False: (
        lambda: _("Svaret skulle ha kommit {day}. Ni har lovat det till {promised}."),
        lambda: _("Svaret skulle ha kommit {day}. Mottagaren har lovat det till {promised}."),
    ),
    True: (
        lambda: _("Svaret skulle ha kommit {day}, och ni lovade det till {promised}. Svara nu."),
        lambda: _(
            "Svaret skulle ha kommit {day}, och mottagaren lovade det till {promised}. Mottagaren påminns."
        ),
    ),
}


def late_words(kind: Kind, due_on: date, *, waited_for: bool, promised_on: date | None) -> str | None:
    """How late something is, and what to do about it; None for a clock that leads home by itself."""
    if kind not in LATE:
        return None
    day = text.relative_day(due_on, clock.today())
    if kind != "acknowledge" and promised_on is not None:
        said = PROMISED[promised_on < clock.today()][0 if waited_for else 1]()
        return said.format(day=day, promised=text.long_date(promised_on))
    return LATE[kind][0 if waited_for else 1]().format(day=day)


ROLES: dict[str, Callable[[], str]] = {
    "reporter": lambda: _("den som rapporterade"),
    "handler": lambda: _("handläggaren"),
    "manager": lambda: _("chefen"),
    "safety": lambda: _("patientsäkerhet"),
    "head": lambda: _("högsta ansvariga"),
}
CLOCKS: dict[Kind, Callable[[], str]] = {
    "acknowledge": lambda: _("kvittensen"),
    "answer": lambda: _("svaret"),
    "returned_answer": lambda: _("det nya svaret"),
    "verdict": lambda: _("bedömningen av svaret"),
    "reply": lambda: _("svaret på frågan"),
    "confirm_redirect": lambda: _("ja eller nej till ny mottagare"),
    "declined": lambda: _("det avböjda ärendet"),
    "settle": lambda: _("att komma överens"),
}


def clock_name(kind: Kind) -> str:
    """What a clock waits for, in the middle of a sentence."""
    return CLOCKS[kind]()


def step_words(name: str, role: str) -> str:
    """What a step does, and towards whom: a role, never a person."""
    whom = ROLES[role]()
    if name == "untouched":
        return _("Om ingen har öppnat ärendet får {whom} veta det").format(whom=whom)
    if name == "raised":
        return _("Ärendet lyfts till {whom}").format(whom=whom)
    if name == "promised":
        return _("Den utlovade dagen: påminnelse till {whom}").format(whom=whom)
    return _("Påminnelse till {whom}").format(whom=whom)


# Why a step went to nobody, by what the ledger says of it; the words of the ledger are for machines.
NOT_SENT: dict[str, Callable[[], str]] = {
    "quiet": lambda: _("inte skickad, påminnelserna är av"),
    "nobody": lambda: _("inte skickad, det fanns ingen att skriva till"),
    "opened": lambda: _("inte skickad, någon hade öppnat ärendet"),
    "a later step came at once": lambda: _("inte skickad, en senare kom samma dag"),
}


def step_became(outcome: str) -> str:
    """What became of a step that has come, as one's own side's ledger has it ("" for one that was sent)."""
    return NOT_SENT.get(outcome, lambda: _("skickad"))()


def how_it_ended(deviation: Deviation) -> str | None:
    """How a case that is over came to its end."""
    if deviation.state == State.WITHDRAWN and deviation.withdrawn_at:
        return _("Ärendet återtogs {day}.").format(day=_day(deviation.withdrawn_at))
    if deviation.state != State.CLOSED or deviation.closed_at is None:
        return None
    if deviation.disagreed_at is not None:
        said = _("Ärendet avslutades som oenighet {day}: parterna ser olika på händelsen.")
    elif deviation.accepted_by_silence:
        said = _("Svaret räknas som godtaget genom tystnad {day}: ingen sade emot i tid.")
    else:
        said = _("Avsändaren godtog svaret {day}.")
    return said.format(day=_day(deviation.closed_at))


def _day(moment: object) -> str:
    return text.short_date(clock.local(moment).date())  # type: ignore[arg-type]


def risk_words(deviation: Deviation, side: Side | None) -> str | None:
    """One's own judgement of the risk, and whether it asks for a closer look."""
    severity = (side.severity if side else None) or deviation.severity
    found = risk.score(severity, side.probability if side else None)
    if found is None:
        return None
    limit = risk.threshold(deviation.agreement.terms)
    if found >= limit:
        said = _("{score} av {highest}. Gränsen är {limit}: händelsen behöver en djupare analys.")
    else:
        said = _("{score} av {highest}. Det är under gränsen {limit}.")
    return said.format(score=found, highest=risk.HIGHEST, limit=limit)


def asking_costs(pauses: int, given: int) -> str:
    """What a question does to the receiver's own clock."""
    if pauses >= given:
        return _("Ni har redan frågat två gånger. Den här frågan stannar inte er klocka.")
    return _("Er svarstid står still medan ni väntar på svaret.")


# What was just done, where the page one comes to does not say it by itself. Codes stand in the address.
DONE: dict[str, Callable[[], str]] = {
    "decline": lambda: _("Ärendet är avböjt och tillbaka hos avsändaren. Ni ser det inte längre."),
    "redirect": lambda: _("Ärendet är skickat vidare. Ni ser det inte längre."),
    "mask": lambda: _("Uppgiften är dold för alla, och den andra parten får veta det."),
    "handed_on": lambda: _("Utkastet är lämnat för godkännande."),
    "sent_reviewed": lambda: _("Rapporten är skickad. Den som skrev den får veta svaret."),
    "handed_over": lambda: _("Rapporten är lämnad till din chef, som läser och skickar den."),
    "given_back": lambda: _("Rapporten är lämnad tillbaka till den som skrev den."),
    "given_back_answer": lambda: _("Svaret är lämnat tillbaka till den som skrev det. Utkastet är kvar."),
    "linked": lambda: _("Ärendena är kopplade: en händelse, två rapporter."),
    "quiet": lambda: _("Påminnelserna om ärendet är av för er som handlägger det."),
    "unquiet": lambda: _("Påminnelserna om ärendet är på igen."),
    "identified": lambda: _("Det är antecknat att ni vet vem patienten är."),
}


def done(code: str | None) -> dict[str, str] | None:
    """The message for a code in the address; None for anything else that stands there."""
    return {"kind": "success", "text": DONE[code]()} if code in DONE else None


def identified(on: date, how: str | None, ground: str | None) -> str:
    """That the parties have made sure who the patient is: when, how and on what ground."""
    told = (words.word(words.IDENTIFIED_HOW, how), words.word(words.IDENTIFIED_GROUNDS, ground))
    return ". ".join((text.short_date(on), *(one for one in told if one)))


def action(what: str, owner: str | None, due_on: date | None) -> str:
    """What the receiver does, who sees to it and by when, in one line. A full stop would stand in the middle of it."""
    after = f" – {owner}" if owner else ""
    if due_on:
        after += ", " + _("klart senast {day}").format(day=text.short_date(due_on))
    return (what.rstrip().removesuffix(".") if after else what) + after


def delayed(promised_on: date, reason: str | None) -> str:
    """A notice of delay, as the log and a sealed copy keep it."""
    return " ".join(
        (_("Svaret utlovat till {day}.").format(day=text.short_date(promised_on)), reason or "")
    ).strip()
