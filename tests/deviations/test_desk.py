"""What lies on the desk of those whose role looks after others' cases."""

from sqlalchemy import Engine, text

from backend.deviations import queries
from backend.deviations.forms import ConfirmRedirectForm
from tests.deviations.verbs import PATIENT_SAFETY, TO_KARLSKRONA, act, later
from tests.people import ANNA, BERIT, BOB, acting, filed

KARLSKRONA_SAFETY = "mas@karlskrona.example"


def pile(email: str, name: str = "untouched") -> list[str]:
    with acting(email) as (db, me):
        return [row.case_number for one in queries.piles(db, me) if one.name == name for row in one.rows]


def test_a_case_that_nobody_opens_lies_with_safety_from_the_day_it_is_written_to_about_it(
    blekinge: str,
) -> None:
    with later(0):
        number = filed()
    with later(1):
        assert pile(PATIENT_SAFETY) == []
    with later(2):
        assert pile(PATIENT_SAFETY) == [number]
        # The other party's safety is told by its own steps, and a manager by theirs.
        assert (pile("mas@solvesborg.example"), pile(BERIT)) == ([], [])
        act("touch", number, BOB)
        assert pile(PATIENT_SAFETY) == []


def test_sent_on_it_waits_anew_for_whoever_has_it_now(blekinge: str) -> None:
    with later(0):
        number = filed()
    with later(1):
        act("redirect", number, BOB, TO_KARLSKRONA)
        act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
    with later(2):
        assert (pile(PATIENT_SAFETY), pile(KARLSKRONA_SAFETY)) == ([], [])
    with later(3):
        assert (pile(PATIENT_SAFETY), pile(KARLSKRONA_SAFETY)) == ([], [number])


def test_the_days_are_those_of_the_agreement_that_the_case_was_sent_under(
    blekinge: str, superuser: Engine
) -> None:
    with later(0):
        number = filed()
    with superuser.begin() as connection:
        connection.execute(text("update agreements set terms = terms || '{\"untouched\": 4}'"))
    with later(3):
        assert pile(PATIENT_SAFETY) == []
    with later(4):
        assert pile(PATIENT_SAFETY) == [number]
