"""Opens the catalogue, and refuses one that is broken or from a newer version.

WAL, `synchronous=FULL` (with NORMAL the last commits can be lost in a power cut),
foreign keys on. https://www.sqlite.org/wal.html, https://www.sqlite.org/pragma.html

Whoever has it open holds a lock beside it, shared by all of them; whoever puts another
file in its place needs it alone. The kernel takes the lock from a process that dies
(flock(2)), so a kill leaves none behind.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.schema import migrations
from recorder_sync.durable import exclusive, make_folders
from recorder_sync.errors import CatalogueProblem, MissingPart, RecorderSyncError, os_reason
from recorder_sync.language import T, Text

FILE_NAME = "catalogue.db"
_WAIT_S = 60.0

SEARCHING_KIB = 2000
"""Cache of a connection that people search with; SQLite's own default."""

TAKING_IN_KIB = 256
"""Cache of a card's own connection: it looks up single rows, and there may be many of them."""

_ROWS_TOGETHER = 128
"""Rows of a statement, at most: with 100 columns they are less than half of the values that
SQLite takes (https://www.sqlite.org/limits.html)."""


def open_catalogue(path: Path, cache_kib: int = SEARCHING_KIB) -> Database:
    """Open the catalogue at `path`; make it, or bring it up to date.

    Raises CatalogueProblem when it is broken, newer than this program, or just being
    replaced, MissingPart when it cannot be read or written.
    """
    try:
        make_folders(path.parent)
        connection = _connected(path)
        try:
            return _up_to_date(connection, path, cache_kib)
        except BaseException:
            connection.close()
            raise
    except sqlite3.DatabaseError as error:
        raise explain(error, path) from error
    except OSError as error:
        raise _unusable(path, os_reason(error)) from error


class _Connection(sqlite3.Connection):
    """Tells others that the catalogue is open, until it is closed."""

    in_use: IO[bytes]

    def close(self) -> None:
        super().close()
        self.in_use.close()


def _connected(path: Path) -> _Connection:
    in_use = _lock_file(path)
    try:
        fcntl.flock(in_use, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        in_use.close()
        raise CatalogueProblem(
            T("The catalogue {path} is being replaced just now.", path=path),
            T("Run the command again when that is done."),
        ) from None
    try:
        connection = sqlite3.connect(
            path, timeout=_WAIT_S, check_same_thread=False, factory=_Connection
        )
    except BaseException:
        in_use.close()
        raise
    connection.in_use = in_use
    return connection


def _up_to_date(connection: sqlite3.Connection, path: Path, cache_kib: int) -> Database:
    # Two that change a new catalogue to WAL at once do not wait for each other.
    with exclusive(path.with_suffix(".lock")):
        for pragma in (
            "journal_mode=wal",
            "synchronous=full",
            "foreign_keys=on",
            f"cache_size=-{cache_kib}",
        ):
            connection.execute(f"pragma {pragma}")
        db = Database(connection, execute_plugins=False)  # nobody else's code reads it
        _refuse_newer(db, path)
        if migrations.pending(db):
            with db.atomic():  # one sync for all of them; a power cut leaves the schema as it was
                migrations.apply(db)
    return db


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Have the catalogue at `path` for oneself, to put another file in its place.

    Raises CatalogueProblem where somebody has it open, OSError.
    """
    make_folders(path.parent)
    with _lock_file(path) as in_use:
        try:
            fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CatalogueProblem(
                T("The catalogue {path} is in use.", path=path),
                T(
                    "Stop the service (systemctl stop recorder-sync.target) and wait for other "
                    "commands to end, then run this one again."
                ),
            ) from None
        yield


def files_of(path: Path) -> list[Path]:
    """Return the database file at `path` and those that SQLite may keep beside it."""
    return [path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))]


def lock_files_of(path: Path) -> list[Path]:
    return [path.with_suffix(".lock"), path.with_suffix(".in-use")]


def _lock_file(path: Path) -> IO[bytes]:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path.with_suffix(".in-use"), flags, 0o640), "r+b")


def insert(db: Database, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of the same columns. For the rows of every recording: sqlite-utils looks at
    the schema each time, which takes longer than the insert itself."""
    if rows:
        columns = ", ".join(rows[0])
        for marks, values in as_values(tuple(row.values()) for row in rows):
            db.conn.execute(f"insert into {name} ({columns}) values {marks}", values)


def as_values(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, list[Any]]]:
    """Yield what stands behind `values` for many rows at a time, and the values themselves.

    Of a table with triggers or references SQLite keeps what each statement changes, to take
    it back if the statement fails: page by page, in a temporary file, which took longer for
    each row by itself than all else (https://www.sqlite.org/tempfiles.html). There are only a
    few lengths of such statements: each is compiled once, and kept.
    """
    left = iter(rows)
    while together := list(islice(left, _ROWS_TOGETHER)):
        one = f"({', '.join('?' * len(together[0]))})"
        while together:
            count = 1 << (len(together).bit_length() - 1)
            some, together = together[:count], together[count:]
            yield ", ".join([one] * count), [value for row in some for value in row]


def upsert(db: Database, name: str, key: str, row: dict[str, Any]) -> None:
    """Insert a row, or replace the columns given of the one with this key; as fast as `insert`."""
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    changed = ", ".join(f"{column} = excluded.{column}" for column in row if column != key)
    db.execute(
        f"insert into {name} ({columns}) values ({marks})"
        f" on conflict ({key}) do update set {changed}",
        list(row.values()),
    )


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """Write all of it or nothing; waits for whoever is writing.

    The lock is taken at the start: a transaction that reads first and writes later is
    refused at once when somebody else wrote in between.
    """
    db.execute("begin immediate")
    try:
        yield
    except BaseException:
        db.rollback()
        raise
    db.execute("commit")


def explain(error: sqlite3.DatabaseError, path: Path | None = None) -> RecorderSyncError:
    """Return our error for one of SQLite's: broken for good, or unusable just now."""
    shown = path or FILE_NAME
    if isinstance(error, sqlite3.OperationalError):
        return _unusable(shown, str(error))
    return broken(shown, str(error))


def is_of_schema(error: sqlite3.DatabaseError) -> bool:
    """Tell whether tables, indexes or triggers are why a statement fails, and not its moment."""
    return error.sqlite_errorcode & 0xFF in (
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_CORRUPT,
    )


def broken(path: Path | str, why: str | Text) -> CatalogueProblem:
    return CatalogueProblem(
        T("The catalogue {path} is broken: {why}.", path=path, why=why),
        T(
            "The evidence is untouched. Run: recorder-sync catalogue rebuild (it keeps the "
            "broken file beside the new one)."
        ),
    )


def _unusable(path: Path | str, why: str | Text) -> MissingPart:
    return MissingPart(
        T("The catalogue {path} cannot be used: {why}.", path=path, why=why),
        T("Check the disk's free space, and that this user may read and write the state folder."),
    )


def check_catalogue(db: Database) -> list[str]:
    """Return what SQLite's own checks find: damaged pages, references to nothing."""
    damage = [row[0] for row in db.execute("pragma integrity_check") if row[0] != "ok"]
    dangling = [
        f"{row[0]} row {row[1]} refers to a row of {row[2]} that is not there"
        for row in db.execute("pragma foreign_key_check")
    ]
    return damage + dangling


def _refuse_newer(db: Database, path: Path) -> None:
    ours = {m.name for m in migrations.pending(db)} | {m.name for m in migrations.applied(db)}
    known = {m.name for m in migrations._migrations}
    if unknown := ours - known:
        raise CatalogueProblem(
            T(
                "The catalogue {path} was made by a newer version ({what}).",
                path=path,
                what=", ".join(sorted(unknown)),
            ),
            T("Install that version of recorder-sync again, or a later one."),
        )
