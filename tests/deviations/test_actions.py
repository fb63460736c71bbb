"""What the verbs do to a case: state, clocks, log, outbox, access log. And what they refuse."""

import uuid
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, select, text

from backend.core import clock
from backend.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from backend.deviations import actions, queries
from backend.deviations.forms import AnswerForm
from backend.deviations.models import Answer, EventKind, Outcome, State
from tests.deviations.verbs import (
    ACCEPTED,
    MONDAY,
    RETURNED,
    acknowledge,
    answer,
    case,
    judge,
    owed,
    together,
    withdraw,
)
from tests.people import ANNA, BOB, CHARLIE, MATS, acting, filed, report_form


@pytest.fixture(autouse=True)
def _november(blekinge: str) -> object:
    with clock.at(MONDAY):
        yield


def test_a_report_is_sent_with_its_clocks_set() -> None:
    sent = case(filed())
    assert (sent.state, sent.sent_at) == (State.SENT, MONDAY)
    assert sent.due_on == date(2027, 1, 4)  # 60 days end on New Year's Day, a Friday: the next working day
    assert sent.next_due_on == date(2026, 11, 9)  # five working days to acknowledge


def test_the_due_date_explains_itself() -> None:
    from backend.deviations import deadlines

    with acting(ANNA) as (db, me):
        found = queries.deviation(db, me, filed())
        running = deadlines.running(found, queries.handover(db, found), [], found.sent_at, clock.now())
    assert [deadline.kind for deadline in running] == ["acknowledge", "answer"]
    assert running[1].explanation == (
        "Svar senast måndag 4 januari 2027: 60 dagar från 2 november slutar på nyårsdagen, "
        "så fristen flyttas till nästa arbetsdag."
    )


def test_a_report_tells_the_receiver_and_is_looked_at_the_next_morning() -> None:
    sent = case(filed())
    assert [(row.subject_id, row.branch_id) for row in owed("arrival")] == [
        (sent.id, sent.receiver_branch_id)
    ]
    assert [clock.local(row.due_at).isoformat() for row in owed("chase", "deviations")] == [
        "2026-11-03T06:00:00+01:00"
    ]


def test_the_case_number_is_random_and_carries_county_and_year() -> None:
    first, second = filed(), filed()
    assert first[:9] == second[:9] == "BLE-2026-"
    assert first != second


def test_the_same_form_twice_is_one_case() -> None:
    submission = uuid.uuid4()
    assert filed(submission=submission) == filed(submission=submission)
    assert len(owed("arrival")) == 1


def test_two_taps_at_once_are_one_case(superuser: Engine) -> None:
    submission, numbers = uuid.uuid4(), []
    together(lambda: numbers.append(filed(submission=submission)), 6)
    assert len(numbers) == 6
    assert len(set(numbers)) == 1
    with superuser.connect() as connection:
        assert connection.scalar(text("select count(*) from deviations")) == 1
        assert (
            connection.scalar(text("select count(*) from outbox where kind = 'notifications.arrival'")) == 1
        )


def test_an_unknown_receiver_is_reached_by_the_way_in() -> None:
    sent = case(filed(receiver_unit=None, receiver_organisation="SE2321000081-R"))
    assert sent.receiver_unit.hsa_id == "SE2321000081-F000"


def test_several_ways_in_are_named() -> None:
    with pytest.raises(InvalidError) as refused:
        filed(receiver_unit=None, receiver_organisation="SE2120000829-K")
    assert [fault.field for fault in refused.value.faults] == ["receiver_organisation"]
    assert refused.value.faults[0].text == (
        "Organisationen har flera vägar in, välj en: "
        "Elevhälsans medicinska insats Karlskrona (SE2120000829-E000), MAS Karlskrona (SE2120000829-F000) "
        "och SAS och registrator IFO Karlskrona (SE2120000829-I001)."
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("receiver_unit", "SE2120000852-V020"),  # one's own branch
        ("receiver_unit", "SE2321000081-X999"),
        ("category", "finns_inte"),
        ("steering_document", "finns_inte"),
        ("sender_unit", "SE2120000852-X999"),
    ],
)
def test_what_does_not_exist_or_hold_together_is_named_by_its_field(
    superuser: Engine, field: str, value: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        filed(**{field: value})
    assert [fault.field for fault in refused.value.faults] == [field]
    with superuser.connect() as connection:
        assert connection.scalar(text("select count(*) from deviations")) == 0


def test_nobody_reports_from_a_unit_that_is_not_theirs() -> None:
    with pytest.raises(ForbiddenError):
        filed(sender_unit="SE2120000852-V020")


def test_acknowledging_starts_the_wait_for_an_answer() -> None:
    number = filed()
    acknowledge(number)
    seen = case(number)
    assert (seen.state, seen.acknowledged_at, seen.next_due_on) == (State.ACKNOWLEDGED, MONDAY, seen.due_on)


def test_an_answer_implies_that_the_case_was_received() -> None:
    number = filed()
    answer(number)
    seen = case(number)
    assert (seen.state, seen.acknowledged_at, seen.answered_at) == (State.ANSWERED, MONDAY, MONDAY)
    assert seen.next_due_on == date(2026, 11, 30)  # twenty working days to judge it


def test_an_answer_tells_the_reporter() -> None:
    number = filed()
    answer(number)
    assert [row.branch_id for row in owed("answered")] == [case(number).sender_branch_id]


def test_an_accepted_answer_closes_the_case() -> None:
    number = filed()
    answer(number)
    judge(number, ACCEPTED)
    seen = case(number)
    assert (seen.state, seen.accepted_at, seen.closed_at, seen.next_due_on) == (
        State.CLOSED,
        MONDAY,
        MONDAY,
        None,
    )


def test_a_returned_answer_is_due_again_and_the_first_one_stays_counted() -> None:
    number = filed()
    answer(number)
    with clock.at(datetime(2026, 11, 12, 9, tzinfo=UTC)):
        judge(number, RETURNED)
    seen = case(number)
    assert (seen.state, seen.next_due_on) == (State.RETURNED, date(2026, 11, 26))  # ten working days
    assert (seen.answered_at, seen.due_on) == (MONDAY, date(2027, 1, 4))
    with clock.at(datetime(2026, 11, 20, 9, tzinfo=UTC)):
        answer(number)
    assert case(number).answered_at == MONDAY


def test_the_log_tells_each_thing_once_in_order() -> None:
    number = filed()
    acknowledge(number)
    answer(number)
    judge(number, RETURNED)
    answer(number)
    judge(number, ACCEPTED)
    with acting(ANNA) as (db, me):
        told = queries.happenings(db, queries.deviation(db, me, number))
    assert [(item.verb, item.to_state) for item in told] == [
        ("sent", "sent"),
        ("acknowledge", "acknowledged"),
        ("answer", "answered"),
        ("return", "returned"),
        ("answer", "answered"),
        ("accept", "closed"),
    ]
    assert told[3].comment == "När infördes rutinen?"


def test_the_other_party_is_a_unit_and_a_profession_never_a_person() -> None:
    number = filed()
    acknowledge(number)
    with acting(BOB) as (db, me):
        told = queries.happenings(db, queries.deviation(db, me, number))
        sides = [side.branch_id in me.branches for side in queries.deviation(db, me, number).sides]
    assert [(item.unit, item.who) for item in told] == [
        ("Hemsjukvården Sölvesborg", "Sjuksköterska"),
        ("Medicin avdelning 43 Karlskrona", "Sektionsledare, Medicin avdelning 43"),
    ]
    assert sides == [True]


def test_a_withdrawn_report_leaves_the_receiver_and_its_mails_are_waived() -> None:
    number = filed()
    withdraw(number)
    assert case(number).state == State.WITHDRAWN
    with pytest.raises(NotFoundError):
        case(number, as_=BOB)
    assert {row.outcome for row in owed("arrival")} == {"withdrawn"}


def test_a_good_example_needs_no_answer() -> None:
    number = filed(event_kind=EventKind.GOOD_EXAMPLE, category="good_example")
    assert case(number).due_on is None
    acknowledge(number)
    assert case(number).next_due_on is None
    with acting(BOB) as (db, me):
        assert queries.inbox(db, me) == []


def test_a_good_example_may_be_answered() -> None:
    number = filed(event_kind=EventKind.GOOD_EXAMPLE, category="good_example")
    acknowledge(number)
    answer(number)
    assert case(number).state == State.ANSWERED


def test_not_ours_needs_only_a_reason(superuser: Engine) -> None:
    number = filed()
    answer(number, form=AnswerForm(outcome=Outcome.NOT_OURS, cause="Patienten var inte inskriven hos oss."))
    with superuser.connect() as connection:
        assert connection.execute(select(Answer.outcome, Answer.cause_areas)).all() == [("not_ours", [])]


def test_the_inbox_holds_what_waits_soonest_first() -> None:
    with clock.at(datetime(2026, 9, 1, 9, tzinfo=UTC)):
        old = filed()
        acknowledge(old)
    new, answered = filed(), filed()
    answer(answered)
    with acting(BOB) as (db, me):
        assert [(row.case_number, row.state) for row in queries.inbox(db, me)] == [
            (old, State.ACKNOWLEDGED),
            (new, State.SENT),
        ]
    with acting(ANNA) as (db, me):
        assert [row.case_number for row in queries.inbox(db, me)] == [answered]
    with acting(CHARLIE) as (db, me):
        assert queries.inbox(db, me) == []


def test_lists_cost_the_same_number_of_queries_for_one_row_and_for_many() -> None:
    from sqlalchemy import event

    def counted() -> int:
        statements: list[str] = []
        with acting(MATS) as (db, me):
            listen = lambda *args: statements.append(args[2])  # noqa: E731
            event.listen(db.get_bind(), "before_cursor_execute", listen)
            queries.listing(db, me, queries.Filters())
            queries.inbox(db, me)
            event.remove(db.get_bind(), "before_cursor_execute", listen)
        return len(statements)

    filed()
    one = counted()
    for _ in range(4):
        filed()
    assert counted() == one == 2


def test_a_draft_is_its_writers_alone_and_ends_when_sent() -> None:
    form = report_form()
    with acting(ANNA) as (db, me):
        actions.save_draft(db, me, form.submission, {"description": ["Påbörjat."]})
    with acting(MATS) as (db, me):
        assert list(queries.drafts(db, me)) == []
    with acting(ANNA) as (db, me):
        assert [draft.typed for draft in queries.drafts(db, me)] == [{"description": "Påbörjat."}]
        actions.report(db, me, form)
    with acting(ANNA) as (db, me):
        assert list(queries.drafts(db, me)) == []
        with pytest.raises(ConflictError):
            actions.save_draft(db, me, form.submission, {"description": ["En sen autospar."]})
