"""Reading what the parties have agreed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from backend.access import Identity
from backend.agreements import routing, words
from backend.agreements.forms import RoutingRuleForm
from backend.agreements.models import Agreement, CalendarCheck, Category, RoutingRule, SteeringDocument
from backend.agreements.routing import Case, Rule, When
from backend.core import clock
from backend.core.errors import Fault, InvalidError, NotFoundError
from backend.core.text import gettext as _
from backend.directory import queries as directory
from backend.directory.models import Branch, County, Organisation, Unit


def agreement_in_force(db: Session, county_id: int, on: date) -> Agreement:
    """The version that counts on a day; before the first, the first."""
    return in_force(versions(db, county_id), on)


def versions(db: Session, county_id: int) -> Sequence[Agreement]:
    """All versions of a county, withdrawn ones too, the newest first."""
    return db.scalars(
        select(Agreement)
        .where(Agreement.county_id == county_id)
        .options(joinedload(Agreement.maker))
        .order_by(Agreement.version.desc())
    ).all()


def in_force(versions: Sequence[Agreement], on: date) -> Agreement:
    """Of a county's versions, newest first, the one that counts on a day. What was withdrawn never counts."""
    living = [version for version in versions if version.withdrawn_at is None]
    return next((version for version in living if version.valid_from <= on), living[-1])


def planned(versions: Sequence[Agreement]) -> Agreement | None:
    """The version that is made and does not count yet; there is at most one."""
    return next(
        (one for one in versions if one.withdrawn_at is None and one.valid_from > clock.today()), None
    )


def before(versions: Sequence[Agreement], this: Agreement) -> Agreement | None:
    """The version that this one took the place of, or was meant to."""
    return next((one for one in versions if one.version < this.version and one.withdrawn_at is None), None)


def agreement(db: Session, me: Identity, county: str, version: int) -> Agreement:
    """A version of one's own county. Raises NotFoundError for another county's."""
    found = db.scalar(
        select(Agreement)
        .join(County, County.id == Agreement.county_id)
        .where(County.code == county, County.id == me.county_id, Agreement.version == version)
        .options(joinedload(Agreement.maker))
    )
    if found is None:
        raise NotFoundError
    return found


def calendars_to_check(db: Session, county_id: int) -> list[int]:
    """The years whose days off the coordinators have been asked to look at, and nobody has yet."""
    return list(
        db.scalars(
            select(CalendarCheck.year)
            .where(CalendarCheck.county_id == county_id, CalendarCheck.checked_at.is_(None))
            .order_by(CalendarCheck.year)
        )
    )


@dataclass(frozen=True)
class CategoryGroup:
    """A category with those below it; where there are some, the group itself may be chosen too."""

    code: str
    label: str
    below: list[tuple[str, str]]


def categories(db: Session, county_id: int) -> list[CategoryGroup]:
    """The living categories in the county's own order."""
    rows = _living(db, county_id)
    below: dict[int, list[tuple[str, str]]] = {}
    for row in rows:
        if row.parent_id is not None:
            below.setdefault(row.parent_id, []).append((row.code, row.label))
    return [
        CategoryGroup(row.code, row.label, below.get(row.id, [])) for row in rows if row.parent_id is None
    ]


def _living(db: Session, county_id: int) -> Sequence[Category]:
    return db.scalars(
        select(Category)
        .where(
            Category.county_id == county_id,
            or_(Category.ended_on.is_(None), Category.ended_on > clock.today()),
        )
        .order_by(Category.position)
    ).all()


def category(db: Session, county_id: int, code: str) -> Category | None:
    return db.scalar(
        select(Category).where(
            Category.county_id == county_id,
            Category.code == code,
            or_(Category.ended_on.is_(None), Category.ended_on > clock.today()),
        )
    )


def steering_documents(db: Session, county_id: int) -> list[tuple[str, str]]:
    """Code and title of each."""
    rows = db.execute(
        select(SteeringDocument.code, SteeringDocument.title)
        .where(SteeringDocument.county_id == county_id, SteeringDocument.ended_on.is_(None))
        .order_by(SteeringDocument.id)
    )
    return [(code, title) for code, title in rows]


def steering_document(db: Session, county_id: int, code: str) -> SteeringDocument | None:
    return db.scalar(
        select(SteeringDocument).where(
            SteeringDocument.county_id == county_id,
            SteeringDocument.code == code,
            SteeringDocument.ended_on.is_(None),
        )
    )


def category_path(db: Session, category_id: int | None) -> tuple[int, ...]:
    """The ids from the outermost category to this one."""
    path: tuple[int, ...] = ()
    while category_id is not None:
        path = (category_id, *path)
        category_id = db.get_one(Category, category_id).parent_id
    return path


def routing_rules(db: Session, branches: Collection[int]) -> list[RoutingRule]:
    """The rules in force of these branches, what goes first first."""
    found = db.scalars(
        select(RoutingRule)
        .where(RoutingRule.branch_id.in_(branches), RoutingRule.ended_at.is_(None))
        .options(
            joinedload(RoutingRule.category),
            joinedload(RoutingRule.unit).joinedload(Unit.branch).joinedload(Branch.organisation),
        )
    )
    return sorted(found, key=lambda rule: routing.precedence(as_rule(rule)))


def former_routing_rules(db: Session, branch_id: int, limit: int = 100) -> Sequence[RoutingRule]:
    """What a branch's rules have been, the latest ended first."""
    return db.scalars(
        select(RoutingRule)
        .where(RoutingRule.branch_id == branch_id, RoutingRule.ended_at.is_not(None))
        .options(
            joinedload(RoutingRule.category), joinedload(RoutingRule.unit), joinedload(RoutingRule.maker)
        )
        .order_by(RoutingRule.ended_at.desc(), RoutingRule.id.desc())
        .limit(limit)
    ).all()


def routing_rule(db: Session, me: Identity, rule_id: int) -> RoutingRule:
    """A rule of one's own branch, in force or ended."""
    found = db.scalar(
        select(RoutingRule).where(RoutingRule.id == rule_id, RoutingRule.branch_id.in_(me.branches))
    )
    if found is None:
        raise NotFoundError
    return found


def when_of(rule: RoutingRule) -> When:
    return When(rule.category_id, rule.target_group, rule.care_level)


def as_rule(rule: RoutingRule) -> Rule:
    return Rule(rule.id, when_of(rule), rule.unit_id, rule.position)


def in_use(rules: Iterable[RoutingRule]) -> list[RoutingRule]:
    """Without those that point at a unit that is gone: nothing can be sent there."""
    return [rule for rule in rules if lives(rule.unit)]


def lives(unit: Unit) -> bool:
    return unit.ended_on is None or unit.ended_on > clock.today()


def meant(db: Session, me: Identity, form: RoutingRuleForm) -> tuple[When, Unit]:
    """What a form says, found in directory and categories. Raises InvalidError by field."""
    unit = directory.unit_by_hsa_id(db, form.unit)
    chosen = category(db, me.county_id or 0, form.category) if form.category else None
    when = When(chosen.id if chosen else None, form.target_group, form.care_level)
    same = [rule for rule in routing_rules(db, me.branches) if when_of(rule) == when and rule.id != form.rule]
    wrong = {
        "category": (form.category and chosen is None and _("Kategorin finns inte. Välj en i listan."))
        or (when.named == 0 and _("Välj minst en sak som avgör. Ärenden utan regel går till er väg in."))
        or (
            bool(same)
            and _("Det finns redan en regel för {which}. Ändra den i stället.").format(
                which=words.which(chosen.label if chosen else None, form.target_group, form.care_level)
            )
        ),
        "unit": (unit is None or unit.branch_id not in me.branches)
        and _("Välj en enhet i er egen verksamhet."),
    }
    faults = [Fault(field, text) for field, text in wrong.items() if text]
    if faults or unit is None:
        raise InvalidError(*faults)
    return when, unit


def position(db: Session, me: Identity, form: RoutingRuleForm) -> int:
    """Where a rule would stand: before all if it should go first, else where the one it replaces stood, else last."""
    there = {rule.id: rule.position for rule in routing_rules(db, me.branches)}
    if form.first:
        return min(there.values(), default=1) - 1
    return there.get(form.rule or 0, max(there.values(), default=0) + 1)


@dataclass(frozen=True)
class Routed:
    """A unit that a branch's rules point at, and why, in words."""

    unit: Unit
    reason: str


def suggestions(
    db: Session,
    branches: Collection[int],
    category_id: int | None,
    target_group: str | None,
    care_level: str | None,
) -> list[Routed]:
    """What the rules of each of these branches say about such a case, the one that says most first; nothing for a
    branch without a rule that speaks of it. `care_level` is the sending unit's.
    """
    about = Case(category_path(db, category_id), target_group, care_level)
    usable = in_use(routing_rules(db, branches))
    found = []
    for branch in dict.fromkeys(rule.branch_id for rule in usable):
        suggestion = routing.suggest((as_rule(rule) for rule in usable if rule.branch_id == branch), about)
        if suggestion:
            found.append(suggestion.rule)
    by_id = {rule.id: rule for rule in usable}
    best_first = sorted(found, key=lambda rule: routing.precedence(rule, about.category_path))
    return [Routed(by_id[rule.id].unit, _because(by_id[rule.id])) for rule in best_first]


def _because(rule: RoutingRule) -> str:
    return words.because(rule.category.label if rule.category else None, rule.target_group, rule.care_level)


def receiving_unit(
    db: Session, branch_id: int, category_id: int | None, target_group: str | None, care_level: str | None
) -> tuple[Unit, str]:
    """Where a branch wants such a case: the unit of its rule that says most about it, else its intake. With the
    reason as the end of a sentence. Raises NotFoundError for a branch without an intake.
    """
    if found := suggestions(db, [branch_id], category_id, target_group, care_level):
        return found[0].unit, found[0].reason
    unit = db.scalar(
        select(Unit)
        .options(joinedload(Unit.branch).joinedload(Branch.organisation))
        .where(
            Unit.branch_id == branch_id,
            Unit.intake,
            or_(Unit.ended_on.is_(None), Unit.ended_on > clock.today()),
        )
    )
    if unit is None:
        raise NotFoundError
    return unit, words.because_intake()


def branches_to_report_to(db: Session, me: Identity, organisation: str | None = None) -> list[int]:
    """The county's branches except one's own; of one organisation (HSA-id) if it is named."""
    others = (
        select(Branch.id)
        .join(Organisation, Organisation.id == Branch.organisation_id)
        .where(Organisation.county_id == me.county_id, Branch.id.not_in(me.branches))
        .order_by(Branch.id)
    )
    return list(db.scalars(others.where(Organisation.hsa_id == organisation) if organisation else others))
