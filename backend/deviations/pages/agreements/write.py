"""Where the county's coordinator writes the next version of the agreement, and sees what it means before it counts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.access import Identity
from backend.accounts.identity import Me
from backend.agreements import actions, closing, forms, marks
from backend.agreements import queries as agreements
from backend.agreements.forms import AgreementForm
from backend.agreements.models import Agreement
from backend.agreements.rules import may_agree
from backend.core import clock, text
from backend.core.calendar import Calendar
from backend.core.db import Db
from backend.core.errors import ConflictError, Fault, ForbiddenError, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, read, redirect, render
from backend.deviations import agreed, clocks, foreseen, risk
from backend.deviations.pages.agreements.almanac import years

router = APIRouter()

TRIED_SEVERITY = "3"


@router.get("/agreements/new", name="agreements.new")
def new(request: Request, db: Db, me: Me, start: int | None = None) -> Response:
    """A form that says what is in force, or what the version `start` said."""
    _may(me)
    versions = agreements.versions(db, me.place_id)
    now = agreements.in_force(versions, clock.today())
    old = next((one for one in versions if one.version == start), now)
    # Not today, unless that is chosen: what has come into force can no longer be taken back.
    tomorrow = clock.today() + timedelta(days=1)
    typed = {"base": str(versions[0].version), "valid_from": f"{tomorrow}", **_written(old.terms)}
    return _form(request, versions, typed)


@router.post("/agreements/check", name="agreements.check")
def check(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    """What is typed, with what it would change and mean; nothing is saved. The buttons of the calendar come here too."""
    _may(me)
    versions = agreements.versions(db, me.place_id)
    kept = _last(typed)
    moved = _calendar_button(kept)
    try:
        form, terms = _read(typed | {name: [kept[name]] for name in ("closed", "open") if name in kept})
    except InvalidError as error:
        return _form(request, versions, kept, status=422, errors=_named([*moved, *error.faults]))
    if moved:
        return _form(request, versions, kept, status=422, errors=_named(moved))
    return _form(request, versions, kept, preview=_preview(versions, form, terms, kept))


@router.post("/agreements", name="agreements.agree")
def agree(request: Request, db: Db, me: Me, typed: Submitted) -> Response:
    """Make the version, once it has been seen as it stands."""
    _may(me)
    versions = agreements.versions(db, me.place_id)
    kept = _last(typed)
    try:
        form, terms = _read(typed)
    except InvalidError as error:
        return _form(request, versions, kept, status=422, errors=_named(error.faults))
    preview = _preview(versions, form, terms, kept)
    if form.base == versions[0].version and (unsaid := _unsaid(preview, kept)):
        return _form(request, versions, kept, status=422, errors=[Fault("", unsaid)], preview=preview)
    try:
        actions.agree(db, me, form)
    except ConflictError as error:
        # What was typed stays, and is held against what has been agreed meanwhile.
        versions = agreements.versions(db, me.place_id)
        kept |= {"base": str(versions[0].version), "seen": ""}
        return _form(request, versions, kept, status=409, errors=[Fault("", error.text)])
    return redirect("agreements.show", {"done": "made"})


def _unsaid(preview: Mapping[str, Any], kept: Mapping[str, str]) -> str:
    """Why a version cannot be saved yet, if it cannot."""
    if not preview["changes"]:
        return _("Inget är ändrat, så det behövs ingen ny version.")
    if kept.get("seen") != preview["seen"]:
        return _("Läs förhandsvisningen av det du har ändrat, och spara sedan.")
    return ""


def _may(me: Identity) -> None:
    if not may_agree(me):
        raise ForbiddenError(_("Överenskommelsen skrivs av länets samordnare. Läsa den kan alla."))


def _last(typed: Typed) -> dict[str, str]:
    return {name: values[-1] for name, values in typed.items()}


def _read(typed: Typed) -> tuple[AgreementForm, dict[str, object]]:
    form = read(AgreementForm, typed)
    return form, forms.terms(form)


def _named(faults: list[Fault]) -> list[Fault]:
    """Each fault with the name of its field, since the form has many that look alike."""
    return [
        Fault(one.field, f"{name}: {one.text[0].lower()}{one.text[1:]}" if name else one.text)
        for one in faults
        for name in [_field_name(one.field)]
    ]


def _field_name(field: str) -> str:
    for kind, label in agreed.LABELS.items():
        if field in (f"{kind}_n", f"{kind}_unit"):
            return label()
        if field == f"reminders_{kind}":
            return _("Påminnelser, {what}").format(what=label().lower())
        if field.startswith(f"{kind}_severity_"):
            n = field.removeprefix(f"{kind}_severity_")[0]
            return _("{what} vid allvarlighet {n}").format(what=label(), n=n)
    if field.startswith("escalation_"):
        return _("Lyfts till {role}").format(role=agreed.RAISED_TO[field.removeprefix("escalation_")]())
    other = {
        "untouched": _("Orörda ärenden"),
        "risk_threshold": _("Hög risk"),
        "valid_from": _("Gäller från"),
        "day": _("Stängda dagar"),
    }
    return other.get(field, "")


def _calendar_button(kept: dict[str, str]) -> list[Fault]:
    """Do in `kept` what a button of the calendar says: close or open a day, or undo that. Faults where it cannot."""
    try:
        own = {name: set(closing.days(kept.get(name, ""))) for name in ("closed", "open")}
        for name, these in own.items():
            if undone := kept.pop(f"undo_{name}", ""):
                these.discard(date.fromisoformat(undone))
        if kept.get("open_day"):
            own["open"].add(date.fromisoformat(kept.pop("open_day")))
    except ValueError:
        return []  # the form says so itself
    faults = []
    if kept.pop("add", ""):
        try:
            day = date.fromisoformat(kept.get("day", ""))
        except ValueError:
            return [Fault("day", _("Välj vilken dag det gäller."))]
        if day < clock.today():
            faults.append(Fault("day", _("Dagen har redan varit. Välj en som kommer.")))
        elif not Calendar().is_working_day(day):
            faults.append(
                Fault(
                    "day",
                    _("{day} är redan ledig i hela landet.").format(day=text.long_date(day).capitalize()),
                )
            )
        elif day in own["closed"]:
            faults.append(Fault("day", _("Dagen är redan stängd.")))
        else:
            own["closed"].add(day)
            kept["day"] = ""
    kept |= {name: closing.text(these) for name, these in own.items()}
    return faults


def _preview(
    versions: Sequence[Agreement], form: AgreementForm, terms: Mapping[str, object], kept: Mapping[str, str]
) -> dict[str, Any]:
    """What the typed terms change, and what they would mean for a case sent on their first day."""
    now = agreements.in_force(versions, clock.today())
    severity = int(kept["severity"]) if kept.get("severity", TRIED_SEVERITY) in set("1234") else None
    tried = foreseen.foresee(terms, form.valid_from, severity, clock.today())
    was = foreseen.foresee(now.terms, form.valid_from, severity, clock.today())
    told = json.dumps([f"{form.valid_from}", terms], sort_keys=True)
    return {
        "changes": agreed.changes(now.terms, terms),
        "sentence": tried.sentence,
        "was": "" if was.sentence == tried.sentence else was.sentence,
        "due": list(tried.due.values()),
        "told": [(text.long_date(day), what) for day, what in tried.told],
        "seen": hashlib.sha256(told.encode()).hexdigest(),
        "version": form.base + 1,
        "valid_from": form.valid_from,
    }


def _form(
    request: Request,
    versions: Sequence[Agreement],
    typed: Mapping[str, str],
    *,
    status: int = 200,
    **context: Any,
) -> Response:
    values = dict.fromkeys(AgreementForm.model_fields, "") | dict(typed)
    try:
        own = Calendar(frozenset(closing.days(values["closed"])), frozenset(closing.days(values["open"])))
    except ValueError:
        own = Calendar()
    shown = {
        "values": {"severity": TRIED_SEVERITY, "day": "", **values},
        "clocks": [(kind, label(), kind in forms.RAISED) for kind, label in agreed.LABELS.items()],
        "severities": forms.SEVERITIES,
        "by_severity": forms.BY_SEVERITY,
        "severity_unit": {
            kind: AgreementForm.model_fields[f"{kind}_severity_1_unit"].default for kind in forms.BY_SEVERITY
        },
        "roles": [(role, name()) for role, name in agreed.RAISED_TO.items()],
        "units": [("working", _("arbetsdagar")), ("calendar", _("dagar (alla veckodagar)"))],
        "years": years(own),
        "planned": agreements.planned(versions),
        "preview": None,
        "errors": [],
        "first_day": f"{clock.today()}",
        "last_day": f"{date(clock.today().year + forms.YEARS_AHEAD, 12, 31)}",
        **context,
    }
    return render(request, "agreements/form.html", status=status, **shown)


def _written(terms: Mapping[str, object]) -> dict[str, str]:
    """Stored terms as the form holds them."""
    said, own = clocks.terms_from(terms)
    values = {"untouched": str(said.untouched), "risk_threshold": str(risk.threshold(terms))}
    for kind in clocks.SPANS:
        span = said.span(kind)
        values |= {f"{kind}_n": str(span.n), f"{kind}_unit": span.unit}
        given = said.reminders.get(kind, ())
        values[f"reminders_{kind}"] = marks.written((mark.when, mark.n) for mark in given)
    for kind, of in said.by_severity.items():
        for severity, span in of.items():
            values |= {
                f"{kind}_severity_{severity}_n": str(span.n),
                f"{kind}_severity_{severity}_unit": span.unit,
            }
    values |= {f"escalation_{step.role}": str(step.after) for step in said.escalation}
    return values | {"closed": closing.text(own.added), "open": closing.text(own.removed)}
