"""Reading in history: cases that an older system has already sent, acknowledged, answered and closed.

They count in figures as what they were, at the times the file says, and stand in no inbox, clock or reminder.
Thousands come at a time, so that rows are written in bulk and ids read back, never case by case.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ARRAY, Select, Text, any_, insert, literal, select, text
from sqlalchemy.orm import Session

from backend.agreements import queries as agreements
from backend.agreements.models import Agreement, Category, SteeringDocument
from backend.audit import actions as audit
from backend.core import clock, jobs
from backend.core.db import Base
from backend.core.text import gettext as _
from backend.deviations import clocks, rules, searching
from backend.deviations.actions.report import new_case_number
from backend.deviations.models import (
    Answer,
    AnswerAction,
    Deviation,
    Event,
    Handover,
    Side,
    State,
    VerdictKind,
)
from backend.directory import queries as directory
from backend.directory.models import Branch, County, Organisation, Unit
from backend.exchange.forms.deviations import COLUMNS, Known, PastCase, past_cases
from backend.exchange.outcome import Outcome, RowFault
from backend.exchange.tables import Table, read

# With the county and the reference of the older system: the same row is the same submission, for ever.
_SUBMISSIONS = uuid.UUID("5c0f4a0e-5d3a-4a49-9e0c-3f9a4f0d7b61")

Row = dict[str, Any]
K = TypeVar("K")
V = TypeVar("V")


def import_deviations(db: Session, file: Path, county: str, *, dry_run: bool = False) -> Outcome:
    """Read a file of past cases into a county, all rows or none, in a transaction of the operator.

    The outcome counts `deviations`, or tells every faulty row. A row read before is left unchanged, and is a fault
    where its content has become another. A dry run writes nothing.
    """
    table = read(file, COLUMNS)
    into = directory.county_by_code(db, county)
    if into is None:
        table.fault(_("Länet {code} finns inte. Läs in dess katalog först.").format(code=county))
        return Outcome(faults=table.faults)
    _one_at_a_time(db, into)
    known = _known(db, into)
    cases = past_cases(table, known)
    new = _not_read_before(db, into, table, cases)
    if table.faults:
        return Outcome(faults=sorted(table.faults, key=_place))
    outcome = Outcome({"deviations": Counter({"added": len(new), "unchanged": len(cases) - len(new)})})
    if new and not dry_run:
        _write(db, into, known, new)
        audit.record_system(db, "exchange.import_deviations", county=into.code, added=len(new))
        # Earlier months have got more cases, so that their summaries are to be made anew.
        jobs.owe(db, "summaries.snapshot", subject_id=into.id)
    return outcome


def _place(fault: RowFault) -> tuple[int, int]:
    return fault.row or 0, COLUMNS.index(fault.column) if fault.column else -1


def _one_at_a_time(db: Session, county: County) -> None:
    """A second import of the same county waits, and then finds what the first has read."""
    db.execute(text("select pg_advisory_xact_lock(hashtext('exchange'), :county)"), {"county": county.id})


def _known(db: Session, county: County) -> Known:
    units = db.execute(
        select(Unit.hsa_id, Unit.id, Unit.branch_id)
        .join(Branch, Branch.id == Unit.branch_id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(Organisation.county_id == county.id)
    )
    return Known(
        units={hsa_id: (unit_id, branch_id) for hsa_id, unit_id, branch_id in units},
        categories=_pairs(db, select(Category.code, Category.id).where(Category.county_id == county.id)),
        steering_documents=_pairs(
            db,
            select(SteeringDocument.code, SteeringDocument.id).where(SteeringDocument.county_id == county.id),
        ),
    )


def _pairs(db: Session, query: Select[K, V]) -> dict[K, V]:
    return dict(db.execute(query).all())


def _not_read_before(db: Session, county: County, table: Table, cases: Sequence[PastCase]) -> list[PastCase]:
    there = select(Deviation.source_reference, Deviation.source_digest).where(
        Deviation.county_id == county.id, Deviation.source_reference.is_not(None)
    )
    digests = _pairs(db, there)
    new = []
    lines = {line.number: line for line in table.lines}
    for case in cases:
        digest = digests.get(case.source_reference)
        if digest is None:
            new.append(case)
        elif digest != case.digest:
            reason = _(
                "Ärendet är redan inläst med annat innehåll. Återställ raden, eller ge ärendet en ny referens."
            )
            lines[case.row].fault("source_reference", reason)
    return new


@dataclass(frozen=True, slots=True)
class _Filed:
    """A case with the number it gets, and its parties as the database knows them."""

    case: PastCase
    number: str
    sender_unit_id: int
    sender_branch_id: int
    receiver_unit_id: int
    receiver_branch_id: int


def _write(db: Session, county: County, known: Known, cases: Sequence[PastCase]) -> None:
    now, due = clock.now(), _Deadlines(db, county)
    filed = [
        _Filed(case, number, *known.units[case.sender_unit], *known.units[case.receiver_unit])
        for case, number in zip(cases, _case_numbers(db, county, cases), strict=True)
    ]
    _insert(db, Deviation, [_deviation(county, known, one, due, now) for one in filed])
    theirs = Deviation.county_id == county.id, Deviation.source_reference.is_not(None)
    ids = _pairs(db, select(Deviation.case_number, Deviation.id).where(*theirs))
    _insert(db, Handover, [_handover(ids[one.number], one, due) for one in filed])
    _insert(db, Side, [{"deviation_id": ids[one.number], "branch_id": one.sender_branch_id} for one in filed])
    _insert(db, Event, [event for one in filed for event in _events(ids[one.number], one, now)])
    answered = [one for one in filed if one.case.answered_at]
    _insert(db, Answer, [_answer(ids[one.number], one) for one in answered])
    answers = _pairs(db, select(Answer.deviation_id, Answer.id).join(Deviation).where(*theirs))
    done = [(ids[one.number], one.case.action) for one in answered if one.case.action]
    _insert(
        db, AnswerAction, [{"deviation_id": of, "answer_id": answers[of], "text": what} for of, what in done]
    )
    searching.index_many(db, [ids[one.number] for one in filed])


def _insert(db: Session, model: type[Base], rows: Sequence[Row]) -> None:
    # Into the table: the mapper would send rows apart for each pattern of empty columns. Nothing is read back here,
    # since the driver can then send all rows down one prepared statement, without waiting for each.
    if rows:
        db.execute(insert(model.__table__), rows)  # type: ignore[arg-type]  # typed as any FromClause


def _case_numbers(db: Session, county: County, cases: Sequence[PastCase]) -> list[str]:
    """A number each, none of them taken. Those that are get drawn again, as when a case is filed."""
    days = [clock.local(case.sent_at).date() for case in cases]
    numbers = [new_case_number(county.code, day) for day in days]
    while taken := _taken(db, numbers):
        numbers = [
            new_case_number(county.code, day) if number in taken else number
            for number, day in zip(numbers, days, strict=True)
        ]
    return numbers


def _taken(db: Session, numbers: Sequence[str]) -> set[str]:
    drawn_twice = {number for number, times in Counter(numbers).items() if times > 1}
    return drawn_twice | set(
        db.scalars(
            select(Deviation.case_number).where(Deviation.case_number == any_(literal(numbers, ARRAY(Text))))
        )
    )


class _Deadlines:
    """Due dates by the agreement in force on the day of sending, each worked out once: many cases share a day."""

    def __init__(self, db: Session, county: County) -> None:
        self._versions = agreements.versions(db, county.id)
        self._due: dict[tuple[clocks.Kind, date, int | None], date] = {}

    def agreement(self, sent_at: datetime) -> Agreement:
        return agreements.in_force(self._versions, clock.local(sent_at).date())

    def due_on(self, kind: clocks.Kind, sent_at: datetime, severity: int | None = None) -> date:
        key = kind, clock.local(sent_at).date(), severity
        if key not in self._due:
            terms, calendar = clocks.terms_from(self.agreement(sent_at).terms)
            self._due[key] = clocks.due(kind, sent_at, terms.span(kind, severity), calendar).due_on
        return self._due[key]


def _deviation(county: County, known: Known, one: _Filed, due: _Deadlines, now: datetime) -> Row:
    case = one.case
    return {
        "county_id": county.id,
        "case_number": one.number,
        "submission": uuid.uuid5(_SUBMISSIONS, f"{county.code}:{case.source_reference}"),
        "state": case.state,
        "revision": len(_steps(case)),
        "event_kind": case.event_kind,
        "occurred_on": case.occurred_on,
        "sender_branch_id": one.sender_branch_id,
        "sender_unit_id": one.sender_unit_id,
        "receiver_branch_id": one.receiver_branch_id,
        "receiver_unit_id": one.receiver_unit_id,
        "category_id": known.categories[case.category],
        "steering_document_id": known.steering_documents.get(case.steering_document),
        "target_group": case.target_group,
        "severity": case.severity,
        "description": case.description,
        "immediate_action": case.immediate_action or None,
        "agreement_id": due.agreement(case.sent_at).id,
        "sent_at": case.sent_at,
        "due_on": due.due_on("answer", case.sent_at, case.severity)
        if rules.needs_answer(case.event_kind)
        else None,
        "next_due_on": None,
        "clock_started_at": case.sent_at,
        "resting": True,
        "acknowledged_at": case.received_at,
        "answered_at": case.answered_at,
        "accepted_at": case.accepted_at,
        "closed_at": case.closed_at,
        "updated_at": now,
        "imported": True,
        "source_reference": case.source_reference,
        "source_digest": case.digest,
    }


def _handover(deviation_id: int, one: _Filed, due: _Deadlines) -> Row:
    return {
        "deviation_id": deviation_id,
        "position": 1,
        "branch_id": one.receiver_branch_id,
        "unit_id": one.receiver_unit_id,
        "sent_at": one.case.sent_at,
        "acknowledge_due_on": due.due_on("acknowledge", one.case.sent_at, one.case.severity),
        "acknowledged_at": one.case.received_at,
    }


def _steps(case: PastCase) -> list[tuple[str, State, datetime]]:
    """What happened to the case: the verb, the state it led to, and when. A case that the older system closed
    without an answer was accepted by nobody, so that nothing is told beside its time.
    """
    steps = [
        ("sent", State.SENT, case.sent_at),
        ("acknowledge", State.ACKNOWLEDGED, case.acknowledged_at),
        ("answer", State.ANSWERED, case.answered_at),
        ("accept", State.CLOSED, case.accepted_at),
    ]
    return [(verb, to, at) for verb, to, at in steps if at]


def _events(deviation_id: int, one: _Filed, now: datetime) -> Iterator[Row]:
    before: State | None = None
    for verb, to, at in _steps(one.case):
        receiver = to in (State.ACKNOWLEDGED, State.ANSWERED)
        yield {
            "deviation_id": deviation_id,
            "verb": verb,
            "from_state": before,
            "to_state": to,
            "at": at,
            "recorded_at": now,
            "branch_id": one.receiver_branch_id if receiver else one.sender_branch_id,
            "unit_id": one.receiver_unit_id if receiver else one.sender_unit_id,
        }
        before = to


def _answer(deviation_id: int, one: _Filed) -> Row:
    case = one.case
    return {
        "deviation_id": deviation_id,
        "branch_id": one.receiver_branch_id,
        "answered_at": case.answered_at,
        "outcome": case.outcome,
        "cause_areas": [case.cause_area] if case.cause_area else [],
        "cause": case.cause,
        "follow_up": case.follow_up or None,
        "verdict": VerdictKind.ACCEPTED if case.accepted_at else None,
        "verdict_at": case.accepted_at,
    }
