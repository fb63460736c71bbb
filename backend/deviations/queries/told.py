"""Who is told about a case, and what a letter says of it: asked when it is owed, and again just before it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.access import Permission
from backend.accounts.identity import identity_in
from backend.agreements import queries as agreements
from backend.core import clock
from backend.core.calendar import Calendar, local_date
from backend.core.db import reaching
from backend.deviations import clocks, deadlines, rules, steps
from backend.deviations.models import Deviation, Draft, Handover, Side, State
from backend.deviations.queries.case import handover, owing, pauses, waiting_since
from backend.deviations.queries.team import copy_of
from backend.deviations.rules import HELD
from backend.directory import queries as directory
from backend.directory.models import Branch, Unit
from backend.directory.queries import Recipient
from backend.notifications.letters import Line
from backend.notifications.models import Notice, Reminder

# In which states news still says what is true; a kind that is not here is true for as long as the branch sees the case.
STILL_TRUE: dict[str, frozenset[State]] = {
    "arrival": frozenset({State.SENT}),
    "returned": frozenset({State.RETURNED}),
    "answered": frozenset({State.ANSWERED}),
    "question": frozenset({State.QUESTION}),
    "reply": HELD,
    "redirect_proposed": frozenset({State.REDIRECT_PROPOSED}),
    "redirect_refused": HELD,
    "declined": frozenset({State.DECLINED}),
    "disputed": frozenset({State.DISPUTED}),
    "settle_proposed": frozenset({State.DISPUTED}),
    "for_approval": HELD,
    "external": HELD,
    # Good examples: what is answered in words has news of its own.
    "thanked": frozenset({State.ACKNOWLEDGED, State.IN_REVIEW}),
    "disagreed": frozenset({State.CLOSED}),
    "unsettled": frozenset({State.CLOSED}),
    "settled": frozenset({State.ANSWERED, State.CLOSED}),
    "withdrawn": frozenset({State.WITHDRAWN}),
}
# To whom news goes; what is not here goes to whoever handles what comes to the unit, or to one named person.
AUDIENCE: dict[str, steps.Role] = {
    "answered": "reporter",
    "question": "reporter",
    "delay_notice": "reporter",
    "disputed": "manager",
    "settle_proposed": "manager",
    "for_approval": "manager",
    "masked": "safety",
    "thanked": "reporter",
    "disagreed": "reporter",
    "unsettled": "manager",
    "settled": "manager",
    "withdrawn": "reporter",
}
# What only tells how something ended: the day the case waits for now is another's.
UNDATED = frozenset({"settled"})
# A personal data incident has a clock of its own, of 72 hours: whoever follows secrecy is told at any hour.
URGENT = frozenset({"masked"})
# Who is not reminded where those who handle a case have asked for quiet; to the others it is still raised.
LEFT_IN_PEACE = frozenset({"handler", "reporter"})
# A draft that nobody has touched is thrown away after so long, and its writer told of it so long before.
# What is said of a clock, where news has the same name.
LINE_OF_CLOCK = {"reply": "clock_reply", "declined": "clock_declined"}


@dataclass(frozen=True)
class Running:
    """A clock that runs on a case now: since when, until when, whom it waits for, and its steps."""

    kind: clocks.Kind
    branch_id: int
    leg: int
    started_at: datetime
    due_on: date
    steps: Sequence[steps.Step]


def kind_of(clock: clocks.Kind, step: steps.Step) -> str:
    """What a letter calls a step of a clock."""
    return "untouched" if step.name == "untouched" else LINE_OF_CLOCK.get(clock, clock)


def county_calendar(deviation: Deviation) -> Calendar:
    return clocks.terms_from(deviation.agreement.terms)[1]


def branch_calendar(db: Session, branch_id: int) -> Calendar:
    """The days that are worked in the county of a branch, by its agreement of today."""
    return calendar_in(db, db.get_one(Branch, branch_id).organisation.county_id)


def calendar_in(db: Session, county_id: int) -> Calendar:
    """The days that are worked in a county, by its agreement of today."""
    return clocks.terms_from(agreements.agreement_in_force(db, county_id, clock.today()).terms)[1]


def running(db: Session, deviation: Deviation, now: datetime) -> list[Running]:
    """The clocks of a case with their steps, once for each party that is waited for."""
    leg = handover(db, deviation)
    since = waiting_since(db, deviation)
    terms, calendar = clocks.terms_from(deviation.agreement.terms)
    held_since = local_date(deadlines.held_since(deviation, leg))
    found = []
    for one in deadlines.running(deviation, leg, pauses(db, deviation), since, now):
        started = _started(deviation, leg, one.kind, since)
        answers = one.kind in ("answer", "returned_answer")
        plan = steps.steps(
            one.kind,
            local_date(started),
            one.due_on,
            terms,
            calendar,
            held_since=held_since if one.kind in clocks.RECEIVING else None,
            promised_on=deviation.delay_promised_on if answers else None,
        )
        if one.kind == "acknowledge":
            plan = sorted([*plan, steps.untouched(held_since, terms, calendar)], key=lambda step: step.on)
        if one.party == "receiver" and rules.is_external(deviation):
            # Nobody there can log in: whoever sent it on reminds them, and nobody is told on.
            own = [step for step in plan if step.role == "handler"]
            found.append(
                Running(one.kind, deviation.sender_branch_id, leg.position, started, one.due_on, own)
            )
            continue
        branches = {
            "sender": [deviation.sender_branch_id],
            "receiver": [deviation.receiver_branch_id],
            "both": [deviation.sender_branch_id, deviation.receiver_branch_id],
        }[one.party]
        found += [Running(one.kind, branch, leg.position, started, one.due_on, plan) for branch in branches]
    return found


def _started(deviation: Deviation, leg: Handover, kind: clocks.Kind, since: datetime) -> datetime:
    if kind == "acknowledge":
        return deadlines.held_since(deviation, leg)
    return deviation.clock_started_at if kind in ("answer", "returned_answer") else since


def quiet_of(db: Session, deviation: Deviation, branch_id: int) -> Side | None:
    """Where a side's own has it that those who handle the case want quiet. What was asked for on an earlier leg of the
    route is not asked for by whoever has the case now.
    """
    side = db.get(Side, (deviation.id, branch_id))
    if side is None or side.quiet_at is None:
        return None
    came = handover(db, deviation)
    return side if branch_id != came.branch_id or side.quiet_at >= came.sent_at else None


def is_quiet(side: Side | None, today: date) -> bool:
    """Whether those who handle the case have asked not to be reminded of it."""
    return bool(side and side.quiet_at is not None and (side.quiet_until is None or today < side.quiet_until))


def opened_since(side: Side | None, moment: datetime) -> bool:
    """Whether anybody who handles cases has opened it since it came."""
    return side is not None and side.opened_at is not None and side.opened_at >= moment


def recipients(db: Session, deviation: Deviation, branch_id: int, role: steps.Role) -> list[Recipient]:
    """Who in a branch is written to in that role. Of those who handle the case, whoever it is assigned to; else the one
    who opened it last, since the others need not hear of it twice; else all of them.
    """
    sending = branch_id == deviation.sender_branch_id
    unit_id = deviation.sender_unit_id if sending else deviation.receiver_unit_id
    side = db.get(Side, (deviation.id, branch_id))
    if role == "safety":
        return directory.safety_of(db, branch_id)
    if role == "head":
        return [Recipient(one.id, one.email) for one in directory.escalation_contacts(db, branch_id)[:1]]
    if role == "manager":
        return directory.managers_of(db, unit_id) or directory.safety_of(db, branch_id)
    if role == "reporter" and side is not None and side.reporter_id is not None:
        found = directory.at_work(db, side.reporter_id, branch_id)
        # Whoever stands in for a reporter does not see what that one has filed: then it is for those who handle it.
        if found is not None and found.person_id == side.reporter_id:
            return [found]
    if sending and rules.is_external(deviation):
        unit_id = directory.intake_of(db, branch_id) or unit_id
    if side is not None and side.handler_id in {one.id for one in directory.handlers(db, unit_id)}:
        handling = directory.at_work(db, side.handler_id or 0, branch_id)
        if handling is not None:
            return [handling]
    everyone = directory.recipients(db, unit_id)
    opened_by = side.opened_by_id if side is not None else None
    return [one for one in everyone if one.person_id == opened_by] or everyone


def said(db: Session, notice: Notice) -> Line | str:
    """The line of a notice, or in a word or two why there is nothing to be said any more."""
    if notice.deviation_id is None:
        return _aside(db, notice)
    case = owing(db, notice.deviation_id, notice.branch_id)
    if case is None:
        return _left(db, notice, notice.deviation_id) if notice.kind == "masked" else "no longer seen"
    deviation = db.get_one(Deviation, notice.deviation_id)
    if notice.role != "head" and not _may_open(db, notice, deviation):
        return "no longer theirs"
    due_on = None if notice.kind in UNDATED else case.next_due_on
    if notice.reminder_id is not None:
        found = _still_due(db, notice, deviation)
        if isinstance(found, str):
            return found
        due_on = found
    elif case.state not in STILL_TRUE.get(notice.kind, [case.state]):
        return "no longer true"
    address = f"/deviations/{case.case_number}" + ("/masked" if notice.kind == "masked" else "")
    return Line(notice.kind, notice.role, case.unit, address, case.case_number, due_on)


def _left(db: Session, notice: Notice, deviation_id: int) -> Line | str:
    """Of a slip in what a branch was given of a case that has left it: for safety, who alone opens the copy."""
    reader = identity_in(db, notice.person_id, "branch", notice.branch_id)
    if reader is None or not reader.everywhere(Permission.MASK):
        return "no longer theirs"
    with reaching(db, sealed=True):
        copy = copy_of(db, notice.branch_id, deviation_id)
    if copy is None:
        return "no longer seen"
    unit = db.get_one(Unit, copy.unit_id)
    return Line(
        notice.kind, notice.role, unit.name, f"/deviations/{copy.case_number}/masked", copy.case_number
    )


def _may_open(db: Session, notice: Notice, deviation: Deviation) -> bool:
    """Nobody is written to about a case that they would not be let into. The head of an organisation's list alone is
    told of a number and a unit, and that the unit opens it.
    """
    reader = identity_in(db, notice.person_id, "branch", notice.branch_id)
    return reader is not None and rules.may_see(reader, deviation)


def _still_due(db: Session, notice: Notice, deviation: Deviation) -> date | str:
    """The day a reminder speaks of, while its clock runs and it is still this person's to act."""
    step = db.get_one(Reminder, notice.reminder_id)
    clock_of_step = (step.clock, step.branch_id, step.leg, step.started_at)
    due_on = next(
        (
            one.due_on
            for one in running(db, deviation, clock.now())
            if (one.kind, one.branch_id, one.leg, one.started_at) == clock_of_step
        ),
        None,
    )
    if due_on is None:
        return "acted meanwhile"
    side = db.get(Side, (deviation.id, notice.branch_id))
    if step.step == "untouched" and opened_since(side, step.started_at):
        return "opened meanwhile"
    asked = quiet_of(db, deviation, notice.branch_id)
    if step.role in LEFT_IN_PEACE and is_quiet(asked, clock.today()):
        return "quiet"
    told = recipients(db, deviation, notice.branch_id, cast(steps.Role, step.role))
    return due_on if notice.person_id in {one.person_id for one in told} else "somebody else's now"


def _aside(db: Session, notice: Notice) -> Line | str:
    """Of a report that is not sent yet."""
    draft = db.scalar(select(Draft).where(Draft.submission == notice.submission))
    given_back = draft is not None and draft.returned_comment is not None
    still = {
        "report_for_review": draft is not None and draft.for_review_at is not None and not given_back,
        "report_given_back": given_back,
        "draft_ends": draft is not None and deadlines.is_dying(draft, clock.today()),
    }
    if draft is None or not still[notice.kind]:
        return "no longer true"
    unit = db.get(Unit, notice.unit_id) if notice.unit_id else None
    address = f"/reviews/{draft.submission}" if notice.kind == "report_for_review" else "/"
    due_on = deadlines.draft_ends_on(draft) if notice.kind == "draft_ends" else None
    return Line(notice.kind, notice.role, unit.name if unit else "", address, due_on=due_on)
