"""Takes in what becomes complete in drop folders; each batch is a docking of its own."""

import sqlite3
import threading
import time
from collections.abc import Callable

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue.database import TAKING_IN_KIB
from recorder_sync.config import Configuration
from recorder_sync.dock.board import Board, Row
from recorder_sync.dock.folders import Batch, DropFolders
from recorder_sync.dock.port_display import ours
from recorder_sync.dock.row_observer import RowObserver
from recorder_sync.dock.stay_log import log_end
from recorder_sync.errors import RecorderSyncError
from recorder_sync.ingest.arrival import Arrival
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.ingest.intake import Request, new_docking_id, take_in
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.stopping import Stop
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind
from recorder_sync.rules.docking import Stay, after_removal
from recorder_sync.station import Station, now, open_station

_RETRY_S = 30.0
_log = Log()


class FolderDocking:
    """All drop folders, each with a thread that takes in one batch after the other."""

    def __init__(
        self, settings: Callable[[], Configuration], capacity: Capacity, board: Board
    ) -> None:
        self._settings = settings
        self._capacity = capacity
        self._board = board
        self._stop = Stop()
        self._folders = [DropFolders([folder]) for folder in settings().dock.folders]
        self._threads = [
            threading.Thread(target=self._run, args=(folder,), name="folder")
            for folder in self._folders
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def request_stop(self) -> None:
        """Have every batch that is under way end soon."""
        self._stop.request()

    def stop(self, within_s: float) -> bool:
        """End; tell whether it ended within so many seconds."""
        until = time.monotonic() + within_s
        self.request_stop()
        for folder in self._folders:
            folder.stop()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, folder: DropFolders) -> None:
        for batch in folder.batches():
            while not self._stop.requested and not self._is_done_with(batch):
                self._stop.wait_quietly(_RETRY_S)

    def _is_done_with(self, batch: Batch) -> bool:
        """Take a batch in; tell whether that is all that can be done."""
        port = f"folder {batch.folder.name}"
        key = f"{port} {batch.device or ''}"
        self._board.show(key, Row(port, batch.folder.name, key, now(), device=batch.device))
        observer = RowObserver(self._board, key, _notice)
        try:
            station = open_station(self._settings(), TAKING_IN_KIB)
            try:
                return self._take_in(station, batch, port, observer)
            finally:
                station.catalogue.close()
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
            _log.error("not taken in", folder=batch.folder.name, why=str(ours(error)))
            return False
        except Exception:  # noqa: BLE001 - a defect here must not end the folder's thread
            _log.exception("unexpected", folder=batch.folder.name)
            return False
        finally:
            self._board.remove(key)

    def _take_in(self, station: Station, batch: Batch, port: str, observer: RowObserver) -> bool:
        docking = new_docking_id(station, station.now())
        arrival = Arrival(docking, only=frozenset(batch.files))
        request = Request(batch.root, device=batch.device, port=port, arrival=arrival)
        state, report = Stay.INTERRUPTED, None
        try:
            report = take_in(station, request, self._capacity, observer, self._stop)
            if not report.stopped:
                state = after_removal(report.stay)
        finally:
            missing = [item.path for item in report.not_in] if report else []
            log_end(station, docking, state, missing)
        if report.not_in:
            _alert(station, report, port)
        return True


def _alert(station: Station, report: Report, port: str) -> None:
    raise_alert(
        station,
        AlertKind.NOT_TAKEN_IN,
        T("{port}: {left} recording(s) could not be taken in.", port=port, left=len(report.not_in)),
        T("See: recorder-sync dockings show {docking}", docking=report.docking),
        device=report.identity.device,
        docking=report.docking,
    )


def _notice(text: Text) -> None:
    _log.info("notice", text=str(text))
