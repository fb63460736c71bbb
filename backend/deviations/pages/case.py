"""One case: its page, and what its two parties do there."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import clock, text
from backend.core.db import Db
from backend.core.errors import Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, faults_of, read, redirect, render
from backend.deviations import actions, deadlines, queries, rules, words
from backend.deviations.actions.moving import HAPPENED
from backend.deviations.forms import INCOMPLETE, AnswerForm, VerdictForm, WithdrawForm
from backend.deviations.models import Answer, Deviation, EventKind, Outcome, State

router = APIRouter()

ICONS = {
    "sent": "send",
    "acknowledge": "check",
    "unacknowledge": "return",
    "answer": "chat",
    "accept": "done",
    "return": "return",
    "withdraw": "cross",
}


@router.get("/deviations/{case_number}", name="deviations.show")
def show(request: Request, db: Db, me: Me, case_number: str) -> Response:
    return _page(request, db, me, queries.deviation(db, me, case_number))


@router.post("/deviations/{case_number}/acknowledge", name="deviations.acknowledge")
def acknowledge(db: Db, me: Me, case_number: str) -> Response:
    actions.acknowledge(db, me, queries.deviation(db, me, case_number))
    return redirect("deviations.show", case_number=case_number)


@router.get("/deviations/{case_number}/answer", name="deviations.answer")
def answer(request: Request, db: Db, me: Me, case_number: str) -> Response:
    deviation = queries.deviation(db, me, case_number)
    if not rules.may_move(me, deviation, rules.MOVES["answer"]):
        raise ForbiddenError(_("Det är mottagaren som svarar."))
    return _answer_page(request, db, me, deviation, {})


@router.post("/deviations/{case_number}/answer")
def answer_submit(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
    deviation = queries.deviation(db, me, case_number)
    try:
        form = _read_answer(typed)
    except InvalidError as error:
        return _answer_page(request, db, me, deviation, typed, status=422, errors=error.faults)
    actions.answer(db, me, deviation, form)
    return redirect("deviations.show", case_number=case_number)


@router.post("/deviations/{case_number}/verdict", name="deviations.verdict")
def verdict(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
    deviation = queries.deviation(db, me, case_number)
    try:
        form = read(VerdictForm, typed)
    except InvalidError as error:
        faults = [
            Fault("comment", _("Skriv vad som saknas i svaret.")) if f.field == "" else f
            for f in error.faults
        ]
        return _page(request, db, me, deviation, status=422, errors=faults, typed=typed, open="verdict")
    actions.judge(db, me, deviation, form)
    return redirect("deviations.show", case_number=case_number)


@router.post("/deviations/{case_number}/withdraw", name="deviations.withdraw")
def withdraw(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
    deviation = queries.deviation(db, me, case_number)
    try:
        form = read(WithdrawForm, typed)
    except InvalidError:
        faults = [Fault("withdraw_comment", _("Skriv varför ärendet återtas."))]
        return _page(request, db, me, deviation, status=422, errors=faults, typed=typed, open="withdraw")
    actions.withdraw(db, me, deviation, form)
    return redirect("deviations.show", case_number=case_number)


def _read_answer(typed: Typed) -> AnswerForm:
    """The answer as the page sends it: actions come as parallel lists of text, owner and date."""
    texts = typed.get("actions", [])
    owners, dates = typed.get("actions_owner", []), typed.get("actions_due_on", [])
    given = [
        {
            "text": what,
            "owner": owners[i] if i < len(owners) and owners[i].strip() else None,
            "due_on": dates[i] if i < len(dates) and dates[i].strip() else None,
        }
        for i, what in enumerate(texts)
        if what.strip()
    ]
    plain = {name: values for name, values in typed.items() if not name.startswith("actions")}
    values: dict[str, Any] = {
        name: value[-1]
        for name, value in plain.items()
        if name in AnswerForm.model_fields and value[-1].strip()
    }
    values["cause_areas"] = [value for value in typed.get("cause_areas", []) if value]
    values["actions"] = given
    return read_answer_values(values)


def read_answer_values(values: Mapping[str, Any]) -> AnswerForm:
    """Raises InvalidError; an answer that is only half there names each missing part."""
    try:
        return AnswerForm.model_validate(values)
    except ValidationError as error:
        missing = {"outcome": _("Välj hur ni ser på händelsen."), "cause": _("Skriv varför det blev så.")}
        wrong = {item["loc"][0] for item in error.errors() if item["type"] != "missing" and item["loc"]}
        faults = [
            Fault(fault.field, missing[fault.field])
            if fault.field in missing and fault.field not in wrong
            else fault
            for fault in faults_of(error)
        ]
        whole = [item for item in error.errors() if item["type"] == "incomplete_answer"]
        if whole:
            fields = str(whole[0]["ctx"]["fields"]).split(",")
            faults = [Fault(field, _(INCOMPLETE[field])) for field in fields]
        raise InvalidError(*faults) from None


def _page(
    request: Request, db: Session, me: Identity, deviation: Deviation, *, status: int = 200, **context: Any
) -> Response:
    given = queries.answers(db, deviation)
    party = rules.party_of(me.branches, deviation)
    state = State(deviation.state)
    good = deviation.event_kind == EventKind.GOOD_EXAMPLE
    just_filed = (
        party == "sender"
        and state is State.SENT
        and not deviation.resting
        and rules.reported_by(me, deviation)
        and (clock.now() - deviation.sent_at).total_seconds() < 600
    )
    audit.record(db, me, "deviations.show", cases=[deviation.case_number])
    own_side = next((side for side in deviation.sides if side.branch_id in me.branches), None)
    return render(
        request,
        "deviations/show.html",
        status=status,
        **{"errors": [], "typed": {}, "open": None, **context},
        deviation=deviation,
        party=party,
        state_words=words.resting(state)
        if deviation.resting
        else words.turn(state, party, good_example=good),
        moves=rules.moves_open_to(me, deviation, clock.now()),
        deadlines=_deadlines(db, me, deviation),
        answers=[_answer_shown(answer) for answer in given],
        timeline=[_happening_shown(item) for item in queries.happenings(db, deviation)],
        just_filed=just_filed,
        own_reference=own_side.reference if own_side else None,
        facts=_facts(deviation),
        good_example=good,
        steps=_steps(state, good_example=good),
    )


def _answer_page(
    request: Request,
    db: Session,
    me: Identity,
    deviation: Deviation,
    typed: Typed,
    *,
    status: int = 200,
    errors: list[Fault] | None = None,
) -> Response:
    audit.record(db, me, "deviations.show", cases=[deviation.case_number])
    given = queries.answers(db, deviation)
    return render(
        request,
        "deviations/answer.html",
        status=status,
        errors=errors or [],
        deviation=deviation,
        typed=typed,
        last=lambda name: typed.get(name, [""])[-1],
        words=words,
        deadlines=_deadlines(db, me, deviation),
        returned=given[-1].verdict_comment if given and given[-1].verdict == "returned" else None,
    )


def _deadlines(db: Session, me: Identity, deviation: Deviation) -> list[deadlines.Deadline]:
    return deadlines.running(
        deviation,
        queries.handover(db, deviation),
        queries.pauses(db, deviation),
        queries.waiting_since(db, deviation),
        clock.now(),
        "sender" if rules.party_of(me.branches, deviation) == "sender" else "receiver",
    )


def _facts(deviation: Deviation) -> list[tuple[str, str | None]]:
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
    ]
    return [row for row in rows if row[1]]


def _answer_shown(answer: Answer) -> dict[str, Any]:
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
        "actions": answer.actions,
        "verdict": answer.verdict,
    }


def _happening_shown(item: queries.Happening) -> dict[str, Any]:
    return {
        "what": HAPPENED[item.verb](),
        "when": text.moment(item.at),
        "iso": item.at.isoformat(),
        "who": ", ".join(part for part in (item.who and item.who.partition(",")[0], item.unit) if part),
        "text": item.comment,
        "icon": ICONS.get(item.verb, "chat"),
        "internal": False,
    }


def _steps(state: State, *, good_example: bool) -> tuple[list[str], int]:
    if state is State.WITHDRAWN:
        return [], 0
    if good_example:
        return [_("Skickat"), _("Tack")], {State.SENT: 2}.get(state, 3)
    steps = [_("Skickat"), _("Kvittens"), _("Svar"), _("Avslut")]
    return steps, {State.SENT: 2, State.ACKNOWLEDGED: 3, State.RETURNED: 3, State.ANSWERED: 4}.get(state, 5)
