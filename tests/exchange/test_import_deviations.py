"""History from an older system: what becomes of a row, what is refused, and that nothing comes twice."""

import csv
import logging
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from backend.core import clock, db
from backend.deviations import queries
from backend.exchange import COUNTIES
from backend.exchange.forms.deviations import COLUMNS
from tests.exchange.conftest import Import, Looks
from tests.exchange.files import Files, as_spreadsheet
from tests.people import ANNA, BOB, CHARLIE, IDA, acting

BLEKINGE = COUNTIES / "blekinge"
OF_2023, OF_2024 = BLEKINGE / "deviations-2023.csv", BLEKINGE / "deviations-2024.csv"
FAULTY = BLEKINGE / "deviations-with-faults.csv"

Cells = dict[str, str]

CLOSED: Cells = {
    "source_reference": "GAMMAL-1",
    "event_kind": "adverse_event",
    "occurred_on": "2024-01-02",
    "sent_at": "2024-01-03T10:00:00+01:00",
    "sender_unit": "SE2120000852-V010",
    "receiver_unit": "SE2321000081-S011",
    "category": "medication.list",
    "steering_document": "utskrivning",
    "target_group": "older",
    "severity": "3",
    "probability": "2",
    "description": "Läkemedelslistan saknades.",
    "immediate_action": "Ringde avdelningen.",
    "acknowledged_at": "2024-01-04T08:00:00+01:00",
    "answered_at": "2024-02-01T09:30:00+01:00",
    "outcome": "partly",
    "cause_area": "procedures",
    "cause": "Rutinen var inte känd.",
    "action": "Rutinen gås igenom.",
    "follow_up": "Stickprov i mars.",
    "closed_at": "2024-02-05T16:00:00+01:00",
}
ANSWER = dict.fromkeys(
    ("answered_at", "outcome", "cause_area", "cause", "action", "follow_up", "closed_at"), ""
)
UNANSWERED = CLOSED | ANSWER
SENT = UNANSWERED | {"acknowledged_at": ""}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.fixture
def history_of(tmp_path: Path) -> "Writer":
    return Writer(tmp_path)


class Writer:
    """Writes rows to a file, each unlike `CLOSED` only where the test says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *rows: Cells) -> Path:
        file = self.folder / "history.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return file


def rows(superuser: Engine, query: str) -> list[tuple[object, ...]]:
    with superuser.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


# --- what becomes of a row ------------------------------------------------------------------------------------------


def test_a_closed_case_is_kept_as_it_ended_at_the_times_of_the_file(
    blekinge: str, import_deviations: Import, superuser: Engine, history_of: Writer
) -> None:
    outcome = import_deviations(history_of(CLOSED))
    assert (outcome.faults, outcome.counts) == ([], {"deviations": {"added": 1, "unchanged": 0}})
    assert rows(
        superuser,
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
        superuser,
        """select outcome, cause_areas, cause, follow_up, verdict, a.answered_at, verdict_at, x.text
        from answers a join answer_actions x on x.answer_id = a.id and x.deviation_id = a.deviation_id""",
    ) == [
        (
            *("partly", ["procedures"], "Rutinen var inte känd.", "Stickprov i mars.", "accepted"),
            *(utc(2024, 2, 1, 8, 30), utc(2024, 2, 5, 15), "Rutinen gås igenom."),
        )
    ]


def test_the_log_of_a_case_tells_each_step_when_it_was_and_when_we_learned_of_it(
    blekinge: str, import_deviations: Import, superuser: Engine, history_of: Writer
) -> None:
    with clock.at(utc(2025, 6, 1)):
        import_deviations(history_of(CLOSED))
    sender, receiver = "SE2120000852-V010", "SE2321000081-S011"
    assert rows(
        superuser,
        """select verb, from_state, to_state, at, u.hsa_id, recorded_at, profession, e.branch_id = u.branch_id
        from events e join units u on u.id = e.unit_id order by e.id""",
    ) == [
        ("sent", None, "sent", utc(2024, 1, 3, 9), sender, utc(2025, 6, 1), None, True),
        ("acknowledge", "sent", "acknowledged", utc(2024, 1, 4, 7), receiver, utc(2025, 6, 1), None, True),
        ("answer", "acknowledged", "answered", utc(2024, 2, 1, 8, 30), receiver, utc(2025, 6, 1), None, True),
        ("accept", "answered", "closed", utc(2024, 2, 5, 15), sender, utc(2025, 6, 1), None, True),
    ]


def test_the_receiver_has_one_leg_and_the_sender_a_side_without_a_reporter(
    blekinge: str, import_deviations: Import, superuser: Engine, history_of: Writer
) -> None:
    import_deviations(history_of(CLOSED))
    assert rows(
        superuser,
        """select position, u.hsa_id, sent_at, acknowledge_due_on, acknowledged_at, ended_at
        from handovers h join units u on u.id = h.unit_id""",
    ) == [(1, "SE2321000081-S011", utc(2024, 1, 3, 9), date(2024, 1, 10), utc(2024, 1, 4, 7), None)]
    assert rows(
        superuser,
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
    superuser: Engine,
    history_of: Writer,
    row: Cells,
    kept: tuple[object, ...],
) -> None:
    assert import_deviations(history_of(row)).ok
    query = "select state, revision, acknowledged_at, answered_at, accepted_at, closed_at from deviations"
    assert rows(superuser, query) == [kept]


def test_a_good_example_has_no_day_to_be_answered_by(
    blekinge: str, import_deviations: Import, superuser: Engine, history_of: Writer
) -> None:
    good = {"event_kind": "good_example", "severity": "", "probability": "", "category": "good_example"}
    assert import_deviations(history_of(SENT | good)).ok
    assert rows(superuser, "select due_on, next_due_on, severity from deviations") == [(None, None, None)]


def test_history_is_due_by_the_agreement_that_was_in_force_when_it_was_sent(
    blekinge: str, import_deviations: Import, superuser: Engine, history_of: Writer
) -> None:
    with superuser.begin() as connection:
        terms = '{"answer": [30, "calendar"], "answer_by_severity": {"3": [10, "working"]}}'
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
    assert rows(superuser, query) == [
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
    blekinge: str, import_deviations: Import, superuser: Engine
) -> None:
    import_deviations(OF_2023)
    owed = "select kind, subject_id = (select id from counties), done_at from outbox"
    assert rows(superuser, owed) == [("summaries.snapshot", True, None)]
    import_deviations(OF_2023)
    assert rows(superuser, owed) == [("summaries.snapshot", True, None)]
    assert rows(superuser, "select action, details->>'added' from audit_log order by id desc limit 1") == [
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


def test_the_year_that_began_it_all_is_there(
    blekinge: str, import_deviations: Import, superuser: Engine
) -> None:
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
    assert rows(superuser, query) == [(45, 17)]


# --- again ----------------------------------------------------------------------------------------------------------


def test_the_same_file_again_writes_no_row(
    blekinge: str, import_deviations: Import, every_row: Looks
) -> None:
    import_deviations(OF_2023)
    before = every_row()
    assert import_deviations(OF_2023).counts == {"deviations": {"added": 0, "unchanged": 412}}
    assert every_row() == before


def test_a_longer_file_adds_what_is_new(blekinge: str, import_deviations: Import, history_of: Writer) -> None:
    import_deviations(history_of(CLOSED))
    outcome = import_deviations(history_of(CLOSED, CLOSED | {"source_reference": "GAMMAL-2"}))
    assert outcome.counts == {"deviations": {"added": 1, "unchanged": 1}}


def test_the_same_moment_in_another_zone_is_the_same_content(
    blekinge: str, import_deviations: Import, history_of: Writer
) -> None:
    import_deviations(history_of(CLOSED))
    again = import_deviations(
        history_of(CLOSED | {"sent_at": "2024-01-03T09:00:00Z", "description": "Läkemedelslistan saknades. "})
    )
    assert again.counts == {"deviations": {"added": 0, "unchanged": 1}}


def test_no_column_of_a_case_read_before_may_change(
    blekinge: str, import_deviations: Import, history_of: Writer
) -> None:
    import_deviations(history_of(CLOSED))
    columns = [name for name in COLUMNS if name != "source_reference"]
    refused = {
        column: [
            (fault.row, fault.column, fault.reference)
            for fault in import_deviations(history_of(CLOSED | {column: _other(column)})).faults
        ]
        for column in columns
    }
    assert refused == dict.fromkeys(columns, [(1, "source_reference", "GAMMAL-1")])


def _other(column: str) -> str:
    """Another right value."""
    if column.endswith("_at"):
        return (datetime.fromisoformat(CLOSED[column]) + timedelta(minutes=1)).isoformat()
    codes = {
        "event_kind": "risk",
        "occurred_on": "2024-01-01",
        "sender_unit": "SE2120000852-V020",
        "receiver_unit": "SE2321000081-S012",
        "category": "transport",
        "steering_document": "",
        "target_group": "adults",
        "severity": "",
        "probability": "",
        "outcome": "agree",
        "cause_area": "technology",
    }
    return codes.get(column, CLOSED[column] + " Mer.")


def test_of_two_imports_at_once_one_adds_and_the_other_finds_all_there(
    blekinge: str, import_deviations: Import
) -> None:
    found = []
    threads = [
        threading.Thread(
            target=lambda: found.append(import_deviations(OF_2024).counts["deviations"]["added"])
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 404]


def test_a_dry_run_counts_and_writes_no_row(
    blekinge: str, import_deviations: Import, every_row: Looks
) -> None:
    before = every_row()
    assert import_deviations(OF_2023, dry_run=True).counts == {"deviations": {"added": 412, "unchanged": 0}}
    assert every_row() == before


# --- from a spreadsheet ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("native", [False, True], ids=["as text", "as numbers, dates and times"])
def test_a_spreadsheet_is_the_same_as_csv(
    blekinge: str, import_deviations: Import, tmp_path: Path, native: bool
) -> None:
    with OF_2023.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    sheet = [[_native(cell) if native else cell for cell in line] for line in lines]
    import_deviations(OF_2023)
    outcome = import_deviations(as_spreadsheet(tmp_path / "history.xlsx", sheet))
    assert (outcome.faults, outcome.counts) == ([], {"deviations": {"added": 0, "unchanged": 412}})


def _native(cell: str) -> object:
    """What Excel makes of a cell of 2023: a number, a day, or a time on a Swedish wall."""
    if cell.isdigit():
        return int(cell)
    try:
        if len(cell) == 10:
            return date.fromisoformat(cell)
        return datetime.fromisoformat(cell).astimezone(ZoneInfo("Europe/Stockholm")).replace(tzinfo=None)
    except ValueError:
        return cell


# --- faults ---------------------------------------------------------------------------------------------------------

LISTED = [
    (2, "FEL-002", "sender_unit"),
    (3, "FEL-003", "answered_at"),
    (4, "FEL-004", "category"),
    (5, "FEL-005", "description"),
    (6, "FEL-006", "severity"),
    (7, "FEL-007", "sent_at"),
    (8, "FEL-008", "receiver_unit"),
    (9, "FEL-009", "description"),
    (10, "FEL-001", "source_reference"),
    (11, "FEL-011", "sent_at"),
    (12, "FEL-012", "receiver_unit"),
]


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_every_faulty_row_is_listed_and_none_is_written(
    blekinge: str, import_deviations: Import, every_row: Looks, tmp_path: Path, suffix: str, dry_run: bool
) -> None:
    before = every_row()
    file = FAULTY
    if suffix == ".xlsx":
        with FAULTY.open(encoding="utf-8", newline="") as stream:
            file = as_spreadsheet(tmp_path / "faults.xlsx", list(csv.reader(stream)))
    outcome = import_deviations(file, dry_run=dry_run)
    assert [(fault.row, fault.reference, fault.column) for fault in outcome.faults] == LISTED
    assert (outcome.counts, every_row()) == ({}, before)


def test_the_right_rows_of_that_file_can_be_read_in_alone(
    blekinge: str, import_deviations: Import, history_of: Writer
) -> None:
    with FAULTY.open(encoding="utf-8", newline="") as stream:
        right = [row for n, row in enumerate(csv.DictReader(stream), 1) if n in (1, 13, 14)]
    assert import_deviations(history_of(*right)).counts == {"deviations": {"added": 3, "unchanged": 0}}


FUTURE = (datetime.now(UTC) + timedelta(days=2)).isoformat()
FAULTS: list[tuple[str, Cells, str]] = [
    ("no reference", {"source_reference": ""}, "source_reference"),
    ("unknown kind", {"event_kind": "olycka"}, "event_kind"),
    ("no kind", {"event_kind": ""}, "event_kind"),
    ("no day", {"occurred_on": ""}, "occurred_on"),
    ("unreadable day", {"occurred_on": "2/1 2024"}, "occurred_on"),
    ("a day that never was", {"occurred_on": "2023-02-29"}, "occurred_on"),
    ("day after it was sent", {"occurred_on": "2024-01-04"}, "occurred_on"),
    ("future day", {"occurred_on": FUTURE[:10]}, "occurred_on"),
    ("ancient day", {"occurred_on": "1024-01-02"}, "occurred_on"),
    ("not sent", {"sent_at": ""}, "sent_at"),
    ("sent in the future", SENT | {"sent_at": FUTURE}, "sent_at"),
    ("sent in the year 9999", SENT | {"sent_at": "9999-12-31T23:59:59-12:00"}, "sent_at"),
    ("sent in the year 1", SENT | {"sent_at": "0001-01-01T00:00:00+12:00"}, "sent_at"),
    ("no offset in winter", {"sent_at": "2024-01-03T10:00:00"}, "sent_at"),
    ("no offset in the hour that is twice", SENT | {"sent_at": "2024-10-27T02:30:00"}, "sent_at"),
    ("a day for a time", {"sent_at": "2024-01-03"}, "sent_at"),
    ("acknowledged before sent", {"acknowledged_at": "2024-01-03T08:59:59Z"}, "acknowledged_at"),
    ("answered before acknowledged", {"answered_at": "2024-01-04T06:59:59Z"}, "answered_at"),
    ("closed before answered", {"closed_at": "2024-02-01T09:00:00+01:00"}, "closed_at"),
    ("closed in the future", {"closed_at": FUTURE}, "closed_at"),
    ("no sender", {"sender_unit": ""}, "sender_unit"),
    ("unknown receiver", {"receiver_unit": "SE2321000081-S999"}, "receiver_unit"),
    ("same unit", {"receiver_unit": "SE2120000852-V010"}, "receiver_unit"),
    ("same branch", {"receiver_unit": "SE2120000852-V020"}, "receiver_unit"),
    ("no category", {"category": ""}, "category"),
    ("unknown steering document", {"steering_document": "rutin"}, "steering_document"),
    ("unknown target group", {"target_group": "alla"}, "target_group"),
    ("severity 0", {"severity": "0"}, "severity"),
    ("severity in words", {"severity": "hög"}, "severity"),
    ("severity in other digits", {"severity": "٣"}, "severity"),
    ("half a probability", {"probability": "2.5"}, "probability"),
    ("probability 5", {"probability": "5"}, "probability"),
    ("blank description", {"description": " \n"}, "description"),
    ("unknown outcome", {"outcome": "kanske"}, "outcome"),
    ("no outcome", {"outcome": ""}, "outcome"),
    ("no cause", {"cause": ""}, "cause"),
    ("unknown cause area", {"cause_area": "slarv"}, "cause_area"),
    ("an answer without its time", {"answered_at": "", "closed_at": ""}, "answered_at"),
]


@pytest.fixture(scope="module")
def every_fault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file with a row for each fault, as the order of rows must not matter to what is found."""
    faulty = [
        CLOSED | {"source_reference": f"F{n}"} | cells for n, (_name, cells, _column) in enumerate(FAULTS)
    ]
    return Writer(tmp_path_factory.mktemp("faults"))(*[row | _named(n) for n, row in enumerate(faulty)])


def _named(n: int) -> Cells:
    return (
        {}
        if "source_reference" in FAULTS[n][1] and not FAULTS[n][1]["source_reference"]
        else {"source_reference": f"F{n}"}
    )


def test_each_fault_is_told_once_by_row_reference_and_column(
    blekinge: str, import_deviations: Import, every_fault: Path
) -> None:
    found = [
        (FAULTS[(f.row or 0) - 1][0], f.reference, f.column) for f in import_deviations(every_fault).faults
    ]
    assert found == [
        (name, _named(n).get("source_reference"), column) for n, (name, _cells, column) in enumerate(FAULTS)
    ]


@pytest.mark.parametrize(
    "column", ["source_reference", "description", "immediate_action", "cause", "action", "follow_up"]
)
def test_a_personnummer_is_refused_in_every_text_and_told_nowhere(
    blekinge: str,
    import_deviations: Import,
    every_row: Looks,
    history_of: Writer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    column: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    before = every_row()
    # Skatteverket's published test person.
    number = "19121212-" + "12" * 2
    outcome = import_deviations(history_of(CLOSED | {column: f"Patient {number} föll."}))
    assert [(fault.row, fault.column) for fault in outcome.faults] == [(1, column)]
    assert outcome.faults[0].reason == (
        "Texten innehåller ett personnummer (tecken 9–21). Ta bort det och skriv er egen referens i stället."
    )
    told = repr(outcome) + caplog.text + "".join(capfd.readouterr())
    assert [part for part in (number, number[2:], number[-4:]) if part in told] == []
    assert every_row() == before


def test_what_is_wrong_in_a_coded_cell_is_not_quoted(
    blekinge: str, import_deviations: Import, history_of: Writer
) -> None:
    """Cells may have slipped sideways, so that a patient stands where a code should."""
    slipped = dict.fromkeys(set(COLUMNS) - {"source_reference"}, "Sven Svensson")
    outcome = import_deviations(history_of(CLOSED | slipped))
    assert len(outcome.faults) >= 10
    assert [fault for fault in outcome.faults if "Svensson" in fault.reason] == []


def test_a_row_may_have_several_faults(blekinge: str, import_deviations: Import, history_of: Writer) -> None:
    outcome = import_deviations(history_of(CLOSED | {"severity": "9", "category": "x", "description": ""}))
    assert [fault.column for fault in outcome.faults] == ["category", "severity", "description"]


def test_an_unknown_county_is_a_fault_that_says_what_to_do(
    blekinge: str, import_deviations: Import, history_of: Writer
) -> None:
    outcome = import_deviations(history_of(CLOSED), "XYZ")
    assert [fault.reason for fault in outcome.faults] == ["Länet XYZ finns inte. Läs in dess katalog först."]


def test_a_missing_column_is_one_fault(blekinge: str, import_deviations: Import, tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text(OF_2023.read_text("utf-8").replace("closed_at", "closed", 1), "utf-8")
    assert [fault.reason.partition(". ")[0] for fault in import_deviations(file).faults] == [
        "Filen saknar kolumnen closed_at och har den okända kolumnen closed"
    ]


def test_a_unit_of_another_county_is_unknown_here(
    blekinge: str, import_deviations: Import, superuser: Engine, history_of: Writer
) -> None:
    with superuser.begin() as connection:
        connection.execute(text("insert into counties (code, name) values ('GRA', 'Granne')"))
        connection.execute(
            text(
                "update organisations set county_id = (select id from counties where code = 'GRA')"
                " where hsa_id = 'SE2120000852-K'"
            )
        )
    assert [fault.column for fault in import_deviations(history_of(CLOSED)).faults] == ["sender_unit"]


def test_a_failure_half_way_leaves_nothing(
    blekinge: str, import_deviations: Import, every_row: Looks, superuser: Engine, history_of: Writer
) -> None:
    with superuser.begin() as connection:
        connection.execute(
            text("alter table answer_actions add constraint x check (text <> 'Rutinen gås igenom.')")
        )
    before = every_row()
    with pytest.raises(Exception, match="violates check constraint"):
        import_deviations(history_of(CLOSED))
    assert every_row() == before
    assert db.engine().pool.checkedout() == 0  # type: ignore[attr-defined]
