"""Seeing to it that nobody forgets a case: a look each morning that something may be due, and news as it comes.

Who is told is decided by the job, from how the case stands then, and asked again just before a letter leaves.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import Session

from backend.audit import actions as audit
from backend.core import clock, jobs
from backend.core.calendar import at_hour, end_of_day, local_date
from backend.core.db import Scope, unit_of_work
from backend.deviations import clocks, queries
from backend.deviations.actions.moving import CHASED_AT, as_both, owe_chase
from backend.deviations.models import Deviation, Event, Side, State
from backend.deviations.queries import told
from backend.deviations.steps import Step
from backend.directory import queries as directory
from backend.directory.queries import Recipient
from backend.notifications import actions as notifications
from backend.notifications.actions import About
from backend.notifications.letters import Line
from backend.notifications.models import Reminder

CHASE = "deviations.chase"
# When every step has been taken there is nothing more to owe, but a case that waits is still looked at now and then.
LOOKED_AT_ANYWAY = timedelta(days=28)


def chase(deviation_id: int) -> str:
    """Take the steps that have come on a case, write down if it has become late, and owe the next look. Asked too
    early, twice, or for a case that waits for nobody it does nothing. Gives what became of it.
    """
    return as_both(deviation_id, _look)


def _look(db: Session, deviation: Deviation) -> str:
    if deviation.next_due_on is None or deviation.resting:
        return "waits for nobody"
    now = clock.now()
    taken, ahead = 0, [clock.today() + LOOKED_AT_ANYWAY]
    for running in told.running(db, deviation, now):
        taken += _take(db, deviation, running, now)
        coming = [step.on for step in _steps(db, deviation, running) if step.on > clock.today()]
        if running.kind in clocks.RECEIVING and running.kind != "acknowledge":
            if clocks.is_late(running.due_on, now):
                _note_once(db, deviation, running, "late", end_of_day(running.due_on))
                if not coming:
                    _note_once(db, deviation, running, "exhausted", now)
            else:
                coming.append(running.due_on + timedelta(days=1))
        ahead += coming
    owe_chase(db, deviation, min(ahead))
    return f"took {taken}"


def _steps(db: Session, deviation: Deviation, running: told.Running) -> list[Step]:
    """With the day on which those who asked for quiet want to hear of it again, on a clock that ran then already."""
    side = told.quiet_of(db, deviation, running.branch_id)
    if side is None or side.quiet_until is None:
        return list(running.steps)
    again = told.county_calendar(deviation).next_working_day(side.quiet_until)
    if again <= local_date(running.started_at):
        return list(running.steps)
    steps = [*running.steps, Step(f"quiet_{side.quiet_until}", "handler", again)]
    return sorted(steps, key=lambda step: step.on)


def _take(db: Session, deviation: Deviation, running: told.Running, now: datetime) -> int:
    """Write the steps that have come into the ledger, and tell each role of the last of its own. Gives how many."""
    today = local_date(now)
    come = [step for step in _steps(db, deviation, running) if step.on <= today]
    latest = {step.role: step for step in come}
    side = db.get(Side, (deviation.id, running.branch_id))
    quiet = told.is_quiet(told.quiet_of(db, deviation, running.branch_id), today)
    taken = 0
    for step in come:
        outcome = None
        if latest[step.role] is not step:
            outcome = "a later step came at once"
        elif step.role in told.LEFT_IN_PEACE and quiet:
            outcome = "quiet"
        elif step.name == "untouched" and told.opened_since(side, running.started_at):
            outcome = "opened"
        people = told.recipients(db, deviation, running.branch_id, step.role) if outcome is None else []
        if outcome is None and not people:
            outcome = "nobody"
        reminder_id = notifications.remind(
            db,
            Reminder(
                deviation_id=deviation.id,
                branch_id=running.branch_id,
                clock=running.kind,
                leg=running.leg,
                started_at=running.started_at,
                step=step.name,
                role=step.role,
                planned_at=at_hour(step.on, CHASED_AT),
                made_at=now,
                outcome=outcome,
            ),
        )
        if reminder_id is None:
            continue
        taken += 1
        if outcome is None:
            _tell(db, deviation, running, step, reminder_id, people)
    return taken


def _tell(
    db: Session,
    deviation: Deviation,
    running: told.Running,
    step: Step,
    reminder_id: int,
    people: Sequence[Recipient],
) -> None:
    branch_id = running.branch_id
    sending = branch_id == deviation.sender_branch_id
    about = About(
        told.kind_of(running.kind, step),
        step.role,
        branch_id,
        f"reminder:{reminder_id}",
        unit_id=deviation.sender_unit_id if sending else deviation.receiver_unit_id,
        deviation_id=deviation.id,
        reminder_id=reminder_id,
        planned_on=step.on,
    )
    # In one order, so that two looks at once do not wait for each other.
    for recipient in sorted(people):
        notifications.notify(db, recipient.person_id, about, told.county_calendar(deviation))


def _note_once(db: Session, deviation: Deviation, running: told.Running, verb: str, at: datetime) -> None:
    """Write into the case's log, once for each clock: that it became late (lateness is computed, never a state), and
    that everybody has been reminded.
    """
    noted = select(
        exists().where(
            Event.deviation_id == deviation.id,
            Event.verb == verb,
            # The answer's clock goes on from unit to unit of a branch; another branch has one of its own.
            Event.leg >= deviation.first_leg,
            Event.at >= running.started_at,
        )
    )
    if db.scalar(noted):
        return
    db.execute(
        insert(Event).values(
            deviation_id=deviation.id,
            verb=verb,
            from_state=deviation.state,
            to_state=deviation.state,
            at=at,
            recorded_at=clock.now(),
            branch_id=deviation.receiver_branch_id,
            unit_id=deviation.receiver_unit_id,
            leg=running.leg,
            automatic=True,
        )
    )
    audit.record_system(
        db, f"deviations.{verb}", branch_id=deviation.receiver_branch_id, case=deviation.case_number
    )


def spread(claim: jobs.Claim) -> str:
    """Tell news to those it is for, each at their own hour. As the branch that it is for."""
    branch_id, deviation_id = claim.branch_id or 0, claim.subject_id or 0
    kind = claim.kind.rpartition(".")[2]
    # A slip is told of also where the case has left, and is known there by what was sealed.
    with unit_of_work(Scope(branches=(branch_id,), sealed="all" if kind == "masked" else "")) as db:
        case = queries.owing(db, deviation_id, branch_id)
        if case is None and kind == "masked":
            return _spread_where_it_left(db, claim, branch_id, deviation_id)
        if case is not None and kind == "arrival" and case.state is State.RETURNED:
            kind = "returned"
        if case is None or case.state not in told.STILL_TRUE.get(kind, [case.state]):
            return "no longer true"
        if kind == "invited" and not queries.is_invited(db, deviation_id, branch_id, claim.person_id or 0):
            return "no longer true"
        deviation = queries.for_job(db, deviation_id)
        if deviation is None:
            return "no longer true"
        role = told.AUDIENCE.get(kind, "handler")
        if claim.person_id is not None:
            people = [claim.person_id]
        else:
            people = sorted(one.person_id for one in told.recipients(db, deviation, branch_id, role))
        about = About(
            kind,
            role if role in ("handler", "reporter") else "handler",
            branch_id,
            f"news:{claim.id}",
            unit_id=case.unit_id,
            deviation_id=deviation_id,
            urgent=kind in told.URGENT,
        )
        for person_id in people:
            notifications.notify(db, person_id, about, told.county_calendar(deviation))
    return f"told {len(people)}" if people else "nobody to write to"


def _spread_where_it_left(db: Session, claim: jobs.Claim, branch_id: int, deviation_id: int) -> str:
    copy = queries.copy_of(db, branch_id, deviation_id)
    if copy is None:
        return "no longer true"
    about = About(
        "masked",
        "handler",
        branch_id,
        f"news:{claim.id}",
        unit_id=copy.unit_id,
        deviation_id=deviation_id,
        urgent=True,
    )
    people = sorted(one.person_id for one in directory.safety_of(db, branch_id))
    for person_id in people:
        notifications.notify(db, person_id, about, told.branch_calendar(db, branch_id))
    return f"told {len(people)}" if people else "nobody to write to"


def lines_of(db: Session, claim: jobs.Claim) -> list[Line]:
    """What a letter has to say now: all that is due to this person in this branch and still true. In that branch's scope.

    Raises LaterError at an hour when nobody is written to, unless something in it cannot wait.
    """
    branch_id, person_id = claim.branch_id or 0, claim.person_id or 0
    lines, urgent = [], False
    for notice in notifications.reserve(db, claim.id, person_id, branch_id):
        line = told.said(db, notice)
        if isinstance(line, Line):
            lines.append(line)
            urgent = urgent or notice.kind in told.URGENT
        else:
            notifications.end(notice, line)
    if lines and not urgent:
        notifications.wait_for_morning(db, person_id, told.branch_calendar(db, branch_id))
    return lines
