"""Raises an alert of something that happens: on record first, then where people look."""

from dataclasses import replace

from recorder_sync.alerts.record import record_changes
from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.alert_facts import event_matter
from recorder_sync.config import Configuration
from recorder_sync.language import Text
from recorder_sync.model import AlertKind
from recorder_sync.on_record import turn
from recorder_sync.rules.matter import Matter, Severity, has_happened, key_of
from recorder_sync.rules.reconcile import Changes
from recorder_sync.station import Station, open_station

_BREACHES = {AlertKind.VERIFICATION_FINDING, AlertKind.COPY_DIFFERS}
"""Evidence may be lost or changed (Art. 27); of other events somebody must know."""


def raise_alert(
    station: Station,
    kind: AlertKind,
    text: Text,
    hint: Text,
    *,
    device: str | None = None,
    docking: str | None = None,
    officer: str | None = None,
    about: str | None = None,
) -> None:
    """Raise an alert, unless the same matter is open already.

    `officer` is the certificate number of who should be told. The same matter is what says
    the same of the same docking or device. Where the rules know the matter as well, `about`
    is what their key is about: then theirs and this are one alert. Raises MissingPart or
    CustodyProblem when it cannot be put on record.
    """
    now = station.now()
    matter = event_matter(kind, text, hint, now, device=device, docking=docking)
    key = matter.key if about is None else key_of(kind, about)
    severity = Severity.BREACH if kind in _BREACHES else matter.severity
    matter = replace(matter, key=key, officer=officer, severity=severity)
    if _is_known(station, matter):
        return
    with turn(station):
        if not _is_known(station, matter):
            record_changes(station, Changes(opened=(matter,)), now)


def _is_known(station: Station, matter: Matter) -> bool:
    """Tell whether it is open, or a person's answer to it still holds."""
    lasts = matter.kind is AlertKind.VERIFICATION_FINDING or not has_happened(matter.key)
    return any(
        one.key == matter.key and (lasts or not one.is_resolved)
        for one in alerts.standing(station.catalogue, {matter.kind})
    )


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
