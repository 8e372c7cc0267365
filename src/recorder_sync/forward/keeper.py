"""Sees to what a store needs beside recordings: the station's records, and old beginnings.

An upload that was begun and belongs to nothing in the queue costs room in the store for good
and shows up nowhere; after some days it is given up.
"""

import time
from datetime import timedelta

from recorder_sync.catalogue import uploads
from recorder_sync.forward.findings import tell_of_copy
from recorder_sync.forward.line import Line
from recorder_sync.forward.records import Records
from recorder_sync.forward.shared import Shared
from recorder_sync.forward.store_thread import Opens, store_thread
from recorder_sync.journal import Log
from recorder_sync.station import Station
from recorder_sync.stores.store import CopyDiffers, Interrupted, Store, StoreProblem, Trouble

_LOOK_EVERY_S = 1.0
_RECORDS_EVERY_S = 30.0
_ABANDON_EVERY_S = 24 * 3600.0
_AGAIN_S = 60.0
_log = Log()


class Keeper:
    """One thread of one store."""

    def __init__(self, shared: Shared, opens: Opens, line: Line) -> None:
        self._shared = shared
        self._line = line
        self._records_at = self._abandon_at = float("-inf")
        self.thread = store_thread(shared, "records", opens, self._work, "records are not sent")

    def _work(self, station: Station) -> None:
        shared = self._shared
        records = Records(station, shared.destination, self._line, shared.halt)
        while not self.thread.wait(_LOOK_EVERY_S):
            if shared.halt.is_asked or not self._is_due():
                continue
            with shared.trying() as may:
                if may:
                    self._try(station, records)

    def _is_due(self) -> bool:
        return time.monotonic() >= min(self._records_at, self._abandon_at)

    def _try(self, station: Station, records: Records) -> None:
        shared, sent, is_open = self._shared, 0, False
        seen_before = shared.times_seen
        try:
            store = shared.store()
            is_open = True
            if time.monotonic() >= self._records_at and station.settings.forward.records:
                sent = records.send(store)
                if sent:
                    _log.info("records sent", store=shared.destination.name, objects=sent)
            self._records_at = time.monotonic() + _RECORDS_EVERY_S
            if time.monotonic() >= self._abandon_at:
                self._abandon(station, store)
                self._abandon_at = time.monotonic() + _ABANDON_EVERY_S
        except Interrupted:
            return
        except CopyDiffers as finding:
            self._records_at = time.monotonic() + _AGAIN_S
            tell_of_copy(station, finding.store, finding.key, finding.what, finding.hint)
        except StoreProblem as problem:
            self._records_at = time.monotonic() + _AGAIN_S
            if problem.trouble is Trouble.OBJECT:
                _log.warning("a record is not sent", why=problem.text.english)
                shared.works(station)
            else:
                was_there = is_open and shared.times_seen > seen_before
                shared.fails(station, problem, is_open=is_open, was_there=was_there)
        else:
            if sent:
                shared.works(station)
            else:
                shared.answers(station)

    def _abandon(self, station: Station, store: Store) -> None:
        """Give up what was begun long ago and is not to go on."""
        days = station.settings.forward.abandon_after_days
        before = station.now() - timedelta(days=days)
        in_work = uploads.keys_in_work(station.catalogue, store.name)
        for one in list(store.unfinished()):
            self._shared.halt.check()
            if one.key not in in_work and one.begun_at is not None and one.begun_at < before:
                store.abandon(one)
                _log.info("given up", store=store.name, key=one.key)
