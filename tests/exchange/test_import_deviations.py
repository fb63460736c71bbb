"""What becomes of the history of an older system."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, text

from backend.core import clock
from backend.deviations import queries
from tests.exchange.conftest import Import, Rows
from tests.exchange.files import Files
from tests.exchange.history import CLOSED, OF_2023, OF_2024, SENT, UNANSWERED, Cells, Writer
from tests.people import ANNA, BOB, CHARLIE, IDA, acting


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_a_closed_case_is_kept_as_it_ended_at_the_times_of_the_file(
    blekinge: str, import_deviations: Import, rows: Rows, history_of: Writer
) -> None:
    outcome = import_deviations(history_of(CLOSED))
    assert (outcome.faults, outcome.counts) == ([], {"deviations": {"added": 1, "unchanged": 0}})
    assert rows(
        """select state, revision, event_kind, occurred_on, target_group, severity, description, immediate_action,
        imported, source_reference, sent_at, acknowledged_at, answered_at, accepted_at, closed_at, due_on, next_due_on
        from deviations""",
    ) == [
        (
            *("closed", 4, "adverse_event", date(2024, 1, 2), "older", 3),
            *("Läkemedelslistan saknades.", "Ringde avdelningen.", True, "GAMMAL-1"),
            *(utc(2024, 1, 3, 9), utc(2024, 1, 4, 7), utc(2024, 2, 1, 8, 30)),
            *(utc(2024, 2, 5, 15), utc(2024, 2, 5, 15)),
            # Sixty days from the third of January end on a Sunday.
            *(date(2024, 3, 4), None),
        )
    ]
    assert rows(
        """select outcome, cause_areas, cause, follow_up, verdict, a.answered_at, verdict_at, x.text
        from answers a join answer_actions x on x.answer_id = a.id and x.deviation_id = a.deviation_id""",
    ) == [
        (
            *("partly", ["procedures"], "Rutinen var inte känd.", "Stickprov i mars.", "accepted"),
            *(utc(2024, 2, 1, 8, 30), utc(2024, 2, 5, 15), "Rutinen gås igenom."),
        )
    ]


def test_the_log_of_a_case_tells_each_step_when_it_was_and_when_we_learned_of_it(
    blekinge: str, import_deviations: Import, rows: Rows, history_of: Writer
) -> None:
    with clock.at(utc(2025, 6, 1)):
        import_deviations(history_of(CLOSED))
    sender, receiver = "SE2120000852-V010", "SE2321000081-S011"
    assert rows(
        """select verb, from_state, to_state, at, u.hsa_id, recorded_at, profession, e.branch_id = u.branch_id
        from events e join units u on u.id = e.unit_id order by e.id""",
    ) == [
        ("sent", None, "sent", utc(2024, 1, 3, 9), sender, utc(2025, 6, 1), None, True),
        ("acknowledge", "sent", "acknowledged", utc(2024, 1, 4, 7), receiver, utc(2025, 6, 1), None, True),
        ("answer", "acknowledged", "answered", utc(2024, 2, 1, 8, 30), receiver, utc(2025, 6, 1), None, True),
        ("accept", "answered", "closed", utc(2024, 2, 5, 15), sender, utc(2025, 6, 1), None, True),
    ]


def test_the_receiver_has_one_leg_and_the_sender_a_side_without_a_reporter(
    blekinge: str, import_deviations: Import, rows: Rows, history_of: Writer
) -> None:
    import_deviations(history_of(CLOSED))
    assert rows(
        """select position, u.hsa_id, sent_at, acknowledge_due_on, acknowledged_at, ended_at
        from handovers h join units u on u.id = h.unit_id""",
    ) == [(1, "SE2321000081-S011", utc(2024, 1, 3, 9), date(2024, 1, 10), utc(2024, 1, 4, 7), None)]
    assert rows(
        "select b.hsa_id, reporter_id, reference from sides s join branches b on b.id = s.branch_id",
    ) == [("SE2120000852-V000", None, None)]


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        (SENT, ("sent", 1, None, None, None, None)),
        (UNANSWERED, ("acknowledged", 2, utc(2024, 1, 4, 7), None, None, None)),
        (
            CLOSED | {"closed_at": ""},
            ("answered", 3, utc(2024, 1, 4, 7), utc(2024, 2, 1, 8, 30), None, None),
        ),
        # An answer implies that the case was received.
        (
            CLOSED | {"closed_at": "", "acknowledged_at": ""},
            ("answered", 2, utc(2024, 2, 1, 8, 30), utc(2024, 2, 1, 8, 30), None, None),
        ),
        # Closed without an answer: accepted by nobody.
        (
            UNANSWERED | {"closed_at": "2024-02-05T16:00:00+01:00"},
            ("closed", 2, utc(2024, 1, 4, 7), None, None, utc(2024, 2, 5, 15)),
        ),
    ],
    ids=["sent", "acknowledged", "answered", "answered at once", "closed without an answer"],
)
def test_the_state_is_the_furthest_the_case_came(
    blekinge: str,
    import_deviations: Import,
    rows: Rows,
    history_of: Writer,
    row: Cells,
    kept: tuple[object, ...],
) -> None:
    assert import_deviations(history_of(row)).ok
    query = "select state, revision, acknowledged_at, answered_at, accepted_at, closed_at from deviations"
    assert rows(query) == [kept]


def test_a_good_example_has_no_day_to_be_answered_by(
    blekinge: str, import_deviations: Import, rows: Rows, history_of: Writer
) -> None:
    good = {"event_kind": "good_example", "severity": "", "probability": "", "category": "good_example"}
    assert import_deviations(history_of(SENT | good)).ok
    assert rows("select due_on, next_due_on, severity from deviations") == [(None, None, None)]


def test_history_is_due_by_the_agreement_that_was_in_force_when_it_was_sent(
    blekinge: str, import_deviations: Import, superuser: Engine, rows: Rows, history_of: Writer
) -> None:
    with superuser.begin() as connection:
        terms = '{"answer": [30, "calendar"], "by_severity": {"answer": {"3": [10, "working"]}}}'
        connection.execute(
            text(
                "insert into agreements select 900, id, 2, '2024-02-01', cast(:terms as jsonb) from counties"
            ),
            {"terms": terms},
        )
    later = SENT | {"sent_at": "2024-02-01T00:00:00+01:00"}
    assert import_deviations(
        history_of(
            SENT, later | {"source_reference": "B", "severity": "2"}, later | {"source_reference": "C"}
        )
    ).ok
    query = """select d.source_reference, a.version, d.due_on from deviations d
        join agreements a on a.id = d.agreement_id order by 1"""
    assert rows(query) == [
        ("B", 2, date(2024, 3, 4)),
        ("C", 2, date(2024, 2, 15)),
        ("GAMMAL-1", 1, date(2024, 3, 4)),
    ]


def test_history_may_speak_of_what_is_ended(
    blekinge: str, import_deviations: Import, import_directory: Import, files: Files, history_of: Writer
) -> None:
    files.drop("people", BOB).drop("units", "SE2321000081-S011").drop("categories", "medication.list")
    assert import_directory(files.drop("steering_documents", "utskrivning").folder).ok
    assert import_deviations(history_of(CLOSED)).ok


def test_nobody_is_written_to_and_summaries_are_owed_once(
    blekinge: str, import_deviations: Import, rows: Rows
) -> None:
    import_deviations(OF_2023)
    owed = "select kind, subject_id = (select id from counties), done_at from outbox"
    assert rows(owed) == [("summaries.snapshot", True, None)]
    import_deviations(OF_2023)
    assert rows(owed) == [("summaries.snapshot", True, None)]
    assert rows("select action, details->>'added' from audit_log order by id desc limit 1") == [
        ("exchange.import_deviations", "412")
    ]


def test_history_is_seen_by_its_parties_alone_and_waits_in_no_inbox(
    blekinge: str, import_deviations: Import, history_of: Writer
) -> None:
    import_deviations(history_of(UNANSWERED))
    seen = {}
    for person in (ANNA, BOB, IDA, CHARLIE):
        with acting(person) as (session, me):
            seen[person] = (
                len(queries.listing(session, me, queries.Filters())),
                queries.waiting_count(session, me),
            )
    assert seen == {ANNA: (1, 0), BOB: (1, 0), IDA: (0, 0), CHARLIE: (0, 0)}


def test_the_year_that_began_it_all_is_there(blekinge: str, import_deviations: Import, rows: Rows) -> None:
    """In 2023 Sölvesborg sent 45 to the hospital's specialised care, and had 17 answers by the end of 2024."""
    assert import_deviations(OF_2023).counts == {"deviations": {"added": 412, "unchanged": 0}}
    assert import_deviations(OF_2024).counts == {"deviations": {"added": 404, "unchanged": 0}}
    query = """select count(*), count(*) filter (where d.answered_at < '2025-01-01 00:00 Europe/Stockholm')
        from deviations d join branches b on b.id = d.sender_branch_id
        join organisations o on o.id = b.organisation_id and o.hsa_id = 'SE2120000852-K'
        join units u on u.id = d.receiver_unit_id
        join units top on top.hsa_id = 'SE2321000081-S000' and top.id = any(u.path)
        where d.event_kind <> 'good_example' and d.sent_at >= '2023-01-01 00:00 Europe/Stockholm'
        and d.sent_at < '2024-01-01 00:00 Europe/Stockholm'"""
    assert rows(query) == [(45, 17)]
