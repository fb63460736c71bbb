"""What a person or a system may send about a deviation. Field names are those of the contract."""

import re
import uuid
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from backend.core import clock, screening
from backend.core.text import gettext as _
from backend.deviations.models import CauseArea, EventKind, Outcome, Reason, VerdictKind

# Signs no keyboard writes on purpose, NUL among them, which the database cannot hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _tidy(value: object) -> object:
    return _CONTROL.sub("", value.replace("\r\n", "\n")) if isinstance(value, str) else value


def screened(value: str) -> str:
    """Refuses text with a certain personnummer or samordningsnummer; the number itself goes nowhere."""
    for hit in screening.certain(value):
        raise PydanticCustomError(
            "personnummer",
            "{text}",
            {
                "text": _(
                    "Texten innehåller ett {kind} (tecken {start}–{end}) och har inte sparats. "
                    "Skriv er egen referens i stället."
                ).format(kind=hit.kind, start=hit.start + 1, end=hit.end),
                "start": hit.start,
                "end": hit.end,
            },
        )
    return value


def _not_in_future(value: date) -> date:
    if value > clock.today():
        raise PydanticCustomError("future", "{text}", {"text": _("Datumet ligger i framtiden.")})
    return value


def _not_ancient(value: date) -> date:
    if value < clock.today() - timedelta(days=3650):
        text = _("Datumet ligger mer än tio år tillbaka. Kontrollera året.")
        raise PydanticCustomError("ancient", "{text}", {"text": text})
    return value


_tidied = BeforeValidator(_tidy)
_screened = AfterValidator(screened)
Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), _tidied, _screened
]
Story = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=10, max_length=4000), _tidied, _screened
]
Reference = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), _tidied, _screened]
Function = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), _tidied, _screened]
Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), _tidied]
PastDay = Annotated[date, AfterValidator(_not_in_future), AfterValidator(_not_ancient)]


class Form(BaseModel):
    # What a person typed must not surface in an error's text or a log line.
    model_config = ConfigDict(hide_input_in_errors=True, extra="ignore")


class ReportForm(Form):
    submission: uuid.UUID = Field(default_factory=uuid.uuid4)
    description: Story
    category: Code
    sender_unit: Code
    receiver_unit: Code | None = None
    receiver_organisation: Code | None = None
    occurred_on: PastDay
    target_group: Literal["children_youth", "adults", "older"]
    event_kind: EventKind = EventKind.ADVERSE_EVENT
    discovered_on: PastDay | None = None
    severity: Annotated[int, Field(ge=1, le=4)] | None = None
    steering_document: Code | None = None
    shared_reference: Reference | None = None
    legal_area: Literal["hsl", "sol", "lss"] | None = None
    consequence_patient: Prose | None = None
    consequence_work: Prose | None = None
    immediate_action: Prose | None = None
    suggestion: Prose | None = None
    sender_reference: Reference | None = None


class SearchForm(Form):
    q: Annotated[str, StringConstraints(strip_whitespace=False, max_length=200), _tidied, _screened] = ""


class ViewForm(Form):
    """A name for the filters of a list."""

    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), _tidied, _screened
    ]


class BatchForm(Form):
    """One verb for many cases; as many as a page of the list can show."""

    verb: Literal["acknowledge", "assign"]
    person: int | None = None
    case_number: Annotated[list[Code], Field(min_length=1, max_length=50)]


class DraftForm(Form):
    """A report as it stands: anything may be missing, but a personnummer is refused here too."""

    submission: uuid.UUID


class AnswerActionForm(Form):
    kind: Reference | None = None
    text: Prose
    owner: Function | None = None
    due_on: date | None = None

    @field_validator("due_on")
    @classmethod
    def _not_passed(cls, value: date | None) -> date | None:
        if value is not None and value < clock.today():
            text = _("Klart senast: dagen har passerat. Välj en dag som kommer, eller lämna fältet tomt.")
            raise PydanticCustomError("past", "{text}", {"text": text})
        return value


class AnswerForm(Form):
    outcome: Outcome
    cause: Prose
    cause_areas: list[CauseArea] = []
    consequence: Prose | None = None
    patient_informed: bool | None = None
    actions: Annotated[list[AnswerActionForm], Field(max_length=20)] = []
    no_action_reason: Prose | None = None
    follow_up: Prose | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """A unit that shares the view tells why it happened, what it does, and how that is followed up;
        one that does not share it need only give its reason.
        """
        if self.outcome is Outcome.NOT_OURS:
            return self
        missing = {
            "cause_areas": not self.cause_areas,
            "actions": not self.actions and not self.no_action_reason,
            "follow_up": not self.follow_up,
        }
        if fields := [name for name, lacks in missing.items() if lacks]:
            raise PydanticCustomError("incomplete_answer", "{fields}", {"fields": ",".join(fields)})
        return self


INCOMPLETE = {
    "cause_areas": "Välj minst ett område för orsaken.",
    "actions": "Skriv en åtgärd, eller varför ingen behövs.",
    "follow_up": "Skriv hur det följs upp.",
}


class VerdictForm(Form):
    verdict: VerdictKind
    comment: Prose | None = None

    @model_validator(mode="after")
    def _reason(self) -> Self:
        if self.verdict is VerdictKind.RETURNED and not self.comment:
            raise PydanticCustomError("return_reason", "")
        return self


class CommentForm(Form):
    """A verb that needs its reason: withdraw, reopen, give a draft back."""

    comment: Prose


WithdrawForm = CommentForm


class Nothing(Form):
    """A verb that says all by itself."""


class ThanksForm(Form):
    """An acknowledgement may carry a word of thanks."""

    comment: Prose | None = None


class QuestionForm(Form):
    text: Prose


class RedirectForm(Form):
    unit: Code
    reason: Reason = Reason.WRONG_RECIPIENT
    comment: Prose


class ConfirmRedirectForm(Form):
    confirm: bool
    comment: Prose | None = None


class DeclineForm(Form):
    reason: Reason
    comment: Prose
    suggested_unit: Code | None = None


class ResendForm(Form):
    """Where the sender sends a case that was declined."""

    unit: Code
    comment: Prose


class SettleForm(Form):
    outcome: Literal["agree", "partly", "not_ours", "disagreement"]
    comment: Prose


# As long as anybody may be left in peace: a later day would let a case be forgotten.
LONGEST_PROMISE = timedelta(days=60)


class DelayForm(Form):
    """Why the answer takes longer, and the day that is promised instead: one of the next sixty."""

    reason: Prose
    promised_on: date

    @field_validator("promised_on")
    @classmethod
    def _ahead(cls, value: date) -> date:
        if value <= clock.today():
            raise PydanticCustomError("past", "{text}", {"text": _("Välj en dag som kommer.")})
        if value > clock.today() + LONGEST_PROMISE:
            raise PydanticCustomError(
                "late", "{text}", {"text": _("Välj en dag inom de närmaste 60 dagarna.")}
            )
        return value


class IdentifiedForm(Form):
    on: PastDay
    how: Literal["telephone", "secure_message"]
    ground: Literal["consent", "coherent_care", "other_law"] | None = None


class LinkForm(Form):
    case_number: Code


class MaskForm(Form):
    """What to hide: the text from `start` up to `end` of a field such as `description` or `answers.12.cause`."""

    field: Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z_]+(\.\d+\.[a-z_]+)?$")]
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]


class NoteForm(Form):
    text: Prose
    mention: list[int] = []


class QuietForm(Form):
    """Without a day: until further notice."""

    until: date | None = None
    reason: Prose


class AssignForm(Form):
    person: int


class InviteForm(Form):
    email: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=254)]


class RiskForm(Form):
    severity: Annotated[int, Field(ge=1, le=4)] | None = None
    probability: Annotated[int, Field(ge=1, le=4)] | None = None


class FlagForm(Form):
    law: Literal["lex_maria", "lex_sarah"]
    comment: Prose | None = None


class TakeOverForm(Form):
    law: Literal["lex_maria", "lex_sarah"]
    taken_over_by: Function


class ReferenceForm(Form):
    """Left empty, the reference is taken away."""

    reference: Reference = ""


class RegistryForm(Form):
    registry_number: Reference = ""
