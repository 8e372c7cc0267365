"""Has the station look at itself each minute, and soon after anything was put on record.

APScheduler keeps the minutes. It goes by the system's clock, so a clock that is set back by
a day would stop it for a day: how long ago the last look was is measured by a clock that
nobody can set, and a look that is overdue by it is made at once. A look that was missed
loses nothing, and many that were missed are made up for by one (`watching/tick.py`).

Whatever a look dies of is an alert, and the next one is made all the same.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from recorder_sync.alerts.record import put_on_record
from recorder_sync.catalogue.database import explain
from recorder_sync.config import Configuration
from recorder_sync.custody.growth import LogGrowth
from recorder_sync.errors import RecorderSyncError, defect, refused
from recorder_sync.ingest.stopping import Stop, Stopping
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Matter, Severity, key_of
from recorder_sync.rules.reconcile import Changes
from recorder_sync.station import Station, now, open_station
from recorder_sync.watching.figures import Figures, figures
from recorder_sync.watching.tick import Watch

_EVERY_S = 60.0
_OVERDUE_S = 2 * _EVERY_S
_TICK = "tick"

_log = Log()


class Clockwork:
    """The looks of one station, in a thread of APScheduler's."""

    def __init__(
        self,
        in_use: Callable[[], Configuration],
        told: Callable[[Figures], None],
        watch: Watch | None = None,
        every_s: float = _EVERY_S,
        overdue_s: float = _OVERDUE_S,
    ) -> None:
        """`in_use` returns the settings in force; `told` is told the figures of each look."""
        self._in_use = in_use
        self._told = told
        self._stop = Stop()
        self._watch = watch or Watch()
        self._every_s, self._overdue_s = every_s, overdue_s
        self._station: Station | None = None
        self._wanted = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._looked_at = time.monotonic()
        self._growth = LogGrowth(in_use().paths.state / "custody")
        self._entries = 0
        self._grew = False
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        self._scheduler.add_job(
            self._work,
            "interval",
            seconds=self._every_s,
            id=_TICK,
            next_run_time=datetime.now(UTC),
        )
        self._scheduler.start()

    def request_stop(self) -> None:
        """Begin no look any more, and give up the one under way where it may take long."""
        self._stop.request()

    def stop(self, within_s: float) -> bool:
        """Make no more looks; tell whether the one under way has ended.

        What it had not put on record, the next start finds again.
        """
        self.request_stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        ended = self._idle.wait(within_s)
        if ended and self._station is not None:
            self._station.catalogue.close()
            self._station = None
        return ended

    def wake(self) -> None:
        """Have a look made now, or one more when one is under way."""
        self._wanted.set()
        with suppress(JobLookupError):  # it has just been stopped
            self._scheduler.modify_job(_TICK, next_run_time=datetime.now(UTC))

    def beat(self) -> None:
        """Called each second: have a look made where the log grew and rests, or one is overdue.

        While a card is taken in the log grows all the time; then the minute has to do.
        """
        entries = self._growing()
        if entries != self._entries:
            self._entries, self._grew = entries, True
        elif self._grew:
            self._grew = False
            self.wake()
        if time.monotonic() - self._looked_at > self._overdue_s:
            self._looked_at = time.monotonic()
            self.wake()

    def _growing(self) -> int:
        try:
            return self._growth.entries()
        except OSError as error:
            _log.error("the custody log cannot be looked at", why=str(refused(error)))
            return self._entries

    def _work(self) -> None:
        self._idle.clear()
        try:
            again = True
            while again and not self._stop.requested:
                self._wanted.clear()
                self._looked_at = time.monotonic()
                self._look()
                again = self._wanted.is_set()
        finally:
            self._idle.set()

    def _look(self) -> None:
        began = time.monotonic()
        try:
            station = self._opened()
            self._watch.tick(station, station.now(), self._stop.check)
            found = figures(station.catalogue, station.now(), time.monotonic() - began)
        except Stopping:
            return
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
            _log.error("the station could not be looked at", why=str(error))
            self._failed(*_said(error))
        except Exception as error:  # noqa: BLE001 - a defect must not end the watching unseen
            _log.exception("the station could not be looked at")
            self._failed(*defect(error))
        else:
            self._told(found)

    def _opened(self) -> Station:
        """Return the station by the settings in force; the connection is kept open."""
        settings = self._in_use()
        if self._station is None:
            self._station = open_station(settings, writes_evidence=False)
        elif self._station.settings is not settings:
            self._station = replace(self._station, settings=settings)
        return self._station

    def _failed(self, text: Text, hint: Text | None) -> None:
        """Raise an alert, and open the station anew for the next look, which resolves it."""
        if self._station is not None:
            with suppress(sqlite3.DatabaseError):
                self._station.catalogue.close()
            self._station = None
        try:
            station = open_station(self._in_use(), writes_evidence=False)
            try:
                _put_on_record(station, text, hint)
            finally:
                station.catalogue.close()
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
            _log.error("the alert is not on record", why=str(error))


def _put_on_record(station: Station, text: Text, hint: Text | None) -> None:
    at = now()
    matter = Matter(
        kind=AlertKind.WATCH_FAILING,
        key=key_of(AlertKind.WATCH_FAILING, _TICK),
        severity=Severity.BREACH,
        since=at,
        text=T("Nothing is watched: {why}", why=text),
        hint=hint or T("The journal of the service says more. It is tried again each minute."),
    )
    put_on_record(station, Changes(opened=(matter,)), at)


def _said(error: Exception) -> tuple[Text, Text | None]:
    match error:
        case RecorderSyncError():
            problem = error
        case sqlite3.DatabaseError():
            problem = explain(error)
        case OSError():
            problem = refused(error)
        case _:
            raise AssertionError("unreachable") from error
    return problem.text, problem.hint
