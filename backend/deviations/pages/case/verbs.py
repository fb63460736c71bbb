"""What is posted to a case: one table of verbs, and one way through it. A verb whose form has a page of its own is
shown again there when something is wrong; the others on the case's page, with their fold open.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from backend.access import Identity, Permission
from backend.accounts.identity import Me
from backend.core.db import Db
from backend.core.errors import Fault, InvalidError
from backend.core.text import gettext as _
from backend.core.web import Submitted, Typed, read, redirect
from backend.deviations import actions, forms, queries, rules
from backend.deviations.actions.moving import check, forbidden
from backend.deviations.models import Deviation
from backend.deviations.pages.case import look, mask, onward, show

router = APIRouter()

Guard = Callable[[Session, Identity, Deviation], object]
Missing = Mapping[str, Callable[[], str]]


@dataclass(frozen=True)
class Verb:
    """`may` raises for who may not, before anything is read. `missing` says what to do where a field is empty."""

    may: Guard
    form: type[forms.Form]
    act: Callable[[Session, Identity, Deviation, Any], object]
    missing: Missing = field(default_factory=dict)
    page: Callable[..., Response] | None = None
    done: str | None = None


def _move(verb: str) -> Guard:
    return lambda db, me, deviation: check(db, me, deviation, verb)


def _reaching(permission: Permission) -> Guard:
    def may(_db: Session, me: Identity, deviation: Deviation) -> None:
        if rules.reaches(me, deviation, permission) is None:
            raise forbidden()

    return may


def _working(_db: Session, me: Identity, deviation: Deviation) -> None:
    if not rules.may_work_on(me, deviation):
        raise forbidden()


def _identifying(_db: Session, me: Identity, deviation: Deviation) -> None:
    if rules.reaches(me, deviation, Permission.RECEIVE) is None and not rules.reported_by(me, deviation):
        raise forbidden()


def _registering(_db: Session, me: Identity, _deviation: Deviation) -> None:
    if not me.everywhere(Permission.REGISTER):
        raise forbidden()


def _masking(_db: Session, me: Identity, deviation: Deviation) -> None:
    if not rules.may_mask(me, deviation):
        raise forbidden()


WHY: Missing = {"comment": lambda: _("Skriv varför.")}
_handling, _flagging = _reaching(Permission.RECEIVE), _reaching(Permission.FLAG)

VERBS: dict[str, Verb] = {
    # The receiver's
    "acknowledge": Verb(
        _move("acknowledge"),
        forms.ThanksForm,
        lambda db, me, case, form: actions.acknowledge(db, me, case, form.comment),
    ),
    "review": Verb(_move("review"), forms.Nothing, lambda db, me, case, _form: actions.review(db, me, case)),
    "resume": Verb(_handling, forms.Nothing, lambda db, me, case, _form: actions.resume(db, me, case)),
    "question": Verb(
        _move("question"),
        forms.QuestionForm,
        actions.question,
        {"text": lambda: _("Skriv vad ni behöver veta.")},
    ),
    "delay-notice": Verb(
        _move("answer"),
        forms.DelayForm,
        actions.delay_notice,
        {
            "reason": lambda: _("Skriv varför svaret dröjer."),
            "promised_on": lambda: _("Välj vilken dag svaret kommer."),
        },
    ),
    "redirect": Verb(
        _move("redirect"), forms.RedirectForm, actions.redirect, onward.MISSING, onward.page("redirect")
    ),
    "decline": Verb(
        _move("decline"), forms.DeclineForm, actions.decline, onward.MISSING, onward.page("decline")
    ),
    # The sender's
    "reply": Verb(
        _move("reply"), forms.QuestionForm, actions.reply, {"text": lambda: _("Skriv ert svar på frågan.")}
    ),
    "confirm-redirect": Verb(
        _move("confirm_redirect"),
        forms.ConfirmRedirectForm,
        actions.confirm_redirect,
        {"confirm": lambda: _("Välj ja eller nej.")},
    ),
    "resend": Verb(_move("resend"), forms.ResendForm, actions.resend, onward.MISSING, onward.page("resend")),
    "verdict": Verb(
        _move("accept"),
        forms.VerdictForm,
        actions.judge,
        {
            "verdict": lambda: _("Välj om svaret räcker."),
            "comment": lambda: _("Skriv vad som saknas i svaret."),
        },
    ),
    "withdraw": Verb(
        _move("withdraw"),
        forms.CommentForm,
        actions.withdraw,
        {"comment": lambda: _("Skriv varför ärendet återtas.")},
    ),
    # Either side's
    "settle": Verb(
        _move("settle"),
        forms.SettleForm,
        actions.settle,
        {
            "outcome": lambda: _("Välj hur ärendet ska sluta."),
            "comment": lambda: _("Skriv några ord till den andra parten."),
        },
    ),
    "reopen": Verb(
        _move("reopen"),
        forms.CommentForm,
        actions.reopen,
        {"comment": lambda: _("Skriv varför ärendet behöver öppnas igen.")},
    ),
    "mask": Verb(_masking, forms.MaskForm, actions.mask, page=mask.page, done="mask"),
    "patient-identified": Verb(
        _identifying,
        forms.IdentifiedForm,
        actions.patient_identified,
        {"on": lambda: _("Välj vilken dag."), "how": lambda: _("Välj hur.")},
        done="identified",
    ),
    "link": Verb(
        _working,
        forms.LinkForm,
        actions.link,
        {"case_number": lambda: _("Skriv det andra ärendets nummer.")},
        done="linked",
    ),
    "unlink": Verb(_working, forms.LinkForm, actions.unlink),
    # One's own side's
    "assign": Verb(
        _handling, forms.AssignForm, actions.assign, {"person": lambda: _("Välj vem som ska ha ärendet.")}
    ),
    "note": Verb(_working, forms.NoteForm, actions.note, {"text": lambda: _("Skriv anteckningen.")}),
    "quiet": Verb(
        _handling,
        forms.QuietForm,
        actions.quiet,
        {"reason": lambda: _("Skriv varför, så att kollegorna vet.")},
        done="quiet",
    ),
    "unquiet": Verb(
        _handling, forms.Nothing, lambda db, me, case, _form: actions.unquiet(db, me, case), done="unquiet"
    ),
    "reference": Verb(_working, forms.ReferenceForm, actions.set_reference),
    "invite": Verb(
        _handling,
        forms.InviteForm,
        actions.invite,
        {"email": lambda: _("Skriv kollegans e-postadress.")},
    ),
    "end-invitation": Verb(
        _handling,
        forms.AssignForm,
        lambda db, me, case, form: actions.end_invitation(db, me, case, form.person),
    ),
    "risk": Verb(_handling, forms.RiskForm, actions.judge_risk),
    "flag": Verb(_flagging, forms.FlagForm, actions.flag, {"law": lambda: _("Välj vilken lag det gäller.")}),
    "take-over": Verb(
        _flagging,
        forms.TakeOverForm,
        actions.take_over,
        {"taken_over_by": lambda: _("Skriv vilken funktion som har tagit över.")},
    ),
    "register": Verb(_registering, forms.RegistryForm, actions.register),
}


def _route(name: str, verb: Verb) -> None:
    page = verb.page or partial(show.page, opened=name)

    def submit(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
        deviation = queries.deviation(db, me, case_number)
        verb.may(db, me, deviation)
        try:
            form = read_as(verb, typed)
            if look.wanted(name, typed):
                return look.page(request, db, me, deviation, name, typed)
            verb.act(db, me, deviation, form)
        except InvalidError as error:
            return page(request, db, me, deviation, status=422, errors=error.faults, typed=typed)
        if not queries.is_visible(db, me, deviation):
            return redirect("deviations.inbox", {"did": name})
        return redirect("deviations.show", {"did": verb.done}, case_number=deviation.case_number)

    router.add_api_route(
        f"/deviations/{{case_number}}/{name}",
        submit,
        methods=["POST"],
        name=f"deviations.{name.replace('-', '_')}",
    )

    def change(request: Request, db: Db, me: Me, case_number: str, typed: Submitted) -> Response:
        """Back from the look to the form, with everything as it was typed. Nothing is sent."""
        deviation = queries.deviation(db, me, case_number)
        verb.may(db, me, deviation)
        return page(request, db, me, deviation, typed=typed)

    if name in look.CROSSING:
        router.add_api_route(
            f"/deviations/{{case_number}}/{name}/change",
            change,
            methods=["POST"],
            name=f"deviations.change_{name.replace('-', '_')}",
        )


def read_as(verb: Verb, typed: Typed) -> Any:
    """What was typed for a verb, with the verb's own sentence for each field that is missing."""
    try:
        return read(verb.form, typed)
    except InvalidError as error:
        first = next(iter(verb.missing), "")
        faults = []
        for fault in error.faults:
            # A rule over the whole form names no field: it is the reason that is missing then.
            name = fault.field or ("comment" if "comment" in verb.missing else first)
            empty = not any(value.strip() for value in typed.get(name, []))
            faults.append(Fault(name, verb.missing[name]()) if empty and name in verb.missing else fault)
        raise InvalidError(*faults) from None


for _name, _verb in VERBS.items():
    _route(_name, _verb)
