"""Puts alerts, deferrals, the calendar and explanations on record.

The custody log first, then the catalogue, and the catalogue by the very step that a rebuild
takes: both give the same rows. A kill between the two leaves an entry that the catalogue
does not have; whoever writes next takes it up first. Whoever writes has the catalogue for
himself from the first look to the end, so nothing is opened twice.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from recorder_sync.catalogue import watch_state
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.rebuild import take_up
from recorder_sync.custody.log import Act, Deed, Entry
from recorder_sync.errors import CustodyProblem
from recorder_sync.station import Station

_log = structlog.get_logger("record")

ACTS = (
    Act.ALERT,
    Act.ALERT_UPDATED,
    Act.ALERT_ACKNOWLEDGED,
    Act.ALERT_RESOLVED,
    Act.ALERT_ENDED,
    Act.DEFERRAL,
    Act.CALENDAR,
    Act.GAP_EXPLAINED,
)

_FAR = 1000
"""Entries of other acts that are looked at anew each time, rather than written down."""


@contextmanager
def turn(station: Station) -> Iterator[None]:
    """Have the catalogue for oneself, with all in it that the custody log has on record.

    What is done within is done wholly or not at all; what is taken up from the log stays.
    Raises MissingPart or CustodyProblem.
    """
    db, failure = station.catalogue, None
    with transaction(db):
        _catch_up(station)
        db.execute("savepoint turn")
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            db.execute("rollback to turn")
            failure = error
    if failure is not None:
        raise failure


def enter(station: Station, deeds: Sequence[Deed]) -> list[Entry]:
    """Put deeds on record in a turn of the caller's, all or none."""
    entries = station.custody.append(deeds)
    for entry in entries:
        take_up(station.catalogue, entry)
    if entries:
        watch_state.set_record_seq(station.catalogue, entries[-1].seq + 1)
    return entries


def _catch_up(station: Station) -> None:
    """Take up what the log has and the catalogue has not.

    The first time in a catalogue of an older version that is looked for in the whole log.
    What makes no sense there is named by verification, and keeps nobody from putting
    something on record.
    """
    first = watch_state.record_seq(station.catalogue) or 0
    end = station.custody.size()
    if end == first:
        return
    found = _found(station, first)
    for entry in found:
        try:
            take_up(station.catalogue, entry)
        except (KeyError, TypeError, ValueError, AttributeError, sqlite3.IntegrityError) as error:
            _log.error("an entry makes no sense", seq=entry.seq, why=repr(error))
    if found or end - first > _FAR:
        watch_state.set_record_seq(station.catalogue, end)


def _found(station: Station, first: int) -> list[Entry]:
    found: list[Entry] = []
    try:
        found.extend(station.custody.entries_of(ACTS, first))
    except CustodyProblem as problem:
        _log.error("the custody log cannot be read on", why=str(problem))
    return found
