"""Signs the custody log while the service runs: at its start, after so many entries, every
hour in which something happened, and when the service stops.

The thread looks once a second how far the log has grown. That costs one stat of a file and
takes no lock, so whoever appends never waits for it; being told of every append would cost
more, in the middle of an intake. With each checkpoint, segments that are full are made
immutable.
"""

import sqlite3
import threading
import time
from collections.abc import Callable

from recorder_sync.alerts.raising import raise_station_alert
from recorder_sync.config import Configuration
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.custody.growth import LogGrowth
from recorder_sync.errors import MissingPart, RecorderSyncError, refused
from recorder_sync.explained import explained
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.station import evidence_and_custody
from recorder_sync.witnessing.making import make_checkpoint

_EVERY_S = 3600.0
_LOOK_EVERY_S = 1.0
_LOOK = T("Run: recorder-sync custody verify")

_log = Log()


class RegularCheckpoints:
    """A thread of its own: the first checkpoint of a long log takes a while."""

    def __init__(self, in_use: Callable[[], Configuration]) -> None:
        """`in_use` returns the settings in force: how many entries may go unsigned can change."""
        self._in_use = in_use
        settings = in_use()
        _, self._custody = evidence_and_custody(settings)
        folder = settings.paths.state / "custody"
        self._growth = LogGrowth(folder)
        self._checkpoints = Checkpoints(folder, self._custody, settings.station.id)
        self._signed = 0
        """Entries that the last checkpoint vouches for, or had when none could be made."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Have a last one made; what takes longer is made at the next start."""
        self._stop.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._make()
            self._wait()
        self._make()

    def _wait(self) -> None:
        """Return when the next checkpoint is due, or the service stops."""
        until = time.monotonic() + _EVERY_S
        while time.monotonic() < until and not self._stop.wait(_LOOK_EVERY_S):
            if self._entries() - self._signed >= self._in_use().custody.checkpoint_entries:
                return

    def _entries(self) -> int:
        try:
            return self._growth.entries()
        except OSError as error:
            _log.error("the custody log cannot be looked at", why=str(refused(error)))
            return self._signed

    def _make(self) -> None:
        try:
            made = make_checkpoint(self._in_use(), self._checkpoints)
            protected = self._custody.protect_full_segments()
        except Exception as error:  # noqa: BLE001 - a defect must not end signing unseen
            problem = explained(error)
            _log.error("no checkpoint", why=str(problem))
            self._signed = self._entries()
            if not isinstance(problem, MissingPart):  # that may be over with the next try
                self._alert(problem.text, problem.hint or _LOOK)
        else:
            self._signed = made.signed.checkpoint.size
            _log.info("checkpoint", entries=self._signed, full_segments=protected)
            for trouble in made.troubles:
                _log.warning("a checkpoint is not kept", why=trouble.text.english)
                if not trouble.is_missing:
                    self._alert(trouble.text, trouble.hint)

    def _alert(self, text: Text, hint: Text) -> None:
        try:
            raise_station_alert(self._in_use(), text, hint)
        except OSError as error:
            _log.error("the alert is not on record", why=str(refused(error)))
        except (RecorderSyncError, sqlite3.DatabaseError) as error:
            _log.error("the alert is not on record", why=str(error))
