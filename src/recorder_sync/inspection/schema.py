"""Holds the catalogue's schema against the one that the migrations make.

Searches rely on it: a trigger can delete what was just entered, an index that was narrowed
hides rows, a view in a table's place shows what its maker likes. Each table, index, trigger
and view is compared, by its words: how names are quoted, and where lines break, depends on
the library that made it. What SQLite itself keeps for its planner is let pass; it changes how
quickly rows are found, and not which.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import FILE_NAME
from recorder_sync.inspection.findings import Finding, FindingKind
from recorder_sync.language import T, Text
from recorder_sync.printable import printable

_PLANNER = frozenset({"sqlite_stat1", "sqlite_stat4"})

_LONGEST = 200
"""Characters of a statement that are shown."""

_TOKEN = re.compile(
    r"""(?P<gap>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<name>"(?:[^"]|"")*"|\[[^\]]*\]|`(?:[^`]|``)*`)
    |(?P<text>'(?:[^']|'')*')
    |(?P<word>\w+)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_SIMPLE_NAME = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """One row of `sqlite_schema`. All of it may be anything, where somebody wrote it by hand."""

    kind: str
    name: str
    table: str
    """What an index or trigger belongs to; of a table or view, itself."""
    sql: str
    """The statement that makes it; empty for what SQLite makes by itself."""
    is_stored: bool
    """Whether it has pages of its own: a view, a trigger and a virtual table have none."""

    @property
    def meaning(self) -> tuple[str, tuple[str, ...]]:
        """What it does, however it is written."""
        return self.table, _words(self.sql)


Schema = dict[tuple[str, str], SchemaObject]


def schema_of(db: Database, name: str = "main") -> Schema:
    """Return what an attached database is made of, by kind and name.

    Raises sqlite3.DatabaseError.
    """
    rows = db.execute(
        "select cast(type as blob), cast(name as blob), cast(tbl_name as blob),"
        f" cast(sql as blob), rootpage from {name}.sqlite_schema"
    )
    found = (
        SchemaObject(_text(kind), _text(named), _text(table), _text(sql), bool(root))
        for kind, named, table, sql, root in rows
    )
    return {(one.kind, one.name): one for one in found}


def compare_schema(expected: Schema, stored: Schema) -> Iterator[Finding]:
    """Yield what is missing, not as the migrations make it, or added."""
    for key, wanted in expected.items():
        found = stored.get(key)
        if found is None:
            yield _finding(wanted, T("the {kind} {name} is missing", **_named(wanted)))
        elif found.meaning != wanted.meaning:
            yield _finding(
                found,
                T("the {kind} {name} is not as this program makes it: {sql}",
                  **_named(found), sql=_short(found.sql)),
            )  # fmt: skip
    for key, found in stored.items():
        if key not in expected and found.name not in _PLANNER:
            yield _finding(
                found,
                T("the {kind} {name} was added to {table}: {sql}",
                  **_named(found), table=_short(found.table), sql=_short(found.sql)),
            )  # fmt: skip


def columns_to_compare(db: Database, table: str) -> list[str] | None:
    """Return the columns that `table` should have, None where the stored one cannot be compared.

    `db` has the schema as it should be as `main`, and the catalogue as `stored`. Only a real
    table is read: a view may do anything. Raises sqlite3.DatabaseError.
    """
    found = schema_of(db, "stored").get(("table", table))
    if found is None or not found.is_stored:
        return None
    wanted = [row[1] for row in db.execute(f"pragma main.table_xinfo({table})")]
    there = {row[1] for row in db.execute(f"pragma stored.table_xinfo({table})") if row[6] == 0}
    return wanted if there.issuperset(wanted) else None


def not_compared(table: str) -> Finding:
    """Return the finding that a table's rows say nothing."""
    text = T("the rows of {table} were not compared: it is not the table of this program",
             table=table)  # fmt: skip
    return Finding(FindingKind.SCHEMA_DIFFERS, f"{FILE_NAME}/{table}", text)


def _finding(what: SchemaObject, text: Text) -> Finding:
    return Finding(FindingKind.SCHEMA_DIFFERS, f"{FILE_NAME}/{_short(what.name)}", text)


def _named(what: SchemaObject) -> dict[str, object]:
    kinds = {
        "table": T("table"),
        "index": T("index"),
        "trigger": T("trigger"),
        "view": T("database view"),
    }
    return {"kind": kinds.get(what.kind, _short(what.kind)), "name": _short(what.name)}


def _short(text: str) -> str:
    return printable(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "surrogateescape")


def _words(sql: str) -> tuple[str, ...]:
    """Return a statement's words; a quoted name is the bare one, where that is enough."""
    words = []
    for found in _TOKEN.finditer(sql):
        token = found[0]
        match found.lastgroup:
            case "gap":
                continue
            case "name" if _SIMPLE_NAME.fullmatch(token[1:-1]):
                token = token[1:-1].lower()
            case "word":
                token = token.lower()
        words.append(token)
    return tuple(words)
