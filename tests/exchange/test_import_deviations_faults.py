"""History that is refused: every faulty row is told, and nothing is written."""

import csv
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from backend.core import db
from backend.exchange.forms.deviations import COLUMNS
from tests.exchange.conftest import Import, Looks
from tests.exchange.files import as_spreadsheet
from tests.exchange.history import CLOSED, FAULTY, OF_2023, SENT, Cells, Writer

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
