"""The people of the tests, by the names design.md gives them, and how they come to act.

alice reports in branch A (home nursing of Sölvesborg), bob handles in B (ward 43 of the region), berit leads B,
mats is safety in A, ida works in another branch of A's municipality, charlie belongs to C.
Of any case between A and B, ida and charlie must see nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sqlalchemy.orm import Session

from backend.access import Identity
from backend.accounts import actions as accounts
from backend.accounts.identity import cookie_name
from backend.core import clock, db
from backend.deviations import actions
from backend.deviations.forms import AnswerForm, ReportForm
from backend.deviations.models import CauseArea, Outcome
from backend.directory import queries as directory

ALICE = "hemtjanst@solvesborg.example"
ANNA = "hemsjukvard@solvesborg.example"
BOB = "avd43@region.example"
BERIT = "chef.medicin@region.example"
MATS = "mas@solvesborg.example"
IDA = "ifo@solvesborg.example"
CHARLIE = "hemsjukvard@karlskrona.example"
COORDINATOR = "samordnare@lan.example"
ADMINISTRATOR = "admin@solvesborg.example"

ALICES_UNIT = "SE2120000852-V020"
ANNAS_UNIT = "SE2120000852-V010"
BOBS_UNIT = "SE2321000081-S011"


def cookie_for(email: str, place: str | None = None) -> tuple[str, str]:
    with db.unit_of_work(db.NOBODY) as session:
        person = directory.person_by_email(session, email)
        assert person is not None
        token, login = accounts.start(session, person)
        session.flush()
        if place is not None:
            token = accounts.choose(session, login, place)
    return cookie_name(), token


@contextmanager
def acting(email: str) -> Iterator[tuple[Session, Identity]]:
    """A unit of work as that person, as a page would open it."""
    with db.unit_of_work(db.NOBODY) as session:
        me = accounts.stand_in(session, email)
        db.narrow(session, me.scope)
        yield session, me


def report_form(**changed: object) -> ReportForm:
    return ReportForm.model_validate(
        {
            "description": "Patienten kom hem utan läkemedelslista.",
            "category": "medication.list",
            "sender_unit": ANNAS_UNIT,
            "receiver_unit": BOBS_UNIT,
            "occurred_on": date(2026, 1, 1) if clock.today() < date(2026, 2, 1) else clock.today(),
            "target_group": "older",
            **changed,
        }
    )


def filed(by: str = ANNA, **changed: object) -> str:
    """A case from Anna's home nursing to Bob's ward, unless told otherwise. Gives its number."""
    with acting(by) as (session, me):
        return actions.report(session, me, report_form(**changed)).case_number


ANSWER = AnswerForm(
    outcome=Outcome.AGREE,
    cause_areas=[CauseArea.PROCEDURES],
    cause="Rutinen var inte känd.",
    no_action_reason="Rutinen är redan ändrad.",
    follow_up="Stickprov om tre månader.",
)
