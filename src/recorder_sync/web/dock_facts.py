"""What the dock screen shows besides the ports: who is due, and what is wrong with the station.

It is read from the catalogue now and then, and not for every step of a copy.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from recorder_sync.alerts.events import events_gone
from recorder_sync.catalogue import alerts, dockings, ledger
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.errors import NotFound
from recorder_sync.language import Text
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Severity
from recorder_sync.station import Station
from recorder_sync.watching.deadlines import DeviceDeadlines
from recorder_sync.watching.source import Look
from recorder_sync.web.dock_tiles import Known, PulledEarly

_OF_STATION = frozenset(
    {
        *(AlertKind.STATION, AlertKind.EVIDENCE_DISK, AlertKind.BACKUP_FAILED),
        *(AlertKind.VERIFICATION_FINDING, AlertKind.VERIFICATION_BEHIND),
        *(AlertKind.STORE_UNREACHABLE, AlertKind.STORE_STOPPED, AlertKind.QUEUE_WAITS),
        *(AlertKind.NOT_WITNESSED, AlertKind.RESTARTED, AlertKind.WATCH_FAILING),
        *(AlertKind.CLOCK_STEPPED, AlertKind.CLOCK_NOT_SYNCHRONISED),
        *(AlertKind.CHANNEL_DEAD, AlertKind.MESSAGE_GIVEN_UP, AlertKind.FFPROBE),
    }
)
_WORST_FIRST = (Severity.BREACH, Severity.WARNING, Severity.NOTICE)
_DUE_WITHIN = timedelta(hours=24)
_MOST_DUE = 12
_EARLY_SHOWN_FOR = timedelta(hours=12)
"""How long a port tells of a device that was pulled out there; then the list of who is due
does."""


@dataclass(frozen=True, slots=True)
class Due:
    """A device that has to be docked."""

    device: str
    officer: str | None
    """Name, or certificate number."""
    due: datetime
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class StationMatter:
    text: Text
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Facts:
    known: Known = field(default_factory=Known)
    due: tuple[Due, ...] = ()
    matters: tuple[StationMatter, ...] = ()
    """Of the station itself, the worst first."""


class Gathering:
    """Reads the facts, and remembers what did not change."""

    def __init__(self) -> None:
        self._deadlines = DeviceDeadlines()

    def facts(self, station: Station) -> Facts:
        """Raises sqlite3.DatabaseError or ValueError where the catalogue cannot be read."""
        db, now = station.catalogue, station.now()
        names = {one.cert_no: one.name for one in ledger.officers(db) if one.name}
        live = alerts.live(db)
        due = [
            Due(one.name, names.get(one.officer or "") or one.officer, one.due, one.due < now)
            for one in self._deadlines.now(Look(station, now))
            if one.due < now + _DUE_WITHIN
        ]
        matters = sorted(
            (one for one in live if one.kind in _OF_STATION),
            key=lambda one: (_WORST_FIRST.index(one.severity), -one.number),
        )
        return Facts(
            Known(names, tuple(_pulled_early(station, live, now))),
            tuple(due[:_MOST_DUE]),
            tuple(StationMatter(one.text, one.severity is Severity.BREACH) for one in matters),
        )


def _pulled_early(station: Station, live: list[RecordedAlert], now: datetime) -> list[PulledEarly]:
    found, gone = [], events_gone(station.catalogue)
    for one in live:
        is_recent = now - one.raised_at <= _EARLY_SHOWN_FOR
        if one.kind is not AlertKind.REMOVED_EARLY or one.docking is None or not is_recent:
            continue
        if one.number in gone:  # the daemon's next look resolves it
            continue
        try:
            docking = dockings.docking(station.catalogue, one.docking)
        except NotFound:  # a card that was pulled out before it was entered
            continue
        if docking.port:
            found.append(PulledEarly(docking.port, one.device, one.officer))
    return found
