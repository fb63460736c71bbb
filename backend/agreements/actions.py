"""Writing what the parties have agreed. Nothing is deleted: cases speak of it for as long as they are kept."""

from collections.abc import Mapping
from datetime import date

from psycopg.errors import UniqueViolation
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.access import Identity
from backend.agreements import queries, rules
from backend.agreements.forms import RoutingRuleForm
from backend.agreements.models import Agreement, Category, RoutingRule, SteeringDocument
from backend.agreements.routing import When
from backend.audit import actions as audit
from backend.core import clock
from backend.core.errors import ConflictError, ForbiddenError
from backend.core.text import gettext as _
from backend.directory.actions import Fates, Values, hang, settle
from backend.directory.models import County

FIRST_DAY = date(2000, 1, 1)


def put_first_agreement(db: Session, county: County) -> Fates:
    """A county that has agreed on nothing of its own has the default terms, in force for all of its history."""
    if db.scalar(select(Agreement.id).where(Agreement.county_id == county.id).limit(1)) is not None:
        return {}
    db.add(Agreement(county_id=county.id, version=1, valid_from=FIRST_DAY, terms={}))
    db.flush()
    return {1: "added"}


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
