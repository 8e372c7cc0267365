"""A duty calendar as people write it in a spreadsheet: every problem with its line, at once.

Times are the station's local times, also in the form that Excel gives them: 2026/1/5 9:00.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.csv_files import Columns, Row, read_rows, rows_of
from recorder_sync.custodian.duty import problems_of_id, problems_of_people, problems_of_times
from recorder_sync.errors import BadList
from recorder_sync.language import T, Text
from recorder_sync.station import Station

_COLUMNS = Columns("id", ("kind", "begins", "ends", "officer", "device", "case", "in_full"))

_KINDS = {
    "enforcement": CalendarKind.ENFORCEMENT,
    "执法活动": CalendarKind.ENFORCEMENT,
    "shift": CalendarKind.SHIFT,
    "班次": CalendarKind.SHIFT,
    "值班": CalendarKind.SHIFT,
}
_YES_OR_NO = {
    **dict.fromkeys(("yes", "true", "1", "是"), True),
    **dict.fromkeys(("no", "false", "0", "否"), False),
}
_FORMS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")

_Value = TypeVar("_Value")


class _Bad(Exception):
    def __init__(self, why: Text) -> None:
        super().__init__(why.english)
        self.why = why


def read_calendar(station: Station, file: Path) -> list[CalendarEntry]:
    """Read a file whole. Raises BadList with every problem, or as `read_rows`."""
    return _entries(station, str(file), read_rows(file, _COLUMNS))


def calendar_of(station: Station, file: str, data: bytes) -> list[CalendarEntry]:
    """Return the entries of a file's content. Raises BadList, or UsageProblem for no CSV."""
    return _entries(station, file, rows_of(file, data, _COLUMNS))


def _entries(station: Station, file: str, rows: Iterable[Row]) -> list[CalendarEntry]:
    found: list[CalendarEntry] = []
    problems: list[Text] = []
    for row in rows:
        reader = _RowReader(station, row)
        entry = reader.entry()
        if entry is not None:
            found.append(entry)
        problems += [
            T("line {line}: {why}", line=row.line, why=problem) for problem in reader.problems
        ]
    if problems:
        raise BadList(
            T(
                "{path} has {count} problem(s); nothing was entered.",
                path=file,
                count=len(problems),
            ),
            problems,
            T("Mend the lines and import the file again."),
        )
    return found


class _RowReader:
    """Reads one row, and goes on after a problem to name the others too."""

    def __init__(self, station: Station, row: Row) -> None:
        self.problems: list[Text] = []
        self._station = station
        self._row = row

    def entry(self) -> CalendarEntry | None:
        cells = self._row.cells
        self.problems += problems_of_id(self._row.key)
        kind = self._read("kind", _kind)
        begins = self._read("begins", self._time)
        ends = self._read("ends", self._time)
        in_full = self._read("in_full", _yes_or_no)
        officer, device = cells["officer"], cells["device"]
        if begins and ends:
            self.problems += problems_of_times(begins, ends, self._station.now())
        self.problems += problems_of_people(self._station, kind, device, officer)
        if self.problems or kind is None or begins is None or ends is None:
            return None
        return CalendarEntry(
            self._row.key, kind, begins, ends, officer, device, cells["case"], bool(in_full)
        )

    def _read(self, column: str, understood: Callable[[str | None], _Value]) -> _Value | None:
        try:
            return understood(self._row.cells[column])
        except _Bad as bad:
            self._bad(T("{column}: {why}", column=column, why=bad.why))
            return None

    def _bad(self, why: Text) -> None:
        self.problems.append(why)

    def _time(self, cell: str | None) -> datetime:
        for form in _FORMS:
            try:
                found = datetime.strptime((cell or "").replace("/", "-").replace("T", " "), form)
                local = found.replace(tzinfo=self._station.settings.station.zone)
                return local.astimezone(UTC)
            except (ValueError, OverflowError):
                continue
        raise _Bad(T("{text} is no time such as 2026-11-23 08:30.", text=cell or "—"))


def _kind(cell: str | None) -> CalendarKind:
    found = _KINDS.get((cell or "").lower())
    if found is None:
        raise _Bad(T("{text} is neither enforcement nor shift.", text=cell or "—"))
    return found


def _yes_or_no(cell: str | None) -> bool:
    if cell is None:
        return False
    found = _YES_OR_NO.get(cell.lower())
    if found is None:
        raise _Bad(T("{text} is neither yes nor no.", text=cell))
    return found
