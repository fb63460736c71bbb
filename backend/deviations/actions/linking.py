"""What both sides may note beside the case's course: another report of the same event, and that they know the patient."""

from sqlalchemy import and_, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import Fault, InvalidError, NotFoundError
from backend.core.text import gettext as _
from backend.deviations import queries, rules, sentences
from backend.deviations.actions.moving import forbidden, lock, note_change
from backend.deviations.forms import IdentifiedForm, LinkForm
from backend.deviations.models import Deviation, Link


def link(db: Session, me: Identity, deviation: Deviation, form: LinkForm) -> Deviation:
    """Say that another report tells of the same event: one event, two reports. Whoever sees only one of them never
    learns of the link.
    """
    if not rules.may_work_on(me, deviation):
        raise forbidden()
    try:
        other = queries.deviation(db, me, form.case_number)
    except NotFoundError:
        raise InvalidError(
            Fault("case_number", _("Det finns inget sådant ärende bland dem du ser. Kontrollera numret."))
        ) from None
    if other.id == deviation.id:
        raise InvalidError(Fault("case_number", _("Det är ärendets eget nummer. Skriv det andra ärendets.")))
    one, two = sorted((deviation.id, other.id))
    db.execute(
        insert(Link)
        .values(one_id=one, other_id=two, branch_id=me.branches[0], linked_at=clock.now())
        .on_conflict_do_nothing(index_elements=["one_id", "other_id"])
    )
    # In the access log alone: the case's own log is read by a party that may see only one of the two.
    audit.record(db, me, "deviations.link", cases=[deviation.case_number, other.case_number])
    return deviation


def unlink(db: Session, me: Identity, deviation: Deviation, form: LinkForm) -> Deviation:
    """Take a link back. Only the side that made it may."""
    if not rules.may_work_on(me, deviation):
        raise forbidden()
    other = queries.deviation(db, me, form.case_number)
    one, two = sorted((deviation.id, other.id))
    gone = db.scalars(
        delete(Link)
        .where(and_(Link.one_id == one, Link.other_id == two, Link.branch_id.in_(me.branches)))
        .returning(Link.one_id)
    ).all()
    if not gone:
        raise NotFoundError
    audit.record(db, me, "deviations.unlink", cases=[deviation.case_number, other.case_number])
    return deviation


def patient_identified(db: Session, me: Identity, deviation: Deviation, form: IdentifiedForm) -> Deviation:
    """Note that the parties have made sure, outside the system, who it is about: when, how and on what ground. Pauses
    nothing, and holds nothing of the patient.
    """
    lock(db, deviation)
    if rules.reaches(me, deviation, Permission.RECEIVE) is None and not rules.reported_by(me, deviation):
        raise forbidden()
    deviation.patient_identified_on = form.on
    deviation.patient_identified_how, deviation.patient_identified_ground = form.how, form.ground
    # In the log too, which stays with the two when the case goes on to somebody else.
    note_change(
        db, me, deviation, "patient_identified", comment=sentences.identified(form.on, form.how, form.ground)
    )
    return deviation
