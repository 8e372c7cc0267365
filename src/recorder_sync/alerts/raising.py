"""Raises an alert: on record first, then where people look."""

from dataclasses import replace

from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.database import transaction
from recorder_sync.config import Configuration
from recorder_sync.custody.log import Act
from recorder_sync.language import Text
from recorder_sync.model import Alert, AlertKind
from recorder_sync.station import Station, open_station


def raise_alert(
    station: Station,
    kind: AlertKind,
    text: Text,
    hint: Text,
    *,
    device: str | None = None,
    docking: str | None = None,
) -> None:
    """Raise an alert, unless the same matter of the same docking is open already.

    Raises MissingPart or CustodyProblem when it cannot be put on record.
    """
    now = station.now()
    alert = Alert(kind, text, hint, now, device, docking)
    subject = docking or device or station.settings.station.id
    deed = replace(station.deed(Act.ALERT, subject, alerts.alert_facts(alert)), time=now)
    # The log inside the transaction: who takes up the log meanwhile enters no alert twice.
    with transaction(station.catalogue):
        if alerts.is_open(station.catalogue, alert):
            return
        station.custody.append([deed])
        alerts.enter(station.catalogue, alert)


def raise_station_alert(settings: Configuration, text: Text, hint: Text) -> None:
    """Raise an alert about the station from a thread or process that has none open.

    Raises RecorderSyncError, sqlite3.DatabaseError or OSError when it cannot be put on
    record.
    """
    station = open_station(settings, writes_evidence=False)
    try:
        raise_alert(station, AlertKind.STATION, text, hint)
    finally:
        station.catalogue.close()
