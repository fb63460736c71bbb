"""Reading CSV and XLSX into lines that give their cells as what they should be, and note what is wrong.

A number or a date of a spreadsheet becomes the text that a CSV file would hold, so that everything after this
reads one kind of file. Blank rows are skipped but counted, as the person who opens the file counts them.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from backend.core import clock
from backend.core.text import gettext as _
from backend.core.text import join
from backend.directory.models import HSA_ID
from backend.exchange.outcome import RowFault

OLDEST = 1990

# What the database cannot hold (NUL), and what no keyboard writes on purpose.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_WORD = re.compile(r"[^\W\d]{1,30}")

Cell = str | float | bool | date | datetime | time | timedelta


class _UnreadableError(Exception):
    """The file cannot be read on from `row`; `reason` says so to the person who chose it."""

    def __init__(self, reason: str, row: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.row = reason, row


@dataclass
class Table:
    """The lines of a file, and all that is found wrong with them, here and later. `whole` if all could be read."""

    name: str
    lines: list["Line"] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    whole: bool = True

    def fault(self, reason: str, *, row: int | None = None, column: str | None = None) -> None:
        self.faults.append(RowFault(self.name, row, column, reason))


class Line:
    """A row under the header. A reader that finds a cell wrong notes it, and gives what can be gone on with."""

    def __init__(self, table: Table, number: int, cells: dict[str, str]) -> None:
        self.table, self.number, self._cells = table, number, cells
        self.reference: str | None = None
        self._faulty: set[str] = set()

    def __getitem__(self, column: str) -> str:
        return self._cells[column]

    def fault(self, column: str, reason: str) -> None:
        """Note what is wrong with a cell: the first thing only, as the rest would follow from it."""
        if column not in self._faulty:
            self._faulty.add(column)
            self.table.faults.append(RowFault(self.table.name, self.number, column, reason, self.reference))

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        if not self[column]:
            self.fault(column, _("Uppgiften saknas. Fyll i den."))
        return self[column]

    def one_of(self, column: str, allowed: Collection[str]) -> str:
        """A cell that must hold one of these words."""
        value = self.text(column)
        if value and value not in allowed:
            self.fault(
                column, _("Ordet finns inte. Skriv något av: {words}.").format(words=", ".join(allowed))
            )
        return value

    def hsa_id(self, column: str) -> str:
        value = self.text(column)
        if value and not HSA_ID.fullmatch(value):
            self.fault(
                column,
                _(
                    "Det är inget HSA-id. Skriv SE, tio siffror, bindestreck och stora bokstäver eller siffror."
                ),
            )
        return value

    def whole(self, column: str, lowest: int, highest: int) -> int | None:
        """A whole number within bounds; None where the cell is empty."""
        value = self[column]
        if not value:
            return None
        if value.isascii() and value.isdigit() and len(value) < 10 and lowest <= int(value) <= highest:
            return int(value)
        self.fault(
            column,
            _("Skriv ett heltal från {lowest} till {highest}, eller lämna tomt.").format(
                lowest=lowest, highest=highest
            ),
        )
        return None

    def day(self, column: str) -> date | None:
        """A past day, or today; None where the cell is empty."""
        value = self[column]
        if not value:
            return None
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fault(column, _("Datumet går inte att läsa. Skriv det som 2024-01-31."))
            return None
        if day.year < OLDEST:
            self.fault(column, _("Datumet ligger för långt tillbaka. Kontrollera året."))
        elif day > clock.today():
            self.fault(column, _("Datumet ligger i framtiden. Kontrollera det."))
        else:
            return day
        return None

    def moment(self, column: str) -> datetime | None:
        """A past moment, in UTC; None where the cell is empty.

        The offset must stand in the text. A time without one names two moments each autumn and none each spring,
        so it is refused all the year, rather than read right on most days.
        """
        value = self[column]
        if not value:
            return None
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fault(column, _("Tiden går inte att läsa. Skriv den som 2024-01-31T08:30:00+01:00."))
            return None
        if at.tzinfo is None:
            self.fault(
                column,
                _(
                    "Tiden saknar sin skillnad mot UTC. Skriv den som 2024-01-31T08:30:00+01:00, på sommaren +02:00."
                ),
            )
        elif at.year < OLDEST:
            self.fault(column, _("Tiden ligger för långt tillbaka. Kontrollera året."))
        elif at.year > clock.now().year + 1 or at > clock.now():
            self.fault(column, _("Tiden ligger i framtiden. Kontrollera den."))
        else:
            return at.astimezone(UTC)
        return None


def read(file: Path, columns: Sequence[str]) -> Table:
    """The table in a file, which must have exactly these columns, in any order.

    A file that cannot be read gives a table with the fault that says why.
    """
    table = Table(file.name)
    try:
        rows = _spreadsheet(file) if file.suffix.lower() == ".xlsx" else _comma_separated(file)
        header = _strip_end([_tidy(cell) for cell in next(rows, [])])
        _check_columns(header, columns)
        for number, cells in enumerate(rows, 1):
            _add(table, number, header, [_tidy(cell) for cell in cells])
    except _UnreadableError as error:
        table.fault(error.reason, row=error.row)
        table.whole = False
    return table


def _add(table: Table, number: int, header: Sequence[str], cells: list[str]) -> None:
    if not any(cells):
        return
    if len(_strip_end(cells)) > len(header) or len(cells) < len(header):
        reason = _(
            "Raden har {n} fält, men rubrikraden har {columns}. Kontrollera skiljetecken och citattecken."
        )
        table.fault(reason.format(n=len(cells), columns=len(header)), row=number)
        return
    # A spreadsheet saved as CSV may trail empty cells.
    table.lines.append(Line(table, number, dict(zip(header, cells, strict=False))))


def _check_columns(header: Sequence[str], columns: Sequence[str]) -> None:
    """One sentence for all that is wrong with the header."""
    missing = [name for name in columns if name not in header]
    unknown = [_name(name, at) for at, name in enumerate(header, 1) if name not in columns]
    twice = sorted({name for name in header if name in columns and header.count(name) > 1})
    parts = [
        _("saknar kolumnen {names}").format(names=join(missing)) if missing else "",
        _("har den okända kolumnen {names}").format(names=join(unknown)) if unknown else "",
        _("har kolumnen {names} två gånger").format(names=join(twice)) if twice else "",
    ]
    if found := [part for part in parts if part]:
        sentence = _("Filen {parts}. Rubrikraden ska vara: {columns}.")
        raise _UnreadableError(sentence.format(parts=join(found), columns=",".join(columns)))


def _name(heading: str, position: int) -> str:
    """A file without a header begins with a case, so what is no plain word is told by where it stands."""
    return heading if _WORD.fullmatch(heading) else _("nummer {n}").format(n=position)


def _comma_separated(file: Path) -> Iterator[list[Cell]]:
    try:
        data = file.read_bytes()
    except OSError:
        raise _UnreadableError(_("Filen saknas eller går inte att öppna. Kontrollera namnet.")) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = _("Filen är inte i UTF-8. Spara den som ”CSV UTF-8” och försök igen.")
        raise _UnreadableError(reason, data[: error.start].count(b"\n") or None) from None
    header = text.partition("\n")[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    # Strict: a quotation mark that is never closed would otherwise swallow the rest of the file in silence.
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    read_rows = 0
    try:
        for row in rows:
            yield [*row]
            read_rows += 1
    except csv.Error:
        reason = _("Raden går inte att läsa. Kontrollera citattecknen, och att ingen text är orimligt lång.")
        raise _UnreadableError(reason, read_rows or None) from None


def _spreadsheet(file: Path) -> Iterator[list[Cell]]:
    try:
        sheet = CalamineWorkbook.from_path(file).get_sheet_by_index(0)
        rows: list[list[Cell]] = [[*row] for row in sheet.to_python()]
    except (CalamineError, OSError):
        raise _UnreadableError(_("Filen går inte att läsa som XLSX. Spara om den utan lösenord.")) from None
    yield from rows


def _tidy(cell: Cell) -> str:
    return _CONTROL.sub("", _as_text(cell).replace("\r\n", "\n").replace("\r", "\n")).strip()


def _as_text(cell: Cell) -> str:
    """What a CSV file would hold. Excel keeps every number as a float, and a time without its zone."""
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return _swedish(cell).isoformat()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _swedish(wall: datetime) -> datetime:
    """A spreadsheet's time is Swedish, and gets its offset, unless clocks were just then turned: it stays naive
    where it never was, or was twice, and is refused as any time without an offset.
    """
    wall = (wall + timedelta(microseconds=500_000)).replace(microsecond=0)
    first, second = (wall.replace(tzinfo=clock.STOCKHOLM, fold=fold) for fold in (0, 1))
    return first if first.utcoffset() == second.utcoffset() else wall


def _strip_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells
