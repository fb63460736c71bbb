"""What the random walks and the attack on the walls once found, each held by a test of its own."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from backend.core import clock
from backend.core.errors import ForbiddenError, NotFoundError
from backend.deviations import actions, queries
from backend.deviations.forms import (
    ConfirmRedirectForm,
    DeclineForm,
    DelayForm,
    InviteForm,
    MaskForm,
    NoteForm,
    QuestionForm,
    RedirectForm,
)
from backend.deviations.models import Reason
from tests.deviations.verbs import MONDAY, act
from tests.people import ANNA, BOB, MATS, acting, filed
from workers import notifications

PATIENT_SAFETY = "patientsakerhet@region.example"
MAS_KARLSKRONA = "mas@karlskrona.example"
PROVIDER = {"by": "hemtjanst@exempel.example", "sender_unit": "SE0000000001-A010"}
OLOFSTROM, OLOFSTROMS_UNIT = "hemsjukvard@olofstrom.example", "SE2120000811-V010"
KARLSKRONAS_UNIT = "SE2120000829-V010"
NOT_OURS = DeclineForm(reason=Reason.NOT_INVOLVED, comment="Patienten låg aldrig hos oss.")


@pytest.fixture(autouse=True)
def _november(blekinge: str) -> Iterator[None]:
    with clock.at(MONDAY):
        yield


def _sent_on(number: str) -> None:
    act("redirect", number, BOB, RedirectForm(unit=OLOFSTROMS_UNIT, comment="Hör till dem."))
    act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))


def test_whoever_only_follows_a_case_may_not_act_and_is_told_so() -> None:
    """The lock went through the walls, which let no follower change a case: it was told that there was none."""
    number = filed(**PROVIDER)
    with acting(MAS_KARLSKRONA) as (db, me):
        assert queries.deviation(db, me, number).case_number == number
    with pytest.raises(ForbiddenError):
        act("question", number, MAS_KARLSKRONA, QuestionForm(text="Hur gick det?"))


def test_a_former_receiver_that_commissioned_the_sender_follows_and_no_more() -> None:
    number = filed(**PROVIDER, receiver_unit=KARLSKRONAS_UNIT)
    act("decline", number, "hemsjukvard@karlskrona.example", NOT_OURS)
    with pytest.raises(NotFoundError):
        act("note", number, "hemsjukvard@karlskrona.example", NoteForm(text="Läser vidare."))
    with acting(MAS_KARLSKRONA) as (db, me):
        assert queries.deviation(db, me, number).state == "declined"
    with pytest.raises(ForbiddenError):
        act("note", number, MAS_KARLSKRONA, NoteForm(text="Läser vidare."))


def test_an_invitation_that_is_over_is_not_mailed(superuser: Engine) -> None:
    number = filed()
    act("invite", number, BOB, InviteForm(email="vardcentral@region.example"))
    with acting(BOB) as (db, me):
        person = queries.invited(db, me, queries.deviation(db, me, number))[0][0].id
    with acting(BOB) as (db, me):
        actions.end_invitation(db, me, queries.deviation(db, me, number), person)
    notifications.due("invited")
    notifications.letter()
    with superuser.connect() as connection:
        assert connection.scalars(text("select body from caught_mails")).all() == []


def test_the_copy_of_a_declined_case_holds_the_words_it_was_declined_with(superuser: Engine) -> None:
    number = filed()
    act("decline", number, BOB, NOT_OURS)
    assert _sealed(number)["declined"] == {
        "reason": "not_involved",
        "comment": NOT_OURS.comment,
        "unit": None,
        "profession": "Sektionsledare",
    }


def test_the_copy_holds_what_was_proposed_while_one_had_the_case() -> None:
    number = filed()
    _sent_on(number)
    assert [one["comment"] for one in _sealed(number)["proposals"]] == ["Hör till dem."]


def _sealed(number: str) -> dict[str, object]:
    with acting(PATIENT_SAFETY) as (db, me):
        return next(copy.content for copy in queries.sealed_copies(db, me) if copy.case_number == number)


def test_the_next_receiver_does_not_read_why_the_former_one_was_late() -> None:
    number = filed()
    late = DelayForm(reason="Läkaren är ledig.", promised_on=(MONDAY + timedelta(days=30)).date())
    act("delay_notice", number, BOB, late)
    _sent_on(number)
    with acting(OLOFSTROM) as (db, me):
        found = queries.deviation(db, me, number)
        assert (found.delay_reason, found.delay_promised_on) == (None, None)
        assert [item.verb for item in queries.happenings(db, found)] == ["confirm_redirect"]
    with acting(ANNA) as (db, me):
        told = [item.comment for item in queries.happenings(db, queries.deviation(db, me, number))]
        assert "Svaret utlovat till 2 december 2026. Läkaren är ledig." in told


def test_a_mask_opens_no_branchs_note_to_the_other_branchs_safety() -> None:
    """The same words were hidden in the ward's own note, and all of that note kept where both safeties read."""
    number = filed(description="Greta Svensson kom hem utan lista.")
    act("note", number, BOB, NoteForm(text="Greta Svensson var arg, säg inget till kommunen."))
    act("mask", number, MATS, MaskForm(field="description", start=0, end=14))
    report, note = (
        "Greta Svensson kom hem utan lista.",
        "Greta Svensson var arg, säg inget till kommunen.",
    )
    for who, theirs in ((MATS, [report]), (PATIENT_SAFETY, [report, note])):
        with acting(who) as (db, me):
            kept = [one.original for one in queries.masks(db, me, queries.deviation(db, me, number))]
            assert kept == theirs, who
    with acting(BOB) as (db, me):
        notes = queries.notes(db, me, queries.deviation(db, me, number))
        assert [one.text for one in notes] == ["▒▒▒ var arg, säg inget till kommunen."]


def test_a_mask_by_the_next_receiver_opens_nothing_of_earlier_legs() -> None:
    number = filed(description="Greta Svensson kom hem utan lista.")
    act("question", number, BOB, QuestionForm(text="Är Greta Svensson känd hos er?"))
    act("reply", number, ANNA, QuestionForm(text="Ja."))
    _sent_on(number)
    act("mask", number, "mas@olofstrom.example", MaskForm(field="description", start=0, end=14))
    with acting("mas@olofstrom.example") as (db, me):
        kept = [one.original for one in queries.masks(db, me, queries.deviation(db, me, number))]
        assert kept == ["Greta Svensson kom hem utan lista."]
    with acting(MATS) as (db, me):
        found = queries.deviation(db, me, number)
        assert sorted(filter(None, (one.original for one in queries.masks(db, me, found)))) == [
            "Greta Svensson kom hem utan lista.",
            "Är Greta Svensson känd hos er?",
        ]


def test_nobody_becomes_the_sender_of_a_case_or_opens_its_earlier_legs(superuser: Engine) -> None:
    """Past the code, as the app's own role: the case's trigger holds what no policy can."""
    number = filed()
    _sent_on(number)
    with acting(OLOFSTROM) as (db, _me):
        db.execute(text("update deviations set first_leg = 1 where case_number = :n"), {"n": number})
    with superuser.connect() as connection:
        first = connection.scalar(
            text("select first_leg from deviations where case_number = :n"), {"n": number}
        )
    assert first == 2
