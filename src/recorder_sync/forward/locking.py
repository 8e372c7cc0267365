"""Brings legal holds, and a retention that became longer, onto the copies that stores have.

Also onto those that were confirmed long ago: the store is asked, told, and asked again, and
only what it says then is put on record. A lock is never made shorter, and no hold is lifted
that somebody else put there. A recording is sent without its hold, which follows within
seconds: so a store that keeps no holds gets the recordings all the same, and is told of.
The station's records there are seen to as well: see `record_locks.py`.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from recorder_sync.catalogue import copy_locks, store_states
from recorder_sync.catalogue.copy_locks import LockedCopy
from recorder_sync.catalogue.database import transaction
from recorder_sync.custody.log import Act
from recorder_sync.errors import MissingPart
from recorder_sync.forward import record_locks
from recorder_sync.forward.kept import NotKept, keep
from recorder_sync.forward.shared import Shared
from recorder_sync.forward.store_thread import Opens, store_thread
from recorder_sync.journal import Log
from recorder_sync.language import T
from recorder_sync.on_record import append
from recorder_sync.rules.forwarding import wait_after
from recorder_sync.station import Station
from recorder_sync.stores.store import (
    Interrupted,
    Lock,
    Store,
    Stored,
    StoreProblem,
    Trouble,
)
from recorder_sync.timestamps import iso_or_none

_LOOK_EVERY_S = 1.0
_RETENTION_EVERY_S = 24 * 3600.0
_AGAIN_S = 60.0
_RECORDS_AGAIN_S = 3600.0
_AT_ONCE = 200
_log = Log()

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Failing:
    times: int
    again_at: float
    is_hold: bool
    """It is about a hold; else about how long it is kept."""


class Locking:
    """One thread of one store that keeps a lock."""

    def __init__(self, shared: Shared, opens: Opens) -> None:
        self._shared = shared
        self._failing: dict[str, _Failing] = {}
        """By recording or document."""
        self._retention_at = self._records_at = float("-inf")
        self._records: Iterator[bool] | None = None
        """Those that are still to be looked at."""
        self._are_records_kept = False
        """So it was when all of them were looked at last."""
        self.thread = store_thread(shared, "locks", opens, self._work, "locks are not looked after")

    def _work(self, station: Station) -> None:
        while not self.thread.wait(_LOOK_EVERY_S):
            if self._shared.halt.is_asked:
                continue
            for copy in self._due(station):
                with self._shared.trying() as may:
                    if not may or not self._try(station, copy):
                        break
            else:
                self._see_to_records(station)
                self._note_all_kept(station)

    def _due(self, station: Station) -> Iterator[LockedCopy]:
        db, name = station.catalogue, self._shared.destination.name
        for copy in copy_locks.hold_differs(db, name, _AT_ONCE + len(self._failing)):
            if self._may_be_tried(copy):
                yield copy
        if time.monotonic() < self._retention_at or not self._shared.destination.retention:
            return
        for page in copy_locks.all_of(db, name):
            if self.thread.is_to_end:
                return
            for copy in page:
                until = self._lock_of(copy).until
                is_shorter = until is not None and (not copy.kept_until or copy.kept_until < until)
                if is_shorter and self._may_be_tried(copy):
                    yield copy
        wait = _AGAIN_S if self._failing else _RETENTION_EVERY_S
        self._retention_at = time.monotonic() + wait

    def _may_be_tried(self, copy: LockedCopy) -> bool:
        failing = self._failing.get(copy.sealed)
        return failing is None or time.monotonic() >= failing.again_at

    def _try(self, station: Station, copy: LockedCopy) -> bool:
        """See to one copy; tell whether the store can be asked for the next."""

        def see_to(store: Store) -> Stored:
            kept = self._keep(store, copy.key, copy.version, copy)
            self._keep(store, f"{copy.key}.json", None, copy)
            return kept

        found = self._asked(station, see_to)
        if isinstance(found, NotKept):
            self._not_kept(station, copy, found)
        elif found is not None:
            self._shared.works(station)
            self._failing.pop(copy.sealed, None)
            self._put_on_record(station, copy, found)
        return found is not None

    def _see_to_records(self, station: Station) -> None:
        """Have the station's records kept as long as the recordings that they prove.

        Some at a time: a hold waits for no more of them.
        """
        if time.monotonic() < self._records_at:
            return
        with self._shared.trying() as may:
            if not may:
                return
            found = self._asked(station, lambda store: self._next_records(station, store))
        if found is True:
            return
        self._records = None
        again_s = _AGAIN_S
        if isinstance(found, NotKept):
            again_s, self._are_records_kept = _RECORDS_AGAIN_S, False
            self._note(station, found)
        elif found is False:
            again_s, self._are_records_kept = record_locks.EVERY_S, True
            self._shared.answers(station)
        self._records_at = time.monotonic() + again_s

    def _next_records(self, station: Station, store: Store) -> bool:
        """See to the next ones; tell whether there may be more."""
        mode = self._shared.destination.lock_mode
        assert mode is not None  # else this thread is not started
        if self._records is None:
            self._records = record_locks.lengthen(station, store, mode)
        seen = longer = 0
        for is_longer in islice(self._records, _AT_ONCE):
            seen, longer = seen + 1, longer + is_longer
            self._shared.halt.check()
        if longer:
            _log.info("records are kept longer", store=store.name, objects=longer)
        return seen == _AT_ONCE

    def _asked(
        self, station: Station, see_to: Callable[[Store], Result]
    ) -> Result | NotKept | None:
        """Have something seen to at the store; None: it cannot be asked just now."""
        try:
            return see_to(self._shared.store())
        except Interrupted:
            return None
        except NotKept as found:
            return found
        except StoreProblem as problem:
            if problem.trouble is Trouble.OBJECT:
                return NotKept(problem.text, problem.hint)
            self._shared.fails(station, problem)
        except MissingPart as error:
            self._shared.fails(station, StoreProblem(Trouble.REFUSED, error.text, error.hint))
        return None

    def _keep(self, store: Store, key: str, version: str | None, copy: LockedCopy) -> Stored:
        """Have the store keep one object as it should, and return what it says then.

        Raises NotKept, StoreProblem or Interrupted.
        """
        self._shared.halt.check()
        there = store.look(key, version)
        if there is None:
            raise NotKept(
                T("{store}: it has {key} no more.", store=store.name, key=key),
                T("Find out who removed it. What is sealed here is kept in any case."),
            )
        wanted = self._lock_of(copy)
        is_anothers = there.lock.hold and not copy.is_held
        lock = Lock(wanted.mode, wanted.until, wanted.hold or is_anothers)
        return keep(store, there, lock)

    def _lock_of(self, copy: LockedCopy) -> Lock:
        """Return how it should be kept; how long a document is, `record_locks.py` sees to."""
        if copy.recording is None:
            return Lock(hold=copy.is_to_be_held)
        return self._shared.destination.lock_of(copy.recording)

    def _put_on_record(self, station: Station, copy: LockedCopy, kept: Stored) -> None:
        facts = {
            "store": self._shared.destination.name,
            "key": kept.key,
            "version": kept.version,
            "kept_until": iso_or_none(kept.lock.until),
            "lock": kept.lock.mode.value if kept.lock.mode else None,
            "hold": copy.is_to_be_held,
        }
        with transaction(station.catalogue):
            deed = station.deed(Act.COPY_LOCKED, copy.sealed, facts)
            for entry in append(station, [deed]):
                copy_locks.take_up(station.catalogue, entry)
        if copy.is_to_be_held or kept.lock.until != copy.kept_until:
            self._records, self._records_at = None, float("-inf")
        _log.info(
            "kept as asked",
            store=self._shared.destination.name,
            of=copy.sealed,
            hold=copy.is_to_be_held,
            until=facts["kept_until"],
        )

    def _not_kept(self, station: Station, copy: LockedCopy, found: NotKept) -> None:
        """Leave this copy alone for a while, and have people told."""
        before = self._failing.get(copy.sealed)
        times = before.times + 1 if before else 1
        wait = wait_after(times + 4, random.random())
        again_at = time.monotonic() + wait.total_seconds()
        is_hold = copy.is_held is not copy.is_to_be_held
        self._failing[copy.sealed] = _Failing(times, again_at, is_hold)
        self._note(station, found)

    def _note(self, station: Station, found: NotKept) -> None:
        name, now = self._shared.destination.name, station.now()
        with transaction(station.catalogue):
            store_states.note_lock_fails(station.catalogue, name, found.text, found.hint, now)
        _log.error("not kept", store=name, why=found.text.english)

    def _note_all_kept(self, station: Station) -> None:
        """Where all that failed is kept by now, or need not be, nobody has to be told."""
        db, name = station.catalogue, self._shared.destination.name
        if self._failing:
            due = copy_locks.hold_differs(db, name, _AT_ONCE + len(self._failing))
            still = {copy.sealed for copy in due}
            self._failing = {
                one: it for one, it in self._failing.items() if not it.is_hold or one in still
            }
        elif not self._are_records_kept:
            return
        elif store_states.state_of(db, name).lock_failing_since is not None:
            with transaction(db):
                store_states.note_locks_work(db, name)
