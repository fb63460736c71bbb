"""Filing a deviation: once, to the right unit, with its clocks set."""

import secrets
from datetime import date

from psycopg.errors import UniqueViolation
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.agreements import queries as agreements
from backend.audit import actions as audit
from backend.core import clock, jobs, text
from backend.core.errors import ConflictError, Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.deviations import clocks, queries, rules, searching
from backend.deviations.actions.moving import log, owe_chase, tell
from backend.deviations.forms import ReportForm
from backend.deviations.models import Deviation, Draft, Handover, Side, State
from backend.directory import queries as directory
from backend.directory.actions import tell_of_no_receiver
from backend.directory.models import Unit

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_case_number(county: str, on: date) -> str:
    """`BLE-2026-7K3Q9X`: random, so that no number tells how many there are."""
    return f"{county}-{on.year}-{''.join(secrets.choice(CROCKFORD) for _ in range(6))}"


def report(db: Session, me: Identity, form: ReportForm, *, reporter_id: int | None = None) -> Deviation:
    """File and send a deviation. The same form sent twice is one case. `reporter_id` is who wrote it, where a manager
    sends what somebody else has written.

    Raises InvalidError by field; ForbiddenError for a unit one does not report from.
    """
    if (before := queries.by_submission(db, me, form.submission)) is not None:
        return before
    sender = _sender(db, me, form.sender_unit)
    receiver = _receiver(db, form, sender, sender.branch.organisation.county_id)
    if not rules.may_send_report(me, sender):
        raise ForbiddenError(_("Hos er läser chefen rapporterna innan de skickas. Lämna den för granskning."))
    category_id, document_id = _sorted_as(db, form, sender, receiver)
    county = sender.branch.organisation.county

    now = clock.now()
    agreement = agreements.agreement_in_force(db, county.id, clock.local(now).date())
    terms, calendar = clocks.terms_from(agreement.terms)
    acknowledge_by = clocks.due("acknowledge", now, terms.span("acknowledge", form.severity), calendar).due_on
    due_on = (
        clocks.due("answer", now, terms.span("answer", form.severity), calendar).due_on
        if rules.needs_answer(form.event_kind)
        else None
    )
    deviation = Deviation(
        **form.model_dump(
            include={
                "submission",
                "event_kind",
                "occurred_on",
                "discovered_on",
                "target_group",
                "legal_area",
                "severity",
                "description",
                "consequence_patient",
                "consequence_work",
                "immediate_action",
                "suggestion",
                "shared_reference",
            }
        ),
        county_id=county.id,
        state=State.SENT,
        sender_branch_id=sender.branch_id,
        sender_unit_id=sender.id,
        receiver_branch_id=receiver.branch_id,
        receiver_unit_id=receiver.id,
        category_id=category_id,
        steering_document_id=document_id,
        agreement_id=agreement.id,
        sent_at=now,
        clock_started_at=now,
        due_on=due_on,
        next_due_on=acknowledge_by,
        updated_at=now,
        imported=False,
        revision=1,
    )
    if not _insert(db, deviation, county.code):
        # Somebody's second tap was faster: it is the same report.
        if (before := queries.by_submission(db, me, form.submission)) is not None:
            return before
        raise ConflictError(_("Formuläret har redan skickats. Öppna en ny rapport."))
    db.add(
        Handover(
            deviation_id=deviation.id,
            position=1,
            branch_id=receiver.branch_id,
            unit_id=receiver.id,
            sent_at=now,
            acknowledge_due_on=acknowledge_by,
        )
    )
    db.add(
        Side(
            deviation_id=deviation.id,
            branch_id=sender.branch_id,
            reporter_id=reporter_id or me.person_id,
            reference=form.sender_reference,
        )
    )
    db.flush()
    log(db, me, deviation, "sent", None, sender.id)
    audit.record(db, me, "deviations.report", cases=[deviation.case_number])
    db.execute(delete(Draft).where(Draft.submission == form.submission))
    jobs.owe(
        db,
        "notifications.arrival",
        subject_id=deviation.id,
        branch_id=receiver.branch_id,
        key=f"arrival:{deviation.id}:1",
    )
    tell_of_no_receiver(db, receiver.id)
    if rules.is_external(deviation):
        # Nobody there can log in: our own intake sends it on and enters the reply.
        tell(db, deviation, "external", sender.branch_id)
    owe_chase(db, deviation)
    searching.index(db, deviation)
    return deviation


def _insert(db: Session, deviation: Deviation, county: str) -> bool:
    """False where the same form is stored already. A case number that is taken is drawn again."""
    for _try in range(5):
        deviation.case_number = new_case_number(county, clock.local(deviation.sent_at).date())
        try:
            with db.begin_nested():
                db.add(deviation)
                db.flush()
        except IntegrityError as error:
            taken = error.orig.diag.constraint_name if isinstance(error.orig, UniqueViolation) else None
            if taken == "uq_deviations_sender_branch_id_submission":
                return False
            if taken != "uq_deviations_case_number":
                raise
        else:
            return True
    raise ConflictError(_("Det gick inte att skapa ett ärendenummer. Försök igen."))


def _sorted_as(db: Session, form: ReportForm, sender: Unit, receiver: Unit) -> tuple[int, int | None]:
    """The ids of category and steering document. Raises InvalidError with all that does not hold together."""
    county_id = sender.branch.organisation.county_id
    category = agreements.category(db, county_id, form.category)
    document = (
        agreements.steering_document(db, county_id, form.steering_document)
        if form.steering_document
        else None
    )
    wrong = {
        "receiver_unit": receiver.branch_id == sender.branch_id
        and _("Mottagaren hör till er egen verksamhet. Välj en hos den andra parten."),
        "receiver_organisation": receiver.branch.organisation.county_id != county_id
        and _("Mottagaren hör till ett annat län."),
        "category": category is None and _("Kategorin finns inte. Välj en i listan."),
        "steering_document": form.steering_document
        and document is None
        and _("Överenskommelsen finns inte. Välj en i listan."),
        "discovered_on": form.discovered_on
        and form.discovered_on < form.occurred_on
        and _("Upptäckten kan inte ligga före händelsen."),
    }
    faults = [Fault(field, text) for field, text in wrong.items() if text]
    if faults or category is None:
        raise InvalidError(*faults)
    return category.id, document.id if document else None


def _sender(db: Session, me: Identity, hsa_id: str) -> Unit:
    unit = directory.unit_by_hsa_id(db, hsa_id)
    if unit is None:
        raise InvalidError(Fault("sender_unit", _("Enheten finns inte. Välj en i listan.")))
    if not me.reaches(Permission.FILE, unit.id, unit.branch_id):
        raise ForbiddenError(_("Du kan inte rapportera från den enheten i det uppdrag du valt."))
    return unit


def _receiver(db: Session, form: ReportForm, sender: Unit, county_id: int) -> Unit:
    """The unit chosen; of an organisation with one way in, the unit that its rules name, else its intake."""
    if form.receiver_unit:
        unit = directory.unit_by_hsa_id(db, form.receiver_unit)
        if unit is None:
            raise InvalidError(Fault("receiver_unit", _("Mottagaren finns inte. Välj en i listan.")))
        return unit
    if form.receiver_organisation:
        found = directory.intakes(db, form.receiver_organisation)
        if len(found) == 1:
            category = agreements.category(db, county_id, form.category)
            return agreements.receiving_unit(
                db,
                found[0].branch_id,
                category.id if category else None,
                form.target_group,
                sender.care_level,
            )[0]
        listed = text.join([f"{unit.name} ({unit.hsa_id})" for unit in found])
        raise InvalidError(
            Fault(
                "receiver_organisation",
                _("Organisationen har flera vägar in, välj en: {units}.").format(units=listed)
                if found
                else _("Organisationen finns inte eller saknar väg in."),
            )
        )
    raise InvalidError(Fault("receiver_unit", _("Välj vem som ska få ärendet.")))
