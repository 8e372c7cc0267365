"""`recorder-sync status`: how the station stands."""

from typing import Annotated

import typer

from recorder_sync.catalogue import dockings, recordings
from recorder_sync.cli.dockings import docking_json
from recorder_sync.cli.screen import amount, answers, facts, local, print_json, table
from recorder_sync.cli.session import station_of
from recorder_sync.ingest.medium import file_system_of, has_device
from recorder_sync.language import tr

_DOCKINGS = 5


def status(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help=tr("Print JSON."))] = False,
) -> None:
    with station_of(context) as station:
        settings = station.settings
        protection = station.evidence.protection_in_force()
        file_system = file_system_of(station.evidence.root)
        proves = settings.ingest.read_back and has_device(file_system)
        free = station.evidence.free_bytes()
        sealed, late = recordings.count_sealed(station.catalogue)
        size = recordings.size_sealed(station.catalogue)
        unfinished = len(recordings.intents(station.catalogue))
        newest = dockings.list_dockings(station.catalogue, None, _DOCKINGS)
        entries = station.custody.size()
        if json:
            print_json(
                {
                    "station": settings.station.id,
                    "evidence": {
                        "path": str(station.evidence.root),
                        "file_system": file_system,
                        "free": free,
                        "protection": protection.value,
                        "read_back_proves_medium": proves,
                    },
                    "recordings": {
                        "sealed": sealed,
                        "bytes": size,
                        "late": late,
                        "unfinished": unfinished,
                    },
                    "custody_entries": entries,
                    "dockings": [docking_json(docking) for docking in newest],
                }
            )
            return
        facts(
            [
                (tr("Station"), settings.station.id),
                (tr("Evidence"), f"{station.evidence.root} ({file_system})"),
                (tr("Free"), amount(free)),
                (tr("Protection"), tr(protection.value)),
                (tr("Read-back"), tr("proves the medium") if proves else tr("proves nothing here")),
                (tr("Sealed"), f"{sealed} ({amount(size)})"),
                (tr("Late"), late),
                (tr("Unfinished"), unfinished),
                (tr("Custody entries"), entries),
            ]
        )
        if newest:
            answers.print()
            table(
                [tr("Docking"), tr("Device"), tr("Begun"), tr("Result")],
                (
                    (
                        d.id,
                        d.identity.device,
                        local(d.started_at, settings.station.zone),
                        tr(d.outcome.value) if d.outcome else tr("in progress"),
                    )
                    for d in newest
                ),
            )
