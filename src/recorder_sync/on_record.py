"""Puts on record what the catalogue has something of: intakes, alerts, corrections, and so on.

The custody log first, then the catalogue: by the very step that a rebuild takes, or, where
that would take too long, by what the caller enters; both give the same rows. Whoever fails or
is killed between the two leaves an entry that the catalogue does not have; whoever writes next
takes it up first. Whoever writes has the catalogue for himself from the first look to the end,
so nothing is opened twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from recorder_sync.catalogue import trail
from recorder_sync.catalogue.catching_up import take_up_rest_within
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.taking_up import note_taken_up, take_up, taken_up
from recorder_sync.custody.log import Deed, Entry
from recorder_sync.errors import CustodyProblem
from recorder_sync.journal import Log
from recorder_sync.station import Station

_log = Log()


@contextmanager
def turn(station: Station) -> Iterator[None]:
    """Have the catalogue for oneself, with all in it that the custody log has on record.

    What is done within is done wholly or not at all; what is taken up from the log stays.
    Raises MissingPart or CustodyProblem.
    """
    db, failure = station.catalogue, None
    with transaction(db):
        _take_up(station)
        db.execute("savepoint turn")
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            db.execute("rollback to turn")
            failure = error
    if failure is not None:
        raise failure


def take_up_rest(station: Station) -> None:
    """Take up what only the log has, before something is entered without a turn.

    Raises MissingPart or CustodyProblem.
    """
    with turn(station):
        pass


def enter(station: Station, deeds: Sequence[Deed]) -> list[Entry]:
    """Put deeds on record in a turn of the caller's, all or none."""
    entries = append(station, deeds)
    for entry in entries:
        take_up(station.catalogue, entry)
    return entries


def put(station: Station, deeds: Sequence[Deed]) -> list[Entry]:
    """Put deeds on record in a turn of its own, all or none; return their entries.

    Raises MissingPart or CustodyProblem.
    """
    with turn(station):
        return enter(station, deeds)


def append(station: Station, deeds: Sequence[Deed]) -> list[Entry]:
    """Put deeds on record in a transaction of the caller's, who enters them in the catalogue.

    So nobody takes them up again, and what somebody changes in their rows is named by
    verification; the audit trail has them already. A log that has become shorter, put back
    from a backup perhaps, is looked at from its beginning by whoever comes next. Raises
    MissingPart or CustodyProblem.
    """
    entries = station.custody.append(deeds)
    for entry in entries:
        trail.take_up(station.catalogue, entry)
    if entries and taken_up(station.catalogue) == entries[0].seq:  # nothing is left before them
        note_taken_up(station.catalogue, entries[-1].seq + 1)
    elif entries and taken_up(station.catalogue) > entries[0].seq:
        note_taken_up(station.catalogue, 0)
    return entries


def _take_up(station: Station) -> None:
    """Take up what only the log has; where it is broken is named by verification, and keeps
    nobody from putting something on record, as long as its end can be read.
    """
    station.custody.size()
    try:
        take_up_rest_within(station.catalogue, station.custody)
    except CustodyProblem as problem:
        _log.error("the custody log cannot be read on", why=str(problem))
