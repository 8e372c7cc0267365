"""How the custody entries of one sealed thing are shown and printed."""

from collections.abc import Sequence
from typing import Any

from recorder_sync.cli.screen import table
from recorder_sync.custody.log import Entry
from recorder_sync.language import tr
from recorder_sync.shown import local
from recorder_sync.station import Station


def entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "time": entry.deed.time.isoformat(),
        "actor": entry.deed.actor,
        "act": entry.deed.act.value,
        "leaf": entry.leaf,
    }


def show_entries(entries: Sequence[Entry], station: Station) -> None:
    zone = station.settings.station.zone
    table(
        [tr("Entry"), tr("Time"), tr("Who"), tr("What was done")],
        ((e.seq, local(e.deed.time, zone), e.deed.actor, tr(e.deed.act.value)) for e in entries),
    )
