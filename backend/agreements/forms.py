"""What a person may send about a routing rule, and about what a county has agreed."""

from datetime import date
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.agreements import closing, marks
from backend.core import clock
from backend.core.calendar import Calendar
from backend.core.errors import Fault, InvalidError
from backend.core.text import gettext as _
from backend.core.text import long_date

Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
TargetGroup = Literal["children_youth", "adults", "older"]
CareLevel = Literal[
    "inpatient",
    "psychiatry",
    "primary_care",
    "home_nursing",
    "home_care",
    "residential_care",
    "rehabilitation",
    "social_services",
    "school_health",
    "ambulance",
    "other",
]


class RoutingRuleForm(BaseModel):
    """`rule` is the one that this would take the place of. `first`: before others that say equally much."""

    model_config = ConfigDict(hide_input_in_errors=True, extra="ignore")

    unit: Code
    category: Code | None = None
    target_group: TargetGroup | None = None
    care_level: CareLevel | None = None
    first: bool = False
    rule: int | None = None


Working = Literal["working", "calendar"]
Days = Annotated[int, Field(ge=1, le=365)]
Severe = Annotated[int, Field(ge=1, le=365)] | None
After = Annotated[int, Field(ge=1, le=250)] | None
Marks = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Listed = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]

CLOCKS = (
    "acknowledge",
    "answer",
    "returned_answer",
    "verdict",
    "reply",
    "confirm_redirect",
    "declined",
    "settle",
)
# When one of the others has run out, the case goes home by itself: there is nobody left to remind.
RAISED = ("acknowledge", "answer", "returned_answer")
ROLES = ("manager", "safety", "head")
# The times that may differ with how grave a case is.
BY_SEVERITY = ("acknowledge", "answer", "verdict", "reply")
SEVERITIES = (1, 2, 3, 4)
MARKS_GIVEN = 6
# How far ahead a version may begin, and days off be settled.
YEARS_AHEAD = 2


class AgreementForm(BaseModel):
    """One version of an agreement, as typed. `base` is the newest version when the page was opened; `closed` and `open`
    hold days, one after another; `reminders_…` what `marks.read` reads.
    """

    model_config = ConfigDict(hide_input_in_errors=True, extra="ignore")

    base: int
    valid_from: date
    acknowledge_n: Days
    acknowledge_unit: Working
    answer_n: Days
    answer_unit: Working
    returned_answer_n: Days
    returned_answer_unit: Working
    verdict_n: Days
    verdict_unit: Working
    reply_n: Days
    reply_unit: Working
    confirm_redirect_n: Days
    confirm_redirect_unit: Working
    declined_n: Days
    declined_unit: Working
    settle_n: Days
    settle_unit: Working
    acknowledge_severity_1_n: Severe = None
    acknowledge_severity_1_unit: Working = "working"
    acknowledge_severity_2_n: Severe = None
    acknowledge_severity_2_unit: Working = "working"
    acknowledge_severity_3_n: Severe = None
    acknowledge_severity_3_unit: Working = "working"
    acknowledge_severity_4_n: Severe = None
    acknowledge_severity_4_unit: Working = "working"
    answer_severity_1_n: Severe = None
    answer_severity_1_unit: Working = "calendar"
    answer_severity_2_n: Severe = None
    answer_severity_2_unit: Working = "calendar"
    answer_severity_3_n: Severe = None
    answer_severity_3_unit: Working = "calendar"
    answer_severity_4_n: Severe = None
    answer_severity_4_unit: Working = "calendar"
    verdict_severity_1_n: Severe = None
    verdict_severity_1_unit: Working = "working"
    verdict_severity_2_n: Severe = None
    verdict_severity_2_unit: Working = "working"
    verdict_severity_3_n: Severe = None
    verdict_severity_3_unit: Working = "working"
    verdict_severity_4_n: Severe = None
    verdict_severity_4_unit: Working = "working"
    reply_severity_1_n: Severe = None
    reply_severity_1_unit: Working = "working"
    reply_severity_2_n: Severe = None
    reply_severity_2_unit: Working = "working"
    reply_severity_3_n: Severe = None
    reply_severity_3_unit: Working = "working"
    reply_severity_4_n: Severe = None
    reply_severity_4_unit: Working = "working"
    reminders_acknowledge: Marks = ""
    reminders_answer: Marks = ""
    reminders_returned_answer: Marks = ""
    reminders_verdict: Marks = ""
    reminders_reply: Marks = ""
    reminders_confirm_redirect: Marks = ""
    reminders_declined: Marks = ""
    reminders_settle: Marks = ""
    escalation_manager: After = None
    escalation_safety: After = None
    escalation_head: After = None
    untouched: Annotated[int, Field(ge=1, le=30)]
    risk_threshold: Annotated[int, Field(ge=1, le=16)]
    closed: Listed = ""
    open: Listed = ""


class YearForm(BaseModel):
    """The year whose days off have been looked at."""

    model_config = ConfigDict(hide_input_in_errors=True, extra="ignore")

    year: Annotated[int, Field(ge=2000, le=2999)]


def terms(form: AgreementForm) -> dict[str, object]:
    """What is stored of it, all of it written out, so that a later default changes no agreement.

    Raises InvalidError, with a sentence for every field that says something impossible.
    """
    given = form.model_dump()
    faults: list[Fault] = []
    stored: dict[str, object] = {kind: [given[f"{kind}_n"], given[f"{kind}_unit"]] for kind in CLOCKS}
    stored["by_severity"] = {
        kind: {
            str(one): [given[f"{kind}_severity_{one}_n"], given[f"{kind}_severity_{one}_unit"]]
            for one in SEVERITIES
            if given[f"{kind}_severity_{one}_n"]
        }
        for kind in BY_SEVERITY
    }
    stored["reminders"] = {
        kind: [list(mark) for mark in _marks(kind, given[f"reminders_{kind}"], given[f"{kind}_n"], faults)]
        for kind in CLOCKS
    }
    raised = [(role, given[f"escalation_{role}"]) for role in ROLES if given[f"escalation_{role}"]]
    for (_earlier, sooner), (role, after) in pairwise(raised):
        if after <= sooner:
            faults.append(
                Fault(f"escalation_{role}", _("Välj fler dagar än steget före, {n}.").format(n=sooner))
            )
    stored["escalation"] = [list(step) for step in raised]
    stored |= {"untouched": form.untouched, "risk_threshold": form.risk_threshold}
    stored |= _days_off(form, faults)
    today = clock.today()
    if not today <= form.valid_from <= _latest(today):
        faults.append(
            Fault(
                "valid_from",
                _(
                    "Välj i dag eller en dag inom två år. Det som redan har skickats ändras aldrig i efterhand."
                ),
            )
        )
    if faults:
        raise InvalidError(*faults)
    return stored


def _marks(kind: str, text: str, days: int, faults: list[Fault]) -> list[marks.Mark]:
    field = f"reminders_{kind}"
    found, unread = marks.read(text)
    if unread:
        faults.append(
            Fault(
                field,
                _("”{words}” går inte att läsa. Skriv till exempel dag 3, 50 % eller 5 dagar efter.").format(
                    words=unread[0]
                ),
            )
        )
    if len(found) > MARKS_GIVEN:
        faults.append(Fault(field, _("Välj högst {n} påminnelser.").format(n=MARKS_GIVEN)))
    if any(when == "day" and n > days for when, n in found):
        faults.append(
            Fault(
                field, _("Tiden är {n} dagar. Skriv ”dagar efter” för det som kommer senare.").format(n=days)
            )
        )
    if kind not in RAISED and any(when == "after" for when, _n in found):
        faults.append(
            Fault(field, _("När tiden är slut går ärendet vidare av sig självt, så ingen påminns efter det."))
        )
    return found


def _days_off(form: AgreementForm, faults: list[Fault]) -> dict[str, object]:
    """The days closed and opened from this year on: what has been is of no use to cases yet to be sent."""
    found: dict[str, list[date]] = {}
    for field in ("closed", "open"):
        try:
            found[field] = closing.days(getattr(form, field))
        except ValueError:
            faults.append(Fault("day", _("Skriv datumet som 2026-11-22.")))
            return {}
    today, sweden = clock.today(), Calendar()
    for field, days in found.items():
        for day in days:
            if day > _latest(today):
                text = _("{day} ligger för långt fram. Välj en dag inom två år.")
            elif field == "closed" and not sweden.is_working_day(day):
                text = _("{day} är redan ledig i hela landet.")
            elif field == "open" and sweden.is_working_day(day):
                text = _("{day} är redan en arbetsdag.")
            else:
                continue
            faults.append(Fault("day", text.format(day=long_date(day).capitalize())))
    return {field: [f"{day}" for day in days if day.year >= today.year] for field, days in found.items()}


def _latest(today: date) -> date:
    return date(today.year + YEARS_AHEAD, 12, 31)
