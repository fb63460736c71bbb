"""The few ways in which a request can fail, each with the status that says so.

A page never builds an error answer itself: it raises one of these, and `backend.main` shows the page
or the problem document that belongs to it.
"""

from dataclasses import dataclass


class SamsvarError(Exception):
    status = 500


class NotFoundError(SamsvarError):
    """Missing, or not this person's to see: the two are told apart nowhere."""

    status = 404


class ForbiddenError(SamsvarError):
    """Visible, but this role may not do that."""

    status = 403

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.text = text


class ConflictError(SamsvarError):
    """Someone else was first, or the case has moved on. `text` tells what happened."""

    status = 409

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class LoginRequiredError(SamsvarError):
    status = 401


class PlaceRequiredError(LoginRequiredError):
    """Logged in, but without a place to act in: none is chosen yet, or the one chosen has ended and another has not."""


class TooManyTriesError(SamsvarError):
    """Login guesses are slowed; `seconds` until the next one is heard."""

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__("too many tries")
        self.seconds = seconds


@dataclass(frozen=True)
class Fault:
    """One thing wrong with what was sent in, by field, in a Swedish sentence that says what to do."""

    field: str
    text: str


class InvalidError(SamsvarError):
    """What was sent in cannot be accepted. Nothing was written."""

    status = 422

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.field for fault in faults))
        self.faults = list(faults)
