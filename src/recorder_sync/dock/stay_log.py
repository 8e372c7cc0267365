"""Puts what happens at a port on record, beside the intake's own entries."""

from collections.abc import Sequence

from recorder_sync.catalogue import dockings
from recorder_sync.catalogue.dockings import Docking
from recorder_sync.custody.log import Act
from recorder_sync.ingest.docking_log import docking_facts
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.seal import path_facts
from recorder_sync.model import CardPath
from recorder_sync.on_record import append, turn
from recorder_sync.rules.docking import Stay, after_removal
from recorder_sync.station import Station


def log_held(station: Station, report: Report) -> None:
    """Put on record that a device waits for the custodian.

    The names of its files are not: it may be somebody's private stick.
    """
    arrival = report.arrival
    assert arrival is not None
    docking = Docking(
        id=report.docking,
        source=report.source,
        port=report.port,
        identity=report.identity,
        storage=report.storage,
        started_at=report.started_at,
        state=Stay.HELD,
        usb=arrival.usb,
        fs_uuid=arrival.fs_uuid,
        health=arrival.health,
    )
    with turn(station):
        append(station, [station.deed(Act.DEVICE_HELD, report.docking, docking_facts(docking))])
        dockings.open_docking(station.catalogue, docking)


def log_end(station: Station, docking: str, state: Stay, missing: Sequence[CardPath] = ()) -> None:
    """Put the end of a stay on record, with the recordings that are not in by name.

    A docking whose intake failed before it was on record has no end either.
    """
    facts = {"state": state.value, "missing": [path_facts(path) for path in missing]}
    with turn(station):
        if dockings.is_entered(station.catalogue, docking):
            deed = station.deed(Act.DEVICE_REMOVED, docking, facts)
            append(station, [deed])
            dockings.end_stay(station.catalogue, docking, state, deed.time)


def end_stays_of_earlier_runs(station: Station) -> int:
    """End the stays that an earlier run of the service left open; return how many.

    Nobody saw whether those devices were removed; one that is still there begins anew.
    """
    stays = dockings.open_stays(station.catalogue)
    for docking, state in stays.items():
        is_safe = after_removal(state) is Stay.REMOVED
        log_end(station, docking, Stay.REMOVED if is_safe else Stay.INTERRUPTED)
    return len(stays)
