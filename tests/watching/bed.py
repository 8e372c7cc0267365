"""A station with a clock that the test sets, cards that are really taken in, and the tick.

Everything is on record as the product puts it there: intakes by the engine, the ledger, the
calendar and deferrals by what the commands call. Only the clock is the test's.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recorder_sync.alerts.record import resolve
from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.catalogue.dockings import DockingOutcome
from recorder_sync.custodian import moves
from recorder_sync.custodian.registration import (
    DeviceEntry,
    register_devices,
    register_officers,
)
from recorder_sync.dock.stay_log import log_end
from recorder_sync.ingest.arrival import Arrival
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.ingest.docking_log import log_closing, log_opening
from recorder_sync.ingest.intake import Request, looked_at, new_docking_id
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.seal import Outcome
from recorder_sync.ingest.stopping import Stop
from recorder_sync.language import Text
from recorder_sync.model import AlertKind, CardPath, Claim, Health, Officer, Source
from recorder_sync.rules.docking import Stay
from recorder_sync.rules.reconcile import AlertState, Changes
from recorder_sync.station import Station
from recorder_sync.watching.tick import Watch
from tests.conftest import Card, Dock

DEVICE, OFFICER = "CAM001", "000001"
MORNING = datetime(2026, 11, 23, 0, tzinfo=UTC)
"""Eight in the morning in Beijing."""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


class Unmoved:
    """Is told of an intake, and says nothing."""

    def listing(self, files: int) -> None: ...
    def planned(self, recordings: int, size: int, already_sealed: int) -> None: ...
    def waiting(self, waits: bool) -> None: ...
    def started(self, path: CardPath, size: int) -> None: ...
    def copied(self, path: CardPath, count: int) -> None: ...
    def read_back(self, path: CardPath, count: int) -> None: ...
    def finished(self, outcome: Outcome) -> None: ...
    def notice(self, text: Text) -> None: ...


@dataclass
class Bed:
    dock: Dock
    capacity: Capacity
    now: datetime = MORNING
    watch: Watch = field(default_factory=Watch)
    _station: Station | None = None

    @property
    def station(self) -> Station:
        if self._station is None:
            self._station = replace(self.dock.station(), now=lambda: self.now)
        return self._station

    def close(self) -> None:
        if self._station is not None:
            self._station.catalogue.close()
            self._station = None

    def configure(self, **sections: dict[str, object] | list[dict[str, object]]) -> None:
        """Have the service take up another configuration."""
        self.dock.configure(**sections)
        self.close()

    def restart(self) -> None:
        """Forget everything that is only in memory."""
        self.close()
        self.watch = Watch()

    def tick(self, at: datetime | None = None) -> Changes:
        self.now = at or self.now
        return self.watch.tick(self.station, self.now)

    def register(self, device: str = DEVICE, officer: str = OFFICER) -> None:
        register_officers(self.station, [Officer(officer, "李明")])
        register_devices(self.station, [DeviceEntry(device, kind="body camera")])

    def issue(self, device: str = DEVICE, officer: str = OFFICER) -> None:
        moves.issue(self.station, device, officer, override="for the test")

    def take_in(
        self,
        card: Card,
        *,
        device: str = DEVICE,
        health: Health | None = None,
        is_cut_off: bool = False,
        in_conflict: bool = False,
        for_: timedelta = timedelta(),
    ) -> Report:
        """Take a card in at a port, for so long; `is_cut_off` after its inventory."""
        station = self.station
        docking = new_docking_id(station, self.now)
        claims: tuple[Claim, ...] = (Claim(device, Source.LEDGER, "file system 12AB-34CD"),)
        if in_conflict:
            claims = (*claims, Claim("OTHER", Source.LEDGER, "USB identity"))
        arrival = Arrival(
            docking, fs_uuid="12AB-34CD", claims=claims, health=health, in_conflict=in_conflict
        )
        request = Request(card.path, port="1-2", arrival=arrival)
        with looked_at(station, request, self.capacity, Unmoved(), Stop()) as intake:
            if is_cut_off:  # as it is on record of a device that is pulled out at once
                report = intake.report
                log_opening(station, report)
                log_closing(station, report, DockingOutcome.INTERRUPTED)
            else:
                report = intake.run()
        self.now += for_
        state = Stay.REMOVED_EARLY if report.not_in else Stay.REMOVED
        log_end(station, docking, state, [item.path for item in report.not_in])
        return report

    def live(self, kind: AlertKind | None = None) -> list[RecordedAlert]:
        """Return the alerts that are not resolved."""
        found = alerts.live(self.station.catalogue)
        return [one for one in found if kind in {None, one.kind}]

    def the(self, kind: AlertKind) -> RecordedAlert:
        """Return the one alert of this kind that is not resolved."""
        (found,) = self.live(kind)
        return found

    def ever(self, kind: AlertKind) -> list[RecordedAlert]:
        found = alerts.newest(self.station.catalogue, 1000)
        return [one for one in reversed(found) if one.kind is kind]

    def resolve(self, one: RecordedAlert) -> None:
        resolve(self.station, one.number, "王队", "looked at")

    def is_resolved(self, number: int) -> bool:
        return alerts.alert(self.station.catalogue, number).state is AlertState.RESOLVED


def named(begins: str, *, device: str = DEVICE, officer: str = OFFICER, ending: str = "wav") -> str:
    """Return a name as cameras give it; `begins` is local time as yyyymmdd_hhmmss."""
    return f"DCIM/DCAM_{device}_{officer}_{begins}.{ending}"


def counted(number: int) -> str:
    return f"DCIM/100MEDIA/MAH{number:04d}.wav"


def another(audio: Path, number: int) -> bytes:
    """Return a recording like this one that no other number has: its last sample differs."""
    return audio.read_bytes()[:-2] + number.to_bytes(2, "little")
