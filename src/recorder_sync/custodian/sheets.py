"""Tables as files for spreadsheets: CSV, and XLSX with one sheet for each (Art. 28).

What a cell holds may come off a card or from a form: a spreadsheet must never run it. In XLSX
texts are written as texts, whatever they begin with; in CSV those that a spreadsheet would take
for a formula have an apostrophe in front (OWASP, CSV injection).
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_LONGEST_NAME = 31
_NOT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\", "_"))


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    says: str = ""
    """What its figures mean, in a sentence."""


def as_csv(table: Table) -> bytes:
    """Return a table as CSV in UTF-8 with a byte order mark, which Excel needs."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_guarded(heading) for heading in table.headings])
    writer.writerows([_guarded(cell) for cell in row] for row in table.rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def as_xlsx(tables: Sequence[Table]) -> bytes:
    """Return tables as one workbook, a sheet for each."""
    import xlsxwriter

    data = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(data, options) as book:
        head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E4EEF8"})
        whole, part = book.add_format({"num_format": "0"}), book.add_format({"num_format": "0.00"})
        soft = book.add_format({"italic": True, "font_color": "#51606F"})
        for number, table in enumerate(tables, 1):
            sheet = book.add_worksheet(_sheet_name(number, table.title))
            first = 0
            if table.says:
                sheet.write_string(0, 0, table.says, soft)
                first = 2
            for column, heading in enumerate(table.headings):
                sheet.write_string(first, column, heading, head)
                sheet.set_column(column, column, _width(table, column))
            for row, cells in enumerate(table.rows, first + 1):
                for column, cell in enumerate(cells):
                    if isinstance(cell, str):
                        sheet.write_string(row, column, cell)
                    elif cell is not None:
                        sheet.write_number(row, column, cell, whole if cell == int(cell) else part)
            sheet.freeze_panes(first + 1, 0)
    return data.getvalue()


def _sheet_name(number: int, title: str) -> str:
    return f"{number} {title.translate(_NOT_IN_NAMES)}"[:_LONGEST_NAME].rstrip("'")


def _width(table: Table, column: int) -> float:
    texts = [table.headings[column], *(str(row[column] or "") for row in table.rows[:200])]
    # Chinese characters are as wide as two others.
    return float(min(48, 2 + max(sum(2 if c > "\u2e7f" else 1 for c in text) for text in texts)))


def _guarded(cell: Cell) -> Cell:
    return "'" + cell if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
