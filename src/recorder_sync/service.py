"""The daemon: wires the dock together, and lives until it is told to stop.

Signals: SIGTERM and SIGINT stop it, SIGHUP has it read its configuration again.
"""

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from recorder_sync import __version__
from recorder_sync.catalogue.catching_up import take_up_rest
from recorder_sync.channels.delivering import telling
from recorder_sync.clock_watch import ClockWatch, report_step
from recorder_sync.clockwork import Clockwork
from recorder_sync.config import Configuration, load
from recorder_sync.custody.log import Act
from recorder_sync.daily_backup import DailyBackup
from recorder_sync.dock.board import Board
from recorder_sync.dock.dock import Dock
from recorder_sync.dock.folder_docking import FolderDocking
from recorder_sync.dock.ports import MakePorts, Teller, usb_ports
from recorder_sync.dock.stay_log import end_stays_of_earlier_runs
from recorder_sync.document_sealing import sealing_documents
from recorder_sync.durable import held
from recorder_sync.errors import MissingPart, RecorderSyncError, all_of
from recorder_sync.forward.engine import forwarding
from recorder_sync.ingest.capacity import capacity_of
from recorder_sync.ingest.recovery import recover
from recorder_sync.journal import Log, log_to_the_journal
from recorder_sync.language import T
from recorder_sync.left_behind import end_without_them
from recorder_sync.nightly_verification import NightlyVerification
from recorder_sync.notify import Notify
from recorder_sync.regular_checkpoints import RegularCheckpoints
from recorder_sync.service_life import changed, with_fixed
from recorder_sync.service_signals import ServiceSignals
from recorder_sync.station import Station, now, open_station
from recorder_sync.watching.figures import figures_json
from recorder_sync.webhooks.delivering import telling_events
from recorder_sync.witnessing.delivery import delivering

_BEAT_S = 1.0
_STOP_WITHIN_S = 8.0
"""Seconds that stays get to end: the unit gives the service 15 in all."""

_LAST_CHECKPOINT_S = 1.0
_LAST_LOOK_S = 0.5

_FIXED = ("station", "paths", "media")
"""Sections that are in force from the start to the end of the process."""

_MADE_AT_START = (
    "dock.folders",
    "ingest.copies",
    "ingest.copies_per_disk",
    "ingest.copies_per_port_group",
    "witness.folders",
)
"""Settings that only the start looks at."""

_SERVED_AT_START = (
    *("web.enabled", "web.address", "web.port"),
    *("web.certificate", "web.certificate_key", "web.behind_proxy"),
)

_log = Log()


class DockService:
    """One process that looks after every port and drop folder."""

    def __init__(
        self, configuration: Path, *, whole: bool = False, ports: MakePorts = usb_ports
    ) -> None:
        """Read the configuration; `whole` has it do the work of `forward` and `web` as well.

        Raises ConfigurationProblem or MissingPart.
        """
        self._path = configuration
        self._whole = whole
        self._make_ports = ports
        self._settings = self._started_with = load(configuration)
        self._signals = ServiceSignals()
        self._notify = Notify()
        self._failure: Exception | None = None

    def run(self) -> int:
        """Work until a signal comes; return the exit code.

        Raises RecorderSyncError when the station cannot be opened, or no device can be seen.
        """
        log_to_the_journal()
        with self._signals.heard(), ExitStack() as stack:
            station = open_station(self._settings)
            stack.callback(station.catalogue.close)
            if not stack.enter_context(held(self._settings.paths.state / "dock.lock")):
                raise _taken(self._settings.station.id)
            capacity = stack.enter_context(capacity_of(self._settings))
            self._begin(station)
            stack.enter_context(sealing_documents(self._in_use))
            paths = self._settings.paths
            board = stack.enter_context(Board(paths.runtime, self._settings.station.id, now))
            ports = self._make_ports(self._in_use, capacity)
            dock = Dock(self._in_use, capacity, board, ports)
            folders = FolderDocking(self._in_use, capacity, board)
            watching = threading.Thread(
                target=self._watch, args=(ports.teller, dock), name="udev", daemon=True
            )
            checkpoints = RegularCheckpoints(self._in_use)
            backup = DailyBackup(self._in_use)
            verification = NightlyVerification(self._in_use)
            clockwork = Clockwork(self._in_use, lambda found: board.watched(figures_json(found)))
            if self._whole:
                self._do_the_rest(stack, board)
            watching.start()
            folders.start()
            checkpoints.start()
            backup.start()
            verification.start()
            clockwork.start()
            self._notify.ready(f"{len(self._settings.dock.folders)} drop folder(s)")
            _log.info("ready", version=__version__, station=self._settings.station.id)
            self._live(station, board, dock, clockwork)
            self._notify.stopping()
            ports.teller.stop()
            folders.request_stop()
            verification.stop(0.0)
            until = time.monotonic() + _STOP_WITHIN_S
            clockwork.request_stop()
            ended = dock.stop(_STOP_WITHIN_S)
            ended &= folders.stop(max(0.0, until - time.monotonic()))
            verification.stop(max(0.0, until - time.monotonic()))
            ended &= clockwork.stop(max(_LAST_LOOK_S, until - time.monotonic()))
            self._put_on_record(station, {"what": "stopped", "clean": ended})
            backup.stop(max(0.0, until - time.monotonic()))
            checkpoints.stop(max(_LAST_CHECKPOINT_S, until - time.monotonic()))
            _log.info("stopped", clean=ended)
            if not ended:  # a read that the kernel does not give back holds a thread for good
                os._exit(self._exit_code())
        if self._failure is not None:
            raise self._failure
        return end_without_them(self._exit_code())

    def _do_the_rest(self, stack: ExitStack, board: Board) -> None:
        """Do what other services do where there are several: `forward`, and `web` if wanted."""
        for work in (delivering, telling, forwarding, telling_events):
            stack.enter_context(work(self._in_use))
        if self._settings.web.enabled:
            self._serve(stack, board)

    def _serve(self, stack: ExitStack, board: Board) -> None:
        """Serve the pages; what keeps it from that keeps no camera waiting."""
        from recorder_sync.web.serving import serving  # most stations have a process for it

        try:
            board.serves(stack.enter_context(serving(self._in_use, self._path)))
        except Exception as error:  # noqa: BLE001 - footage is taken in without any page
            why = str(error) if isinstance(error, RecorderSyncError) else repr(error)
            _log.error("the pages are not served", why=why)
            board.serves(None, why)

    def _in_use(self) -> Configuration:
        return self._settings

    def _begin(self, station: Station) -> None:
        recovered = recover(station)
        self._take_up_rest(station)
        stays = end_stays_of_earlier_runs(station)
        recovered_dockings = recover(station).dockings if stays else 0
        _log.info(
            "recovered",
            dockings=recovered.dockings + recovered_dockings,
            finished=recovered.finished,
            lost=recovered.lost,
            stays=stays,
        )
        self._put_on_record(
            station,
            {"what": "started", "version": __version__, "configuration": _digest(self._path)},
        )

    def _take_up_rest(self, station: Station) -> None:
        try:
            take_up_rest(station.catalogue, station.custody)
        except (RecorderSyncError, sqlite3.DatabaseError) as error:  # verification names it
            _log.error("the catalogue is not brought up to the custody log", why=str(error))

    def _live(self, station: Station, board: Board, dock: Dock, clockwork: Clockwork) -> None:
        clock = ClockWatch()
        while self._signals.ending is None:
            if self._signals.asks_to_reload():
                self._reload(station, board)
            if self._failure is not None:
                return
            dock.tick()
            if self._look_at(clock, station):
                clockwork.wake()
            clockwork.beat()
            self._notify.alive()
            self._signals.wait(_BEAT_S)

    def _look_at(self, clock: ClockWatch, station: Station) -> bool:
        """Put on record that the clock was set; tell whether it was."""
        step = clock.step()
        if step is None:
            return False
        _log.warning("the clock was set", seconds=step.offset.total_seconds())
        try:
            report_step(station, step)
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
            _log.error("not on record", act=Act.CLOCK_STEP.value, why=str(error))
        return True

    def _watch(self, teller: Teller, dock: Dock) -> None:
        try:
            for event in teller.events():
                dock.handle(event)
        except Exception as error:  # noqa: BLE001 - a service that sees no device must not live on
            self._failure = error
            self._signals.wake()

    def _reload(self, station: Station, board: Board) -> None:
        """Take up the configuration as it is now; a bad one is refused and the old one kept."""
        self._notify.reloading()
        try:
            fresh = load(self._path)
        except RecorderSyncError as error:
            why = all_of(error)
            _log.error("configuration refused, the old one stays in force", why=why)
            board.configuration_problem(why)
        else:
            served = _SERVED_AT_START if self._whole else ()
            at_start = (*_FIXED, *_MADE_AT_START, *served)
            later = changed(at_start, self._started_with, fresh)
            self._settings = with_fixed(_FIXED, self._started_with, fresh)
            board.configuration_problem(
                f"a restart is needed for: {', '.join(later)}" if later else None
            )
            _log.info("configuration taken up", after_restart=", ".join(later) or None)
            facts = {"digest": _digest(self._path), "after_restart": later}
            self._put_on_record(station, facts, Act.CONFIGURATION)
        self._notify.ready("running")

    def _put_on_record(
        self, station: Station, facts: Mapping[str, Any], act: Act = Act.SERVICE
    ) -> None:
        try:
            station.custody.append([station.deed(act, self._settings.station.id, facts)])
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
            _log.error("not on record", act=act.value, why=str(error))

    def _exit_code(self) -> int:
        ending = self._signals.ending
        return 0 if ending is None else 128 + ending


def _taken(station: str) -> MissingPart:
    return MissingPart(
        T("Another process looks after the dock of station {station} already.", station=station),
        T(
            "One is enough: recorder-sync status. To run this one, stop the other: "
            "systemctl stop recorder-sync-dock"
        ),
    )


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
