"""One picture of the dock screen as the screens get it: tiles, troubles, who is due.

A message is what a script in the browser fills the page with, and what the first page is made
of. Where the status may not be relied on, tiles say nothing but which port they are of.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from hashlib import sha256
from typing import Any

from recorder_sync.config import Configuration
from recorder_sync.dock.live_status import Status
from recorder_sync.language import T, tr
from recorder_sync.station import now
from recorder_sync.timestamps import moment
from recorder_sync.web.dock_facts import Facts
from recorder_sync.web.dock_tiles import Tile, summary, tiles
from recorder_sync.web.rendering import STATIC, TEMPLATES

_MATTERS = 2
"""Matters of the station that are shown in full."""

Message = dict[str, Any]


class Reliance(StrEnum):
    """Whether what the screen shows is so."""

    LIVE = "live"
    STALE = "stale"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is to be shown now."""

    status: Status | None
    reliance: Reliance
    facts: Facts


def message_of(settings: Configuration, seen: Seen) -> Message:
    status = seen.status
    found, columns = tiles(
        status["ports"] if status else (), settings.web.dock_grid, seen.facts.known
    )
    is_live = seen.reliance is Reliance.LIVE
    counted = summary(found) if is_live else None
    return {
        "whole": True,
        "build": _build(),
        "state": seen.reliance.value,
        "trouble": _trouble(settings, seen),
        "columns": columns,
        "idle": all(tile.kind in ("free", "gap") for tile in found),
        "summary": counted.shown if counted else None,
        "tiles": [asdict(tile) for tile in (found if is_live else map(_unreliable, found))],
        "matters": _matters(seen),
        "due": [
            {
                "device": one.device,
                "officer": one.officer,
                "by": _by(one.due, settings),
                "late": one.is_overdue,
            }
            for one in seen.facts.due
        ],
    }


@cache
def _build() -> str:
    """Return what differs where the page of the screen does: an open one loads itself again."""
    files = sorted((*STATIC.glob("dock*"), *TEMPLATES.glob("dock/*")))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _unreliable(tile: Tile) -> Tile:
    """Return a tile that says nothing but which port it is of."""
    if tile.kind == "gap":
        return tile
    return Tile(
        tile.port,
        kind="lost",
        sign="unknown",
        word=tr("Not known"),
        device=tile.device,
        officer=tile.officer,
    )


def _trouble(settings: Configuration, seen: Seen) -> dict[str, str] | None:
    """Return what keeps the screen from being relied on, and what to do."""
    match seen.reliance:
        case Reliance.LIVE:
            return None
        case Reliance.STALE:
            assert seen.status is not None
            at = moment(seen.status["at"]).astimezone(settings.station.zone)
            text = T("No sign of life from the dock since {time}.", time=f"{at:%H:%M:%S}").shown
        case Reliance.DOWN:
            text = tr("The dock service does not run.")
    return {
        "text": text,
        "hint": tr(
            "Do not rely on this screen. Leave everything plugged in and call the custodian."
        ),
    }


def _matters(seen: Seen) -> list[dict[str, object]]:
    found: list[dict[str, object]] = [
        {"text": one.text.shown, "bad": one.is_bad} for one in seen.facts.matters[:_MATTERS]
    ]
    if seen.status and seen.status["configuration_problem"]:
        found.insert(
            0,
            {"text": tr("The configuration has a problem. Tell the administrator."), "bad": False},
        )
    more = len(seen.facts.matters) - _MATTERS
    if more > 0:
        found.append({"text": T("… and {count} more matters", count=more).shown, "bad": False})
    return found


def _by(due: datetime, settings: Configuration) -> str:
    local, today = due.astimezone(settings.station.zone), now().astimezone(settings.station.zone)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%m-%d %H:%M}"


def changes(before: Message, after: Message) -> Message:
    """Return what a screen that shows `before` needs in order to show `after`."""
    keys = [[tile["port"] for tile in one["tiles"]] for one in (before, after)]
    if keys[0] != keys[1] or before["columns"] != after["columns"]:
        return after
    pairs = zip(before["tiles"], after["tiles"], strict=True)
    changed = {str(at): new for at, (old, new) in enumerate(pairs) if old != new}
    rest = {key: value for key, value in after.items() if key != "tiles" and value != before[key]}
    return {**rest, "whole": False, "tiles": changed}
