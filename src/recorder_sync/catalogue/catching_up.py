"""Brings a catalogue that lacks something up to the custody log.

Whoever fails or is killed between the log and the catalogue leaves entries that only the log
has. How many entries the catalogue was seen to have stands in its `user_version`; whoever
writes next takes up what the log has beyond them. A verification takes up what an intake
left (`left_by_intakes.py`), and no more: that is no finding, and the rest is named by it. A
catalogue that was put back by hand lacks whole recordings: it gets everything that the log
has, which takes long.
"""

import sqlite3
from contextlib import suppress

from sqlite_utils.db import Database

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.database import is_of_schema, transaction
from recorder_sync.catalogue.left_by_intakes import OF_INTAKES, is_left
from recorder_sync.catalogue.taking_up import ACTS, apply, note_taken_up, take_up, taken_up
from recorder_sync.custody.entry import beginning_of, parsed
from recorder_sync.custody.log import CustodyLog
from recorder_sync.errors import CustodyProblem, NotFound
from recorder_sync.journal import Log

_log = Log()

_ALL = tuple(beginning_of(act) for act in ACTS)
_INTAKES = tuple(beginning_of(act) for act in OF_INTAKES)


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
        end = custody.sync()
        apply(db, custody.entries())
        note_taken_up(db, end)
    return recordings.count_sealed(db)[0] - before


def take_up_rest(db: Database, custody: CustodyLog) -> None:
    """Take up the rest in a transaction of its own.

    It is for whoever is about to write, and not for verification: what somebody changed in
    the rows of these entries is set right by it as well. Raises CustodyProblem, MissingPart,
    or sqlite3.DatabaseError.
    """
    if custody.size() > taken_up(db):
        with transaction(db):
            take_up_rest_within(db, custody)


def take_up_intakes(db: Database, custody: CustodyLog) -> None:
    """Take up what intakes have put on record beyond what the catalogue is known to have.

    It is for recovery, before a verification too. Raises CustodyProblem where the log cannot
    be read on, MissingPart, or sqlite3.DatabaseError; nothing is taken up then.
    """
    if custody.size() > taken_up(db):
        with transaction(db):
            end = custody.sync()
            for seq, line in custody.numbered_lines(taken_up(db)):
                if seq < end and line.startswith(_INTAKES):
                    _take_up(db, seq, line)


def take_up_rest_within(db: Database, custody: CustodyLog) -> None:
    """Do the same in a transaction of the caller's.

    Whoever enters something holds the catalogue from before its entry until its row is
    there, so what only the log has now is of somebody who failed or is dead. An entry that
    makes no sense is named by verification, and is passed over. Where the log cannot be read
    on CustodyProblem is raised; what came before is taken up then.
    """
    first = taken_up(db)
    if custody.size() <= first:
        return
    end = custody.sync()  # it must not be in the catalogue and lost in the log
    done = first
    try:
        for seq, line in custody.numbered_lines(first):
            if seq >= end:
                break
            done = seq + 1
            if line.startswith(_ALL):
                _take_up(db, seq, line)
    except CustodyProblem:
        note_taken_up(db, done)
        raise
    note_taken_up(db, end)


def _take_up(db: Database, seq: int, line: bytes) -> None:
    why: Exception
    db.execute("savepoint entry")
    try:
        with suppress(NotFound):  # a recording comes later (`catch_up`), or is missed by verify
            entry = parsed(line)
            if entry.deed.act not in OF_INTAKES or is_left(db, entry.deed):
                take_up(db, entry)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        why = error
    except sqlite3.DatabaseError as error:
        if not is_of_schema(error):
            raise
        why = error
    else:
        db.execute("release entry")
        return
    db.execute("rollback to entry")
    db.execute("release entry")
    _log.error("an entry makes no sense", seq=seq, why=repr(why))
