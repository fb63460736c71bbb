"""Working together on one side: what the other side never sees, and who may do what."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from backend.core import clock
from backend.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from backend.deviations import actions, queries
from backend.deviations.forms import (
    AssignForm,
    FlagForm,
    InviteForm,
    NoteForm,
    ReferenceForm,
    RegistryForm,
    RiskForm,
    TakeOverForm,
)
from backend.directory import queries as directory
from tests.deviations.verbs import MONDAY, act, answer, owed_mails
from tests.people import ALICE, ANNA, BERIT, BOB, IDA, MATS, acting, filed

DOCTOR = "lakare@region.example"
PATIENT_SAFETY = "patientsakerhet@region.example"
REGISTRAR = "registrator@region.example"


@pytest.fixture(autouse=True)
def _november(blekinge: str, superuser: Engine) -> Iterator[None]:
    with superuser.begin() as connection:
        connection.execute(
            text("insert into people (email, title) values (:email, 'Överläkare, Medicinkliniken')"),
            {"email": DOCTOR},
        )
    with clock.at(MONDAY):
        yield


def person(email: str) -> int:
    with acting(BOB) as (db, _me):
        found = directory.person_by_email(db, email)
        assert found is not None
        return found.id


def test_notes_stay_with_ones_own_side_and_tell_whoever_is_mentioned() -> None:
    number = filed()
    act("note", number, BOB, NoteForm(text="Fråga apoteket.", mention=[person(BERIT)]))
    for who, seen in ((BERIT, ["Fråga apoteket."]), (ANNA, []), (MATS, [])):
        with acting(who) as (db, me):
            found = queries.deviation(db, me, number)
            assert [note.text for note in queries.notes(db, me, found)] == seen
    assert ("mention", BERIT) in owed_mails()
    with pytest.raises(InvalidError):
        act("note", number, BOB, NoteForm(text="Hej!", mention=[person(ANNA)]))


def test_a_handler_takes_a_case_and_a_manager_gives_it_away() -> None:
    number = filed()
    act("assign", number, BOB, AssignForm(person=person(BOB)))
    act("assign", number, BERIT, AssignForm(person=person(BOB)))
    assert owed_mails()[-1] == ("assigned", BOB)
    with pytest.raises(ForbiddenError):
        act("assign", number, BOB, AssignForm(person=person(BERIT)))
    with pytest.raises(InvalidError):
        act("assign", number, BERIT, AssignForm(person=person(ANNA)))


def test_a_physician_without_other_rights_is_let_into_one_case_and_no_other() -> None:
    number, other = filed(), filed()
    act("invite", number, BOB, InviteForm(email=DOCTOR))
    assert owed_mails()[-1] == ("invited", DOCTOR)
    act("note", number, DOCTOR, NoteForm(text="Dosen var ändrad."))
    with acting(DOCTOR) as (db, me):
        assert [row.case_number for row in queries.listing(db, me, queries.Filters())] == [number]
        found = queries.deviation(db, me, number)
        actions.save_answer_draft(db, me, found, {"cause": ["Dosen var ändrad."]}, 0)
        with pytest.raises(NotFoundError):
            queries.deviation(db, me, other)
    with pytest.raises(ForbiddenError):
        answer(number, by=DOCTOR)


def test_an_invitation_that_ends_ends_at_once() -> None:
    number = filed()
    act("invite", number, BOB, InviteForm(email=DOCTOR))
    doctor = person(DOCTOR)
    with acting(BOB) as (db, me):
        actions.end_invitation(db, me, queries.deviation(db, me, number), doctor)
    with acting(BOB) as (db, _me):
        assert directory.places(db, doctor) == []


def test_nobody_of_another_organisation_is_let_in() -> None:
    number = filed()
    with pytest.raises(InvalidError) as refused:
        act("invite", number, BOB, InviteForm(email=IDA))
    assert [fault.field for fault in refused.value.faults] == ["email"]


def test_of_two_who_write_the_answer_the_second_is_warned_and_nothing_is_lost() -> None:
    number = filed()

    def save(who: str, words: str, revision: int) -> int:
        with acting(who) as (db, me):
            found = queries.deviation(db, me, number)
            return actions.save_answer_draft(db, me, found, {"cause": [words]}, revision).revision

    assert save(BOB, "Rutinen var inte känd.", 0) == 1
    with pytest.raises(ConflictError):
        save(BERIT, "Något annat.", 0)
    assert save(BERIT, "Rutinen var inte känd på kvällen.", 1) == 2
    with pytest.raises(ForbiddenError):
        save(ANNA, "Avsändaren skriver inte svaret.", 2)


def test_each_side_judges_the_risk_for_itself() -> None:
    number = filed(severity=2)
    act("judge_risk", number, BOB, RiskForm(severity=4, probability=2))
    for who, seen in ((BERIT, [(4, 2)]), (MATS, [(None, None)])):
        with acting(who) as (db, me):
            found = queries.deviation(db, me, number)
            assert [
                (side.severity, side.probability) for side in found.sides if side.branch_id in me.branches
            ] == seen


def test_a_flag_is_raised_and_taken_over_on_ones_own_side_by_safety() -> None:
    number = filed()
    with pytest.raises(ForbiddenError):
        act("flag", number, BOB, FlagForm(law="lex_maria"))
    act("flag", number, PATIENT_SAFETY, FlagForm(law="lex_maria", comment="Läkemedelsskada."))
    with pytest.raises(ConflictError):
        act("flag", number, PATIENT_SAFETY, FlagForm(law="lex_maria"))
    act("take_over", number, PATIENT_SAFETY, TakeOverForm(law="lex_maria", taken_over_by="Chefläkare"))
    for who, seen in ((BERIT, [("lex_maria", "Chefläkare")]), (MATS, [])):
        with acting(who) as (db, me):
            found = queries.deviation(db, me, number)
            assert [(flag.law, flag.taken_over_by) for flag in queries.risk_flags(db, me, found)] == seen


def test_references_and_registry_numbers_are_each_partys_own() -> None:
    number = filed()
    act("set_reference", number, BOB, ReferenceForm(reference="A-17"))
    act("register", number, REGISTRAR, RegistryForm(registry_number="RB 2026/123"))
    with pytest.raises(ForbiddenError):
        act("register", number, BOB, RegistryForm(registry_number="1"))
    for who, seen in ((BERIT, [("A-17", "RB 2026/123")]), (ANNA, [(None, None)])):
        with acting(who) as (db, me):
            found = queries.deviation(db, me, number)
            assert [(side.reference, side.registry_number) for side in found.sides] == seen


def test_a_reporter_writes_notes_on_their_own_report_only() -> None:
    own, other = filed(ALICE, sender_unit="SE2120000852-V020"), filed()
    act("note", own, ALICE, NoteForm(text="Jag var där."))
    with pytest.raises(NotFoundError):
        act("note", other, ALICE, NoteForm(text="Jag var inte där."))


def test_a_colleague_who_saves_between_ones_reading_and_ones_saving_is_not_written_over() -> None:
    number = filed()
    with acting(BOB) as (db, me):
        actions.save_answer_draft(db, me, queries.deviation(db, me, number), {"cause": ["Först."]}, 0)
    with acting(BERIT) as (db, me):
        found = queries.deviation(db, me, number)
        read = queries.answer_draft(db, found)
        assert read is not None
        assert read.revision == 1
        with acting(BOB) as (other, bob):
            theirs = queries.deviation(other, bob, number)
            actions.save_answer_draft(other, bob, theirs, {"cause": ["Sedan."]}, 1)
        with pytest.raises(ConflictError):
            actions.save_answer_draft(db, me, found, {"cause": ["Mitt."]}, 1)
