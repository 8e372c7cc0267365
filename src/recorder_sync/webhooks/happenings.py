"""Which entries of the custody log are events for other programs, and what they say. Pure.

An event names what happened and to what; whoever wants to know more asks the API, with a
token that says what it may see. So no event holds a party, a note or a name of a person.
"""

from recorder_sync.custody.entry import Act, Entry
from recorder_sync.rules.documents import is_document
from recorder_sync.timestamps import iso
from recorder_sync.webhooks.happening import Happening

_HAPPENING_OF = {
    Act.SEAL: Happening.RECORDING_SEALED,
    Act.TAG: Happening.RECORDING_CORRECTED,
    Act.CONFIRMED: Happening.RECORDING_CONFIRMED,
    Act.DOCKING_CLOSED: Happening.DOCKING_CLOSED,
    Act.DEVICE_EVENT: Happening.DEVICE_MOVED,
    Act.ALERT: Happening.ALERT_OPENED,
    Act.ALERT_RESOLVED: Happening.ALERT_RESOLVED,
}

ACTS = frozenset(_HAPPENING_OF)


def happening_of(entry: Entry) -> Happening | None:
    """Return what an entry is for other programs; None: nothing that they are told."""
    if is_document(entry.deed.subject):
        return None
    return _HAPPENING_OF.get(entry.deed.act)


def told_of(entry: Entry) -> dict[str, object]:
    """Return what a webhook says of an entry that is an event."""
    happening = _HAPPENING_OF[entry.deed.act]
    return {
        "type": happening.value,
        "timestamp": iso(entry.deed.time),
        "data": {
            "station": entry.station,
            "subject": entry.deed.subject,
            "custody_seq": entry.seq,
        },
    }
