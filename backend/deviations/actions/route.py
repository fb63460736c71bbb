"""Finding the right unit: redirect within the branch, propose another branch, decline, send a declined case again."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.audit import actions as audit
from backend.core import clock, jobs
from backend.core.db import reaching
from backend.core.errors import Fault, InvalidError
from backend.core.text import gettext as _
from backend.deviations import deadlines, queries, rules, searching
from backend.deviations.actions.moving import (
    check,
    lock,
    move,
    note_acknowledged,
    set_answer_due,
    tell,
)
from backend.deviations.actions.sealing import parting_words, seal
from backend.deviations.forms import ConfirmRedirectForm, DeclineForm, RedirectForm, ResendForm
from backend.deviations.models import Deviation, EndedHow, Handover, Proposal, Side
from backend.directory import queries as directory
from backend.directory.actions import tell_of_no_receiver
from backend.directory.models import Unit


def redirect(db: Session, me: Identity, deviation: Deviation, form: RedirectForm) -> Deviation:
    """Send the case on: within the branch at once, to another branch as a proposal that the sender decides.

    The answer clock goes on; each unit is charged for the days it held the case.
    """
    lock(db, deviation)
    check(db, me, deviation, "redirect")
    unit = _unit(db, deviation, form.unit)
    if unit.branch_id == deviation.receiver_branch_id:
        leg = _next_leg(db, deviation, unit, EndedHow.REDIRECTED, form.reason)
        move(
            db,
            me,
            deviation,
            "redirect",
            next_due_on=leg.acknowledge_due_on,
            comment=form.comment,
            leg=leg.position,
            to_unit=unit.id,
        )
        _hand_over(db, deviation, leg)
        return deviation
    decide_by = deadlines.from_now(deviation, "confirm_redirect", clock.now())
    move(
        db,
        me,
        deviation,
        "propose_redirect",
        next_due_on=decide_by,
        comment=form.comment,
        to_unit=unit.id,
    )
    note_acknowledged(db, deviation)
    db.add(
        Proposal(
            deviation_id=deviation.id,
            branch_id=deviation.receiver_branch_id,
            leg=queries.handover(db, deviation).position,
            kind="redirect",
            unit_id=unit.id,
            reason=form.reason,
            comment=form.comment,
            proposed_at=deviation.updated_at,
        )
    )
    tell(db, deviation, "redirect_proposed", deviation.sender_branch_id)
    return deviation


def confirm_redirect(db: Session, me: Identity, deviation: Deviation, form: ConfirmRedirectForm) -> Deviation:
    """The sender's word on a proposed receiver: a yes discloses the case to it, a no gives the case back."""
    lock(db, deviation)
    check(db, me, deviation, "confirm_redirect")
    proposal = queries.open_proposal(db, deviation, "redirect")
    if not form.confirm:
        move(
            db,
            me,
            deviation,
            "refuse_redirect",
            next_due_on=set_answer_due(db, deviation, clock.now()),
            comment=form.comment,
        )
        proposal.decided_at, proposal.decision = deviation.updated_at, "refused"
        tell(db, deviation, "redirect_refused", deviation.receiver_branch_id)
        return deviation
    unit = directory.living_unit(db, proposal.unit_id or 0)
    if unit is None:
        raise InvalidError(Fault("confirm", _("Den föreslagna enheten finns inte längre. Säg nej.")))
    seal(db, deviation, EndedHow.REDIRECTED)
    jobs.waive(db, ("notifications.arrival",), deviation.id, "redirected")
    proposal.decided_at, proposal.decision = clock.now(), "confirmed"
    db.flush()
    leg = _next_leg(db, deviation, unit, EndedHow.REDIRECTED, proposal.reason)
    move(
        db,
        me,
        deviation,
        "confirm_redirect",
        next_due_on=leg.acknowledge_due_on,
        comment=form.comment,
        leg=leg.position,
        to_unit=unit.id,
    )
    _hand_over(db, deviation, leg)
    return deviation


def decline(db: Session, me: Identity, deviation: Deviation, form: DeclineForm) -> Deviation:
    """Say that the case is not ours. The first time it goes back to the sender and leaves our sight; the second time
    the managers and safety of both have ten working days to agree.
    """
    lock(db, deviation)
    suggested = _unit(db, deviation, form.suggested_unit, "suggested_unit") if form.suggested_unit else None
    legs = queries.handovers(db, deviation)
    verb = "dispute" if any(leg.ended_how == EndedHow.DECLINED for leg in legs) else "decline"
    check(db, me, deviation, verb)
    now, leg = clock.now(), legs[-1]
    leg.reason = form.reason
    jobs.waive(db, ("notifications.arrival",), deviation.id, "declined")
    if verb == "dispute":
        db.add(
            Proposal(
                deviation_id=deviation.id,
                branch_id=deviation.receiver_branch_id,
                leg=leg.position,
                kind="decline",
                unit_id=suggested.id if suggested else None,
                reason=form.reason,
                comment=form.comment,
                proposed_at=now,
                decided_at=now,
            )
        )
        settle_by = deadlines.from_now(deviation, "settle", now)
        move(db, me, deviation, "dispute", next_due_on=settle_by, comment=form.comment)
        note_acknowledged(db, deviation)
        for branch_id in (deviation.sender_branch_id, deviation.receiver_branch_id):
            tell(db, deviation, "disputed", branch_id)
        return deviation
    deviation.declined_at = now
    deviation.acknowledged_at = deviation.acknowledged_at or now
    leg.acknowledged_at = leg.acknowledged_at or now
    leg.ended_at, leg.ended_how = now, EndedHow.DECLINED
    db.flush()
    seal(db, deviation, EndedHow.DECLINED, parting_words(db, me, form, suggested))
    act_by = deadlines.from_now(deviation, "declined", now)
    tell_branch = deviation.sender_branch_id
    move(
        db,
        me,
        deviation,
        "decline",
        next_due_on=act_by,
        comment=form.comment,
        to_unit=suggested.id if suggested else None,
    )
    searching.index(db, deviation)
    tell(db, deviation, "declined", tell_branch)
    return deviation


def resend(db: Session, me: Identity, deviation: Deviation, form: ResendForm) -> Deviation:
    """Send a declined case to another unit, or to the same one again with better words. The clock goes on."""
    lock(db, deviation)
    check(db, me, deviation, "resend")
    unit = _unit(db, deviation, form.unit)
    leg = _next_leg(db, deviation, unit, EndedHow.DECLINED, None)
    move(
        db,
        me,
        deviation,
        "resend",
        next_due_on=leg.acknowledge_due_on,
        comment=form.comment,
        leg=leg.position,
        to_unit=unit.id,
    )
    _hand_over(db, deviation, leg)
    return deviation


def _unit(db: Session, deviation: Deviation, hsa_id: str, field: str = "unit") -> Unit:
    """A living unit of the county that is neither where the case lies now nor the sender's own."""
    unit = directory.unit_by_hsa_id(db, hsa_id)
    if unit is None or unit.branch.organisation.county_id != deviation.county_id:
        raise InvalidError(Fault(field, _("Enheten finns inte. Välj en i listan.")))
    if unit.branch_id == deviation.sender_branch_id:
        raise InvalidError(
            Fault(field, _("Enheten hör till avsändaren. Avböj ärendet i stället och skriv varför."))
        )
    if unit.id == deviation.receiver_unit_id and deviation.state != "declined":
        raise InvalidError(Fault(field, _("Ärendet ligger redan där. Välj en annan enhet.")))
    return unit


def _next_leg(
    db: Session, deviation: Deviation, unit: Unit, ended_how: EndedHow, reason: str | None
) -> Handover:
    """Begin the next leg, and end the one the case is on unless it has ended already."""
    last, now = queries.handover(db, deviation), clock.now()
    last.acknowledged_at = last.acknowledged_at or now
    if last.ended_at is None:
        last.ended_at, last.ended_how, last.reason = now, ended_how, reason
    leg = Handover(
        deviation_id=deviation.id,
        position=last.position + 1,
        branch_id=unit.branch_id,
        unit_id=unit.id,
        sent_at=now,
        acknowledge_due_on=deadlines.from_now(deviation, "acknowledge", now),
    )
    db.add(leg)
    db.flush()
    return leg


def _hand_over(db: Session, deviation: Deviation, leg: Handover) -> None:
    """From here on the unit of the new leg holds the case, and is told. It says itself who handles it."""
    moved = leg.unit_id != deviation.receiver_unit_id
    if leg.branch_id != deviation.receiver_branch_id:
        deviation.first_leg = leg.position
        # What the sender and the former receiver told each other beside the log is not the next one's to read.
        deviation.delay_reason = deviation.delay_promised_on = None
        deviation.patient_identified_on = None
        deviation.patient_identified_how = deviation.patient_identified_ground = None
    deviation.receiver_unit_id, deviation.receiver_branch_id = leg.unit_id, leg.branch_id
    db.flush()
    if moved:
        _no_handler(db, deviation, leg.branch_id)
    # Who they were was read when the case was opened.
    db.expire(deviation, ["receiver_unit", "receiver_branch"])
    jobs.owe(
        db,
        "notifications.arrival",
        subject_id=deviation.id,
        branch_id=deviation.receiver_branch_id,
        key=f"arrival:{deviation.id}:leg:{leg.position}",
    )
    tell_of_no_receiver(db, deviation.receiver_unit_id)
    if rules.is_external(deviation):
        # Nobody there can log in: the sender's intake sends it on and enters the reply.
        tell(db, deviation, "external", deviation.sender_branch_id)
    searching.index(db, deviation)
    set_answer_due(db, deviation, clock.now())


def _no_handler(db: Session, deviation: Deviation, branch_id: int) -> None:
    """Nobody handles the case in the branch any more; who did stays in its access log. The sender who sends a case to
    where it has been is never told of them.
    """
    with reaching(db, branch_id):
        own = Side.deviation_id == deviation.id, Side.branch_id == branch_id
        before = db.scalar(select(Side.handler_id).where(*own))
        if before is None:
            return
        db.execute(update(Side).where(*own).values(handler_id=None))
        audit.record_system(
            db, "deviations.unassign", branch_id=branch_id, case=deviation.case_number, former=before
        )
