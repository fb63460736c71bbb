"""A county's files, and the few changes a test makes to them."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Self

import xlsxwriter  # type: ignore[import-untyped]


class Files:
    """A copy of a county's files. Rows are found by the value of their first column."""

    def __init__(self, source: Path, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        for file in source.glob("*.csv"):
            (folder / file.name).write_bytes(file.read_bytes())

    def rows(self, kind: str) -> list[dict[str, str]]:
        with (self.folder / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def write(self, kind: str, rows: list[dict[str, str]], columns: list[str] | None = None) -> Path:
        file = self.folder / f"{kind}.csv"
        columns = columns or file.read_text("utf-8").partition("\n")[0].split(",")
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)
        return file

    def change(self, kind: str, key: str, /, **cells: str) -> Self:
        rows = self.rows(kind)
        first = next(iter(rows[0]))
        changed = [row | cells if row[first] == key else row for row in rows]
        assert changed != rows
        self.write(kind, changed)
        return self

    def drop(self, kind: str, *keys: str) -> Self:
        rows = self.rows(kind)
        first = next(iter(rows[0]))
        self.write(kind, [row for row in rows if row[first] not in keys])
        return self

    def add(self, kind: str, /, **cells: str) -> Self:
        rows = self.rows(kind)
        self.write(kind, [*rows, dict.fromkeys(rows[0], "") | cells])
        return self


def as_spreadsheet(file: Path, rows: Iterable[Sequence[object]]) -> Path:
    """The rows in XLSX: text as text, numbers and dates as what a spreadsheet keeps them as."""
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        day, moment = (
            book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss")
        )
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(at, column, cell, moment if isinstance(cell, datetime) else day)
                elif isinstance(cell, str):
                    sheet.write_string(at, column, cell)
                else:
                    sheet.write(at, column, cell)
    return file
