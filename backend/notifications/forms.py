"""What a person chooses about the letters they get."""

from datetime import time
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from backend.core.text import gettext as _
from backend.notifications.hours import FIRST, LAST
from backend.notifications.models import Arrivals

QUARTER = 15


def quarters() -> list[time]:
    """The hours a letter may come at: each quarter from 07 to 17."""
    minutes = range(FIRST.hour * 60, LAST.hour * 60 + 1, QUARTER)
    return [time(*divmod(minute, 60)) for minute in minutes]


def _one_of_them(value: time) -> time:
    if value not in quarters():
        raise PydanticCustomError(
            "hour", "{text}", {"text": _("Välj en tid mellan 07.00 och 17.00, på en kvart.")}
        )
    return value


class ChoiceForm(BaseModel):
    """When the day's letter comes, and whether news come as they happen or in it."""

    model_config = ConfigDict(hide_input_in_errors=True, extra="ignore")

    digest_at: Annotated[time, AfterValidator(_one_of_them)]
    arrivals: Arrivals
