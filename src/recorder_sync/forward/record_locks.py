"""Keeps a station's records in a store for as long as the recordings there that they prove,
and the documents of cases with them.

The custody log is one chain: its first piece is needed as long as the last recording is. But a
piece is locked when it is sent, and recordings that were sealed later, policies that became
longer, and legal holds outlast it. So all of them are looked through now and then, and those
whose lock ends too early are locked for longer: by some months more than they need, which
spares the store most of the requests.
"""

from collections.abc import Iterator

from recorder_sync.catalogue import copy_locks
from recorder_sync.forward.kept import keep
from recorder_sync.rules.documents import FOLDER
from recorder_sync.rules.forwarding import days_after
from recorder_sync.rules.layout import station_key
from recorder_sync.station import Station
from recorder_sync.stores.store import Lock, LockMode, Store

_KEPT = ("custody/", f"{FOLDER}/")
EVERY_S = 30 * 24 * 3600.0
_LEAST_DAYS = 60
"""How many days later than its recordings' a record's lock has to end: the next look is earlier."""
_AHEAD_DAYS = 120
"""How many days later it ends when it was made longer."""


def lengthen(station: Station, store: Store, mode: LockMode) -> Iterator[bool]:
    """Lock what is locked for too short a time; yield of each object whether it was.

    A lock that ends late enough stays as it is, and so does a hold. Raises NotKept, StoreProblem.
    """
    needed = copy_locks.needed_until(station.catalogue, store.name, station.now())
    if needed is None:
        return
    above = station_key(station.settings.station.id, "")
    for key in store.keys(above):
        if not key.removeprefix(above).startswith(_KEPT):
            continue
        there = store.look(key)
        least = Lock(mode, days_after(needed, _LEAST_DAYS))
        is_short = there is not None and not there.lock.covers(least)
        if there is not None and is_short:
            keep(store, there, Lock(mode, days_after(needed, _AHEAD_DAYS), there.lock.hold))
        yield is_short
