"""Tells people of a store that does not have what was sealed.

An alert at once, open until a person has looked. What an open alert says of an object is
not said again; and a store that has lost everything is not a thousand alerts: of each store
only the first few stand open at the same time. The queue and the custody log name every one.
"""

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import alerts
from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind
from recorder_sync.station import Station

_MOST = 5
"""Open alerts about the copies of one store."""


def tell_of_copy(
    station: Station, store: str, key: str, what: Text, hint: Text | None = None
) -> None:
    """Raise an alert of an object that is not as it was sealed, in this way.

    Raises MissingPart, CustodyProblem or sqlite3.DatabaseError.
    """
    named = [
        one.text.values.get("key")
        for one in alerts.standing(station.catalogue, {AlertKind.COPY_DIFFERS})
        if not one.is_resolved and one.text.values.get("store") == store
    ]
    if key in named or len(named) >= _MOST:
        return
    raise_alert(
        station,
        AlertKind.COPY_DIFFERS,
        T("The evidence store {store} and {key}: {what}.", store=store, key=key, what=what),
        hint or T("Find out why before the store is trusted: its disks, and who may write there."),
    )
