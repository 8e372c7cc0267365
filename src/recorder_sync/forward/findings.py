"""Tells people of a store that does not have what was sealed.

An alert at once, open until a person has looked. What an open alert says of an object is
not said again; and a store that has lost everything is not a thousand alerts: of each store
only the first few stand open at the same time. The queue and the custody log name every one.
"""

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import alerts
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.station import Station
from recorder_sync.stores.store import CopyDiffers

_MOST = 5
"""Open alerts about the copies of one store."""


def tell_of_copy(station: Station, found: CopyDiffers) -> None:
    """Raise an alert of it. Raises MissingPart, CustodyProblem or sqlite3.DatabaseError."""
    named = [
        one.text.values.get("key")
        for one in alerts.standing(station.catalogue, {AlertKind.COPY_DIFFERS})
        if not one.is_resolved and one.text.values.get("store") == found.store
    ]
    if found.key in named or len(named) >= _MOST:
        return
    hint = found.hint or T("Find out why before the store is trusted: its disks, who may write.")
    raise_alert(station, AlertKind.COPY_DIFFERS, found.text, hint)
