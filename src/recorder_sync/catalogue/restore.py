"""Puts a backup of the catalogue back, and brings an old catalogue up to the custody log.

A backup is as old as it is, and the log goes on. So the whole log is read and entered
over the copy: what the copy has stays, what came later is added. What comes out is what
a rebuild gives, in less time, since the recordings that are there are not entered again.

A command that was killed between the log and the catalogue leaves the catalogue behind by a
little. How far the catalogue was seen to have it all stands in its `user_version`; what the
log has beyond that is entered anew by the next who writes.
"""

import shutil
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlite_utils.db import Database

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.database import (
    FILE_NAME,
    alone,
    check_catalogue,
    transaction,
)
from recorder_sync.catalogue.rebuild import (
    Rebuilt,
    apply,
    fresh_file,
    note_taken_up,
    opened_to_fill,
    put_in_place,
    replay,
    take_up,
)
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.errors import CatalogueProblem, MissingPart, NotFound, os_reason
from recorder_sync.language import T


def restore(state: Path, custody: CustodyLog, backup: Path, at: datetime) -> tuple[Rebuilt, int]:
    """Put `backup`, brought up to the log, in the catalogue's place.

    Returns with it how many recordings were sealed since. `backup` itself is only read.
    Raises CatalogueProblem where somebody has the catalogue open, or the backup is broken,
    newer than this program, or not of this log; CustodyProblem when the log is broken;
    MissingPart when the backup cannot be read. The old file then stays where it is.
    """
    with alone(state / FILE_NAME):
        fresh = fresh_file(state)
        try:
            shutil.copyfile(backup, fresh)
        except OSError as error:
            raise MissingPart(
                T("{path} cannot be copied: {why}.", path=backup, why=os_reason(error)),
                T("Check the name, the rights, and the space in the state folder."),
            ) from error
        db = _opened(backup, fresh)
        try:
            if problems := check_catalogue(db):
                raise _unfit(backup, problems[0])
            before = recordings.count_sealed(db)[0]
            seals = replay(db, custody)
            if recordings.count_sealed(db)[0] != seals:
                raise _unfit(backup, T("it has recordings that the custody log has no seal of"))
        except BaseException:
            db.close()
            raise
        return put_in_place(db, fresh, at), seals - before


def _opened(backup: Path, fresh: Path) -> Database:
    try:
        return opened_to_fill(fresh)
    except CatalogueProblem as problem:
        raise _unfit(backup, problem.text) from problem


def is_behind(db: Database, custody: CustodyLog) -> bool:
    """Tell whether the recording that was sealed last is unknown to the catalogue.

    It is entered there before its seal stands in the log, so a seal that is under way does
    not look like it. Raises OSError.
    """
    last = custody.last_sealed()
    return last is not None and not recordings.is_entered(db, last)


def catch_up(db: Database, custody: CustodyLog) -> int:
    """Enter what the log has and the catalogue in use has not; return how many recordings.

    All in one transaction: whoever entered something in the log before its end was read
    here, enters it in the catalogue after this. Raises CustodyProblem or CatalogueProblem.
    """
    before = recordings.count_sealed(db)[0]
    with transaction(db):
        apply(db, custody.entries())
    return recordings.count_sealed(db)[0] - before


_OF_INTAKES = frozenset(
    {
        *(Act.DEVICE_HELD, Act.DOCKING_OPENED, Act.INVENTORY, Act.SEAL, Act.SEEN_AGAIN),
        *(Act.DOCKING_CLOSED, Act.DEVICE_REMOVED),
    }
)
"""What may be under way just now; of what is dead, `ingest/recovery.py` takes it up."""


def take_up_rest(db: Database, custody: CustodyLog) -> None:
    """Enter what commands that were killed had put on record only.

    It is for whoever is about to write, and not for verification: what somebody changed in
    the rows of these entries is set right by it as well. A recording that is not there is left
    to verification. Raises CustodyProblem, MissingPart, or sqlite3.DatabaseError.
    """
    if custody.size() <= _taken_up(db):
        return
    size = custody.sync()  # before the catalogue is locked: others append while they hold it
    with transaction(db):
        for entry in islice(custody.entries(first := _taken_up(db)), max(0, size - first)):
            if entry.deed.act not in _OF_INTAKES:
                with suppress(NotFound):
                    take_up(db, entry)
        note_taken_up(db, max(size, first))


def _taken_up(db: Database) -> int:
    """Return how many entries of the log are known to be in the catalogue."""
    return int(db.execute("pragma user_version").fetchone()[0])


def _unfit(backup: Path, why: object) -> CatalogueProblem:
    return CatalogueProblem(
        T("The backup {path} cannot be used: {why}.", path=backup, why=why),
        T("Take another one, or run: recorder-sync catalogue rebuild, which needs only the log."),
    )
