"""What the dock screen says of each port: one unmistakable state, and what to do. Pure.

Everything that a person reads is put together here, in the language of the screen: the first
page is made of it, and so is what is sent to the screens later. A device with several cards
has one tile, which is safe when every card is. What a hint tells the custodian to type is no
use to an officer: then the tile says to call the custodian.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from recorder_sync.dock.live_status import has_more_to_read
from recorder_sync.language import T, Text, chosen_language, tr
from recorder_sync.printable import printable
from recorder_sync.rules.docking import Stay
from recorder_sync.shown import amount

Port = Mapping[str, Any]
"""One volume, as the live status has it (`dock/board.py`)."""

_LOW_PERCENT = 20
_MOVING = frozenset({Stay.COPYING, Stay.VERIFYING})


@dataclass(frozen=True, slots=True)
class Level:
    """A battery, or free space, as a picture and in words."""

    percent: int
    text: str
    is_low: bool


@dataclass(frozen=True, slots=True)
class Moving:
    """How far a copy is."""

    done: int
    size: int
    recordings: str
    rest: str
    """Speed and time left."""


@dataclass(frozen=True, slots=True)
class Tile:
    port: str
    """Empty: a place of the grid where no port is."""
    kind: str = "free"
    """Its look: free, gap, busy, wait, good, unknown, bad."""
    sign: str = "plug"
    word: str = ""
    device: str | None = None
    officer: str | None = None
    battery: Level | None = None
    free: Level | None = None
    moving: Moving | None = None
    says: str | None = None
    do: str | None = None
    note: str | None = None
    """Why the device may not go out again, where it is safe to take."""
    docking: str | None = None
    """What an officer may add something to: a docking of which recordings are sealed."""


@dataclass(frozen=True, slots=True)
class PulledEarly:
    """A device that was pulled out before everything on it was sealed, and is not back."""

    port: str
    device: str | None
    officer: str | None
    """Certificate number."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue adds to the live status."""

    names: Mapping[str, str] = field(default_factory=dict)
    """Of officers, by certificate number."""
    pulled_early: tuple[PulledEarly, ...] = ()


def tiles(
    ports: Iterable[Port], grid: Sequence[Sequence[str]], known: Known
) -> tuple[list[Tile], int]:
    """Return the tiles row by row, and how many are in a row.

    Ports that the grid does not have come after it, in their order.
    """
    by_port: dict[str, list[Port]] = {}
    for one in ports:
        by_port.setdefault(one["port"], []).append(one)
    here = {one["device"] for one in (p for group in by_port.values() for p in group)}
    early = {p.port: p for p in known.pulled_early if p.device is None or p.device not in here}
    columns = max((len(row) for row in grid), default=0)
    placed = [name for row in grid for name in (*row, *("",) * (columns - len(row)))]
    others = [name for name in dict.fromkeys((*by_port, *early)) if name not in placed]
    found = [_tile(name, by_port.get(name), early.get(name), known) for name in (*placed, *others)]
    return found, columns or _columns(len(found))


def _columns(count: int) -> int:
    """Return a shape in which so many tiles are easy to look over."""
    return count if count <= 3 else min(6, ceil(count**0.5))


def _tile(name: str, volumes: list[Port] | None, early: PulledEarly | None, known: Known) -> Tile:
    if volumes:
        return _occupied(name, volumes, known)
    if early is not None:
        return Tile(
            name,
            kind="bad",
            sign="pulled",
            word=tr("Removed too early"),
            device=_plain(early.device),
            officer=_officer(early.officer, known),
            says=tr("Not everything on it is in yet."),
            do=tr("Plug it in again, on any port: it goes on where it stopped."),
        )
    if not name:
        return Tile("", kind="gap")
    return Tile(name, word=tr("Free place"), says=tr("Plug a recorder in here."))


def _occupied(name: str, volumes: list[Port], known: Known) -> Tile:
    shown = max(volumes, key=lambda one: one["device_state"] == one["state"])
    tile = _of_state(shown, volumes)
    health = shown["health"] or {}
    is_settled = all(one["settled"] for one in volumes)
    sealed = sum(one["recordings"]["done"] for one in volumes)
    return replace(
        tile,
        port=printable(name),
        device=_plain(shown["device"] or shown["model"] or shown["usb"]),
        officer=_officer(shown["officer"], known),
        battery=_battery(health.get("battery")),
        free=_free(health.get("storage")),
        docking=shown["docking"] if is_settled and sealed else None,
    )


def _of_state(shown: Port, volumes: list[Port]) -> Tile:
    state = Stay(shown["device_state"])
    says, do = _said(shown["message"]), _said(shown["hint"])
    match state:
        case Stay.SAFE | Stay.SAFE_WITH_PROBLEMS:
            why = tr("; ").join(_said(text).rstrip(".。") for text in shown["not_ready"])
            return Tile(
                "",
                kind="good",
                sign="check",
                word=tr("Safe to take"),
                says=says,
                do=tr("Tell the custodian.") if state is Stay.SAFE_WITH_PROBLEMS else None,
                note=T("Not to go out again yet: {why}", why=why).shown if why else None,
            )
        case Stay.HELD:
            return Tile(
                "",
                kind="unknown",
                sign="unknown",
                word=tr("Unknown device"),
                says=says,
                do=tr("Call the custodian."),
            )
        case Stay.NEEDS_CUSTODIAN | Stay.REMOVED_EARLY:
            return Tile(
                "",
                kind="bad",
                sign="problem",
                word=tr("Problem"),
                says=says,
                do=do or tr("Leave it plugged in and call the custodian."),
            )
        case Stay.COPYING | Stay.VERIFYING:
            return _moving(shown, volumes)
        case Stay.GREETED | Stay.INTERRUPTED | Stay.REMOVED:
            return _busy(shown, says=_other_card(volumes) or says or tr("It is being recognised."))


def _moving(shown: Port, volumes: list[Port]) -> Tile:
    recordings = [one["recordings"] for one in volumes]
    total = sum(one["total"] for one in recordings)
    done = sum(one["done"] for one in recordings)
    is_read_back = Stay(shown["state"]) is Stay.VERIFYING
    size = sum(one["bytes"]["total"] for one in volumes)
    moved = sum(one["bytes"]["read_back" if is_read_back else "copied"] for one in volumes)
    waits = all(one["waits_for_turn"] for one in volumes if Stay(one["state"]) in _MOVING)
    says = tr("Copied; now it is checked.") if is_read_back else None
    says = _other_card(volumes) or _said(shown["message"]) or says
    rest = "" if is_read_back or waits else _rest(shown)
    moving = (
        Moving(moved, size, T("{done} / {total} files", done=done, total=total).shown, rest)
        if total
        else None
    )
    if waits:
        return Tile(
            "",
            kind="wait",
            sign="wait",
            word=tr("Waiting for its turn"),
            moving=moving,
            says=says,
            do=tr("Leave it plugged in."),
        )
    return _busy(shown, moving=moving, says=says)


def _busy(shown: Port, says: str | None, moving: Moving | None = None) -> Tile:
    is_folder = shown["port"].startswith("folder ")
    word, sign = (tr("Being taken in"), "folder") if is_folder else (tr("Do not unplug"), "hand")
    return Tile("", kind="busy", sign=sign, word=word, moving=moving, says=says)


def _other_card(volumes: Iterable[Port]) -> str:
    if any(has_more_to_read(one) for one in volumes):
        return tr("One card is in. Another card of this device is not in yet.")
    return ""


def _rest(port: Port) -> str:
    said = [f"{amount(port['rate'])}/s"] if port["rate"] else []
    left = port["left_s"]
    if left is not None:
        minutes = ceil(left / 60)
        said.append(
            T("about {minutes} min left", minutes=minutes).shown
            if minutes > 1
            else tr("under 1 min left")
        )
    return " · ".join(said)


def _said(text: Mapping[str, str] | None) -> str:
    """Return a sentence of the status in the language of the screen.

    Empty for none, and for one that tells to type a command.
    """
    if text is None:
        return ""
    said = printable(text[chosen_language().value])
    return "" if "recorder-sync " in said or "systemctl" in said else said


def _battery(found: Mapping[str, Any] | None) -> Level | None:
    if found is None:
        return None
    percent = max(0, min(100, round(found["percent"])))
    return Level(percent, f"{percent} %", percent < _LOW_PERCENT)


def _free(found: Mapping[str, int] | None) -> Level | None:
    if not found or not found["total"]:
        return None
    percent = max(0, min(100, 100 * found["free"] // found["total"]))
    return Level(percent, f"{percent} %", percent < _LOW_PERCENT)


def _officer(number: str | None, known: Known) -> str | None:
    return _plain(known.names.get(number) or number) if number else None


def _plain(text: str | None) -> str | None:
    return printable(text) if text else None


def summary(found: Iterable[Tile]) -> Text | None:
    """Return how many devices are in which state, in one line; None where none is there."""
    kinds = [tile.kind for tile in found if tile.kind not in ("free", "gap")]
    if not kinds:
        return None
    return T(
        "{safe} safe to take, {busy} not yet, {person} for the custodian",
        safe=kinds.count("good"),
        busy=kinds.count("busy") + kinds.count("wait"),
        person=kinds.count("bad") + kinds.count("unknown"),
    )
