"""Brings a catalogue that lacks something up to the custody log.

A command that was killed between the log and the catalogue leaves an entry that only the log
has. How many entries the catalogue was seen to have stands in its `user_version`; whoever
writes next takes up what the log has beyond them. The acts of an intake are not among it: it
may be under way just now, and of a dead one `ingest/recovery.py` finishes what can be. A
catalogue that was put back by hand lacks whole recordings: it gets everything that the log
has, which takes long.
"""

import sqlite3
from contextlib import suppress

from sqlite_utils.db import Database

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.database import is_of_schema, transaction
from recorder_sync.catalogue.taking_up import ACTS, apply, note_taken_up, take_up, taken_up
from recorder_sync.custody.entry import beginning_of, parsed
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.errors import CustodyProblem, NotFound
from recorder_sync.journal import Log

_log = Log()

_OF_INTAKES = frozenset(
    {
        *(Act.DEVICE_HELD, Act.DOCKING_OPENED, Act.INVENTORY, Act.SEAL, Act.SEEN_AGAIN),
        *(Act.DOCKING_CLOSED, Act.DEVICE_REMOVED),
    }
)
_REST = tuple(beginning_of(act) for act in ACTS - _OF_INTAKES)


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


def take_up_rest_within(db: Database, custody: CustodyLog) -> None:
    """Do the same in a transaction of the caller's.

    Whoever enters something of these acts holds the catalogue from before its entry until
    its row is there, so what only the log has now is of somebody who is dead. An entry that
    makes no sense is named by verification, and is passed over. Where the log cannot be read
    on CustodyProblem is raised; what came before is taken up then.
    """
    first = taken_up(db)
    if custody.size() <= first:
        return
    end = custody.sync()  # it must not be in the catalogue and lost in the log
    seq = first
    try:
        for seq, line in custody.numbered_lines(first):
            if seq >= end:
                break
            if line.startswith(_REST):
                _take_up(db, seq, line)
    except CustodyProblem:
        note_taken_up(db, seq)
        raise
    note_taken_up(db, end)


def _take_up(db: Database, seq: int, line: bytes) -> None:
    why: Exception
    try:
        with suppress(NotFound):  # a recording comes later (`catch_up`), or is missed by verify
            take_up(db, parsed(line))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        why = error
    except sqlite3.DatabaseError as error:
        if not is_of_schema(error):
            raise
        why = error
    else:
        return
    _log.error("an entry makes no sense", seq=seq, why=repr(why))
