"""Reading files: what people's programs make of CSV, and a spreadsheet that says the same as text."""

# ruff: noqa: DTZ001  the times of a spreadsheet know no zone
import csv
import random
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.exchange.tables import Table, read
from tests.exchange.files import as_spreadsheet

COLUMNS = ("code", "name")


@pytest.fixture
def table(tmp_path: Path) -> "Reader":
    return Reader(tmp_path)


class Reader:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "table.csv"

    def __call__(self, content: str | bytes) -> Table:
        self.file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(self.file, COLUMNS)


def cells(table: Table) -> list[tuple[int, str, str]]:
    assert table.faults == []
    return [(line.number, line["code"], line["name"]) for line in table.lines]


@pytest.mark.parametrize(
    "content",
    [
        "code,name\na,Å\n",
        "\ufeffcode,name\r\na,Å\r\n",
        "code;name\na;Å\n",
        "name,code\nÅ,a",
        'code,name\n"a","Å"\n',
        "code , name\n a ,\tÅ \n",
        "code,name\na,Å\x00\x07\n",
        "code,name,,\na,Å,,\n",
    ],
    ids=[
        "plain",
        "byte order mark",
        "semicolons",
        "other order",
        "quoted",
        "spaces",
        "unseen signs",
        "trailing",
    ],
)
def test_the_same_row_is_read_however_it_is_written(table: Reader, content: str) -> None:
    assert cells(table(content)) == [(1, "a", "Å")]


def test_a_quoted_cell_may_hold_separators_quotes_and_lines(table: Reader) -> None:
    assert cells(table('code,name\r\na,"b, ""c""; \r\nd"\r\ne,f')) == [(1, "a", 'b, "c"; \nd'), (2, "e", "f")]


def test_blank_rows_are_skipped_but_counted(table: Reader) -> None:
    assert cells(table("code,name\n\na,b\n,\n \nc,d\n\n")) == [(2, "a", "b"), (5, "c", "d")]


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (b"", None),
        ("code,name\na,Å\n".encode("latin-1"), 1),
        ("code,name\na,Å\n".encode("utf-16"), None),
        ("code,name\na,b\nc\n", 2),
        ("code,name\na,b,c\n", 1),
        ('code,name\na,b\nc,"d\ne,f\n', 2),
        (f"code,name\na,b\nc,{'d' * 200_000}\n", 2),
    ],
    ids=["empty", "latin-1", "utf-16", "too few", "too many", "quote left open", "endless text"],
)
def test_a_row_that_cannot_be_read_is_told_by_its_number(
    table: Reader, content: bytes | str, row: int | None
) -> None:
    assert [(fault.row, fault.column) for fault in table(content).faults] == [(row, None)]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("code", "Filen saknar kolumnen name."),
        ("code,name,colour", "Filen har den okända kolumnen colour."),
        ("code,title", "Filen saknar kolumnen name och har den okända kolumnen title."),
        ("code,name,name", "Filen har kolumnen name två gånger."),
        (
            "A1,Patienten föll i trappan 3 maj.",
            "Filen saknar kolumnen code och name och har den okända kolumnen nummer 1 och nummer 2.",
        ),
    ],
)
def test_wrong_columns_are_one_fault_that_quotes_no_text(table: Reader, header: str, reason: str) -> None:
    faults = table(f"{header}\na,b\n").faults
    assert [(f.row, f.reason) for f in faults] == [(None, f"{reason} Rubrikraden ska vara: code,name.")]


@pytest.mark.parametrize("name", ["there.csv", "there.xlsx"])
def test_a_file_that_is_not_there_is_one_fault(tmp_path: Path, name: str) -> None:
    assert [fault.file for fault in read(tmp_path / name, COLUMNS).faults] == [name]


def test_a_file_that_only_says_it_is_a_spreadsheet_is_one_fault(tmp_path: Path) -> None:
    (tmp_path / "table.xlsx").write_text("code,name\n")
    assert [fault.row for fault in read(tmp_path / "table.xlsx", COLUMNS).faults] == [None]


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n,;\"'"), max_size=20
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_a_spreadsheet_is_read_as_the_same_text_in_csv(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    # A key in each row, so that none is blank: programs trim blank rows at the end as they like.
    kept = [(f"k{first}", second) for first, second in rows]
    with (tmp_path / "table.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *kept])
    as_spreadsheet(tmp_path / "table.xlsx", [COLUMNS, *kept])
    assert cells(read(tmp_path / "table.xlsx", COLUMNS)) == cells(read(tmp_path / "table.csv", COLUMNS))


@pytest.mark.parametrize(
    ("native", "text"),
    [
        (3, "3"),
        (3.5, "3.5"),
        (20240103, "20240103"),
        (True, "1"),
        (date(2024, 1, 3), "2024-01-03"),
        (datetime(2024, 1, 3, 13, 48), "2024-01-03T13:48:00+01:00"),
        (datetime(2024, 7, 3, 13, 48, 59), "2024-07-03T13:48:59+02:00"),
        # Clocks were turned: the first never was, the second was twice. Neither gets an offset.
        (datetime(2024, 3, 31, 2, 30), "2024-03-31T02:30:00"),
        (datetime(2024, 10, 27, 2, 30), "2024-10-27T02:30:00"),
    ],
)
def test_numbers_and_times_of_a_spreadsheet_become_the_text_of_csv(
    tmp_path: Path, native: object, text: str
) -> None:
    as_spreadsheet(tmp_path / "table.xlsx", [COLUMNS, ("a", native)])
    assert cells(read(tmp_path / "table.xlsx", COLUMNS)) == [(1, "a", text)]


def test_every_minute_of_a_spreadsheet_is_kept(tmp_path: Path) -> None:
    """Excel keeps a time as a fraction of a day, which is seldom exact."""
    minutes = [
        datetime(2024, 1, day, hour, minute) for day in (1, 29) for hour in range(24) for minute in range(60)
    ]
    random.Random(7).shuffle(minutes)
    as_spreadsheet(tmp_path / "table.xlsx", [COLUMNS, *(("a", minute) for minute in minutes if minute.hour)])
    found = [name for _row, _code, name in cells(read(tmp_path / "table.xlsx", COLUMNS))]
    assert found == [f"{minute.isoformat()}+01:00" for minute in minutes if minute.hour]
