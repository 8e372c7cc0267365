"""Makes the catalogue anew from the custody log, entry by entry.

The log holds all that the catalogue does: it is an index, never the truth. The old
file is kept beside the new one, which takes its name only when it is complete. Only what
an interrupted intake meant to seal is not in the log; it is taken over from the old file
where that can be read. What follows from each entry stands in `steps.py`.
"""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils.db import Database

from recorder_sync.catalogue import (
    dockings,
    document_uploads,
    documents,
    recordings,
    uploads,
    watch_state,
)
from recorder_sync.catalogue.database import (
    FILE_NAME,
    alone,
    files_of,
    lock_files_of,
    open_catalogue,
    transaction,
)
from recorder_sync.catalogue.taking_up import apply, note_taken_up
from recorder_sync.custody.log import Act, CustodyLog, Entry
from recorder_sync.durable import sync_folder

_BATCH = 500
_CACHE_KIB = 200_000
"""Memory for pages: a recording's id and digests belong anywhere in their indexes."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    recordings: int
    dockings: int
    kept: Path | None
    """The old file, None where there was none."""


def rebuild(state: Path, custody: CustodyLog, at: datetime) -> Rebuilt:
    """Replay the whole log into a new catalogue and put it in the old one's place.

    Raises CatalogueProblem where somebody has the catalogue open, CustodyProblem when the
    log is broken; the old file then stays where it is.
    """
    with alone(state / FILE_NAME):
        fresh = fresh_file(state)
        db = opened_to_fill(fresh)
        try:
            replay(db, custody)
        except BaseException:
            db.close()
            raise
        return put_in_place(db, fresh, at)


def fresh_file(state: Path) -> Path:
    """Return the name under which a catalogue is made; what an earlier try left is removed."""
    fresh = state / "catalogue.rebuilding.db"
    for leftover in files_of(fresh):
        leftover.unlink(missing_ok=True)
    return fresh


def opened_to_fill(fresh: Path) -> Database:
    """Open the file of a catalogue that nobody needs before it is whole.

    It is synced when it is put in place, and not before. Raises as `open_catalogue`.
    """
    db = open_catalogue(fresh)
    for pragma in ("synchronous=off", f"cache_size=-{_CACHE_KIB}"):
        db.execute(f"pragma {pragma}")
    return db


def put_in_place(db: Database, fresh: Path, at: datetime) -> Rebuilt:
    """Close the catalogue `db` in the file `fresh`, and give it the place of the old one.

    Nobody else may have that open (`alone`). Raises OSError.
    """
    path = fresh.with_name(FILE_NAME)
    try:
        _take_over_intents(db, path)
        watch_state.take_over(db, path)
        uploads.take_over(db, path)
        document_uploads.take_over(db, path)
        counts = (recordings.count_sealed(db)[0], dockings.count(db))
        db.execute("pragma wal_checkpoint(truncate)")
    finally:
        db.close()
    _sync(fresh)
    kept = None
    for old in files_of(path):
        if old.exists():
            beside = _unused(old.with_name(f"replaced-{at:%Y%m%dT%H%M%S}-{old.name}"))
            old.rename(beside)
            kept = kept or beside
    fresh.rename(path)
    for lock in lock_files_of(fresh):
        lock.unlink(missing_ok=True)
    sync_folder(path.parent)
    return Rebuilt(*counts, kept)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unused(path: Path) -> Path:
    """Return a name beside `path` that nothing has yet."""
    tried, number = path, 1
    while tried.exists():
        tried, number = path.with_name(f"{path.name}.{number}"), number + 1
    return tried


def _take_over_intents(db: Database, old: Path) -> None:
    """Enter what the old catalogue meant to seal and the log has no seal of.

    The next start finishes or discards it (`ingest/recovery.py`), as it would have.
    """
    if not old.exists():
        return
    try:
        with closing(Database(sqlite3.connect(f"{old.as_uri()}?mode=ro", uri=True))) as before:
            intents = recordings.intents(before)
            of_documents = documents.intents(before)
    except (sqlite3.DatabaseError, KeyError, TypeError, ValueError):
        return  # it is broken, which is why it is made anew
    with transaction(db):
        for intent in intents:
            docking, recording = intent.recording.docking, intent.recording.id
            if dockings.is_entered(db, docking) and not recordings.is_entered(db, recording):
                recordings.enter(db, [intent])
        for one in of_documents:
            if documents.find(db, one.id) is None:
                documents.note_intent(db, one)


def replay(db: Database, custody: CustodyLog) -> int:
    """Enter all that the log holds; return how many seals that is.

    Raises CustodyProblem where the log is broken, CatalogueProblem where the catalogue has
    what is not in it.
    """
    batch: list[Entry] = []
    seals = entries = 0
    for entry in custody.entries():
        entries = entry.seq + 1
        seals += entry.deed.act is Act.SEAL
        batch.append(entry)
        if len(batch) == _BATCH:
            with transaction(db):
                apply(db, batch)
            batch = []
    with transaction(db):
        apply(db, batch)
        note_taken_up(db, entries)
    return seals
