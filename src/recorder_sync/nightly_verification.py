"""Has the service verify by night: a thread of its own, which gives way to everything."""

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.config import Configuration
from recorder_sync.errors import RecorderSyncError
from recorder_sync.explained import explained
from recorder_sync.ingest.stopping import Stop
from recorder_sync.inspection.nightly import verify_tonight
from recorder_sync.inspection.pace import step_back
from recorder_sync.journal import Log
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.reverification import Night, night_at
from recorder_sync.station import Station, now, open_station

_LOOK_S = 60.0
"""Seconds between two looks at the clock."""

_AGAIN_S = 900.0
"""Seconds after which a night's work that could not be done is tried again."""

_log = Log()


class NightlyVerification:
    """Looks at the clock now and then, and works when it is night."""

    def __init__(
        self,
        settings: Callable[[], Configuration],
        clock: Callable[[], datetime] = now,
        look_s: float = _LOOK_S,
    ) -> None:
        """`settings` returns the configuration in use."""
        self._settings = settings
        self._clock = clock
        self._look_s = look_s
        self._ending = threading.Event()
        self._stop = Stop()
        self._thread = threading.Thread(target=self._run, name="verification", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Have it end; what was re-read so far is on record, at most a minute is lost."""
        self._ending.set()
        self._stop.request()
        self._thread.join(within_s)

    def _run(self) -> None:
        step_back()
        done: Night | None = None
        wait_s = self._look_s
        while not self._ending.wait(wait_s):
            wait_s = self._look_s
            night = self._night()
            if night is None or night == done:
                continue
            if self._work(night):
                done = night
            else:
                wait_s = max(self._look_s, _AGAIN_S)

    def _night(self) -> Night | None:
        settings = self._settings()
        chosen = settings.verification
        if not chosen.nightly:
            return None
        local = self._clock().astimezone(settings.station.zone)
        begins, ends = (time.fromisoformat(t) for t in (chosen.night_begins, chosen.night_ends))
        return night_at(local, begins, ends)

    def _work(self, night: Night) -> bool:
        """Work until the night's work is done, or its end; False: it could not be done."""
        self._stop = Stop()
        if self._ending.is_set():
            return False
        try:
            station = replace(open_station(self._settings()), now=self._clock)
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
            _log.error("no verification tonight", why=str(error))
            return False
        try:
            _log.info("verification begun", until=night.ends.isoformat())
            done = verify_tonight(station, night, self._stop)
            _log.info("verification ended", done=done)
        except Exception as error:  # noqa: BLE001 - a defect must not end verifications unseen
            problem = explained(error)
            _log.error("verification failed", why=str(problem))
            self._alert(station, problem)
            return False
        finally:
            station.catalogue.close()
        return True

    def _alert(self, station: Station, problem: RecorderSyncError) -> None:
        hint = problem.hint or T("Run: recorder-sync verify --metadata")
        try:
            raise_alert(station, AlertKind.STATION, problem.text, hint)
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as why:
            _log.error("the alert is not on record", why=str(why))
