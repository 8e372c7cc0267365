"""Which kinds of alert the tick keeps: the rules say each minute whether they are still so.

The others are of something that happened. They are raised where it happens
(`raising.py`), and are open until a person resolves them or their cause is seen to be gone.
"""

from recorder_sync.model import AlertKind

WATCHED = frozenset(AlertKind) - {
    AlertKind.REMOVED_EARLY,
    AlertKind.DEVICE_HELD,
    AlertKind.NOT_TAKEN_IN,
    AlertKind.VERIFICATION_FINDING,
    AlertKind.VERIFICATION_BEHIND,
    AlertKind.COPY_DIFFERS,
    AlertKind.STATION,
}
