"""Where cases should go: a branch's rules with what they would have done, and what they suggest to who reports."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.agreements import actions
from backend.agreements import queries as agreements
from backend.agreements import words as phrases
from backend.agreements.forms import RoutingRuleForm
from backend.agreements.models import RoutingRule
from backend.agreements.routing import Rule, When
from backend.agreements.rules import may_route
from backend.audit import actions as audit
from backend.core import calendar, text
from backend.core.db import Db
from backend.core.errors import Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, draw, read, redirect, render
from backend.deviations import rehearsal, words
from backend.deviations.rehearsal import Rehearsed
from backend.directory import queries as directory
from backend.directory.models import Unit

router = APIRouter()

# A rule that is only tried has no id yet.
UNSAVED = 0
MOST_SUGGESTED = 3


@router.get("/routing", name="routing.list")
def listing(request: Request, db: Db, me: Me, made: int | None = None, ended: int | None = None) -> Response:
    _may(me)
    rules = agreements.routing_rules(db, me.branches)
    former = agreements.former_routing_rules(db, me.branches[0])
    made = made if made in {rule.id for rule in rules} else None
    ended = ended if ended in {rule.id for rule in former} else None
    return render(
        request,
        "routing/list.html",
        rules=[_shown(rule) for rule in rules],
        former=[_shown(rule) for rule in former],
        undo=_undo(made, ended),
    )


@router.get("/routing/new", name="routing.new")
def new(request: Request, db: Db, me: Me, rule: int | None = None) -> Response:
    _may(me)
    typed = {
        name: value for name, value in request.query_params.items() if name in RoutingRuleForm.model_fields
    }
    if rule is not None:
        before = agreements.routing_rule(db, me, rule)
        # Back from the preview the address holds what was typed, also that something was taken away.
        typed = _written(before) if set(typed) == {"rule"} else typed
    return _form(request, db, me, typed)


@router.get("/routing/check", name="routing.check")
def check(request: Request, db: Db, me: Me) -> Response:
    """What the rule would have done with the latest cases. Asked with GET: it writes nothing but the access log."""
    _may(me)
    typed = {name: request.query_params.getlist(name) for name in request.query_params}
    try:
        form = _read(db, me, typed)
        when, unit = agreements.meant(db, me, form)
    except InvalidError as error:
        return _form(request, db, me, _last(typed), status=422, errors=error.faults)
    tried = Rule(form.rule or UNSAVED, when, unit.id, agreements.position(db, me, form))
    living = agreements.routing_rules(db, me.branches)
    received = rehearsal.latest_received(db, me)
    paths = {one.category_id: agreements.category_path(db, one.category_id) for one in received}
    usable = [agreements.as_rule(rule) for rule in agreements.in_use(living)]
    rehearsed = rehearsal.rehearse(received, usable, tried, paths)
    audit.record(db, me, "routing.check", cases=[one.case_number for one in received])
    names = {rule.unit_id: rule.unit.name for rule in living} | {unit.id: unit.name}
    return render(
        request,
        "routing/check.html",
        which=_sentence(_which(db, me, form, when)),
        unit=unit.name,
        finding=_finding(rehearsed, unit),
        caught=[_rehearsed(one, names) for one in rehearsed if one.caught],
        others=[_rehearsed(one, names) for one in rehearsed if not one.caught],
        values=[
            (name, value)
            for name, value in _last(typed).items()
            if value and name in RoutingRuleForm.model_fields
        ],
        changing=form.rule is not None,
    )


@router.post("/routing", name="routing.save")
def save(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    _may(me)
    try:
        form = _read(db, me, typed)
        if form.rule is None:
            return redirect("routing.list", {"made": actions.add_routing_rule(db, me, form).id})
        before = agreements.routing_rule(db, me, form.rule)
        changed = actions.change_routing_rule(db, me, before, form)
    except InvalidError as error:
        return _form(request, db, me, _last(typed), status=422, errors=error.faults)
    return redirect(
        "routing.list", {"made": changed.id, "ended": before.id} if changed is not before else None
    )


@router.post("/routing/{rule_id}/end", name="routing.end")
def end(db: Db, me: Me, rule_id: int) -> Response:
    _may(me)
    actions.end_routing_rule(db, me, agreements.routing_rule(db, me, rule_id))
    return redirect("routing.list", {"ended": rule_id})


@router.post("/routing/{rule_id}/restore", name="routing.restore")
def restore(db: Db, me: Me, rule_id: int, typed: Submitted) -> Response:
    _may(me)
    other = _last(typed).get("instead_of", "")
    instead_of = agreements.routing_rule(db, me, int(other)) if other.isdecimal() else None
    restored = actions.restore_routing_rule(db, me, agreements.routing_rule(db, me, rule_id), instead_of)
    return redirect("routing.list", {"made": restored.id})


@router.get("/deviations/new/suggestion", name="deviations.suggestion")
def suggestion(request: Request, db: Db, me: Me) -> Response:
    """What the receivers' rules suggest for a report that is being written. No text of it is asked for."""
    if not me.may(Permission.FILE):
        raise ForbiddenError(_("Det uppdrag du valt kan läsa men inte rapportera."))
    # Inside the report a choice is a button of its form; alone on a page it is a link to a new one.
    in_form = draw.target(request) == "suggested"
    found = suggested(db, me, request.query_params)
    lacking = without_receiver(db, me, request.query_params.get("receiver_unit"))
    return render(request, "routing/suggestion.html", suggestions=found, lacking=lacking, in_form=in_form)


def without_receiver(db: Session, me: Identity, hsa_id: str | None) -> dict[str, str] | None:
    """What to say where nobody handles what comes to the unit that is chosen, with its branch's way in, if anybody
    handles what comes there. None where all is well. Whoever wants to may send anyway.
    """
    chosen = directory.unit_by_hsa_id(db, hsa_id) if hsa_id else None
    if chosen is None or chosen.branch.organisation.county_id != me.county_id:
        return None
    intake = directory.intake_of(db, chosen.branch_id)
    lacking = directory.lacks_receiver(db, [chosen.id, *([intake] if intake else [])])
    if chosen.id not in lacking:
        return None
    way_in = db.get_one(Unit, intake) if intake and intake not in lacking else None
    return {
        "hsa_id": chosen.hsa_id,
        "unit": chosen.name,
        "intake": way_in.name if way_in else "",
        "intake_hsa_id": way_in.hsa_id if way_in else "",
    }


def suggested(db: Session, me: Identity, values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Units that the rules suggest for a report as it stands: for the branch whose way in is chosen, for the named
    organisation, or for all where no receiver is chosen yet. Whoever has chosen a unit is not contradicted.
    """
    chosen = directory.unit_by_hsa_id(db, values["receiver_unit"]) if values.get("receiver_unit") else None
    if chosen is not None and not chosen.intake:
        return []
    branches = agreements.branches_to_report_to(db, me, values.get("receiver_organisation") or None)
    if chosen is not None:
        branches = [branch for branch in branches if branch == chosen.branch_id]
    category = (
        agreements.category(db, me.county_id or 0, values["category"]) if values.get("category") else None
    )
    sender = directory.unit_by_hsa_id(db, values["sender_unit"]) if values.get("sender_unit") else None
    found = agreements.suggestions(
        db,
        branches,
        category.id if category else None,
        values.get("target_group") or None,
        sender.care_level if sender else None,
    )
    return [
        {
            "hsa_id": one.unit.hsa_id,
            "unit": one.unit.name,
            "sentence": _("{unit}, {organisation}, {reason}.").format(
                unit=one.unit.name, organisation=one.unit.branch.organisation.name, reason=one.reason
            ),
        }
        for one in found[:MOST_SUGGESTED]
        if chosen is None or one.unit.id != chosen.id
    ]


def _may(me: Identity) -> None:
    if not may_route(me):
        raise ForbiddenError(_("Reglerna sköts av den som leder hela verksamhetens avvikelsearbete."))


def _read(db: Session, me: Identity, typed: Typed) -> RoutingRuleForm:
    """Raises InvalidError, with a sentence of the page's own where no unit is chosen."""
    try:
        form = read(RoutingRuleForm, typed)
    except InvalidError as error:
        chosen = any(value.strip() for value in typed.get("unit", []))
        unit = Fault("unit", _("Välj vart ärendena ska gå."))
        raise InvalidError(
            *(unit if fault.field == "unit" and not chosen else fault for fault in error.faults)
        ) from None
    if form.rule is not None:
        agreements.routing_rule(db, me, form.rule)
    return form


def _last(typed: Typed) -> dict[str, str]:
    return {name: values[-1] for name, values in typed.items()}


def _written(rule: RoutingRule) -> dict[str, str]:
    """A rule as its form would hold it."""
    return {
        "category": rule.category.code if rule.category else "",
        "target_group": rule.target_group or "",
        "care_level": rule.care_level or "",
        "unit": rule.unit.hsa_id,
        "rule": str(rule.id),
    }


def _sentence(words_of_it: str) -> str:
    return words_of_it[0].upper() + words_of_it[1:]


def _shown(rule: RoutingRule) -> dict[str, Any]:
    category = rule.category.label if rule.category else None
    which = phrases.which(category, rule.target_group, rule.care_level)
    return {
        "id": rule.id,
        "which": _sentence(which),
        "unit": rule.unit.name,
        "gone": not agreements.lives(rule.unit),
        "made": text.short_date(calendar.local_date(rule.made_at)),
        "by": rule.maker.title,
        "ended": text.short_date(calendar.local_date(rule.ended_at)) if rule.ended_at else None,
    }


def _undo(made: int | None, ended: int | None) -> dict[str, Any] | None:
    """What was just done, and the form that undoes it."""
    if made and ended:
        said, address = _("Regeln är ändrad."), draw.url("routing.restore", rule_id=ended)
    elif made:
        said, address = _("Regeln gäller från nu."), draw.url("routing.end", rule_id=made)
    elif ended:
        said, address = _("Regeln är borttagen."), draw.url("routing.restore", rule_id=ended)
    else:
        return None
    return {"said": said, "address": address, "instead_of": made if ended else None}


def _form(
    request: Request,
    db: Session,
    me: Identity,
    values: Mapping[str, str],
    *,
    status: int = 200,
    errors: list[Fault] | None = None,
) -> Response:
    groups = agreements.categories(db, me.county_id or 0)
    return render(
        request,
        "routing/form.html",
        status=status,
        errors=errors or [],
        values={name: values.get(name, "") for name in RoutingRuleForm.model_fields},
        categories=[(group.code, group.label) for group in groups if not group.below],
        category_groups=[
            (group.label, [(group.code, _("{category}, allt").format(category=group.label)), *group.below])
            for group in groups
            if group.below
        ],
        units=[(unit.hsa_id, unit.name) for unit in directory.own_units(db, me)],
        words=words,
        phrases=phrases,
    )


def _which(db: Session, me: Identity, form: RoutingRuleForm, when: When) -> str:
    category = agreements.category(db, me.county_id or 0, form.category) if form.category else None
    return phrases.which(category.label if category else None, when.target_group, when.care_level)


def _finding(rehearsed: list[Rehearsed], unit: Unit) -> str:
    """ "12 av de 30 senaste ärendena hade gått till Strokeenheten. 9 av dem hamnade hos en annan enhet." """
    caught = [one for one in rehearsed if one.caught]
    if not rehearsed:
        return _("Ni har inte fått några ärenden än, så det finns inget att jämföra med.")
    if len(rehearsed) == 1:
        only = (
            _("Ert enda ärende hade gått till {unit}.") if caught else _("Ert enda ärende hade inte berörts.")
        )
        return only.format(unit=unit.name)
    if not caught:
        return _("Inget av era {n} senaste ärenden hade berörts.").format(n=len(rehearsed))
    finding = _("{n} av era {all} senaste ärenden hade gått till {unit}.").format(
        n=len(caught), all=len(rehearsed), unit=unit.name
    )
    elsewhere = sum(one.elsewhere for one in caught)
    more = _("{n} av dem gick till en annan enhet.") if elsewhere else _("Det är dit de gick.")
    return f"{finding} {more.format(n=elsewhere)}"


def _rehearsed(one: Rehearsed, names: Mapping[int, str]) -> dict[str, Any]:
    """A row of the preview: where the case went, and where the rules would have it."""
    if one.unit_id is None:
        would, kind = _("Ingen regel"), "neutral"
    elif one.unit_id == one.case.unit_id:
        would, kind = _("Samma enhet"), "done"
    else:
        would, kind = _("Hade gått till {unit}").format(unit=names[one.unit_id]), "info"
    return {
        "number": one.case.case_number,
        "href": draw.url("deviations.show", case_number=one.case.case_number),
        "what": one.case.category,
        "party": one.case.unit,
        "direction": "out",
        "state": would,
        "state_kind": kind,
    }
