"""Holds the catalogue against what the custody log makes of it, table by table.

What a person wrote into the database behind the program's back shows as a row that is
missing, added, or differs in a column. Not compared are keys that only order a table. What
may differ without anybody's doing is said at the rule that lets it pass.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blake3 import blake3

from recorder_sync.catalogue.database import FILE_NAME
from recorder_sync.catalogue.words import words
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.inspection.day_figures import compare_day_figures, compare_period_figures
from recorder_sync.inspection.expected import Expected
from recorder_sync.inspection.findings import Finding, FindingKind, Row
from recorder_sync.inspection.schema import (
    columns_to_compare,
    compare_schema,
    not_compared,
    schema_of,
)
from recorder_sync.language import T, Text
from recorder_sync.model import ItemOutcome
from recorder_sync.printable import printable
from recorder_sync.rules.lifecycle import State

Values = Mapping[str, Any]

_LONGEST = 200
"""Characters of a value that are shown."""

_PLACES = 1 << 15
"""How far a recording's number may be from its first place on the time line."""

_ONLY_SEEN = frozenset({"number", "cert_no", "name", "name_words"})


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    key: tuple[str, ...]
    made: str = ""
    """Name of the table with the expected rows, where it is another."""
    ignored: frozenset[str] = frozenset()
    counted: bool = False
    """Nothing keeps a row from being there twice."""


_TABLES = (
    _Table("recordings", ("id",), made="sealed", ignored=frozenset({"number"})),
    _Table("dockings", ("id",)),
    _Table("inventory", ("docking", "path"), ignored=frozenset({"number"})),
    _Table("devices", ("number",)),
    _Table("device_file_systems", ("device", "uuid")),
    _Table("device_events", ("custody_seq",)),
    _Table("officers", ("cert_no",)),
    _Table("cases", ("number",), ignored=frozenset({"key"})),
    _Table("alerts", ("key", "raised_at"), ignored=frozenset({"number"}), counted=True),
    _Table("deferrals", ("id",)),
    _Table("calendar", ("id",)),
    _Table("gap_explanations", ("custody_seq",)),
    _Table("bookmarks", ("custody_seq",)),
    _Table("documents", ("id",)),
    _Table("recording_documents", ("recording",)),
    _Table("copies", ("recording", "store")),
    _Table("document_copies", ("document", "store")),
    _Table("copies_looked_at", ("sealed", "store")),
    _Table("trail", ("custody_seq",)),
    _Table("brought_back", ("custody_seq",)),
    _Table("legal_holds", ("custody_seq",)),
    _Table("verified", ("recording",)),
    _Table("verification_runs", ("began_at",)),
)
"""Left out is what this machine only remembers of its watching, and the custody log has not:
alerts_told, messages, channels, watch_state, disk_samples, clock_steps, measured, news, uploads,
stores, documents_under_way, document_uploads. Sums of the statistics are held against the
recordings (`day_figures.py`)."""


def compare(
    expected: Expected, custody: CustodyLog, between: Callable[[], None]
) -> Iterator[Finding]:
    """Yield every difference; `between` is called now and then, and may raise.

    Raises sqlite3.DatabaseError when the catalogue cannot be read.
    """
    yield from compare_schema(expected.schema, schema_of(expected.db, "stored"))
    rules = _Rules(expected)
    readable = set()
    for table in _TABLES:
        between()
        columns = columns_to_compare(expected.db, table.name)
        if columns is None:
            yield not_compared(table.name)
        else:
            readable.add(table.name)
            yield from _table(expected, table, columns, rules)
    if "recordings" not in readable:
        return
    between()
    yield from _places(expected)
    between()
    if columns_to_compare(expected.db, "descriptions") is None:
        yield not_compared("descriptions")
    else:
        yield from _descriptions(expected, custody)
    between()
    figures = ("day_figures", "day_figures_basis", "stale_hours", "stale_days")
    if all(columns_to_compare(expected.db, name) is not None for name in figures):
        yield from compare_day_figures(expected.db)
    periods = ("day_figures", "period_figures", "stale_periods")
    if all(columns_to_compare(expected.db, name) is not None for name in periods):
        yield from compare_period_figures(expected.db)


def _table(
    expected: Expected, table: _Table, columns: list[str], rules: "_Rules"
) -> Iterator[Finding]:
    columns = [column for column in columns if column not in table.ignored]
    if table.counted:
        pairs = _counted(expected, table, columns)
    else:
        pairs = _pairs(expected, table, columns)
    for log, catalogue in pairs:
        if not rules.lets_pass(table.name, log, catalogue):
            yield from _differences(table, log, catalogue)


def _pairs(
    expected: Expected, table: _Table, columns: list[str]
) -> Iterator[tuple[Values | None, Values | None]]:
    """Yield the rows that are not equal, by the log and by the catalogue."""
    made, stored = f"main.{table.made or table.name} e", f"stored.{table.name} s"
    same_key = " and ".join(f"e.{name} = s.{name}" for name in table.key)
    one, other = (", ".join(f"{side}.{name}" for name in columns) for side in "es")
    query = (
        f"select {one}, {other} from {stored} cross join {made} on {same_key}"
        f" where ({one}) is not ({other})"
    )
    for row in expected.db.execute(query):
        half = len(columns)
        yield _named(columns, row[:half]), _named(columns, row[half:])
    where = f"where not exists (select 1 from {{}} where {same_key})"
    for row in expected.db.execute(f"select {one} from {made} {where.format(stored)}"):
        yield _named(columns, row), None
    for row in expected.db.execute(f"select {other} from {stored} {where.format(made)}"):
        yield None, _named(columns, row)


def _counted(
    expected: Expected, table: _Table, columns: list[str]
) -> Iterator[tuple[Values | None, Values | None]]:
    """Do the same where a row may be there twice, and a key may be null."""
    listed = ", ".join(columns)
    made, stored = (
        f"select {listed}, count(*) from {schema}.{table.name} group by {listed}"
        for schema in ("main", "stored")
    )
    names = [*columns, "times"]
    only_made, only_stored = (
        {
            tuple(row[names.index(name)] for name in table.key): _named(names, row)
            for row in expected.db.execute(f"{one} except {other}")
        }
        for one, other in ((made, stored), (stored, made))
    )
    for key in {**only_made, **only_stored}:
        yield only_made.get(key), only_stored.get(key)


def _named(columns: list[str], row: Sequence[Any]) -> Values:
    return dict(zip(columns, row, strict=True))


def _differences(table: _Table, log: Values | None, catalogue: Values | None) -> Iterator[Finding]:
    row = log or catalogue
    assert row is not None
    key = ", ".join(shown(row[name]) or "-" for name in table.key)
    is_recording = table.name == "recordings"
    path = row["path"] if is_recording else f"{FILE_NAME}/{table.name}/{key}"
    recording = row["id"] if is_recording else None
    if log is None or catalogue is None:
        kind = FindingKind.NOT_IN_CATALOGUE if catalogue is None else FindingKind.NOT_IN_LOG
        if not is_recording:
            yield _row_finding(kind, path, table.name, key)
            return
        text = (
            T("sealed by the custody log, unknown to the catalogue")
            if catalogue is None
            else T("in the catalogue, but the custody log has no seal of it")
        )
        yield Finding(kind, path, text, recording, Row(table.name, key))
        return
    for column in log:
        if log[column] != catalogue[column]:
            at = Row(table.name, key, column, shown(catalogue[column]), shown(log[column]))
            yield Finding(FindingKind.CATALOGUE_DIFFERS, path, _differs(at), recording, at)


def _differs(at: Row) -> Text:
    return T(
        "{table} {key}: {column} is {catalogue} in the catalogue, and {log} by the custody log",
        table=at.table,
        key=at.key,
        column=at.column,
        catalogue=_nothing() if at.catalogue is None else at.catalogue,
        log=_nothing() if at.log is None else at.log,
    )


def _nothing() -> Text:
    return T("nothing")


def shown(value: object) -> str | None:
    """Return a column's value in a form to show."""
    if value is None:
        return None
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if isinstance(value, bytes) and "\ufffd" in text:
        text = value.hex()
    return printable(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


class _Rules:
    """What may differ without anybody having changed anything."""

    def __init__(self, expected: Expected) -> None:
        self._names = expected.officer_names
        self._open = {
            row[0]
            for row in expected.db.execute("select id from main.dockings where ended_at is null")
        }

    def lets_pass(self, table: str, log: Values | None, catalogue: Values | None) -> bool:
        match table:
            case "recordings":
                # A recording that is just being sealed; the log has no seal of it yet.
                return log is None and catalogue is not None and catalogue["state"] == State.SEALING
            case "inventory":
                return bool(log and catalogue) and self._is_ahead(log, catalogue)
            case "devices" | "officers" | "cases" if log is None:
                # Named by a recording whose sealing was taken back: the log never had it.
                return catalogue is not None and all(
                    value is None or name in _ONLY_SEEN for name, value in catalogue.items()
                )
            case "officers" if catalogue is not None and log is not None:
                return self._is_another_name(log, catalogue)
        return False

    def _is_ahead(self, log: Any, catalogue: Any) -> bool:
        """Tell whether the log says the rest when the docking ends, as it does."""
        return (
            log["docking"] in self._open
            and all(log[c] == catalogue[c] for c in ("size", "mtime_ns", "kind"))
            and catalogue["outcome"] in (ItemOutcome.FAILED, ItemOutcome.ALREADY_SEALED)
        )

    def _is_another_name(self, log: Values, catalogue: Values) -> bool:
        """Tell whether it is a name that the log gives the officer as well.

        Recordings that name one differently are sealed together; which comes first in the
        log and which in the catalogue is nobody's promise.
        """
        name = catalogue["name"]
        return (
            log["registered_at"] is None
            and (catalogue["cert_no"], name) in self._names
            and catalogue["name_words"] == words(name)
            and {**log, "name": name, "name_words": catalogue["name_words"]} == catalogue
        )


def _places(expected: Expected) -> Iterator[Finding]:
    """Find recordings that a search shows at another time than their own."""
    for identifier, path, number, place in expected.db.execute(
        "select e.id, e.path, s.number, e.number from main.sealed e"
        " join stored.recordings s on s.id = e.id"
        f" where s.number < e.number or s.number >= e.number + {_PLACES}"
    ):
        at = Row("recordings", identifier, "number", str(number), str(place))
        yield Finding(FindingKind.CATALOGUE_DIFFERS, path, _differs(at), identifier, at)


def _descriptions(expected: Expected, custody: CustodyLog) -> Iterator[Finding]:
    unlike = {}
    for identifier, path, text in _unlike_sealed(expected):
        if text is None:
            yield _row_finding(FindingKind.NOT_IN_CATALOGUE, path, "descriptions", identifier)
        else:
            unlike[identifier] = (path, text)
    # Few, but after a rebuild from entries of an older version, all: the log has the values.
    for entry in custody.entries() if unlike else ():
        identifier = entry.deed.subject
        if entry.deed.act is Act.SEAL and identifier in unlike:
            path, text = unlike.pop(identifier)
            newest = expected.corrections.get(identifier, {})
            if not _describes(text, {**entry.deed.facts["recording"], **newest}):
                at = Row("descriptions", identifier, "json")
                why = T("the description in the catalogue is not that of the custody log")
                yield Finding(FindingKind.CATALOGUE_DIFFERS, path, why, identifier, at)
    for (identifier,) in expected.db.execute(
        "select recording from stored.descriptions where recording not in"
        " (select id from stored.recordings)"
    ):
        path = f"{FILE_NAME}/descriptions/{shown(identifier)}"
        yield _row_finding(FindingKind.NOT_IN_LOG, path, "descriptions", identifier)


def _unlike_sealed(expected: Expected) -> list[tuple[str, str, str | None]]:
    """Return the recordings whose description here is not, byte for byte, the sealed one."""
    corrections = expected.corrections

    def is_as_sealed(identifier: str, text: object, digest: str) -> bool:
        return (
            identifier not in corrections
            and isinstance(text, str)
            and blake3(text.encode("utf-8", "surrogateescape")).hexdigest() == digest
        )

    expected.db.conn.create_function("is_as_sealed", 3, is_as_sealed)
    return expected.db.execute(
        "select e.id, e.path, d.json from main.sealed e"
        " join stored.recordings r on r.id = e.id"
        " left join stored.descriptions d on d.recording = e.id"
        " where not is_as_sealed(e.id, d.json, e.description_blake3)"
    ).fetchall()


def _row_finding(kind: FindingKind, path: str, table: str, key: str) -> Finding:
    recording = key if table == "descriptions" else None
    if kind is FindingKind.NOT_IN_CATALOGUE:
        text = T("{table} {key}: the custody log has it, the catalogue does not",
                 table=table, key=key)  # fmt: skip
    else:
        text = T("{table} {key}: the catalogue has it, the custody log does not",
                 table=table, key=key)  # fmt: skip
    return Finding(kind, path, text, recording, Row(table, key))


def _describes(text: str, values: Values) -> bool:
    """Tell whether a description says this, however it is ordered and written."""
    try:
        return bool(json.loads(text) == values)
    except ValueError:
        return False
