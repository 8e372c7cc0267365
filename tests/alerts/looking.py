"""What the tick does with matters, without the facts: hold them against the record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from recorder_sync.alerts.record import put_on_record
from recorder_sync.catalogue import alerts
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Item, Matter, Severity, key_of
from recorder_sync.rules.reconcile import Changes, reconcile
from recorder_sync.station import Station
from tests.conftest import Dock

DUE = datetime(2026, 11, 24, 9, tzinfo=UTC)


@contextmanager
def opened(dock: Dock, at: datetime | None = None) -> Iterator[Station]:
    """Open the station; its clock stands where one is given."""
    station = dock.station()
    try:
        yield station if at is None else replace(station, now=lambda: at)
    finally:
        station.catalogue.close()


def outstanding(*names: str, severity: Severity = Severity.WARNING) -> Matter:
    return Matter(
        AlertKind.OUTSTANDING,
        key_of(AlertKind.OUTSTANDING, "0031"),
        severity,
        datetime(2026, 11, 24, 5, tzinfo=UTC),
        T(
            "{count} recording(s) of device {device} are not stored.",
            count=len(names),
            device="0031",
        ),
        T("Dock it."),
        due=DUE,
        device="0031",
        officer="000001",
        count=len(names),
        items=tuple(Item(name, None, DUE) for name in names),
    )


def look(station: Station, *matters: Matter) -> Changes:
    """Put on record what changed since the last look."""
    changes = reconcile(alerts.on_record(station.catalogue), matters)
    put_on_record(station, changes, station.now())
    return changes
