"""Makes the station's backup once a day; one that fails is an alert."""

import sqlite3
import threading
from collections.abc import Callable

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.backups import Backups, is_backup_due
from recorder_sync.catalogue import measured
from recorder_sync.catalogue.backup import BackupStopped
from recorder_sync.catalogue.measured import BACKUP_FAILED, Measured
from recorder_sync.config import Configuration
from recorder_sync.errors import RecorderSyncError
from recorder_sync.explained import explained
from recorder_sync.journal import Log
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.station import Station, now, open_station

_LOOK_EVERY_S = 60.0
_TRY_AGAIN_S = 3600.0
"""After one that failed."""
_log = Log()


class DailyBackup:
    """A thread of its own: a large catalogue takes a while."""

    def __init__(self, settings: Callable[[], Configuration]) -> None:
        """`settings` are asked for each time: a reload may have changed them."""
        self._settings = settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backup", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Give up one that is under way; the next start makes it."""
        self._stop.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        pause_s = 0.0
        while not self._stop.wait(pause_s):
            pause_s = _LOOK_EVERY_S if self._look() else _TRY_AGAIN_S

    def _look(self) -> bool:
        """Make the backup if it is due; tell whether nothing went wrong."""
        settings = self._settings()
        try:
            if not is_backup_due(settings, now()):
                return True
            station = open_station(settings)
        except (RecorderSyncError, OSError) as error:
            _log.error("no backup", why=str(error))
            return False
        try:
            made = Backups(station).make(lambda: not self._stop.is_set())
            _log.info("backup", file=str(made))
        except BackupStopped:
            _log.info("backup given up, the service ends")
        except Exception as error:  # noqa: BLE001 - a defect must not end backups unseen
            problem = explained(error)
            _log.error("no backup", why=str(problem))
            self._alert(station, problem)
            return False
        finally:
            station.catalogue.close()
        return True

    def _alert(self, station: Station, problem: RecorderSyncError) -> None:
        hint = problem.hint or T("Run: recorder-sync catalogue backup")
        text = T("No backup was made: {why}", why=problem.text)
        try:
            measured.note(
                station.catalogue, BACKUP_FAILED, Measured(station.now(), problem.text, hint)
            )
            target = str(station.settings.backup_folder)
            raise_alert(station, AlertKind.BACKUP_FAILED, text, hint, about=target)
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
            _log.error("the alert is not on record", why=str(error))
