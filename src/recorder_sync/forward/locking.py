"""Brings legal holds, and a retention that became longer, onto the copies that stores have.

Also onto those that were confirmed long ago: the store is asked, told, and asked again, and
only what it says then is put on record. A lock is never made shorter, and no hold is lifted
that somebody else put there. A recording is sent without its hold, which follows within
seconds: so a store that keeps no holds gets the recordings all the same, and is told of.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from recorder_sync.catalogue import copy_locks, store_states
from recorder_sync.catalogue.copy_locks import LockedCopy
from recorder_sync.catalogue.database import transaction
from recorder_sync.custody.log import Act
from recorder_sync.errors import MissingPart
from recorder_sync.forward.shared import Shared
from recorder_sync.forward.store_thread import Opens, store_thread
from recorder_sync.language import T, Text
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
_AT_ONCE = 200
_log = structlog.get_logger("forward")


class NotKept(Exception):
    """The store answers, and does not keep a copy as it was asked to."""

    def __init__(self, text: Text, hint: Text | None) -> None:
        super().__init__(text.english)
        self.text = text
        self.hint = hint


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
        """By recording."""
        self._retention_at = float("-inf")
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
                until = self._shared.destination.lock_of(copy.recording).until
                is_shorter = until is not None and (not copy.kept_until or copy.kept_until < until)
                if is_shorter and self._may_be_tried(copy):
                    yield copy
        wait = _AGAIN_S if self._failing else _RETENTION_EVERY_S
        self._retention_at = time.monotonic() + wait

    def _may_be_tried(self, copy: LockedCopy) -> bool:
        failing = self._failing.get(copy.recording.id)
        return failing is None or time.monotonic() >= failing.again_at

    def _try(self, station: Station, copy: LockedCopy) -> bool:
        """See to one copy; tell whether the store can be asked for the next."""
        shared = self._shared
        try:
            store = shared.store()
            kept = self._keep(store, copy.key, copy.version, copy)
            self._keep(store, f"{copy.key}.json", None, copy)
        except Interrupted:
            return False
        except NotKept as found:
            self._not_kept(station, copy, found)
        except StoreProblem as problem:
            if problem.trouble is not Trouble.OBJECT:
                shared.fails(station, problem)
                return False
            self._not_kept(station, copy, NotKept(problem.text, problem.hint))
        except MissingPart as error:
            shared.fails(station, StoreProblem(Trouble.REFUSED, error.text, error.hint))
            return False
        else:
            shared.works(station)
            self._failing.pop(copy.recording.id, None)
            self._put_on_record(station, copy, kept)
        return True

    def _keep(self, store: Store, key: str, version: str | None, copy: LockedCopy) -> Stored:
        """Have the store keep one object as it should, and return what it says then.

        Raises NotKept, StoreProblem or Interrupted.
        """
        self._shared.halt.check()
        there = store.look(key, version)
        if there is None:
            raise NotKept(
                T("{store}: it has {key} no more.", store=store.name, key=key),
                T("Find out who removed it. The recording here is kept in any case."),
            )
        wanted = self._shared.destination.lock_of(copy.recording)
        is_anothers = there.lock.hold and not copy.is_held
        lock = Lock(wanted.mode, wanted.until, wanted.hold or is_anothers)
        if _is_kept(there, lock):
            return there
        why: StoreProblem | None = None
        try:
            store.lock(key, there.version, lock)
        except StoreProblem as problem:
            why = problem
        again = store.look(key, there.version)  # where the store itself is away, this says so
        if again is not None and _is_kept(again, lock):
            return again
        text = T(
            "{store}: it does not keep {key} as asked: {why}",
            store=store.name,
            key=key,
            why=why.text if why else T("it says nothing, and does not do it."),
        )
        raise NotKept(text, (why and why.hint) or T("Run: recorder-sync stores check"))

    def _put_on_record(self, station: Station, copy: LockedCopy, kept: Stored) -> None:
        facts = {
            "store": self._shared.destination.name,
            "key": kept.key,
            "version": kept.version,
            "kept_until": iso_or_none(kept.lock.until),
            "lock": kept.lock.mode.value if kept.lock.mode else None,
            "hold": copy.recording.held,
        }
        with transaction(station.catalogue):
            deed = station.deed(Act.COPY_LOCKED, copy.recording.id, facts)
            for entry in append(station, [deed]):
                copy_locks.take_up(station.catalogue, entry)
        _log.info(
            "kept as asked",
            store=self._shared.destination.name,
            recording=copy.recording.id,
            hold=copy.recording.held,
            until=facts["kept_until"],
        )

    def _not_kept(self, station: Station, copy: LockedCopy, found: NotKept) -> None:
        """Leave this copy alone for a while, and have people told."""
        before = self._failing.get(copy.recording.id)
        times = before.times + 1 if before else 1
        wait = wait_after(times + 4, random.random())
        again_at = time.monotonic() + wait.total_seconds()
        is_hold = copy.is_held is not copy.recording.held
        self._failing[copy.recording.id] = _Failing(times, again_at, is_hold)
        with transaction(station.catalogue):
            name = self._shared.destination.name
            store_states.note_lock_fails(
                station.catalogue, name, found.text, found.hint, station.now()
            )
        _log.error("not kept", recording=copy.recording.id, why=found.text.english)

    def _note_all_kept(self, station: Station) -> None:
        """Where all that failed is kept by now, or need not be, nobody has to be told."""
        db, name = station.catalogue, self._shared.destination.name
        if self._failing:
            due = copy_locks.hold_differs(db, name, _AT_ONCE + len(self._failing))
            still = {copy.recording.id for copy in due}
            self._failing = {
                one: it for one, it in self._failing.items() if not it.is_hold or one in still
            }
        elif store_states.state_of(db, name).lock_failing_since is not None:
            with transaction(db):
                store_states.note_locks_work(db, name)


def _is_kept(stored: Stored, lock: Lock) -> bool:
    return stored.lock.covers(lock) and stored.lock.hold == lock.hold
