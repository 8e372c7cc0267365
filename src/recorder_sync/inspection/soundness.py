"""Has SQLite check the catalogue's file: every page, index and full-text table.

A row that an index leaves out is a row that no search finds, while all rows are as they should
be. `integrity_check` holds indexes against their tables; full-text tables have a check of
their own, which with the rank 1 compares them with the words of the rows
(https://www.sqlite.org/fts5.html#the_integrity_check_command). It counts as writing, so
whoever writes waits for it; nothing is written, and a table that is not the program's own is
not asked. It works in a thread with a connection of its own, beside the reading of the log:
SQLite leaves the processor's other half to Python.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import FILE_NAME
from recorder_sync.inspection.findings import Finding, FindingKind
from recorder_sync.inspection.schema import Schema, schema_of
from recorder_sync.language import T
from recorder_sync.printable import printable

_WAIT_S = 60.0


class SoundnessCheck:
    """The check of one catalogue, under way."""

    def __init__(self, catalogue: Path, expected: Schema) -> None:
        """Raises sqlite3.DatabaseError."""
        self._db = sqlite3.connect(
            catalogue, timeout=_WAIT_S, isolation_level=None, check_same_thread=False
        )
        self._expected = expected
        self._findings: list[Finding] = []
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="soundness", daemon=True)
        self._thread.start()

    def findings(self) -> list[Finding]:
        """Wait for the end, and return what was found. Raises sqlite3.DatabaseError."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._findings

    def end(self) -> None:
        """Have it end, whether it is through or not."""
        while self._thread.is_alive():
            self._db.interrupt()  # nothing where no statement runs just then: so, again
            self._thread.join(0.05)
        self._db.close()

    def _run(self) -> None:
        try:
            self._db.execute("pragma trusted_schema=off")
            self._findings += self._of_file()
            for table in full_text_tables(self._expected):
                if self._is_ours(table):
                    self._findings += self._of_full_text(table)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error

    def _of_file(self) -> Iterator[Finding]:
        try:
            for (said,) in self._db.execute("pragma integrity_check"):
                if said != "ok":
                    text = T("SQLite finds damage: {what}", what=printable(str(said)))
                    yield Finding(FindingKind.CATALOGUE_DAMAGED, FILE_NAME, text)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            text = T("SQLite finds damage: {what}", what=printable(str(error)))
            yield Finding(FindingKind.CATALOGUE_DAMAGED, FILE_NAME, text)

    def _of_full_text(self, table: str) -> Iterator[Finding]:
        try:
            # The first question reads before it writes: without the lock it is refused at once
            # where somebody wrote in between.
            self._db.execute("begin immediate")
            self._db.execute(f"insert into {table} ({table}, rank) values ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            text = T(
                "the full-text table {table} does not hold the words of its rows: a search may "
                "leave something out",
                table=table,
            )
            yield Finding(FindingKind.CATALOGUE_DAMAGED, f"{FILE_NAME}/{table}", text)
        finally:
            if self._db.in_transaction:
                self._db.execute("rollback")

    def _is_ours(self, table: str) -> bool:
        """Tell whether it, what it is kept in, and what it is of are as they should be.

        Anything else could take the question for a row.
        """
        stored = schema_of(Database(self._db))
        of = table.removesuffix("_fts")
        concerned = [
            one.meaning == self._meaning(key)
            for key, one in stored.items()
            if one.name.startswith(table) or (one.table == of and one.kind == "table")
        ]
        wanted = [key for key in self._expected if key[1].startswith(table)]
        return all(concerned) and all(key in stored for key in (*wanted, ("table", of)))

    def _meaning(self, key: tuple[str, str]) -> object:
        return self._expected[key].meaning if key in self._expected else None


@contextmanager
def checking_soundness(catalogue: Path, expected: Schema) -> Iterator[SoundnessCheck]:
    """Check the catalogue while the block lasts. Raises sqlite3.DatabaseError."""
    check = SoundnessCheck(catalogue, expected)
    try:
        yield check
    finally:
        check.end()


def full_text_tables(schema: Schema) -> list[str]:
    return [
        one.name
        for one in schema.values()
        if one.kind == "table" and not one.is_stored and one.name.endswith("_fts")
    ]


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CORRUPT
