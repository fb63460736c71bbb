"""Writing what the parties have agreed. Nothing is deleted: cases speak of it for as long as they are kept."""

from collections.abc import Mapping
from datetime import date, time

from psycopg.errors import UniqueViolation
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.agreements import forms, queries, rules
from backend.agreements.closing import calendar_of
from backend.agreements.forms import AgreementForm, RoutingRuleForm
from backend.agreements.models import Agreement, CalendarCheck, Category, RoutingRule, SteeringDocument
from backend.agreements.routing import When
from backend.audit import actions as audit
from backend.core import clock, jobs
from backend.core.calendar import at_hour
from backend.core.errors import ConflictError, ForbiddenError, NotFoundError
from backend.core.text import gettext as _
from backend.directory import queries as directory
from backend.directory.actions import Fates, Values, hang, settle
from backend.directory.models import County

FIRST_DAY = date(2000, 1, 1)


def put_first_agreement(db: Session, county: County) -> Fates:
    """A county that has agreed on nothing of its own has the default terms, in force for all of its history."""
    if db.scalar(select(Agreement.id).where(Agreement.county_id == county.id).limit(1)) is not None:
        return {}
    db.add(Agreement(county_id=county.id, version=1, valid_from=FIRST_DAY, terms={}, made_at=clock.now()))
    db.flush()
    return {1: "added"}


def agree(db: Session, me: Identity, form: AgreementForm) -> Agreement:
    """Make the county's next version. It counts for what is sent from its first day on; what is sent already keeps the
    version it was sent under.

    Raises InvalidError by field; ForbiddenError for whoever is not the county's coordinator; ConflictError where
    another version has been made since the form was opened, or one is planned already.
    """
    _may_agree(me)
    terms = forms.terms(form)
    versions = queries.versions(db, me.place_id)
    if versions[0].version != form.base:
        raise ConflictError(_overtaken())
    if queries.planned(versions):
        raise ConflictError(
            _("En ny version är redan bestämd. Ta tillbaka den först, om den inte ska gälla.")
        )
    agreement = Agreement(
        county_id=me.place_id,
        version=form.base + 1,
        valid_from=form.valid_from,
        terms=terms,
        made_at=clock.now(),
        made_by_id=me.person_id,
    )
    try:
        with db.begin_nested():
            db.add(agreement)
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        raise ConflictError(_overtaken()) from None
    audit.record(db, me, "agreements.agree", version=agreement.version)
    return agreement


def _overtaken() -> str:
    return _(
        "Någon annan har ändrat överenskommelsen medan du skrev. Det du skrev står kvar. Förhandsvisa det igen,"
        " så ser du vad som skiljer från den nya versionen."
    )


def withdraw_agreement(db: Session, me: Identity, agreement: Agreement) -> None:
    """Take back a version that does not count yet. It stays in the history, and never counts.

    Raises ForbiddenError for whoever is not the coordinator; ConflictError where it counts already or is taken back.
    """
    _may_agree(me)
    # Locked, so that of two who take it back the second is told.
    db.refresh(agreement, ["withdrawn_at"], with_for_update=True)
    if agreement.withdrawn_at is not None:
        raise ConflictError(_("Versionen är redan tillbakatagen."))
    if agreement.valid_from <= clock.today():
        raise ConflictError(_("Versionen gäller redan. Gör en ny version i stället."))
    agreement.withdrawn_at, agreement.withdrawn_by_id = clock.now(), me.person_id
    db.flush()
    audit.record(db, me, "agreements.withdraw", version=agreement.version)


def check_calendar(db: Session, me: Identity, year: int) -> None:
    """Say that the days off of a year are as they should be. Saying so twice changes nothing.

    Raises ForbiddenError for whoever is not the coordinator; NotFoundError for a year that was not asked about.
    """
    _may_agree(me)
    asked = db.get(CalendarCheck, (me.place_id, year), with_for_update=True)
    if asked is None:
        raise NotFoundError
    if asked.checked_at is None:
        asked.checked_at, asked.checked_by_id = clock.now(), me.person_id
        audit.record(db, me, "agreements.check_calendar", year=year)


ASKED_IN_MONTH = 11
ASKED_AT = time(8, 15)


def owe_calendar_checks(db: Session) -> None:
    """In November, from the county's first working day at 08:15, ask its coordinators to look at next year's days off:
    once, as a task and a letter. Cheap enough to be asked at every tick.
    """
    now = clock.now()
    today = clock.today()
    if today.month < ASKED_IN_MONTH:
        return
    year = today.year + 1
    asked = set(db.scalars(select(CalendarCheck.county_id).where(CalendarCheck.year == year)))
    for county in directory.counties(db):
        if county.id in asked:
            continue
        agreed = queries.agreement_in_force(db, county.id, today)
        first = calendar_of(agreed.terms).next_working_day(date(today.year, ASKED_IN_MONTH, 1))
        if at_hour(first, ASKED_AT) > now:
            continue
        row = {"county_id": county.id, "year": year, "asked_at": now}
        db.execute(insert(CalendarCheck).values(row).on_conflict_do_nothing())
        jobs.owe(
            db,
            "agreements.calendar_check",
            subject_id=county.id,
            key=f"calendar_check:{county.id}:{year}",
        )


def _may_agree(me: Identity) -> None:
    if not rules.may_agree(me):
        raise ForbiddenError(_("Överenskommelsen skrivs av länets samordnare."))


def put_categories(
    db: Session, county: County, wanted: Mapping[str, Values], parents: Mapping[str, str]
) -> Fates:
    """By code; `parents` names the category that each is below, or nothing."""
    there = {one.code: one for one in db.scalars(select(Category).where(Category.county_id == county.id))}
    fates = settle(db, Category, there, wanted)
    hang(there, parents, fates)
    db.flush()
    return fates


def put_steering_documents(db: Session, county: County, wanted: Mapping[str, Values]) -> Fates:
    """By code."""
    found = db.scalars(select(SteeringDocument).where(SteeringDocument.county_id == county.id))
    return settle(db, SteeringDocument, {one.code: one for one in found}, wanted)


def add_routing_rule(db: Session, me: Identity, form: RoutingRuleForm) -> RoutingRule:
    """From now on the branch suggests the unit for such cases. Nothing already sent is moved.

    Raises InvalidError by field; ForbiddenError for whoever does not lead the branch's handling.
    """
    _may(me)
    when, unit = queries.meant(db, me, form)
    rule = _make(db, me, when, unit.id, queries.position(db, me, form))
    audit.record(db, me, "routing.add", rule=rule.id)
    return rule


def change_routing_rule(db: Session, me: Identity, rule: RoutingRule, form: RoutingRuleForm) -> RoutingRule:
    """End the rule and let another take its place, so that what held before can still be told.

    Saying what it says already changes nothing. Raises as `add_routing_rule`; ConflictError where it has ended.
    """
    _may(me)
    form = form.model_copy(update={"rule": rule.id})
    when, unit = queries.meant(db, me, form)
    position = queries.position(db, me, form)
    if rule.ended_at is None and (queries.when_of(rule), rule.unit_id, rule.position) == (
        when,
        unit.id,
        position,
    ):
        return rule
    _end(db, me, rule)
    changed = _make(db, me, when, unit.id, position)
    audit.record(db, me, "routing.change", rule=changed.id, instead_of=rule.id)
    return changed


def end_routing_rule(db: Session, me: Identity, rule: RoutingRule) -> None:
    """The rule speaks no more. Raises ConflictError where it has ended already."""
    _may(me)
    _end(db, me, rule)
    audit.record(db, me, "routing.end", rule=rule.id)


def restore_routing_rule(
    db: Session, me: Identity, rule: RoutingRule, instead_of: RoutingRule | None = None
) -> RoutingRule:
    """Let an ended rule hold again, as a rule of its own, so that the time between is not made to look otherwise.
    `instead_of` is the one that took its place, where a change is undone.

    Raises ConflictError where it holds already, or another says when it would.
    """
    _may(me)
    if rule.ended_at is None:
        raise ConflictError(_("Regeln gäller redan."))
    if instead_of is not None:
        _end(db, me, instead_of)
    restored = _make(db, me, queries.when_of(rule), rule.unit_id, rule.position)
    audit.record(db, me, "routing.restore", rule=restored.id, as_was=rule.id)
    return restored


def _may(me: Identity) -> None:
    if not rules.may_route(me):
        raise ForbiddenError(_("Reglerna ändras av den som leder hela verksamhetens avvikelsearbete."))


def _make(db: Session, me: Identity, when: When, unit_id: int, position: int) -> RoutingRule:
    rule = RoutingRule(
        branch_id=me.branches[0],
        category_id=when.category_id,
        target_group=when.target_group,
        care_level=when.care_level,
        unit_id=unit_id,
        position=position,
        made_at=clock.now(),
        made_by=me.person_id,
    )
    try:
        with db.begin_nested():
            db.add(rule)
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        raise ConflictError(
            _("En annan regel gäller redan för samma ärenden. Ladda om sidan och se efter.")
        ) from None
    return rule


def _end(db: Session, me: Identity, rule: RoutingRule) -> None:
    # Locked, so that of two who change the same rule the second is told.
    db.refresh(rule, ["ended_at"], with_for_update=True)
    if rule.ended_at is not None:
        raise ConflictError(_("Regeln har redan ändrats eller tagits bort. Ladda om sidan och se efter."))
    rule.ended_at, rule.ended_by = clock.now(), me.person_id
    db.flush()
