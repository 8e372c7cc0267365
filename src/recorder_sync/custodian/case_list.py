"""A list of cases as people write it in a spreadsheet: number, party, cause, day of closing."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from recorder_sync.csv_files import Columns, Row, bad_row, read_rows, rows_of
from recorder_sync.language import T
from recorder_sync.model import Case

COLUMNS = Columns("number", ("party", "cause", "closed_on"))


def read_cases(file: Path) -> list[Case]:
    """Read a file whole. Raises as `read_rows`."""
    return _cases(str(file), read_rows(file, COLUMNS))


def cases_of(file: str, data: bytes) -> list[Case]:
    """Return the cases of a file's content. Raises UsageProblem with the line of a bad row."""
    return _cases(file, rows_of(file, data, COLUMNS))


def _cases(file: str, rows: Iterable[Row]) -> list[Case]:
    return [Case(row.key, row.cells["party"], row.cells["cause"], _day(file, row)) for row in rows]


def _day(file: str, row: Row) -> date | None:
    """Read a day, also in the form that Excel gives it: 2026/1/5."""
    text = row.cells["closed_on"]
    if text is None:
        return None
    try:
        return datetime.strptime(text.replace("/", "-"), "%Y-%m-%d").date()
    except ValueError:
        raise bad_row(
            file, row.line, T("{text} is no date such as 2026-11-23.", text=text)
        ) from None
