"""What lies on the desk of those whose role looks after others' cases."""

from sqlalchemy import Engine, text

from backend.deviations import actions, queries
from backend.deviations.forms import (
    AssignForm,
    ConfirmRedirectForm,
    FlagForm,
    InviteForm,
    MaskForm,
    RiskForm,
    TakeOverForm,
)
from backend.directory import queries as directory
from tests.deviations.verbs import (
    HOME_CARE_MANAGER,
    PATIENT_SAFETY,
    TO_KARLSKRONA,
    act,
    answer,
    disputed,
    later,
    withdraw,
)
from tests.people import ANNA, BERIT, BOB, BOBS_UNIT, MATS, acting, filed

KARLSKRONA_SAFETY = "mas@karlskrona.example"
SURGEON = "chef.kirurgi@region.example"
DOCTOR = "lakare@region.example"


def piles(email: str) -> dict[str, list[str]]:
    with acting(email) as (db, me):
        return {one.name: [row.case_number for row in one.rows] for one in queries.piles(db, me)}


def pile(email: str, name: str = "untouched") -> list[str]:
    return piles(email).get(name, [])


def with_others(superuser: Engine) -> None:
    """A manager of another clinic of the region, and a physician without an assignment."""
    with superuser.begin() as connection:
        connection.exec_driver_sql(
            f"insert into people (email, title) values ('{SURGEON}', 'Verksamhetschef'), ('{DOCTOR}', 'Läkare');"
            "insert into assignments (person_id, role, unit_id, valid_from)"
            " select p.id, 'manager', u.id, date '2026-01-01' from people p, units u"
            f" where p.email = '{SURGEON}' and u.hsa_id = 'SE2321000081-S021'"
        )


def person(email: str) -> int:
    with acting(BOB) as (db, _me):
        found = directory.person_by_email(db, email)
        assert found is not None
        return found.id


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


def test_each_thing_lies_with_those_whose_it_is_until_it_is_done(blekinge: str, superuser: Engine) -> None:
    with_others(superuser)
    with later(0):
        written, assigned, lent, shared, judged, flagged, slipped = (filed() for _ in range(7))
        fought = disputed()
        out = filed(BOB, sender_unit=BOBS_UNIT, receiver_unit="SE2120000852-V010")
        with acting(BOB) as (db, me):
            actions.propose_answer(db, me, queries.deviation(db, me, written), {"cause": ["Rutinen."]}, 0)
        act("assign", assigned, BOB, AssignForm(person=person(BOB)))
        for number in (lent, shared):
            act("invite", number, BOB, InviteForm(email=DOCTOR))
        act("judge_risk", judged, BOB, RiskForm(severity=2, probability=4))
        act("flag", flagged, PATIENT_SAFETY, FlagForm(law="lex_maria", comment="Att bedöma."))
        act("mask", slipped, PATIENT_SAFETY, MaskForm(field="description", start=0, end=5))
        untaken = sorted([written, lent, shared, judged, flagged, slipped])
        assert piles(BOB) == {"assigned": [assigned]}
        assert {name: sorted(cases) for name, cases in piles(BERIT).items()} == {
            "to_approve": [written],
            "disputed": [fought],
            "unassigned": untaken,
        }
        assert {name: sorted(cases) for name, cases in piles(PATIENT_SAFETY).items()} == {
            "to_approve": [written],
            "disputed": [fought],
            "unassigned": untaken,
            "high_risk": [judged],
            "not_taken_over": [flagged],
            "masked": [slipped],
        }
        # Nothing of it is another clinic's, and of the sender only what its own people are to see to.
        assert piles(SURGEON) == {}
        assert {name: sorted(cases) for name, cases in piles(HOME_CARE_MANAGER).items()} == {
            "disputed": [fought],
            "unassigned": [out],
        }
        assert {name: sorted(cases) for name, cases in piles(MATS).items()} == {
            "disputed": [fought],
            "unassigned": [out],
            "masked": [slipped],
        }
        assert piles(DOCTOR) == {"invited": [lent, shared]}

        with acting(BOB) as (db, me):
            actions.end_invitation(db, me, queries.deviation(db, me, lent), person(DOCTOR))
        answer(written, BERIT)
        withdraw(judged)
        act("take_over", flagged, PATIENT_SAFETY, TakeOverForm(law="lex_maria", taken_over_by="Chefläkaren"))
        assert piles(DOCTOR) == {"invited": [shared]}
        left = piles(PATIENT_SAFETY)
        assert left.keys() == {"disputed", "unassigned", "masked"}
    with later(31):
        assert (pile(PATIENT_SAFETY, "masked"), pile(MATS, "masked")) == ([], [])
