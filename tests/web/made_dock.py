"""Ports as the daemon would show them: the real writer of the live status, with made-up rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from recorder_sync.dock.board import Board, Progress, Row
from recorder_sync.language import T
from recorder_sync.model import Battery, Health, Storage
from recorder_sync.rules.docking import Stay
from recorder_sync.station import now

MIB = 1 << 20
GRID = [[f"1-1.{row * 4 + column}" for column in range(1, 5)] for row in range(4)]
SINCE = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


def health(percent: int, free: int = 60) -> Health:
    return Health(
        Battery(percent, "made"),
        Storage(64 << 30, (100 - free) * (64 << 30) // 100, free * (64 << 30) // 100),
    )


def row(port: str, state: Stay, device: str | None = None, **more: object) -> Row:
    values: dict[str, object] = {
        "port": port,
        "volume": f"sd{port[-1]}",
        "usb_path": f"/sys/{port}",
        "since": SINCE,
        "state": state,
        "device": device,
        "docking": f"docking-of-{port}" if state is not Stay.GREETED else None,
        **more,
    }
    return Row(**values)  # type: ignore[arg-type]


def copying(done: int, of: int = 3600, *, waits: bool = False) -> Progress:
    return Progress(
        140, done * 140 // of, 0, of * MIB, done * MIB, 0, None if waits else 31.0 * MIB, waits
    )


def full_dock() -> list[Row]:
    """Return sixteen ports, two of them empty, in every state that there is."""
    sealed = Progress(24, 24, 0, 0, 0, 0)
    names = [f"ZFY-{number:04d}" for number in range(31, 47)]
    safe = T("Everything is sealed.")
    return [
        row(
            "1-1.1",
            Stay.COPYING,
            names[0],
            officer="000010",
            health=health(83),
            progress=copying(1300),
        ),
        row(
            "1-1.2",
            Stay.COPYING,
            names[1],
            officer="000001",
            health=health(45, 8),
            progress=copying(3550),
        ),
        row(
            "1-1.3",
            Stay.SAFE,
            names[2],
            officer="000023",
            health=health(100, 91),
            progress=sealed,
            message=safe,
            ready=True,
        ),
        row(
            "1-1.4",
            Stay.SAFE,
            names[3],
            officer="000010",
            health=health(12, 91),
            progress=sealed,
            message=safe,
            ready=False,
            not_ready=(
                T("The battery has {percent} %; {least} % are needed.", percent=12, least=30),
            ),
        ),
        row(
            "1-1.5",
            Stay.COPYING,
            names[4],
            officer="000001",
            health=health(66),
            progress=copying(0, waits=True),
        ),
        row(
            "1-1.6",
            Stay.VERIFYING,
            names[5],
            officer="000023",
            health=health(66),
            progress=Progress(140, 131, 0, 3600 * MIB, 3600 * MIB, 2800 * MIB),
        ),
        row(
            "1-1.7",
            Stay.HELD,
            None,
            model="Body Cam X9",
            health=health(50),
            message=T(
                "Not in the device ledger; nothing is copied. {count} recording(s) are on it.",
                count=7,
            ),
            hint=T(
                "Register it: recorder-sync devices add NUMBER --docking {docking}. "
                "It is taken in then by itself.",
                docking="D1",
            ),
        ),
        row(
            "1-1.8",
            Stay.NEEDS_CUSTODIAN,
            names[6],
            officer="000010",
            health=health(71),
            progress=Progress(24, 22, 2, 0, 0, 0),
            message=T("{left} recording(s) could not be taken in whole.", left=2),
            hint=T("See: recorder-sync dockings show {docking}", docking="D2"),
        ),
        row("1-1.9", Stay.GREETED, None, model="DSJ-A3"),
        row(
            "1-1.10",
            Stay.SAFE_WITH_PROBLEMS,
            names[7],
            officer="000001",
            health=health(77),
            progress=sealed,
            message=T("Everything is sealed; some recordings were changed on the card."),
        ),
        row(
            "1-1.11",
            Stay.SAFE,
            names[8],
            officer="000023",
            health=health(95),
            progress=sealed,
            message=safe,
        ),
        row(
            "1-1.12",
            Stay.COPYING,
            names[9],
            officer="000001",
            health=health(88),
            progress=copying(700),
        ),
        row("1-1.14", Stay.SAFE, names[10], health=health(58), progress=sealed, message=safe),
        row(
            "1-1.15",
            Stay.COPYING,
            names[11],
            officer="000010",
            health=health(31),
            progress=copying(2100),
        ),
    ]


@contextmanager
def shown_by(runtime: Path, rows: list[Row]) -> Iterator[Board]:
    """Keep the live status of a station as its daemon would."""
    board = Board(runtime, "dock-01", now)
    for number, one in enumerate(rows):
        board.show(str(number), one)
    with board:
        yield board
