"""CSV as spreadsheets read and write it.

Written in UTF-8 with a byte order mark, without which Excel takes it for the system's own
encoding; read in UTF-8 or GB 18030. A cell that a spreadsheet would run as a formula gets
an apostrophe in front, and loses it when it is read again.
"""

import csv
import io
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.errors import MissingPart, UsageProblem, os_reason
from recorder_sync.language import T, Text

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a cell begins with that spreadsheets run; Chinese ones take the wide forms as well."""
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that are known; only the key has to be there."""

    key: str
    others: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (self.key, *self.others)


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    key: str
    cells: Mapping[str, str | None]
    """Of the other columns; None: empty, or no such column."""


def read_rows(file: Path, columns: Columns) -> list[Row]:
    """Read a file whole, before anything is registered.

    Raises MissingPart when it cannot be read, UsageProblem with the line of a bad row.
    """
    return rows_of(str(file), _read(file), columns)


def rows_of(file: str, data: bytes, columns: Columns) -> list[Row]:
    """Return the rows of a file's content; `file` is what it is called in messages.

    Raises UsageProblem with the line of a bad row.
    """
    reader = csv.reader(io.StringIO(_text(file, data), newline=""), strict=True)
    rows: list[Row] = []
    lines: dict[str, int] = {}
    try:
        heading = [name.strip() for name in next(reader, [])]
        _check_heading(file, heading, columns)
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            row = _row(file, reader.line_num, heading, values, columns)
            if row.key in lines:
                raise bad_row(
                    file,
                    row.line,
                    T(
                        "{number} stands in line {line} already.",
                        number=row.key,
                        line=lines[row.key],
                    ),
                )
            lines[row.key] = row.line
            rows.append(row)
    except csv.Error as error:
        raise bad_row(file, reader.line_num, T("The line is no CSV: {why}.", why=error)) from error
    return rows


def bad_row(file: str | Path, line: int, why: Text) -> UsageProblem:
    return UsageProblem(
        T("{path} line {line}: {why}", path=file, line=line, why=why),
        T("Mend the line; nothing was registered."),
    )


def write_rows(target: str, columns: Columns, rows: Iterable[Iterable[str | None]]) -> None:
    """Write a new file, or standard output for `-`.

    Raises UsageProblem where the file is there already, MissingPart where it cannot be
    written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns.all)
    writer.writerows([_guarded(cell or "") for cell in row] for row in rows)
    data = text.getvalue().encode("utf-8-sig", "replace")
    if target == "-":
        sys.stdout.buffer.write(data)
        return
    try:
        with Path(target).open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise UsageProblem(
            T("{path} is already there.", path=target), T("Give another name; it is kept.")
        ) from None
    except OSError as error:
        raise MissingPart(
            T("{path} cannot be written: {why}.", path=target, why=os_reason(error)),
            T("Check the folder and the rights."),
        ) from error


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_LARGEST + 1)
    except OSError as error:
        raise MissingPart(
            T("{path} cannot be read: {why}.", path=file, why=os_reason(error)),
            T("Check the name and the rights."),
        ) from error


def _text(file: str, data: bytes) -> str:
    if len(data) > _LARGEST:
        raise UsageProblem(
            T("{path} is too large for a list.", path=file), T("Give the CSV file itself.")
        )
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UsageProblem(
        T("{path} is not text in UTF-8 or GB 18030.", path=file),
        T("Save it as CSV in one of them."),
    )


def _check_heading(file: str, heading: list[str], columns: Columns) -> None:
    known = ", ".join(columns.all)
    if columns.key not in heading:
        raise UsageProblem(
            T("{path} has no column {column}.", path=file, column=columns.key),
            T("The first line names the columns: {columns}.", columns=known),
        )
    named = [name for name in heading if name in columns.all]
    if len(set(named)) < len(named):
        raise UsageProblem(
            T("{path} names a column twice.", path=file),
            T("The first line names the columns: {columns}.", columns=known),
        )


def _row(file: str, line: int, heading: list[str], values: list[str], columns: Columns) -> Row:
    if len(values) > len(heading):
        raise bad_row(file, line, T("There are more cells than columns."))
    cells = {
        name: _plain(value.strip()) or None for name, value in zip(heading, values, strict=False)
    }
    key = cells.get(columns.key)
    if key is None:
        raise bad_row(file, line, T("{column} is empty.", column=columns.key))
    return Row(line, key, {name: cells.get(name) for name in columns.others})


def _guarded(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell
