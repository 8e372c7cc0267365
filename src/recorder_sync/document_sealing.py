"""Has the service seal what was handed in at the console: a thread of its own.

It looks into the tray each second. What cannot be sealed waits, with the reason beside it, and
is tried again; the first time somebody is told by an alert.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue.database import TAKING_IN_KIB
from recorder_sync.config import Configuration
from recorder_sync.errors import RecorderSyncError
from recorder_sync.explained import explained
from recorder_sync.ingest.documents import seal_handed_in
from recorder_sync.ingest.stopping import Stop, Stopping
from recorder_sync.ingest.tray import HandedIn, Tray
from recorder_sync.journal import Log
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.station import Station, open_station

_LOOK_S = 1.0
_STOP_WITHIN_S = 2.0
_AGAIN_S = 60.0
"""Seconds after which a document that could not be sealed is tried again."""

_log = Log()


@contextmanager
def sealing_documents(settings: Callable[[], Configuration]) -> Iterator[None]:
    """Seal what is handed in while the block lasts; `settings` returns those in use."""
    work = _DocumentSealing(settings)
    work.start()
    try:
        yield
    finally:
        work.stop(_STOP_WITHIN_S)


class _DocumentSealing:
    """Looks into the tray, and seals what is in it."""

    def __init__(self, settings: Callable[[], Configuration]) -> None:
        self._settings = settings
        self._stop = Stop()
        self._tray = Tray(settings().paths.state)
        self._again: dict[str, float] = {}
        """When what could not be sealed is tried again, by token."""
        self._thread = threading.Thread(target=self._run, name="documents", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Have it end. What is under way then is sealed by the next start."""
        self._stop.request()
        self._thread.join(within_s)

    def _run(self) -> None:
        while not self._stop.requested:
            try:
                if not self._tray.is_empty():
                    self._look()
            except Stopping:
                return
            except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
                _log.error("not sealed", why=str(explained(error)))
            except Exception:  # noqa: BLE001 - a defect here must not end the thread unseen
                _log.exception("not sealed")
            self._stop.wait_quietly(_LOOK_S)

    def _look(self) -> None:
        self._tray.clear()
        now = time.monotonic()
        due = [one for one in self._tray.waiting() if self._again.get(one.token, 0.0) <= now]
        if not due:
            return
        for one in due:
            self._again[one.token] = now + _AGAIN_S
        station = open_station(self._settings(), TAKING_IN_KIB)
        try:
            for one in due:
                self._seal(station, one)
        finally:
            station.catalogue.close()

    def _seal(self, station: Station, one: HandedIn) -> None:
        try:
            if seal_handed_in(station, self._tray, one, self._stop):
                self._again.pop(one.token, None)
                return
            why = "it is noted in the tray"
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
            why = str(explained(error))
        _log.error("a document is not sealed", case=one.given.case, why=why)
        raise_alert(
            station,
            AlertKind.STATION,
            T("The document {title} of case {number} waits to be sealed.",
              title=one.given.title, number=one.given.case),
            T("The page of the case says why. It is tried again each minute."),
        )  # fmt: skip
