"""Puts a backup of the catalogue back, brought up to the custody log.

A backup is as old as it is, and the log goes on. So the whole log is read and entered
over the copy: what the copy has stays, what came later is added. What comes out is what
a rebuild gives, in less time, since the recordings that are there are not entered again.
"""

import shutil
from datetime import datetime
from pathlib import Path

from sqlite_utils.db import Database

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.database import (
    FILE_NAME,
    alone,
    check_catalogue,
)
from recorder_sync.catalogue.rebuild import (
    Rebuilt,
    fresh_file,
    opened_to_fill,
    put_in_place,
    replay,
)
from recorder_sync.custody.log import CustodyLog
from recorder_sync.errors import CatalogueProblem, MissingPart, os_reason
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


def _unfit(backup: Path, why: object) -> CatalogueProblem:
    return CatalogueProblem(
        T("The backup {path} cannot be used: {why}.", path=backup, why=why),
        T("Take another one, or run: recorder-sync catalogue rebuild, which needs only the log."),
    )
