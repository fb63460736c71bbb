"""The words of the trade as the screen says them. Codes are for machines; no page shows one."""

from collections.abc import Callable

from backend.core.text import gettext as _
from backend.deviations.models import State
from backend.deviations.rules import WAITS_FOR, Party

Words = dict[str, Callable[[], str]]

EVENT_KINDS: Words = {
    "adverse_event": lambda: _("Negativ händelse"),
    "near_miss": lambda: _("Tillbud, det var nära"),
    "risk": lambda: _("Risk"),
    "good_example": lambda: _("Gott exempel"),
}
TARGET_GROUPS: Words = {
    "children_youth": lambda: _("Barn och unga"),
    "adults": lambda: _("Vuxna"),
    "older": lambda: _("Äldre"),
}
LEGAL_AREAS: Words = {
    "hsl": lambda: _("Hälso- och sjukvårdslagen (HSL)"),
    "sol": lambda: _("Socialtjänstlagen (SoL)"),
    "lss": lambda: _("LSS"),
}
# Handbok för riskanalys och händelseanalys: the four steps that region and municipality both use.
SEVERITIES: Words = {
    "1": lambda: _("Mindre: obehag eller obetydlig skada"),
    "2": lambda: _("Måttlig: övergående skada eller mer vård än tänkt"),
    "3": lambda: _("Betydande: kvarstående måttlig skada eller mycket mer vård"),
    "4": lambda: _("Mycket allvarlig: dödsfall, självmord eller bestående stor skada"),
}
OUTCOMES: Words = {
    "agree": lambda: _("Vi delar bilden"),
    "partly": lambda: _("Vi delar bilden delvis"),
    "not_ours": lambda: _("Vi delar inte bilden"),
}
CAUSE_AREAS: Words = {
    "procedures": lambda: _("Rutiner och riktlinjer"),
    "communication": lambda: _("Kommunikation och information"),
    "competence": lambda: _("Utbildning och kompetens"),
    "environment_organisation": lambda: _("Omgivning och organisation"),
    "technology": lambda: _("Teknik och utrustning"),
}
STATES: Words = {
    "sent": lambda: _("Skickat"),
    "acknowledged": lambda: _("Kvitterat"),
    "in_review": lambda: _("Utreds"),
    "question": lambda: _("Fråga ställd"),
    "declined": lambda: _("Avböjt"),
    "redirect_proposed": lambda: _("Annan mottagare föreslagen"),
    "disputed": lambda: _("Tvistigt"),
    "answered": lambda: _("Besvarat"),
    "returned": lambda: _("Åter för nytt svar"),
    "closed": lambda: _("Avslutat"),
    "withdrawn": lambda: _("Återtaget"),
}
REASONS: Words = {
    "wrong_recipient": lambda: _("Fel mottagare"),
    "not_involved": lambda: _("Vi var inte inblandade"),
    "duplicate": lambda: _("Samma rapport finns redan"),
    "other_process": lambda: _("Hör till en annan väg, till exempel klagomål eller orosanmälan"),
    "other": lambda: _("Annat"),
}
SETTLEMENTS: Words = {
    **OUTCOMES,
    "disagreement": lambda: _("Vi är oeniga och avslutar ärendet så"),
}
IDENTIFIED_HOW: Words = {
    "telephone": lambda: _("Per telefon"),
    "secure_message": lambda: _("Säkert meddelande"),
}
IDENTIFIED_GROUNDS: Words = {
    "consent": lambda: _("Patienten har samtyckt"),
    "coherent_care": lambda: _("Sammanhållen vård- och omsorgsdokumentation"),
    "other_law": lambda: _("Annat stöd i lag"),
}
LAWS: Words = {"lex_maria": lambda: _("Lex Maria"), "lex_sarah": lambda: _("Lex Sarah")}
LEFT_HOW: Words = {
    "redirected": lambda: _("Skickat vidare"),
    "declined": lambda: _("Avböjt"),
    "withdrawn": lambda: _("Återtaget"),
    "followed": lambda: _("Följde med till enheten som tog över"),
}
DECISIONS: Words = {
    "confirmed": lambda: _("Ja"),
    "refused": lambda: _("Nej"),
    "silence": lambda: _("Inget svar i tid"),
    "replaced": lambda: _("Ersatt av ett nytt förslag"),
}
VERDICTS: Words = {"accepted": lambda: _("Godtaget"), "returned": lambda: _("Åter för nytt svar")}
PROBABILITIES: Words = {
    "1": lambda: _("Mycket liten: knappast igen"),
    "2": lambda: _("Liten: någon gång på några år"),
    "3": lambda: _("Stor: varje år"),
    "4": lambda: _("Mycket stor: varje månad eller oftare"),
}
CARE_LEVELS: Words = {
    "inpatient": lambda: _("Slutenvård"),
    "psychiatry": lambda: _("Psykiatri"),
    "primary_care": lambda: _("Primärvård"),
    "home_nursing": lambda: _("Hemsjukvård"),
    "home_care": lambda: _("Hemtjänst"),
    "residential_care": lambda: _("Boende"),
    "rehabilitation": lambda: _("Rehabilitering"),
    "social_services": lambda: _("Socialtjänst"),
    "school_health": lambda: _("Elevhälsa"),
    "ambulance": lambda: _("Ambulans"),
    "other": lambda: _("Övrigt"),
}
# Whom a unit usually cares for: what the form presets.
TARGET_GROUP_OF = {"school_health": "children_youth", "social_services": "adults", "psychiatry": "adults"}


# What is to be done with what lies in the inbox, and what one reads where there is nothing of it.
GROUPS: Words = {
    "acknowledge": lambda: _("Att kvittera"),
    "answer": lambda: _("Att besvara"),
    "question": lambda: _("Frågor till er"),
    "read": lambda: _("Svar att läsa"),
    "onward": lambda: _("Att skicka rätt"),
    "settle": lambda: _("Att komma överens om"),
    "theirs": lambda: _("Väntar på dem"),
}
NOTHING: Words = {
    "acknowledge": lambda: _("Inget att kvittera just nu."),
    "answer": lambda: _("Inget att besvara just nu."),
    "question": lambda: _("Inga frågor till er just nu."),
    "read": lambda: _("Inga svar att läsa just nu."),
    "onward": lambda: _("Inget att skicka rätt just nu."),
    "settle": lambda: _("Inget att komma överens om just nu."),
    "theirs": lambda: _("Ni väntar inte på någon just nu."),
}


# The one thing to do, in a calendar.
TO_DO: Words = {
    "sent": lambda: _("kvittera"),
    "acknowledged": lambda: _("svara"),
    "in_review": lambda: _("svara"),
    "returned": lambda: _("svara på nytt"),
    "question": lambda: _("svara på frågan"),
    "answered": lambda: _("läs svaret"),
    "redirect_proposed": lambda: _("säg ja eller nej"),
    "declined": lambda: _("skicka vidare eller återta"),
    "disputed": lambda: _("kom överens"),
}


def options(words: Words) -> list[tuple[str, str]]:
    return [(code, word()) for code, word in words.items()]


def word(words: Words, code: str | int | None) -> str | None:
    return words[str(code)]() if code is not None else None


def resting(state: State) -> tuple[str, str]:
    """Where imported history stands: it waits for nobody."""
    return _("Importerat: {state}").format(state=STATES[state]().lower()), "neutral"


def turn(state: State, party: Party | None, *, good_example: bool = False) -> tuple[str, str]:
    """Where a case stands, in words for the one who reads, and the kind of tag that carries them."""
    if good_example and state is State.ACKNOWLEDGED:
        return _("Tack mottaget"), "good"
    to_do = {
        State.SENT: _("Att kvittera"),
        State.ACKNOWLEDGED: _("Att besvara"),
        State.IN_REVIEW: _("Att besvara"),
        State.RETURNED: _("Svara på nytt"),
        State.ANSWERED: _("Svar att läsa"),
        State.QUESTION: _("Fråga att svara på"),
        State.REDIRECT_PROPOSED: _("Ja eller nej till ny mottagare"),
        State.DECLINED: _("Avböjt, skicka vidare eller återta"),
        State.DISPUTED: _("Att komma överens om"),
    }
    if WAITS_FOR.get(state) in (party, "both") and party is not None:
        return to_do[state], "waiting"
    waiting = {
        State.SENT: (_("Skickat, inväntar kvittens"), "info"),
        State.ACKNOWLEDGED: (_("Kvitterat, inväntar svar"), "info"),
        State.IN_REVIEW: (_("Utreds, inväntar svar"), "info"),
        State.RETURNED: (_("Inväntar nytt svar"), "info"),
        State.ANSWERED: (_("Besvarat, inväntar bedömning"), "info"),
        State.QUESTION: (_("Fråga ställd, inväntar avsändaren"), "info"),
        State.REDIRECT_PROPOSED: (_("Annan mottagare föreslagen, inväntar avsändaren"), "info"),
        State.DECLINED: (_("Avböjt, inväntar avsändaren"), "info"),
        State.DISPUTED: (_("Tvistigt"), "info"),
        State.CLOSED: (_("Avslutat"), "done"),
        State.WITHDRAWN: (_("Återtaget"), "neutral"),
    }
    return waiting[state]
