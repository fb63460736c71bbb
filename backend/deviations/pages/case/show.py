"""One case: its page, by role and by the state it is in."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts.identity import Me
from backend.audit import actions as audit
from backend.core import clock, text
from backend.core.db import Db
from backend.core.errors import Fault
from backend.core.web import Typed, render
from backend.deviations import actions, clocks, deadlines, queries, rules, sentences, words
from backend.deviations.models import Deviation, EventKind, Handover, Pause, State
from backend.deviations.pages.case import again, own, parts, reminding, way

router = APIRouter()

RECEIPT_FOR = 600


@router.get("/deviations/{case_number}", name="deviations.show")
def show(request: Request, db: Db, me: Me, case_number: str) -> Response:
    return page(request, db, me, queries.deviation(db, me, case_number))


@router.get("/deviations/{case_number}/print", name="deviations.print")
def print_view(request: Request, db: Db, me: Me, case_number: str) -> Response:
    deviation = queries.deviation(db, me, case_number)
    audit.record(db, me, "deviations.print", cases=[deviation.case_number])
    return render(
        request, "deviations/case/print.html", **story_of(db, me, deviation), printed_at=clock.now()
    )


def page(
    request: Request,
    db: Session,
    me: Identity,
    deviation: Deviation,
    *,
    status: int = 200,
    errors: Sequence[Fault] = (),
    typed: Typed | None = None,
    opened: str | None = None,
) -> Response:
    """The page of a case. `opened` is the verb whose form was wrong: it stands open, with what was typed."""
    audit.record(db, me, "deviations.show", cases=[deviation.case_number])
    actions.touch(db, me, deviation)
    story = story_of(db, me, deviation)
    moves = set(rules.moves_open_to(me, deviation, clock.now()))
    writes = _writes_answer(me, deviation)
    just_filed = (
        story["party"] == "sender"
        and deviation.state == State.SENT
        and len(story["legs"]) == 0
        and not deviation.resting
        and rules.reported_by(me, deviation)
        and (clock.now() - deviation.sent_at).total_seconds() < RECEIPT_FOR
    )
    return render(
        request,
        "deviations/show.html",
        status=status,
        **story,
        errors=list(errors),
        opened=opened,
        # A field has its fault and what was typed only in the form that was sent.
        fault=lambda verb: list(errors) if verb == opened else None,
        last=lambda verb, name, otherwise="": (
            (typed or {}).get(name, [otherwise])[-1] if verb == opened else otherwise
        ),
        ticked=lambda verb, name: (typed or {}).get(name, []) if verb == opened else [],
        moves=moves,
        just_filed=just_filed,
        may=own.rights(me, deviation),
        writes_answer=writes,
        again=again.why(db, deviation, queries.answers(db, deviation)) if writes else None,
        approval=_approval(db, me, deviation),
        asking=sentences.asking_costs(story["paused"], clocks.PAUSES_GIVEN),
        my_id=me.person_id,
        words=words,
        **_decision(db, deviation, story["party"]),
    )


def story_of(db: Session, me: Identity, deviation: Deviation) -> dict[str, Any]:
    """All there is to read of a case for this person, nothing to press."""
    party = rules.party_of(me.branches, deviation)
    state, good = State(deviation.state), deviation.event_kind == EventKind.GOOD_EXAMPLE
    legs: Sequence[Handover] = queries.handovers(db, deviation)
    pauses: Sequence[Pause] = queries.pauses(db, deviation)
    happened = queries.happenings(db, deviation)
    thanks = next((one.comment for one in happened if one.verb == "acknowledge" and one.comment), None)
    return {
        "deviation": deviation,
        "party": party,
        "state": state,
        "state_words": words.resting(state)
        if deviation.resting
        else words.turn(state, party, good_example=good),
        "my_turn": rules.waits_for(deviation, party) and not deviation.resting,
        "waits": parts.waits(deviation, legs, pauses, queries.waiting_since(db, deviation), party),
        "reminding": reminding.shown(db, me, deviation),
        "paused": len(pauses),
        "answers": [parts.answer_shown(answer) for answer in queries.answers(db, deviation)],
        "conversation": parts.conversation(deviation, queries.questions(db, deviation), legs, pauses),
        "legs": parts.route(legs),
        "way": way.shown(
            deviation, legs, happened, party, deadlines.last_day(deviation, pauses, clock.now())
        ),
        "timeline": [parts.happening_shown(item) for item in happened],
        "facts": parts.facts(deviation),
        "parties": parts.parties(deviation),
        "good_example": good,
        "external": rules.is_external(deviation),
        "thanks": thanks if good else None,
        "steps": parts.steps(state, good_example=good),
        "ended": sentences.how_it_ended(deviation),
        "links": queries.linked(db, me, deviation),
        "masks": parts.masks(queries.masks(db, me, deviation)),
        "own": own.shown(db, me, deviation),
    }


def _writes_answer(me: Identity, deviation: Deviation) -> bool:
    """Whether this person writes on the answer: to send it, or to hand it on."""
    return (
        deviation.receiver_branch_id in me.branches
        and rules.may_work_on(me, deviation)
        and rules.is_open(deviation, rules.MOVES["answer"], clock.now())
    )


def _approval(db: Session, me: Identity, deviation: Deviation) -> dict[str, Any] | None:
    """The draft of an answer on one's own side: when it was saved, and whether it waits for a manager's yes."""
    if not _writes_answer(me, deviation):
        return None
    draft = queries.answer_draft(db, deviation)
    if draft is None:
        return None
    return {
        "saved_at": text.moment(draft.saved_at),
        "waiting": draft.for_approval_at is not None,
        "mine_to_send": rules.may_send_answer(me, deviation),
    }


def _decision(db: Session, deviation: Deviation, party: rules.Party | None) -> dict[str, Any]:
    """What one side has proposed and the other decides, in the states where that is so."""
    nothing: dict[str, Any] = {"proposal": None, "declined": None}
    state = State(deviation.state)
    if state is State.REDIRECT_PROPOSED:
        proposal = queries.find_proposal(db, deviation, "redirect")
        unit = queries.unit_named(db, proposal.unit_id) if proposal and proposal.unit_id else None
        if proposal and unit:
            return nothing | {
                "proposal": {
                    "unit": unit.name,
                    "organisation": unit.branch.organisation.name,
                    "reason": words.word(words.REASONS, proposal.reason),
                    "comment": proposal.comment,
                }
            }
    if state is State.DECLINED and party == "sender":
        event = queries.latest_event(db, deviation, "decline")
        unit = queries.unit_named(db, event.to_unit_id) if event and event.to_unit_id else None
        reason = queries.handover(db, deviation).reason
        return nothing | {
            "declined": {
                "reason": words.word(words.REASONS, reason),
                "comment": event.comment if event else None,
                "suggested": unit.name if unit else None,
            }
        }
    if state is State.DISPUTED:
        word, standing = queries.second_decline(db, deviation), queries.find_proposal(db, deviation, "settle")
        mine = {"sender": deviation.sender_branch_id, "receiver": deviation.receiver_branch_id}
        return nothing | {
            "declined": {
                "reason": words.word(words.REASONS, word.reason),
                "comment": word.comment,
                "suggested": None,
            }
            if word
            else None,
            "proposal": {
                "outcome": standing.outcome,
                "words": words.word(words.SETTLEMENTS, standing.outcome),
                "comment": standing.comment,
                "at": text.moment(standing.proposed_at),
                "ours": party is not None and standing.branch_id == mine[party],
            }
            if standing
            else None,
        }
    return nothing
