"""One volume of a device, from plug to pull: the thread that looks after it.

    greet -> mount -> check -> look -> held? -> take in -> settled -> removed

Removal at any moment is normal. Whatever goes wrong is shown on the port's row with
what to do, and is nobody else's trouble.
"""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.database import TAKING_IN_KIB
from recorder_sync.config import Configuration, Unknown
from recorder_sync.custodian.moves import report_fault
from recorder_sync.dock.board import Board
from recorder_sync.dock.clearing import Clearing
from recorder_sync.dock.plugged import Plugged
from recorder_sync.dock.port_display import PortDisplay, ours
from recorder_sync.dock.ports import Ports
from recorder_sync.dock.stay_log import log_end, log_held
from recorder_sync.errors import MissingPart, RecorderSyncError, VolumeGone
from recorder_sync.ingest.arrival import Arrival
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.ingest.failures import Unreadable
from recorder_sync.ingest.intake import Intake, Request, looked_at, new_docking_id
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.stopping import Stop, Stopping
from recorder_sync.ingest.volume import gone
from recorder_sync.language import T
from recorder_sync.model import CardPath, Health, Identity, ItemOutcome
from recorder_sync.rules.admission import Admission, admit
from recorder_sync.rules.docking import Stay, after_removal, is_settled
from recorder_sync.rules.identity import identify
from recorder_sync.station import Station, now, open_station

_RETRY_S = 30.0
"""Seconds after which a part of the station that was missing is looked for again."""

_UDEV_S = 2.0
"""Seconds within which udev has said that a device is gone, when its files are."""

_AGAIN_S = 3.0
"""Seconds within which a device that nobody pulled out is there again: its medium changed,
or the kernel gave it up and found it anew."""

_CLEARING_S = 0.5

_LEDGER_S = 1.0
"""Seconds between two looks at the ledger for a device that is held: another process
writes it, and SQLite tells nobody."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every docked volume needs of the daemon."""

    settings: Callable[[], Configuration]
    """The configuration in use when a device comes."""
    capacity: Capacity
    board: Board
    ports: Ports
    has_twin: Callable[[Plugged], bool]
    """Whether another device with the same identity is plugged in."""


class DockedVolume:
    """One volume on a port, with a thread of its own."""

    def __init__(self, plugged: Plugged, around: Surroundings) -> None:
        self.plugged = plugged
        self._around = around
        self._settings = around.settings()
        self._stop = Stop()
        self._gone = threading.Event()
        self._wake = threading.Event()
        self._again = threading.Event()
        self._docking: str | None = None
        """Id of the docking that is on record and not ended."""
        self._report: Report | None = None
        self._display = PortDisplay(plugged, around.board)
        self._observer = around.ports.observer(
            around.board, self._display.key, self._display.notice
        )
        self._thread = threading.Thread(target=self._run, name=f"port {plugged.port}")

    def start(self) -> None:
        self._thread.start()

    def gone(self) -> None:
        """Say that the device was pulled out."""
        self._gone.set()
        self.stop()

    def came_again(self) -> None:
        """Say that the device that was gone is there again."""
        self._again.set()

    def stop(self) -> None:
        """Have it end soon: the device is gone, or the service stops."""
        self._stop.request()
        self._wake.set()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; tell whether it has come."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def tick(self) -> None:
        """Called about once a second."""
        self._observer.show_silence()

    # The thread.

    def _run(self) -> None:
        self._display.greet(now())
        try:
            station = self._opened()
            if station is not None:
                with closing(station.catalogue):
                    self._stay(station)
        finally:
            self._display.farewell(was_removed=self._gone.is_set())

    def _opened(self) -> Station | None:
        """Open the station as soon as it is there; None when it ended first."""
        while True:
            try:
                return open_station(self._settings, TAKING_IN_KIB)
            except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
                self._display.problem(ours(error))
            if self._wake.wait(_RETRY_S):
                return None

    def _stay(self, station: Station) -> None:
        """Try until the intake is over, then wait for the removal."""
        while not self._stop.requested:
            again_s: float | None = None
            try:
                self._attempt(station)
            except Stopping:
                break
            except VolumeGone as error:
                # Most likely udev says so in a moment.
                if not self._wake.wait(_UDEV_S) and self._around.ports.is_present(self.plugged):
                    self._display.stuck(station, error, self._report, self._docking)
                    again_s = _RETRY_S
            except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
                why = ours(error)
                self._display.stuck(station, why, self._report, self._docking)
                again_s = _RETRY_S if isinstance(why, MissingPart) else None
            except Exception as error:  # noqa: BLE001 - a defect here is this port's trouble only
                self._display.defect(station, error, self._report, self._docking)
            if not self._stop.requested:
                self._wake.wait(again_s)
        self._end(station)

    def _attempt(self, station: Station) -> None:
        """Go from the mount to the end of the intake.

        Raises Stopping, VolumeGone, or what keeps it from going on.
        """
        around, plugged = self._around, self.plugged
        self._end_attempt(station)
        self._display.begin()
        root = around.ports.mount(plugged, self._stop)
        health = around.ports.check(plugged, root)
        self._display.health(health)
        docking = new_docking_id(station, station.now())
        while True:
            arrival = self._arrival(station, docking, health)
            request = Request(root, port=plugged.port, arrival=arrival)
            with looked_at(station, request, around.capacity, self._observer, self._stop) as intake:
                self._report = intake.report
                self._display.identity(station, intake.report.identity)
                if self._is_admitted(station, intake.report.identity):
                    self._take_in(station, intake, root)
                    return
            self._hold(station, intake.report)

    def _arrival(self, station: Station, docking: str, health: Health) -> Arrival:
        around, plugged = self._around, self.plugged
        return Arrival(
            docking=docking,
            usb=plugged.usb,
            fs_uuid=plugged.uuid,
            claims=tuple(ledger.claims_of(station.catalogue, plugged.usb, plugged.uuid)),
            in_conflict=around.has_twin(plugged),
            health=health,
            is_present=lambda: around.ports.is_present(plugged),
        )

    def _take_in(self, station: Station, intake: Intake, root: Path) -> None:
        report = intake.report
        self._docking = report.docking
        self._display.taking_in(station, report)
        intake.run()
        if report.stopped:
            raise Stopping
        if report.not_in and not self._around.ports.is_present(self.plugged):
            raise gone()
        self._report_read_errors(station, report)
        self._wait_for_clearing(self._around.ports.clear(station, report, self.plugged, root))
        self._display.settled(station, report)

    def _wait_for_clearing(self, clearing: Clearing | None) -> None:
        """Let nobody take a card that is just being written to."""
        if clearing is not None:
            self._display.clearing()
            while clearing.is_under_way() and not self._wake.wait(_CLEARING_S):
                pass

    def _report_read_errors(self, station: Station, report: Report) -> None:
        """Open a fault for a device whose recordings cannot be read (Art. 24)."""
        device = report.identity.device
        failures = (outcome.failure for outcome in report.of(ItemOutcome.FAILED))
        if device and any(isinstance(failure, Unreadable) for failure in failures):
            report_fault(station, device, T("Recordings on it could not be read."))

    def _hold(self, station: Station, report: Report) -> None:
        """Have the device wait for the custodian; return when the ledger knows it.

        Raises Stopping.
        """
        if self._docking is None:
            self._docking = report.docking  # what fails now may be on record all the same
            log_held(station, report)
        self._display.held(station, report)
        while not self._is_admitted(station, self._identity_now(station, report.identity)):
            self._wake.wait(_LEDGER_S)
            self._stop.check()

    def _identity_now(self, station: Station, seen: Identity) -> Identity:
        """Return the identity as the ledger of this moment makes it."""
        plugged = self.plugged
        claims = ledger.claims_of(station.catalogue, plugged.usb, plugged.uuid)
        registered = ledger.registered_devices(station.catalogue)
        return identify([*seen.claims, *claims], registered)

    def _is_admitted(self, station: Station, identity: Identity) -> bool:
        hold = self._settings.dock.unknown is Unknown.HOLD
        registered = ledger.registered_devices(station.catalogue)
        return admit(identity, registered, hold_unknown=hold) is Admission.TAKE_IN

    def _end(self, station: Station) -> None:
        """Put the end of the stay on record; a settled device that stays plugged has none."""
        state = self._display.state
        if not self._gone.is_set():
            if self._docking is not None and not is_settled(state):
                self._log_end(station, Stay.INTERRUPTED)
            return
        ended = after_removal(state)
        was_held = state is Stay.HELD
        # The names on somebody's private stick are nobody's business.
        seen = self._report.not_in if self._report and not was_held else []
        missing = [item.path for item in seen]
        if self._docking is not None:
            self._log_end(station, ended, missing)
        was_said = was_held or is_settled(state)
        if ended is Stay.REMOVED_EARLY and not was_said and self._is_ours(station):
            # Nothing of it was looked at yet: then its other stay does all that is to be done.
            if self._report is None and self._again.wait(_AGAIN_S):
                return
            self._display.removed_early(station, missing, self._report, self._docking)

    def _is_ours(self, station: Station) -> bool:
        """Tell whether its removal is anybody's business: a stick that nobody looked at is not."""
        plugged = self.plugged
        claims = ledger.claims_of(station.catalogue, plugged.usb, plugged.uuid)
        return self._report is not None or bool(claims)

    def _end_attempt(self, station: Station) -> None:
        """Close the record of an attempt that failed as a whole, before the next one."""
        if self._docking is not None:
            self._log_end(station, Stay.INTERRUPTED)
            self._docking = None

    def _log_end(self, station: Station, state: Stay, missing: Sequence[CardPath] = ()) -> None:
        assert self._docking is not None
        try:
            log_end(station, self._docking, state, missing)
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
            self._display.not_on_record(ours(error))
