"""Finding the right unit: redirects, declines, and the sealed copies that a case leaves behind."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from backend.core import clock
from backend.core.errors import ConflictError, ForbiddenError, InvalidError
from backend.deviations import queries
from backend.deviations.forms import (
    ConfirmRedirectForm,
    RedirectForm,
    ResendForm,
)
from backend.deviations.models import State
from tests.deviations.verbs import (
    ASK,
    DECLINE,
    KARLSKRONA,
    MONDAY,
    PATIENT_SAFETY,
    REGION_REGISTRAR,
    RETURNED,
    SURGERY,
    TELL,
    TO_KARLSKRONA,
    act,
    answer,
    case,
    disputed,
    judge,
    later,
    sees,
    withdraw,
    work,
)
from tests.people import ALICE, ANNA, BERIT, BOB, CHARLIE, IDA, MATS, acting, filed


@pytest.fixture(autouse=True)
def _november(blekinge: str) -> Iterator[None]:
    with clock.at(MONDAY):
        yield


class TestRedirects:
    def test_within_the_branch_it_is_done_at_once_and_the_clock_goes_on(self) -> None:
        number = filed()
        due_on = case(number).due_on
        with later(2):
            act("redirect", number, BOB, RedirectForm(unit=SURGERY, comment="Kirurgens patient."))
        moved = case(number)
        assert (moved.state, moved.due_on) == (State.SENT, due_on)
        with acting(PATIENT_SAFETY) as (db, me):
            legs = queries.handovers(db, queries.deviation(db, me, number))
            assert [(leg.position, leg.unit.hsa_id, leg.ended_how) for leg in legs] == [
                (1, "SE2321000081-S011", "redirected"),
                (2, SURGERY, None),
            ]
            assert legs[1].acknowledge_due_on == date(2026, 11, 11)
        assert not sees(number, BOB)

    def test_to_another_branch_nothing_is_disclosed_before_the_senders_yes(self) -> None:
        number = filed()
        act("redirect", number, BOB, TO_KARLSKRONA)
        assert case(number).state == State.REDIRECT_PROPOSED
        assert (sees(number, CHARLIE), sees(number, BOB)) == (False, True)
        act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))
        assert case(number).state == State.SENT
        assert [sees(number, who) for who in (CHARLIE, BOB, PATIENT_SAFETY, ANNA)] == [
            True,
            False,
            False,
            True,
        ]

    def test_the_new_receiver_reads_the_report_and_nothing_of_what_was_said_before(self) -> None:
        number = filed()
        act("question", number, BOB, ASK)
        act("reply", number, ANNA, TELL)
        answer(number)
        judge(number, RETURNED)
        act("redirect", number, BOB, TO_KARLSKRONA)
        act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True, comment="Läs gärna snart."))
        with acting(CHARLIE) as (db, me):
            found = queries.deviation(db, me, number)
            assert (list(queries.questions(db, found)), list(queries.answers(db, found))) == ([], [])
            assert [(one.verb, one.comment) for one in queries.happenings(db, found)] == [
                ("confirm_redirect", "Läs gärna snart.")
            ]
        with acting(ANNA) as (db, me):
            found = queries.deviation(db, me, number)
            assert (len(queries.questions(db, found)), len(queries.answers(db, found))) == (1, 1)

    def test_a_no_gives_the_case_back(self) -> None:
        number = filed()
        act("redirect", number, BOB, TO_KARLSKRONA)
        act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=False, comment="Den är er."))
        assert (case(number).state, sees(number, BOB), sees(number, CHARLIE)) == (
            State.IN_REVIEW,
            True,
            False,
        )

    def test_no_word_in_two_working_days_gives_it_back_by_itself(self) -> None:
        number = filed()
        act("redirect", number, BOB, TO_KARLSKRONA)
        with later(3):
            work()
            assert case(number).state == State.IN_REVIEW
        with pytest.raises(ConflictError):
            act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True))

    def test_the_reporter_alone_cannot_disclose_the_case_to_another(self) -> None:
        number = filed(ALICE, sender_unit="SE2120000852-V020")
        act("redirect", number, BOB, TO_KARLSKRONA)
        with pytest.raises(ForbiddenError):
            act("confirm_redirect", number, ALICE, ConfirmRedirectForm(confirm=True))

    @pytest.mark.parametrize(
        "unit",
        ["SE2120000852-V030", "SE2321000081-S011", "SE0000000000-X"],
        ids=["the sender's own", "where it lies already", "nowhere"],
    )
    def test_nowhere_sensible_is_refused_by_field(self, unit: str) -> None:
        number = filed()
        with pytest.raises(InvalidError) as refused:
            act("redirect", number, BOB, RedirectForm(unit=unit, comment="Fel."))
        assert [fault.field for fault in refused.value.faults] == ["unit"]


class TestSealedCopies:
    def copies(self, email: str) -> list[tuple[str, str]]:
        with acting(email) as (db, me):
            return [(copy.case_number, copy.left_how) for copy in queries.sealed_copies(db, me)]

    def test_registrar_and_safety_keep_what_the_branch_was_given_and_nothing_later(self) -> None:
        number = filed(description="Det första mottagaren fick veta.")
        act("question", number, BOB, ASK)
        act("reply", number, ANNA, TELL)
        act("redirect", number, BOB, TO_KARLSKRONA)
        act("confirm_redirect", number, ANNA, ConfirmRedirectForm(confirm=True, comment="Senare ord."))
        answer(number, by=CHARLIE)
        assert self.copies(PATIENT_SAFETY) == self.copies(REGION_REGISTRAR) == [(number, "redirected")]
        assert [self.copies(who) for who in (BOB, BERIT, ANNA, MATS, CHARLIE, IDA)] == [[]] * 6
        with acting(REGION_REGISTRAR) as (db, me):
            [copy] = queries.sealed_copies(db, me)
            kept = str(copy.content)
        assert [words in kept for words in ("Det första mottagaren", ASK.text, TELL.text)] == [True] * 3
        assert [words in kept for words in ("Senare ord", "Rutinen var inte känd")] == [False] * 2

    @pytest.mark.parametrize("how", ["declined", "withdrawn"])
    def test_a_case_declined_or_taken_back_is_sealed_too(self, how: str) -> None:
        number = filed()
        act("decline", number, BOB, DECLINE) if how == "declined" else withdraw(number)
        assert self.copies(REGION_REGISTRAR) == [(number, how)]
        assert [sees(number, who) for who in (BOB, BERIT, PATIENT_SAFETY, REGION_REGISTRAR)] == [False] * 4

    def test_one_copy_for_each_time_it_left(self) -> None:
        number = filed()
        act("decline", number, BOB, DECLINE)
        withdraw(number)
        assert self.copies(REGION_REGISTRAR) == [(number, "declined")]


class TestDeclines:
    def test_it_goes_back_to_the_sender_who_sends_it_on(self) -> None:
        number = filed()
        act("decline", number, BOB, DECLINE)
        declined = case(number)
        assert (declined.state, declined.next_due_on) == (State.DECLINED, date(2026, 11, 30))
        act("resend", number, ANNA, ResendForm(unit=KARLSKRONA, comment="Ni hade patienten."))
        assert (case(number).state, sees(number, CHARLIE), sees(number, BOB)) == (State.SENT, True, False)
        assert case(number).due_on == declined.due_on

    def test_left_for_twenty_working_days_it_is_withdrawn_by_silence(self) -> None:
        number = filed()
        act("decline", number, BOB, DECLINE)
        with later(29):
            work()
        left = case(number)
        assert (left.state, left.withdrawn_at) == (State.WITHDRAWN, MONDAY + timedelta(days=29))

    def test_the_second_time_it_is_disputed_and_both_see_it(self) -> None:
        number = disputed()
        assert (case(number).state, case(number).next_due_on) == (State.DISPUTED, date(2026, 11, 16))
        assert [sees(number, who) for who in (BOB, ANNA)] == [True, True]
