"""Copies the catalogue while others write to it.

SQLite's own backup interface reads one state of the database, as it was when the copy
began (https://www.sqlite.org/backup.html): the read transaction that is held meanwhile
keeps it, and nobody who writes has to wait. The copy is checked, written beside its name,
synced and renamed, so what has the name is whole.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import broken, check_catalogue, files_of, open_catalogue
from recorder_sync.durable import sync_folder

PART = ".part"
_PAGES = 4096
"""Pages copied at a time: 16 MiB."""
_STEPS = 1000
"""Steps of SQLite's machine between two questions whether the check goes on."""


class BackupStopped(Exception):
    """It was asked to stop; nothing is left of the copy."""


def copy_catalogue(source: Path, to: Path, goes_on: Callable[[], bool] = lambda: True) -> int:
    """Copy the catalogue at `source` into the new file `to`, for its owner only.

    Returns its size in bytes. `goes_on` is asked now and then. Raises BackupStopped,
    CatalogueProblem when the copy is not sound, MissingPart, or OSError.
    """
    part = to.with_name(to.name + PART)
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with closing(open_catalogue(source)) as db, closing(sqlite3.connect(part)) as copy:
            _copy(db, copy, goes_on)
            if problems := _problems(copy, goes_on):
                raise broken(source, problems[0])
        size = _synced(part)
        os.rename(part, to)
        sync_folder(to.parent)
        return size
    finally:
        for leftover in files_of(part):
            leftover.unlink(missing_ok=True)


def _copy(db: Database, copy: sqlite3.Connection, goes_on: Callable[[], bool]) -> None:
    def progress(_status: int, _remaining: int, _pages: int) -> None:
        if not goes_on():
            raise BackupStopped

    # It is synced once, at the end, and thrown away after a crash.
    for pragma in ("journal_mode=off", "synchronous=off"):
        copy.execute(f"pragma {pragma}")
    db.execute("begin")
    try:
        db.execute("select 1 from sqlite_schema limit 1").fetchone()  # fixes what is seen
        db.conn.backup(copy, pages=_PAGES, progress=progress)
    finally:
        db.rollback()
    copy.execute("pragma journal_mode=delete")  # one file, without a log beside it


def _problems(copy: sqlite3.Connection, goes_on: Callable[[], bool]) -> list[str]:
    copy.set_progress_handler(lambda: not goes_on(), _STEPS)
    try:
        return check_catalogue(Database(copy))
    except sqlite3.OperationalError as error:
        if not goes_on():
            raise BackupStopped from error
        raise


def _synced(part: Path) -> int:
    handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)  # others need the memory more
        return os.fstat(handle).st_size
    finally:
        os.close(handle)
