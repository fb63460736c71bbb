"""What an administrator may send in of units, people and assignments."""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from backend.access import Role
from backend.core.text import gettext as _
from backend.directory.models import CARE_LEVELS, HSA_ID

# In plain letters: a mail to å, ä or ö stops at a server that cannot take them, with all its other readers.
EMAIL = re.compile(r"(?:(?![@,;<>])[!-~])+@(?:(?![@,;<>.])[!-~])+(?:\.(?:(?![@,;<>.])[!-~])+)+")
_TELEPHONE = re.compile(r"\+?[\d ()/-]+")


def _care_level(value: str) -> str:
    if value not in CARE_LEVELS:
        raise PydanticCustomError("literal_error", "")
    return value


def _email(value: str) -> str:
    value = value.lower()
    if not EMAIL.fullmatch(value):
        raise PydanticCustomError("email", _("Skriv adressen som namn@organisation.se, utan å, ä och ö."))
    return value


def _telephone(value: str) -> str:
    if not _TELEPHONE.fullmatch(value) or sum(sign.isdigit() for sign in value) < 5:
        raise PydanticCustomError("telephone", _("Skriv numret med siffror, till exempel 0456-81 60 00."))
    return value


def _hsa_id(value: str) -> str:
    value = value.upper()
    if not HSA_ID.fullmatch(value):
        reason = _("Skriv SE, tio siffror, bindestreck och stora bokstäver eller siffror.")
        raise PydanticCustomError("hsa_id", reason)
    return value


def one_line(words: str) -> str:
    """On one line, as it stands in the subject of a letter."""
    return " ".join(words.split())


def _line(longest: int) -> StringConstraints:
    return StringConstraints(min_length=2, max_length=longest)


Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_email)]
Telephone = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=30), AfterValidator(_telephone)
]
HsaId = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_hsa_id)]
CareLevel = Annotated[str, AfterValidator(_care_level)]
Name = Annotated[str, AfterValidator(one_line), _line(200)]


class UnitForm(BaseModel):
    name: Name = Field(title="Namn")
    care_level: CareLevel = Field(title="Vårdnivå")
    telephone: Telephone | None = None


class NewUnitForm(UnitForm):
    hsa_id: HsaId = Field(title="HSA-id")
    parent: str = Field(title="Ligger under")


class MoveForm(BaseModel):
    parent: str = Field(title="Ligger under")


class EndUnitForm(BaseModel):
    successor: str = Field(title="Den som tar över")
    bring_people: bool = False


class BranchForm(BaseModel):
    review_before_sending: bool = False
    approve_answers: bool = False


def _after_the_first(last: date | None, info: ValidationInfo) -> date | None:
    first = info.data.get("valid_from")
    if first and last and last < first:
        raise PydanticCustomError("valid_to", _("Sista dagen ligger före den första. Ändra den ena."))
    return last


LastDay = AfterValidator(_after_the_first)


class AssignmentForm(BaseModel):
    """`place` is the kind of place and its HSA-id: `unit:SE…`, `branch:SE…`, `organisation:SE…`."""

    role: Role = Field(title="Uppdrag")
    place: str = Field(title="Plats")
    valid_from: date | None = None
    valid_to: Annotated[date | None, LastDay] = None


class PersonForm(BaseModel):
    email: Email = Field(title="E-postadress")
    title: Name = Field(title="Yrke och arbetsplats")


class NewPersonForm(AssignmentForm, PersonForm):
    invite: bool = False


class SubstituteForm(BaseModel):
    person: int = Field(title="Den som är borta")
    substitute: int = Field(title="Ersättare")
    valid_from: date = Field(title="Första dagen")
    valid_to: Annotated[date, LastDay] = Field(title="Sista dagen")


class ContactForm(BaseModel):
    """`position` counts from 0, and is sent where somebody is put back."""

    person: int = Field(title="Person")
    position: int | None = Field(None, ge=0)
