"""Which alerts of something that happened are of nothing any more?

No rule finds again what happened once, but of some the cause is seen to go: everything of a
docking that was cut off is sealed later, a device that was held is registered. The others
stay open until a person resolves them.
"""

from sqlite_utils.db import Database

from recorder_sync.alerts.record import put_on_record
from recorder_sync.catalogue import alerts, dockings, ledger
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.catalogue.not_in import is_outstanding
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import has_happened
from recorder_sync.rules.reconcile import Changes
from recorder_sync.station import Station
from recorder_sync.timestamps import iso

_NOT_ALL_IN = {AlertKind.REMOVED_EARLY, AlertKind.NOT_TAKEN_IN}
_OF_A_DOCKING = _NOT_ALL_IN | {AlertKind.DEVICE_HELD}


def events_gone(db: Database) -> tuple[int, ...]:
    """Return the numbers of open alerts of events whose cause is gone, for `Changes.resolved`."""
    return tuple(
        one.number
        for one in alerts.standing(db, _OF_A_DOCKING)
        if not one.is_resolved and has_happened(one.key) and _is_gone(db, one)
    )


def resolve_events(station: Station, kind: AlertKind) -> None:
    """Put on record that the cause of every open alert of an event of this kind is gone.

    Raises MissingPart or CustodyProblem.
    """
    found = tuple(
        one.number
        for one in alerts.live(station.catalogue)
        if one.kind is kind and has_happened(one.key)
    )
    if found:
        put_on_record(station, Changes(resolved=found), station.now())


def _is_gone(db: Database, one: RecordedAlert) -> bool:
    if one.kind is AlertKind.DEVICE_HELD:
        return one.docking is not None and _is_registered(db, one.docking)
    if one.kind not in _NOT_ALL_IN:
        return False
    if one.docking is not None and dockings.has_inventory(db, one.docking):
        return not is_outstanding(db, one.docking)
    return one.device is not None and dockings.was_taken_in(db, one.device, iso(one.raised_at))


def _is_registered(db: Database, docking: str) -> bool:
    if not dockings.is_entered(db, docking):
        return False
    held = dockings.docking(db, docking)
    number = held.identity.device
    known = ledger.device(db, number) if number else None
    return bool(
        (known is not None and known.registered_at)
        or (held.usb and ledger.owners_of_usb(db, held.usb))
        or (held.fs_uuid and ledger.owners_of_file_system(db, held.fs_uuid))
    )
