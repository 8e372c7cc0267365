"""What every port shows right now: kept in memory, and in the live status file.

The file is replaced atomically, at most four times a second while something moves and
every few seconds otherwise, so that whoever reads it sees that the daemon is alive.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from recorder_sync.dock.live_status import FILE_NAME, SAFE
from recorder_sync.health_json import health_json
from recorder_sync.language import Language, Text
from recorder_sync.model import Health, IdentityState
from recorder_sync.rules.docking import MOVES, Stay, after, is_settled
from recorder_sync.timestamps import iso

_SHORTEST_S = 0.25
_LONGEST_S = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an intake is."""

    recordings: int = 0
    """Of the inventory: new ones and those sealed earlier."""
    done: int = 0
    """Sealed, now or earlier."""
    failed: int = 0
    size: int = 0
    """Bytes to copy."""
    copied: int = 0
    read_back: int = 0
    rate: float | None = None
    """Bytes a second, lately."""
    waits: bool = False
    """It waits for its turn to copy."""

    @property
    def left_s(self) -> float | None:
        """Seconds until everything is copied, at this rate."""
        return (self.size - self.copied) / self.rate if self.rate else None


@dataclass(frozen=True, slots=True)
class Row:
    """One volume on one port."""

    port: str
    volume: str
    """Kernel name of the disk or partition, or name of the drop folder."""
    usb_path: str
    """Volumes of one device share it."""
    since: datetime
    state: Stay = Stay.GREETED
    device: str | None = None
    identity: IdentityState | None = None
    docking: str | None = None
    maker: str | None = None
    model: str | None = None
    usb: str | None = None
    officer: str | None = None
    health: Health | None = None
    ready: bool | None = None
    """Whether the device may go out again (Art. 22); None: not known yet."""
    not_ready: tuple[Text, ...] = ()
    progress: Progress = field(default_factory=Progress)
    message: Text | None = None
    hint: Text | None = None


class Board:
    """All rows; written to the status file by a thread of its own while the context lasts."""

    def __init__(self, folder: Path, station: str, now: Callable[[], datetime]) -> None:
        self._path = folder / FILE_NAME
        self._station = station
        self._now = now
        self._rows: dict[str, Row] = {}
        self._configuration_problem: str | None = None
        self._watch: Mapping[str, object] | None = None
        self._web: Mapping[str, object] | None = None
        self._changed = threading.Event()
        self._lock = threading.Lock()
        self._end = False
        self._thread = threading.Thread(target=self._keep_writing, name="status", daemon=True)

    def __enter__(self) -> "Board":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end = True
        self._changed.set()
        self._thread.join()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def show(self, key: str, row: Row) -> None:
        with self._lock:
            self._rows[key] = row
        self._changed.set()

    def change(self, key: str, **what: Any) -> None:
        """Change some fields of a row; one that is not shown any more stays so.

        Raises ValueError for a change of state that is not allowed (rules/docking.py).
        """
        with self._lock:
            row = self._rows.get(key)
            if row is not None:
                after(row.state, what.get("state", row.state))
                self._rows[key] = replace(row, **what)
        self._changed.set()

    def follow(self, key: str, state: Stay, progress: Progress) -> None:
        """Show how far an intake is. A late word of one that is over changes nothing."""
        with self._lock:
            row = self._rows.get(key)
            if row is None or not (row.state is state or state in MOVES[row.state]):
                return
            self._rows[key] = replace(row, state=state, progress=progress, message=None, hint=None)
        self._changed.set()

    def remove(self, key: str) -> None:
        with self._lock:
            self._rows.pop(key, None)
        self._changed.set()

    def configuration_problem(self, text: str | None) -> None:
        """Say that the configuration on disk is not the one in use, and why; or not any more."""
        self._configuration_problem = text
        self._changed.set()

    def serves(self, address: str | None, problem: str | None = None) -> None:
        """Say where this process serves the pages, or what keeps it from that."""
        self._web = {"address": address, "problem": problem}
        self._changed.set()

    def watched(self, found: Mapping[str, object]) -> None:
        """Show the figures of the last look at what is watched (`watching/figures.py`)."""
        self._watch = found
        self._changed.set()

    def rows(self) -> dict[str, Row]:
        with self._lock:
            return dict(self._rows)

    def _keep_writing(self) -> None:
        while not self._end:
            self._changed.wait(_LONGEST_S)
            self._changed.clear()
            with suppress(OSError):  # a full /run: the next change tries again
                self._write()
            time.sleep(_SHORTEST_S)

    def _write(self) -> None:
        document = json.dumps(self._document(), ensure_ascii=False, indent=1)
        beside = self._path.with_suffix(".new")
        beside.write_text(document, encoding="utf-8")
        beside.chmod(0o644)  # anyone's monitoring may read it, whatever the service's umask
        beside.replace(self._path)

    def _document(self) -> dict[str, object]:
        rows = sorted(self.rows().values(), key=lambda row: (_port_order(row.port), row.volume))
        return {
            "station": self._station,
            "pid": os.getpid(),
            "at": iso(self._now()),
            "configuration_problem": self._configuration_problem,
            "watch": self._watch,
            "web": self._web,
            "ports": [_row_json(row, rows) for row in rows],
        }


def device_state(row: Row, rows: list[Row]) -> Stay:
    """Return what is shown of the device as a whole: it is safe when all its volumes are."""
    siblings = [other.state for other in rows if other.usb_path == row.usb_path]
    return max(siblings, key=_URGENCY.index)


_URGENCY = [
    Stay.REMOVED,
    Stay.SAFE,
    Stay.SAFE_WITH_PROBLEMS,
    Stay.VERIFYING,
    Stay.COPYING,
    Stay.GREETED,
    Stay.INTERRUPTED,
    Stay.REMOVED_EARLY,
    Stay.HELD,
    Stay.NEEDS_CUSTODIAN,
]
"""What matters more to whoever stands before the dock comes later."""


def _port_order(port: str) -> list[tuple[int, str]]:
    """Sort 1-1.10 behind 1-1.9."""
    parts = port.replace("-", ".").split(".")
    return [(int(part), "") if part.isdigit() else (1 << 30, part) for part in parts]


def _row_json(row: Row, rows: list[Row]) -> dict[str, object]:
    progress = row.progress
    return {
        "port": row.port,
        "volume": row.volume,
        "state": row.state.value,
        "device_state": device_state(row, rows).value,
        "safe_to_take": all(
            other.state in SAFE for other in rows if other.usb_path == row.usb_path
        ),
        "settled": is_settled(row.state),
        "since": iso(row.since),
        "docking": row.docking,
        "device": row.device,
        "identity": row.identity.value if row.identity else None,
        "officer": row.officer,
        "maker": row.maker,
        "model": row.model,
        "usb": row.usb,
        "health": health_json(row.health) if row.health else None,
        "ready": row.ready,
        "not_ready": [_both(text) for text in row.not_ready],
        "recordings": {
            "total": progress.recordings,
            "done": progress.done,
            "failed": progress.failed,
        },
        "bytes": {
            "total": progress.size,
            "copied": progress.copied,
            "read_back": progress.read_back,
        },
        "rate": round(progress.rate) if progress.rate is not None else None,
        "left_s": round(progress.left_s, 1) if progress.left_s is not None else None,
        "waits_for_turn": progress.waits,
        "message": _both(row.message),
        "hint": _both(row.hint),
    }


def _both(text: Text | None) -> dict[str, str] | None:
    """Return a sentence in every language, for whoever shows it."""
    return {language.value: text.in_language(language) for language in Language} if text else None
