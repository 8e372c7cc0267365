"""A list of officers as a spreadsheet saves it: read whole, with every problem and its line.

In UTF-8 or GB 18030; the first line names the columns: cert_no, name, unit, or their Chinese
names. Nothing is registered here.
"""

import csv
import io

from recorder_sync.errors import BadList, UsageProblem
from recorder_sync.language import T, Text
from recorder_sync.model import Officer

_NAMES = {
    "cert_no": "cert_no",
    "执法证号": "cert_no",
    "证号": "cert_no",
    "name": "name",
    "姓名": "name",
    "unit": "unit",
    "单位": "unit",
    "部门": "unit",
    "中队": "unit",
}
_LONGEST = 64
_FORMULA = ("=", "+", "-", "@")


def read_officers(data: bytes) -> list[Officer]:
    """Return the officers of a list. Raises BadList with every problem, UsageProblem for a file
    that is no such list."""
    reader = csv.reader(io.StringIO(_text(data), newline=""))
    columns = [_NAMES.get(name.strip().lower()) for name in next(reader, [])]
    if "cert_no" not in columns:
        raise UsageProblem(
            T("The list has no column {column}.", column="cert_no"),
            T("The first line names the columns: {columns}.", columns="cert_no, name, unit"),
        )
    found: dict[str, Officer] = {}
    problems: list[Text] = []
    for values in reader:
        if not any(value.strip() for value in values):
            continue
        named = zip(columns, values, strict=False)
        cells = {name: _plain(value.strip()) for name, value in named if name}
        officer = Officer(
            cells.get("cert_no", ""), cells.get("name") or None, cells.get("unit") or None
        )
        if len(values) > len(columns):
            why = T("There are more cells than columns.")
        elif (why_not := _wrong(officer, found)) is not None:
            why = why_not
        else:
            found[officer.cert_no] = officer
            continue
        problems.append(T("line {line}: {why}", line=reader.line_num, why=why))
    if problems:
        raise BadList(
            T("The list has {count} problem(s); nothing was entered.", count=len(problems)),
            problems,
            T("Mend the lines and import the file again."),
        )
    return list(found.values())


def _wrong(officer: Officer, found: dict[str, Officer]) -> Text | None:
    number = officer.cert_no
    if not number:
        return T("{column} is empty.", column="cert_no")
    if number in found:
        return T("{number} stands in the list already.", number=number)
    for text in (number, officer.name, officer.unit):
        if text and (len(text) > _LONGEST or not text.isprintable()):
            return T("{text} is too long, or cannot be shown.", text=text[:_LONGEST])
    return None


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UsageProblem(
        T("The file is not text in UTF-8 or GB 18030."), T("Save it as CSV in one of them.")
    )


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell
