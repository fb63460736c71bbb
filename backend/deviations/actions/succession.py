"""What becomes of a unit's open cases when the unit ends: they go to the one that took over, with the answer's clock."""

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.audit import actions as audit
from backend.core import clock, jobs
from backend.core.db import Scope, unit_of_work
from backend.deviations import deadlines, queries, searching
from backend.deviations.actions.moving import lock, owe_chase
from backend.deviations.models import Deviation, EndedHow, Event, Handover, State
from backend.deviations.rules import HELD
from backend.directory import queries as directory

OVER = (State.CLOSED, State.WITHDRAWN)
FOLLOW = "deviations.follow_successor"


def owe_follow(db: Session, deviation: Deviation) -> None:
    """A case that is opened again when one of its units has ended goes to the one that took over."""
    for unit in directory.ended_units(db, [deviation.sender_unit_id, deviation.receiver_unit_id]):
        jobs.owe(db, FOLLOW, subject_id=unit.id, branch_id=unit.branch_id)


def follow_successor(unit_id: int, branch_id: int) -> str:
    """Move the open cases of an ended unit to its living successor of the same branch: those it holds begin a new leg,
    acknowledged as before; those it sent are followed from there. Nothing is owed to anybody anew, and asked twice
    it does nothing. Gives what became of it, for the job's row.
    """
    with unit_of_work(Scope(branches=(branch_id,))) as db:
        successor = directory.living_successor(db, unit_id)
        if successor is None:
            return "nobody to follow"
        moved = 0
        for case_id in queries.open_at(db, unit_id, OVER):
            deviation = queries.for_job(db, case_id)
            if deviation is None:
                continue
            lock(db, deviation)
            moved += _follow(db, deviation, unit_id, successor.id, branch_id)
        return f"moved {moved}"


def _follow(db: Session, deviation: Deviation, unit_id: int, successor_id: int, branch_id: int) -> bool:
    if State(deviation.state) in OVER:
        return False
    now, position = clock.now(), queries.handover(db, deviation).position
    if deviation.sender_unit_id == unit_id:
        deviation.sender_unit_id = successor_id
    elif deviation.receiver_unit_id == unit_id and deviation.state != State.DECLINED:
        last = queries.handover(db, deviation)
        last.ended_at, last.ended_how = now, EndedHow.FOLLOWED
        position += 1
        db.add(
            Handover(
                deviation_id=deviation.id,
                position=position,
                branch_id=branch_id,
                unit_id=successor_id,
                sent_at=now,
                # Whoever takes over has as long to say that it has come as anybody it is sent to.
                acknowledge_due_on=deadlines.from_now(deviation, "acknowledge", now),
                acknowledged_at=last.acknowledged_at,
            )
        )
        deviation.receiver_unit_id = successor_id
        if deviation.state == State.SENT and not deviation.resting:
            deviation.next_due_on = deadlines.from_now(deviation, "acknowledge", now)
        if State(deviation.state) in HELD:
            jobs.owe(
                db,
                "notifications.arrival",
                subject_id=deviation.id,
                branch_id=branch_id,
                key=f"arrival:{deviation.id}:leg:{position}",
            )
    else:
        return False
    deviation.revision += 1
    deviation.updated_at = now
    db.flush()
    # The new leg's steps begin now, and the next look that was planned may be far away.
    owe_chase(db, deviation)
    db.execute(
        insert(Event).values(
            deviation_id=deviation.id,
            verb="follow",
            from_state=deviation.state,
            to_state=deviation.state,
            at=now,
            recorded_at=now,
            branch_id=branch_id,
            unit_id=unit_id,
            to_unit_id=successor_id,
            leg=position,
            automatic=True,
        )
    )
    audit.record_system(db, "deviations.follow", branch_id=branch_id, case=deviation.case_number)
    searching.index(db, deviation)
    return True
