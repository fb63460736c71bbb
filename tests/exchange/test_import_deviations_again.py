"""History read in more than once, and from a spreadsheet."""

import csv
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from backend.exchange.forms.deviations import COLUMNS
from tests.exchange.conftest import Import, Looks
from tests.exchange.files import as_spreadsheet
from tests.exchange.history import CLOSED, OF_2023, OF_2024, Writer


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
    assert refused == {column: [(1, "source_reference", "GAMMAL-1")] for column in columns}


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
