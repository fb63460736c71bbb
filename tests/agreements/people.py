"""Who settles the region's rules, and the form they fill in."""

from backend.agreements import actions, queries
from backend.agreements.forms import RoutingRuleForm
from tests.people import BOBS_UNIT, acting

PATRICIA = "patientsakerhet@region.example"  # safety in B, the region
STROKE = "SE2321000081-S013"
INTAKE = "SE2321000081-F000"


def form(**changed: object) -> RoutingRuleForm:
    return RoutingRuleForm.model_validate({"unit": BOBS_UNIT, "category": "medication", **changed})


def add(by: str = PATRICIA, **changed: object) -> int:
    with acting(by) as (db, me):
        return actions.add_routing_rule(db, me, form(**changed)).id


def change(rule_id: int, by: str = PATRICIA, **changed: object) -> int:
    with acting(by) as (db, me):
        return actions.change_routing_rule(db, me, queries.routing_rule(db, me, rule_id), form(**changed)).id


def end(rule_id: int, by: str = PATRICIA) -> None:
    with acting(by) as (db, me):
        actions.end_routing_rule(db, me, queries.routing_rule(db, me, rule_id))


def restore(rule_id: int, instead_of: int | None = None, by: str = PATRICIA) -> int:
    with acting(by) as (db, me):
        other = queries.routing_rule(db, me, instead_of) if instead_of else None
        return actions.restore_routing_rule(db, me, queries.routing_rule(db, me, rule_id), other).id
