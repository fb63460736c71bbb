"""Writing a report: the form, its draft, the check before sending, and sending."""

import uuid
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.agreements import queries as agreements
from backend.core import clock, text
from backend.core.db import Db
from backend.core.errors import Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, read, redirect, render
from backend.deviations import actions, queries, rules, warnings, words
from backend.deviations.forms import DraftForm, ReportForm
from backend.deviations.pages import routing
from backend.directory import queries as directory

router = APIRouter()

# Fields that stand under a fold; one with a fault in it is opened.
PRESET = ("sender_unit", "occurred_on", "discovered_on", "target_group", "severity", "event_kind")
MORE = (
    "immediate_action",
    "consequence_patient",
    "consequence_work",
    "suggestion",
    "steering_document",
    "legal_area",
    "shared_reference",
    "sender_reference",
)


@router.get("/deviations/new", name="deviations.report")
def report(
    request: Request,
    db: Db,
    me: Me,
    draft: uuid.UUID | None = None,
    event_kind: str = "adverse_event",
    receiver_unit: str = "",
) -> Response:
    _may_file(me)
    if draft is not None:
        kept = queries.draft(db, me, draft)
        return _form(
            request, db, me, {**kept.typed, "submission": str(kept.submission)}, saved_at=kept.saved_at
        )
    kind = event_kind if event_kind in words.EVENT_KINDS else "adverse_event"
    return _form(request, db, me, {"event_kind": kind, "receiver_unit": receiver_unit[:40]})


@router.post("/deviations/draft", name="deviations.save_draft")
def save_draft(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    _may_file(me)
    try:
        form = read(DraftForm, typed)
        saved_at = actions.save_draft(db, me, form.submission, typed)
    except InvalidError as error:
        return _form(request, db, me, _last(typed), status=422, errors=error.faults, kept_back=True)
    return _form(request, db, me, _last(typed), saved_at=saved_at)


@router.post("/deviations/draft/discard", name="deviations.discard_draft")
def discard_draft(db: Db, me: Me, typed: Submitted) -> Response:
    actions.discard_draft(db, me, read(DraftForm, typed).submission)
    return redirect("home")


@router.post("/deviations/check", name="deviations.check")
def check(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    _may_file(me)
    masked = warnings.masked(typed, TEXTS)
    try:
        return _check(request, db, me, masked, just_masked="mask" in typed)
    except InvalidError as error:
        return _form(request, db, me, _last(masked), status=422, errors=error.faults)


@router.post("/deviations", name="deviations.submit")
def submit(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    """Files at once. Only the form of our own page asks to look first, where there is something to warn for."""
    _may_file(me)
    try:
        form = _read_report(typed)
        unasked = routing.without_receiver(db, me, form.receiver_unit) and not _knows(typed, form)
        if LOOK_FIRST in typed and (unasked or warnings.passages(typed, TEXTS)):
            return _check(request, db, me, typed)
        if _wants_review(db, me, form):
            actions.save_draft(db, me, form.submission, typed)
            actions.hand_over(db, me, form.submission)
            return redirect("home", {"did": "handed_over"})
        deviation = actions.report(db, me, form)
    except InvalidError as error:
        return _form(request, db, me, _last(typed), status=422, errors=error.faults)
    return redirect("deviations.show", case_number=deviation.case_number)


def _knows(typed: Typed, form: ReportForm) -> bool:
    """Whether the form has already shown that the chosen unit has no receiver."""
    return form.receiver_unit in typed.get("knows_no_receiver", [])


def _wants_review(db: Session, me: Identity, form: ReportForm) -> bool:
    """Whether a manager reads this person's reports before they leave."""
    unit = directory.unit_by_hsa_id(db, form.sender_unit)
    return unit is not None and not rules.may_send_report(me, unit)


def _check(
    request: Request, db: Session, me: Identity, typed: Typed, *, just_masked: bool = False
) -> Response:
    """The report to read through before it is sent. Raises InvalidError."""
    form = _read_report(typed)
    # Kept, so that "Ändra" leads back to what was written.
    actions.save_draft(db, me, form.submission, typed)
    values = [
        (name, value) for name, value in _last(typed).items() if name in ReportForm.model_fields and value
    ]
    return render(
        request,
        "deviations/check.html",
        form=form,
        rows=summary(
            db,
            me,
            {name: str(value) for name, value in form.model_dump(mode="json", exclude_none=True).items()},
        ),
        values=values,
        passages=warnings.passages(typed, TEXTS),
        lacking=routing.without_receiver(db, me, form.receiver_unit),
        just_masked=just_masked,
    )


# Sent by the form and not by the check page: what is found there has not been seen yet.
LOOK_FIRST = "look_first"
# The texts that cross, or are kept beside the case, with what the check page calls them.
TEXTS: warnings.Labels = {
    "description": lambda: _("Vad hände"),
    "immediate_action": lambda: _("Omedelbar åtgärd"),
    "consequence_patient": lambda: _("Konsekvens för patienten"),
    "consequence_work": lambda: _("Konsekvens för arbetet"),
    "suggestion": lambda: _("Förslag"),
    "shared_reference": lambda: _("Gemensam referens"),
    "sender_reference": lambda: _("Egen referens"),
}
# What to do where nothing is filled in, in the order of the page.
MISSING: dict[str, Callable[[], str]] = {
    "receiver_unit": lambda: _("Välj vem som ska få ärendet."),
    "category": lambda: _("Välj vad det gäller."),
    "description": lambda: _("Skriv vad som hände."),
    "occurred_on": lambda: _("Välj vilken dag det hände."),
    "target_group": lambda: _("Välj vem det gällde."),
}


def _read_report(typed: Typed) -> ReportForm:
    """The report as the page sends it. Raises InvalidError with all that is missing or wrong, in the page's order."""
    faults = {}
    try:
        form = read(ReportForm, typed)
    except InvalidError as error:
        faults = {fault.field: fault for fault in error.faults}
    for field, sentence in MISSING.items():
        if not any(value.strip() for value in typed.get(field, [])):
            faults[field] = Fault(field, sentence())
    if typed.get("receiver_organisation"):
        faults.pop("receiver_unit", None)
    if faults:
        order = [*MISSING, *ReportForm.model_fields]
        raise InvalidError(*sorted(faults.values(), key=lambda fault: order.index(fault.field)))
    return form


def _may_file(me: Identity) -> None:
    if not me.may(Permission.FILE):
        raise ForbiddenError(
            _("Det uppdrag du valt kan läsa men inte rapportera. Byt uppdrag om du har fler.")
        )


def _last(typed: Typed) -> dict[str, str]:
    return {name: values[-1] for name, values in typed.items()}


def _form(
    request: Request, db: Session, me: Identity, values: dict[str, Any], *, status: int = 200, **context: Any
) -> Response:
    units = directory.own_units(db, me)
    sender = next(
        (unit for unit in units if unit.hsa_id == values.get("sender_unit")), units[0] if units else None
    )
    if sender is None:
        raise ForbiddenError(
            _("Ditt uppdrag hör inte till någon enhet som finns kvar. Kontakta din administratör.")
        )
    preset = {
        "submission": str(uuid.uuid4()),
        "sender_unit": sender.hsa_id,
        "occurred_on": clock.today().isoformat(),
        "target_group": words.TARGET_GROUP_OF.get(sender.care_level, "older"),
        "event_kind": "adverse_event",
        "severity": "",
    }
    values = {**preset, **{name: value for name, value in values.items() if value}}
    good_example = values["event_kind"] == "good_example"
    if good_example:
        values.setdefault("category", "good_example")
    faulty = {fault.field for fault in context.get("errors", ())}
    return render(
        request,
        "deviations/report.html",
        status=status,
        **{"errors": [], "saved_at": None, "kept_back": False, **context},
        values={name: values.get(name, "") for name in ReportForm.model_fields},
        units=[(unit.hsa_id, unit.name) for unit in units],
        receivers=_receiver_groups(db, me),
        categories=_category_groups(db, me, good_example=good_example),
        steering_documents=agreements.steering_documents(db, me.county_id or 0),
        words=words,
        good_example=good_example,
        suggestions=routing.suggested(db, me, values),
        lacking=routing.without_receiver(db, me, values.get("receiver_unit")),
        in_form=True,
        reviewed=not rules.may_send_report(me, sender),
        returned=_given_back(db, me, values["submission"]),
        preset_open=bool(faulty & set(PRESET)),
        more_open=bool(faulty & set(MORE)),
    )


def _given_back(db: Session, me: Identity, submission: str) -> str | None:
    """What the manager wrote when the report was given back, for as long as it has not been handed over again."""
    kept = (one for one in queries.drafts(db, me) if str(one.submission) == submission)
    return next((one.returned_comment for one in kept), None)


def _receiver_groups(db: Session, me: Identity) -> list[tuple[str, list[tuple[str, str]]]]:
    """Units by organisation and branch; each group begins with its way in, for the one who does not know more."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for unit in directory.receivers(db, me):
        title = (
            unit.organisation
            if unit.branch.startswith(unit.organisation)
            else f"{unit.organisation}: {unit.branch}"
        )
        name = _("{unit} (vet inte vilken enhet)").format(unit=unit.name) if unit.intake else unit.name
        groups.setdefault(title, []).append((unit.hsa_id, name))
    return list(groups.items())


def _category_groups(
    db: Session, me: Identity, *, good_example: bool
) -> list[tuple[str | None, list[tuple[str, str]]]]:
    groups: list[tuple[str | None, list[tuple[str, str]]]] = []
    for group in agreements.categories(db, me.county_id or 0):
        if group.code == "good_example" and not good_example:
            continue  # it has its own way in, and asks for no answer
        if group.below:
            below = [(group.code, _("{category}, annat").format(category=group.label))]
            groups.append((group.label, group.below + below))
        elif groups and groups[-1][0] is None:
            groups[-1][1].append((group.code, group.label))
        else:
            groups.append((None, [(group.code, group.label)]))
    return groups


def summary(db: Session, me: Identity, typed: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What a report says, half written or whole, in the words of the page: label, value, and the field that changes it.
    Empty ones are left out.
    """
    documents = dict(agreements.steering_documents(db, me.county_id or 0))

    def unit(name: str, *, whose: bool = False) -> str | None:
        found = directory.unit_by_hsa_id(db, typed[name]) if typed.get(name) else None
        return (f"{found.name}, {found.branch.organisation.name}" if whose else found.name) if found else None

    def named(known: words.Words, name: str) -> str | None:
        return words.word(known, typed[name]) if typed.get(name) in known else None

    def day(name: str) -> str | None:
        try:
            return text.long_date(date.fromisoformat(typed.get(name, "")))
        except ValueError:  # not a day yet
            return typed.get(name)

    category = agreements.category(db, me.county_id or 0, typed.get("category", ""))
    rows = [
        (_("Till"), unit("receiver_unit", whose=True), "receiver_unit"),
        (_("Från"), unit("sender_unit"), "sender_unit"),
        (_("Vad gäller det"), category.label if category else None, "category"),
        _text_row("description", typed),
        (_("Slag"), named(words.EVENT_KINDS, "event_kind"), "event_kind"),
        (_("Hände"), day("occurred_on"), "occurred_on"),
        (_("Upptäcktes"), day("discovered_on"), "discovered_on"),
        (_("Målgrupp"), named(words.TARGET_GROUPS, "target_group"), "target_group"),
        (_("Allvarlighet"), named(words.SEVERITIES, "severity") or _("Vet inte"), "severity"),
        *(_text_row(name, typed) for name in ("immediate_action", "consequence_patient", "consequence_work")),
        _text_row("suggestion", typed),
        (_("Överenskommelse"), documents.get(typed.get("steering_document", "")), "steering_document"),
        (_("Lagrum"), named(words.LEGAL_AREAS, "legal_area"), "legal_area"),
        *(_text_row(name, typed) for name in ("shared_reference", "sender_reference")),
    ]
    return [(label, value, field) for label, value, field in rows if value]


def _text_row(name: str, typed: Mapping[str, str]) -> tuple[str, str | None, str]:
    return TEXTS[name](), typed.get(name), name
