"""Reading a form, and saying in Swedish what is wrong with it.

Pages parse the form themselves: FastAPI's own form models answer JSON before the page runs, and the person
would lose what they typed.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from backend.core.errors import Fault, InvalidError
from backend.core.text import gettext as _

Typed = dict[str, list[str]]
Form = TypeVar("Form", bound=BaseModel)


async def _submitted(request: Request) -> Typed:
    typed: Typed = {}
    async with request.form(max_files=0, max_fields=200) as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                typed.setdefault(name, []).append(value)
    # An error page gives back what was typed, so that nothing is lost to a conflict or a fault of ours.
    request.state.typed = typed
    return typed


Submitted = Annotated[Typed, Depends(_submitted)]


async def typed_before(request: Request) -> Typed:
    """What was typed, also where the page was never reached; nothing where it is no form of words (a file)."""
    if not hasattr(request.state, "typed"):
        try:
            await _submitted(request)
        except HTTPException:
            request.state.typed = {}
    typed: Typed = request.state.typed
    return typed


def read(model: type[Form], typed: Typed) -> Form:
    """The form as `model`. Raises InvalidError, with a sentence for every field that is wrong.

    An empty field is an absent one. A field that takes a list gets all its values, another its last.
    """
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        given = [value for value in typed.get(name, []) if value.strip()]
        if given:
            values[name] = given if "list[" in str(field.annotation) else given[-1]
    return check(model, values)


def check(model: type[Form], values: dict[str, Any]) -> Form:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        titles = {name: field.title for name, field in model.model_fields.items() if field.title}
        raise InvalidError(*faults_of(error, titles)) from None


def faults_of(error: ValidationError, titles: Mapping[str, str] | None = None) -> list[Fault]:
    """A sentence for each field that is wrong. One that is empty is named, where the model gives it a title: a list of
    what to mend is read at the top of the page, away from the fields.
    """
    faults = []
    for item in error.errors(include_input=False, include_url=False):
        field = str(item["loc"][0]) if item["loc"] else ""
        text = sentence(item["type"], item.get("ctx", {}), item["msg"])
        if item["type"] == "missing" and (title := (titles or {}).get(field)):
            text = _("{title}: fyll i det här fältet.").format(title=_(title))
        faults.append(Fault(field, text))
    return faults


SENTENCES = {
    "missing": "Fyll i det här fältet.",
    "string_too_short": "Skriv minst {min_length} tecken.",
    "string_too_long": "Texten är för lång: högst {max_length} tecken.",
    "too_short": "Välj minst ett alternativ.",
    "literal_error": "Välj ett av alternativen.",
    "enum": "Välj ett av alternativen.",
    "date_from_datetime_parsing": "Skriv datumet som 2026-11-22.",
    "date_parsing": "Skriv datumet som 2026-11-22.",
    "date_from_datetime_inexact": "Skriv datumet som 2026-11-22.",
    "time_parsing": "Välj en tid.",
    "int_parsing": "Skriv ett heltal.",
    "int_type": "Skriv ett heltal.",
    "greater_than_equal": "Talet får inte vara mindre än {ge}.",
    "less_than_equal": "Talet får inte vara större än {le}.",
    "uuid_parsing": "Formuläret är för gammalt. Ladda om sidan och försök igen.",
    "bool_parsing": "Välj ja eller nej.",
    "string_type": "Skriv text här.",
}


def sentence(kind: str, context: dict[str, Any], message: str) -> str:
    """Pydantic's error type as a Swedish sentence; rules of our own bring their sentence with them."""
    return _(SENTENCES[kind]).format(**context) if kind in SENTENCES else message
