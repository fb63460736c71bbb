"""The parts of a case in words: facts, answers, questions, the route, the story."""

from collections.abc import Sequence
from typing import Any

from backend.core import clock, text
from backend.core.text import gettext as _
from backend.deviations import clocks, deadlines, queries, rules, sentences, words
from backend.deviations.actions.moving import HAPPENED
from backend.deviations.models import Answer, Deviation, Handover, Outcome, Pause, Question, State

ICONS = {
    "sent": "send",
    "acknowledge": "check",
    "unacknowledge": "return",
    "answer": "chat",
    "question": "question",
    "reply": "chat",
    "redirect": "arrow-right",
    "propose_redirect": "arrow-right",
    "confirm_redirect": "arrow-right",
    "resend": "send",
    "decline": "return",
    "dispute": "return",
    "accept": "done",
    "settle": "done",
    "return": "return",
    "withdraw": "cross",
    "delay_notice": "clock",
    "late": "clock",
    "mask": "lock",
}
# What somebody wrote in these stands elsewhere on the page, where it is answered.
SAID_ELSEWHERE = frozenset({"question", "reply"})


def waits(
    deviation: Deviation,
    legs: Sequence[Handover],
    pauses: Sequence[Pause],
    since: Any,
    party: rules.Party | None,
) -> list[dict[str, Any]]:
    """The clocks that run, the nearest first, each with what happens by itself when it has run out."""
    reader: clocks.Reader = "sender" if party == "sender" else "receiver"
    return [
        {
            "kind": one.kind,
            "words": one.words,
            "explanation": one.explanation,
            "late": one.late,
            "late_words": sentences.late_words(
                one.kind,
                one.due_on,
                waited_for=rules.waits_for(deviation, party),
                promised_on=deviation.delay_promised_on,
            )
            if one.late
            else None,
            "by_itself": sentences.by_itself(
                one.kind, one.due_on, waited_for=rules.waits_for(deviation, party)
            ),
        }
        for one in deadlines.running(deviation, legs[-1], pauses, since, clock.now(), reader)
    ]


def facts(deviation: Deviation) -> list[tuple[str, str | None]]:
    identified = None
    if deviation.patient_identified_on is not None:
        identified = sentences.identified(
            deviation.patient_identified_on,
            deviation.patient_identified_how,
            deviation.patient_identified_ground,
        )
    rows = [
        (_("Hände"), text.short_date(deviation.occurred_on)),
        (_("Upptäcktes"), text.short_date(deviation.discovered_on) if deviation.discovered_on else None),
        (_("Målgrupp"), words.word(words.TARGET_GROUPS, deviation.target_group)),
        (_("Allvarlighet"), words.word(words.SEVERITIES, deviation.severity) or _("Vet inte")),
        (_("Omedelbar åtgärd"), deviation.immediate_action),
        (_("Konsekvens för patienten"), deviation.consequence_patient),
        (_("Konsekvens för arbetet"), deviation.consequence_work),
        (_("Förslag"), deviation.suggestion),
        (_("Överenskommelse"), deviation.steering_document.title if deviation.steering_document else None),
        (_("Lagrum"), words.word(words.LEGAL_AREAS, deviation.legal_area)),
        (_("Gemensam referens"), deviation.shared_reference),
        (_("Patienten identifierad"), identified),
    ]
    return [row for row in rows if row[1]]


def answer_shown(answer: Answer) -> dict[str, Any]:
    informed = {True: _("Ja"), False: _("Nej"), None: None}[answer.patient_informed]
    rows = [
        (_("Orsak inom"), "; ".join(words.CAUSE_AREAS[area]() for area in answer.cause_areas)),
        (_("Orsak") if answer.outcome != Outcome.NOT_OURS else _("Skäl"), answer.cause),
        (_("Konsekvens"), answer.consequence),
        (_("Patienten informerad"), informed),
        (_("Ingen åtgärd, därför att"), answer.no_action_reason),
        (_("Uppföljning"), answer.follow_up),
    ]
    return {
        "title": words.OUTCOMES[answer.outcome](),
        "at": text.moment(answer.answered_at),
        "rows": [row for row in rows if row[1]],
        "actions": [sentences.action(one.text, one.owner, one.due_on) for one in answer.actions],
        "verdict": answer.verdict,
        "comment": answer.verdict_comment,
    }


def conversation(
    deviation: Deviation,
    questions: Sequence[Question],
    legs: Sequence[Handover],
    pauses: Sequence[Pause],
) -> list[dict[str, Any]]:
    """Questions with their replies, as the two said them, and what each did to the clock."""
    units = {leg.position: leg.unit.name for leg in legs}
    paused = {pause.started_at for pause in pauses}
    return [
        {
            "from": units.get(one.leg, deviation.receiver_unit.name),
            "at": text.moment(one.asked_at),
            "text": one.text,
            "to": deviation.sender_unit.name,
            "reply": one.reply,
            "ended": text.moment(one.ended_at) if one.ended_at else None,
            "due": text.long_date(one.reply_due_on),
            "paused": one.asked_at in paused,
            "third": len(pauses) >= clocks.PAUSES_GIVEN,
        }
        for one in questions
    ]


def route(legs: Sequence[Handover]) -> list[dict[str, Any]]:
    """The legs of a case that has been at more than one unit."""
    if len(legs) < 2:
        return []
    return [
        {
            "unit": leg.unit.name,
            "from": text.short_date(clock.local(leg.sent_at).date()),
            "to": text.short_date(clock.local(leg.ended_at).date()) if leg.ended_at else None,
            "how": words.word(words.LEFT_HOW, leg.ended_how),
            "reason": words.word(words.REASONS, leg.reason),
        }
        for leg in legs
    ]


def what_happened(verb: str, to_unit: str | None) -> str:
    what = HAPPENED[verb]()
    if not to_unit:
        return what
    # Who declines may say whose it is; that is a word on the way, not where the case went.
    onward = _("{what}, förslag: {unit}") if verb == "decline" else _("{what}: {unit}")
    return onward.format(what=what, unit=to_unit)


def happening_shown(item: queries.Happening) -> dict[str, Any]:
    who = ", ".join(part for part in (item.who and item.who.partition(",")[0], item.unit) if part)
    return {
        "what": what_happened(item.verb, item.to_unit),
        "when": text.moment(item.at),
        "iso": item.at.isoformat(),
        "who": _("av sig självt") if item.automatic else who,
        "text": None if item.verb in SAID_ELSEWHERE else item.comment,
        "icon": ICONS.get(item.verb, "chat"),
        "internal": False,
    }


def steps(state: State, *, good_example: bool) -> tuple[list[str], int]:
    if state is State.WITHDRAWN:
        return [], 0
    if good_example:
        return [_("Skickat"), _("Tack")], {State.SENT: 2}.get(state, 3)
    named = [_("Skickat"), _("Kvittens"), _("Svar"), _("Avslut")]
    return named, {State.SENT: 2, State.DECLINED: 2, State.ANSWERED: 4, State.CLOSED: 5}.get(state, 3)


def parties(deviation: Deviation) -> list[tuple[str, str | None]]:
    """Both parties by unit, organisation and telephone: never by a person."""
    found = []
    for label, unit, branch in (
        (_("Från"), deviation.sender_unit, deviation.sender_branch),
        (_("Till"), deviation.receiver_unit, deviation.receiver_branch),
    ):
        told = [
            unit.name,
            branch.organisation.name,
            _("tfn {number}").format(number=unit.telephone.replace(" ", "\u00a0")) if unit.telephone else "",
        ]
        found.append((label, ", ".join(part for part in told if part)))
    return [*found, (_("Skickat"), text.moment(deviation.sent_at))]


def text_label(path: str) -> str:
    """What a text of the case is called, by its path."""
    kind, _dot, rest = path.partition(".")
    names = {
        "description": _("Vad hände"),
        "consequence_patient": _("Konsekvens för patienten"),
        "consequence_work": _("Konsekvens för arbetet"),
        "immediate_action": _("Omedelbar åtgärd"),
        "suggestion": _("Förslag"),
        "shared_reference": _("Gemensam referens"),
        "delay_reason": _("Besked om försening"),
        "answers.cause": _("Svaret: orsak"),
        "answers.consequence": _("Svaret: konsekvens"),
        "answers.no_action_reason": _("Svaret: varför ingen åtgärd behövs"),
        "answers.follow_up": _("Svaret: uppföljning"),
        "answers.verdict_comment": _("Avsändarens ord om svaret"),
        "actions.text": _("Svaret: åtgärd"),
        "actions.owner": _("Svaret: ansvarig funktion"),
        "actions.kind": _("Svaret: slag av åtgärd"),
        "events.comment": _("Skrivet i händelserna"),
        "questions.text": _("En fråga"),
        "questions.reply": _("Svar på en fråga"),
        "proposals.comment": _("Ett förslag"),
        "notes.text": _("Intern anteckning"),
        "risk_flags.comment": _("Er flagga: varför"),
        "risk_flags.taken_over_by": _("Er flagga: vem som tog över"),
        "sides.reference": _("Er egen referens"),
        "sides.quiet_reason": _("Varför påminnelserna är av"),
    }
    return names.get(f"{kind}.{rest.rpartition('.')[2]}" if rest else kind, _("Text"))


def masks(found: Sequence[queries.MaskShown]) -> list[dict[str, Any]]:
    return [
        {
            "label": text_label(mask.field),
            "at": text.moment(mask.at),
            "since": mask.since,
            "original": mask.original,
        }
        for mask in found
    ]
