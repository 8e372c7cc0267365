"""Signs the custody log every hour in which something happened, and when the service stops."""

import sqlite3
import threading

import structlog

from recorder_sync.alerts.raising import raise_station_alert
from recorder_sync.config import Configuration
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.errors import CustodyProblem, RecorderSyncError, refused
from recorder_sync.language import T, Text
from recorder_sync.station import evidence_and_custody
from recorder_sync.witnessing.making import make_checkpoint

_EVERY_S = 3600.0
_log = structlog.get_logger("custody")


class HourlyCheckpoints:
    """A thread of its own: the first checkpoint of a long log takes a while."""

    def __init__(self, settings: Configuration) -> None:
        self._settings = settings
        _, log = evidence_and_custody(settings)
        folder = settings.paths.state / "custody"
        self._checkpoints = Checkpoints(folder, log, settings.station.id)
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
            self._stop.wait(_EVERY_S)
        self._make()

    def _make(self) -> None:
        try:
            made = make_checkpoint(self._settings, self._checkpoints)
        except CustodyProblem as error:
            _log.error("no checkpoint", why=str(error))
            self._alert(error.text, error.hint or T("Run: recorder-sync custody verify"))
        except (RecorderSyncError, OSError) as error:
            _log.error("no checkpoint", why=str(error))
        else:
            _log.info("checkpoint", entries=made.signed.checkpoint.size)
            for trouble in made.troubles:
                _log.warning("a checkpoint is not kept", why=trouble.text.english)
                if not trouble.is_missing:
                    self._alert(trouble.text, trouble.hint)

    def _alert(self, text: Text, hint: Text) -> None:
        try:
            raise_station_alert(self._settings, text, hint)
        except OSError as error:
            _log.error("the alert is not on record", why=str(refused(error)))
        except (RecorderSyncError, sqlite3.DatabaseError) as error:
            _log.error("the alert is not on record", why=str(error))
