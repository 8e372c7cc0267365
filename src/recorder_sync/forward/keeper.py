"""Sees to what a store needs beside recordings: the station's records, and old beginnings.

An upload that was begun and belongs to nothing in the queue costs room in the store for good
and shows up nowhere; after some days it is given up.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from recorder_sync.catalogue import uploads
from recorder_sync.errors import RecorderSyncError
from recorder_sync.forward.findings import tell_of_copy
from recorder_sync.forward.hands import Shared
from recorder_sync.forward.line import Line
from recorder_sync.forward.records import Records
from recorder_sync.inspection.pace import step_back
from recorder_sync.station import Station
from recorder_sync.stores.store import CopyDiffers, Interrupted, Store, StoreProblem, Trouble

_LOOK_EVERY_S = 1.0
_RECORDS_EVERY_S = 30.0
_ABANDON_EVERY_S = 24 * 3600.0
_BROKEN_S = 60.0
_log = structlog.get_logger("forward")


class Keeper:
    """One thread of one store."""

    def __init__(self, shared: Shared, opens: Callable[[], Station], line: Line) -> None:
        self._shared = shared
        self._opens = opens
        self._line = line
        self._ended = threading.Event()
        self._records_at = self._abandon_at = float("-inf")
        name = f"{shared.destination.name}-records"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()

    def join(self, within_s: float) -> bool:
        """Tell whether it has ended."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        step_back()
        while not self._ended.is_set():
            try:
                station = self._opens()
                try:
                    self._work(station)
                finally:
                    station.catalogue.close()
            except (RecorderSyncError, sqlite3.DatabaseError, OSError) as error:
                _log.error("records are not sent", why=str(error))
                self._ended.wait(_BROKEN_S)
            except Exception:  # noqa: BLE001 - a defect with one store must not end it unseen
                _log.exception("a defect while sending", store=self._shared.destination.name)
                self._ended.wait(_BROKEN_S)

    def _work(self, station: Station) -> None:
        shared = self._shared
        records = Records(station, shared.destination, self._line, shared.halt)
        while not self._ended.wait(_LOOK_EVERY_S):
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
            self._records_at = time.monotonic() + _BROKEN_S
            tell_of_copy(station, finding.store, finding.key, finding.what, finding.hint)
        except StoreProblem as problem:
            self._records_at = time.monotonic() + _BROKEN_S
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
