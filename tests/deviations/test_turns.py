"""Every turn a case may take, and its way home: questions, disputes, reopenings, silence."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from backend.core import clock
from backend.core.errors import ConflictError, ForbiddenError, InvalidError
from backend.deviations import actions, queries
from backend.deviations.forms import (
    DelayForm,
    IdentifiedForm,
    LinkForm,
    RedirectForm,
    SettleForm,
)
from backend.deviations.models import State
from tests.deviations.verbs import (
    ACCEPTED,
    ASK,
    DECLINE,
    EXTERNAL,
    HOME_CARE_MANAGER,
    KARLSKRONA,
    MONDAY,
    PATIENT_SAFETY,
    RETURNED,
    SURGERY,
    TELL,
    WHY,
    acknowledge,
    act,
    answer,
    case,
    disputed,
    judge,
    later,
    owed_mails,
    sees,
    with_an_external_party,
    withdraw,
    work,
)
from tests.people import ALICE, ANNA, BERIT, BOB, CHARLIE, MATS, acting, filed
from workers import deviations as jobs


@pytest.fixture(autouse=True)
def _november(blekinge: str) -> Iterator[None]:
    with clock.at(MONDAY):
        yield


class TestQuestions:
    def test_a_reply_gives_the_receiver_back_the_days_it_waited(self) -> None:
        number = filed()
        before = case(number).due_on
        act("question", number, BOB, ASK)
        asked = case(number)
        assert (asked.state, asked.next_due_on) == (State.QUESTION, date(2026, 11, 9))
        with later(3):
            act("reply", number, ANNA, TELL)
        replied = case(number)
        assert before == date(2027, 1, 4)  # 1 January moved on; three days later is a Monday again
        assert (replied.state, replied.due_on, replied.next_due_on) == (
            State.IN_REVIEW,
            date(2027, 1, 4),
            date(2027, 1, 4),
        )
        with acting(BOB) as (db, me):
            [question] = queries.questions(db, queries.deviation(db, me, number))
            assert (question.text, question.reply) == (ASK.text, TELL.text)

    def test_a_question_implies_that_the_case_is_received(self) -> None:
        number = filed()
        act("question", number, BOB, ASK)
        assert case(number).acknowledged_at == MONDAY

    def test_a_question_without_reply_returns_by_itself_and_says_so(self) -> None:
        number = filed()
        act("question", number, BOB, ASK)
        with later(7):
            work()
        assert case(number).state == State.QUESTION  # the fifth working day is not over
        with later(8):
            work()
            back = case(number)
            with acting(BOB) as (db, me):
                last = queries.happenings(db, queries.deviation(db, me, number))[-1]
        assert (back.state, last.verb, last.automatic) == (State.IN_REVIEW, "expire_question", True)
        assert back.due_on == date(2027, 1, 11)  # 60 days and the eight that it waited: 9 January, a Saturday

    def test_two_questions_pause_and_a_third_does_not(self) -> None:
        number = filed()
        for day in (0, 20, 40):
            with later(day):
                act("question", number, BOB, ASK)
            with later(day + 2):
                act("reply", number, ANNA, TELL)
        with acting(BOB) as (db, me):
            found = queries.deviation(db, me, number)
            assert (len(queries.questions(db, found)), len(queries.pauses(db, found))) == (3, 2)
        assert case(number).due_on == date(2027, 1, 5)  # 60 days and four

    def test_the_reporter_may_reply_and_a_colleague_of_the_ward_may_not(self) -> None:
        number = filed(ALICE, sender_unit="SE2120000852-V020")
        act("question", number, BOB, ASK)
        with pytest.raises(ForbiddenError):
            act("reply", number, BERIT, TELL)
        act("reply", number, ALICE, TELL)
        assert case(number, ALICE).state == State.IN_REVIEW


class TestDisputes:
    PARTLY = SettleForm(outcome="partly", comment="Vi tar rutinen, ni tar listan.")
    DISAGREE = SettleForm(outcome="disagreement", comment="Vi kommer inte längre.")

    def test_when_one_proposes_and_the_other_confirms_that_is_the_answer(self) -> None:
        number = disputed()
        act("settle", number, BERIT, self.PARTLY)
        assert case(number).state == State.DISPUTED
        act("settle", number, HOME_CARE_MANAGER, self.PARTLY)
        settled = case(number)
        assert (settled.state, settled.answered_at) == (State.ANSWERED, MONDAY)
        with acting(ANNA) as (db, me):
            [given] = queries.answers(db, queries.deviation(db, me, number))
            assert (given.outcome, given.branch_id) == ("partly", settled.receiver_branch_id)
        judge(number, ACCEPTED)
        assert case(number).state == State.CLOSED

    def test_the_two_may_agree_to_disagree(self) -> None:
        number = disputed()
        act("settle", number, MATS, self.DISAGREE)
        act("settle", number, PATIENT_SAFETY, self.DISAGREE)
        closed = case(number)
        assert (closed.state, closed.disagreed_at, closed.answered_at) == (State.CLOSED, MONDAY, None)

    def test_another_outcome_replaces_the_first_and_one_side_cannot_agree_with_itself(self) -> None:
        number = disputed()
        act("settle", number, MATS, self.DISAGREE)
        act("settle", number, HOME_CARE_MANAGER, self.DISAGREE)
        act("settle", number, BERIT, self.PARTLY)
        assert case(number).state == State.DISPUTED
        act("settle", number, MATS, self.DISAGREE)
        act("settle", number, PATIENT_SAFETY, self.DISAGREE)
        assert case(number).state == State.CLOSED

    def test_after_ten_working_days_it_ends_as_disagreement_by_itself(self) -> None:
        number = disputed()
        with later(15):
            work()
        ended = case(number)
        assert (ended.state, ended.disagreed_at) == (State.CLOSED, MONDAY + timedelta(days=15))

    @pytest.mark.parametrize("who", [BOB, ANNA])
    def test_managers_and_safety_settle_not_handlers(self, who: str) -> None:
        number = disputed()
        with pytest.raises(ForbiddenError):
            act("settle", number, who, self.PARTLY)


class TestEnds:
    def test_an_acknowledged_case_can_still_be_taken_back(self) -> None:
        number = filed()
        acknowledge(number)
        withdraw(number)
        assert (case(number).state, sees(number, BOB)) == (State.WITHDRAWN, False)

    def test_silence_for_twenty_working_days_accepts_the_answer_and_says_so(self) -> None:
        number = filed()
        answer(number)
        with later(29):
            work()
        closed = case(number)
        assert (closed.state, closed.accepted_by_silence, closed.accepted_at) == (State.CLOSED, True, None)

    def test_a_closed_case_opens_again_within_thirty_days_with_a_new_answer_clock(self) -> None:
        number = filed()
        answer(number)
        judge(number, ACCEPTED)
        first = case(number)
        with later(30):
            act("reopen", number, BERIT, WHY)
        opened = case(number)
        assert (opened.state, opened.next_due_on) == (State.IN_REVIEW, date(2027, 2, 1))
        # The first answer is the one that is counted.
        assert (opened.answered_at, opened.due_on) == (first.answered_at, first.due_on)
        with later(31):
            answer(number)
        assert case(number).state == State.ANSWERED

    def test_after_thirty_days_it_stays_closed(self) -> None:
        number = filed()
        answer(number)
        judge(number, ACCEPTED)
        with later(31), pytest.raises(ConflictError):
            act("reopen", number, BERIT, WHY)

    def test_a_handler_cannot_reopen(self) -> None:
        number = filed()
        answer(number)
        judge(number, ACCEPTED)
        with pytest.raises(ForbiddenError):
            act("reopen", number, BOB, WHY)

    def test_a_question_about_a_returned_answer_pauses_the_new_clock(self) -> None:
        number = filed()
        answer(number)
        judge(number, RETURNED)
        first = case(number)
        assert (first.state, first.next_due_on) == (State.RETURNED, date(2026, 11, 16))
        act("question", number, BOB, ASK)
        with later(2):
            act("reply", number, ANNA, TELL)
        assert (case(number).next_due_on, case(number).due_on) == (date(2026, 11, 18), first.due_on)

    def test_a_way_home_that_is_asked_for_too_late_or_twice_does_nothing(self) -> None:
        number = filed()
        answer(number)
        judge(number, RETURNED)
        answer(number)
        with later(60):
            work()
            work()
            with acting(ANNA) as (db, me):
                verbs = [one.verb for one in queries.happenings(db, queries.deviation(db, me, number))]
        assert verbs.count("accept_silently") == 1


class TestNotes:
    def test_a_delay_notice_is_given_once_and_moves_no_clock(self) -> None:
        number = filed()
        before = case(number)
        act("delay_notice", number, BOB, DelayForm(reason="Sommar.", promised_on=date(2026, 12, 22)))
        after = case(number)
        assert (after.delay_promised_on, after.due_on, after.state) == (
            date(2026, 12, 22),
            before.due_on,
            before.state,
        )
        with pytest.raises(ConflictError):
            act("delay_notice", number, BOB, DelayForm(reason="Igen.", promised_on=date(2026, 12, 23)))
        assert [kind for kind, _to in owed_mails()] == ["arrival", "delay_notice"]

    def test_that_the_patient_is_identified_pauses_nothing(self) -> None:
        number = filed()
        before = case(number)
        act(
            "patient_identified",
            number,
            BOB,
            IdentifiedForm(on=date(2026, 11, 2), how="telephone", ground="consent"),
        )
        after = case(number)
        assert (after.patient_identified_how, after.state, after.due_on) == (
            "telephone",
            before.state,
            before.due_on,
        )

    def test_a_link_shows_only_to_whoever_sees_both_reports(self) -> None:
        ours, theirs = filed(), filed(BOB, sender_unit="SE2321000081-S011", receiver_unit=KARLSKRONA)
        act("link", ours, BOB, LinkForm(case_number=theirs))

        def linked(number: str, email: str) -> list[str]:
            with acting(email) as (db, me):
                found = queries.deviation(db, me, number)
                return [other for other, _own in queries.linked(db, me, found)]

        assert (linked(ours, BOB), linked(theirs, BOB)) == ([theirs], [ours])
        assert (linked(ours, ANNA), linked(theirs, CHARLIE)) == ([], [])
        with pytest.raises(InvalidError):
            act("link", ours, ANNA, LinkForm(case_number=theirs))
        act("unlink", ours, BOB, LinkForm(case_number=theirs))
        assert linked(ours, BOB) == []

    def test_a_good_example_is_thanked_for_and_waits_for_nobody(self) -> None:
        number = filed(event_kind="good_example")
        with acting(BOB) as (db, me):
            actions.acknowledge(db, me, queries.deviation(db, me, number), "Tack, det värmer!")
            assert queries.inbox(db, me) == []
        assert (case(number).state, case(number).due_on, case(number).next_due_on) == (
            State.ACKNOWLEDGED,
            None,
            None,
        )


def test_imported_history_rests(superuser: Engine) -> None:
    number = filed()
    with superuser.begin() as connection:
        connection.execute(text("update deviations set imported = true, resting = true"))
    delay = DelayForm(reason="Sommar.", promised_on=date(2027, 1, 1))
    for verb, form in (("review", None), ("question", ASK), ("decline", DECLINE), ("delay_notice", delay)):
        with pytest.raises(ConflictError):
            act(verb, number, BOB, form)
    for who in (ANNA, BOB):
        with acting(who) as (db, me):
            assert [queries.inbox(db, me), queries.inbox(db, me, group="theirs")] == [[], []]


def test_for_a_party_without_a_login_the_sender_enters_the_reply(superuser: Engine) -> None:
    with_an_external_party(superuser)
    number = filed(receiver_unit=EXTERNAL)
    assert [kind for kind, _to in owed_mails()] == ["arrival", "external"]
    acknowledge(number, by=MATS)
    answer(number, by=ANNA)
    assert case(number).state == State.ANSWERED


def test_history_that_a_handler_takes_up_waits_like_any_other(superuser: Engine) -> None:
    number = filed()
    before = case(number).due_on
    with superuser.begin() as connection:
        connection.execute(text("update deviations set imported = true, resting = true"))
    with later(10):
        act("resume", number, BOB)
        with acting(BOB) as (db, me):
            assert [row.case_number for row in queries.inbox(db, me)] == [number]
        acknowledge(number)
    taken_up = case(number)
    assert (taken_up.state, taken_up.next_due_on) == (State.ACKNOWLEDGED, date(2027, 1, 11))
    assert taken_up.due_on == before
    with pytest.raises(ConflictError):
        act("resume", number, BOB)


def test_the_undone_receipt_of_history_that_was_taken_up_has_its_day_from_then(superuser: Engine) -> None:
    number = filed()
    with superuser.begin() as connection:
        connection.execute(text("update deviations set imported = true, resting = true"))
        connection.execute(
            text("update handovers set acknowledge_due_on = '2023-01-09', sent_at = '2023-01-02'")
        )
    act("resume", number, BOB)
    due_on = case(number).next_due_on
    acknowledge(number)
    act("unacknowledge", number, BOB)
    assert due_on is not None
    assert (case(number).state, case(number).next_due_on) == (State.SENT, due_on)


def test_a_way_home_that_was_lost_is_found_the_day_after_it_should_have_been_gone(superuser: Engine) -> None:
    number = filed()
    answer(number)
    with superuser.begin() as connection:
        connection.execute(text("update outbox set done_at = now() where kind = 'deviations.go_home'"))
    with later(20):
        assert actions.look_after() == "found 0, 0, 0"
    with later(60):
        assert actions.look_after().split(", ")[1] == "1"
        work()
    assert case(number).state == State.CLOSED


def test_that_a_case_became_late_is_noted_once_whichever_unit_of_the_branch_has_it(superuser: Engine) -> None:
    number = filed()
    acknowledge(number)
    for day in (40, 70, 71, 75, 76, 90):
        if day == 75:
            with later(day):
                act("redirect", number, BOB, RedirectForm(unit=SURGERY, comment="Kirurgen."))
        with clock.at(MONDAY + timedelta(days=day, hours=-3)):
            jobs.chase()
    with superuser.connect() as connection:
        verbs = connection.scalars(text("select verb from events order by id")).all()
    assert verbs == ["sent", "acknowledge", "late", "redirect"]
