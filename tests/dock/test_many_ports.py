"""Sixteen cameras at once: none stands in another's way, and all of them stop in time."""

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from recorder_sync.config import load
from recorder_sync.dock.board import Board
from recorder_sync.dock.docked import DockedVolume, Surroundings
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.model import UsbIdentity
from recorder_sync.rules.docking import Stay
from recorder_sync.station import now
from tests.conftest import Card, Dock, MediaFiles
from tests.dock.conftest import CAMERA, stand_in_surroundings
from tests.ingest.aftermath import large, sealed, until

_PORTS = 16
_CLIP = 192 << 20
"""Large enough that 16 of them take longer than the stop may."""


def test_the_service_stops_within_ten_seconds_in_the_middle_of_16_copies(
    dock: Dock, tmp_path: Path, media_files: MediaFiles
) -> None:
    dock.configure(
        paths={"runtime": str(tmp_path / "run")},
        dock={"unknown": "ingest"},
        ingest={"immutable": False, "reserve_mib": 0},
    )
    with ExitStack() as stack:
        settings = load(dock.config)
        capacity = Capacity(settings, stack)
        board = stack.enter_context(Board(settings.paths.runtime, "test", now))
        volumes = []
        for number in range(_PORTS):
            card = Card(tmp_path / f"card{number}")
            large(card, f"{number}.mp4", media_files.video, _CLIP)
            around = stand_in_surroundings(settings, capacity, board, card.path)
            volumes.append(docked(number, around))
        for volume in volumes:
            stack.callback(volume.stop)
            volume.start()
        until(lambda: copying(board) >= 2, "copies under way")
        started = time.monotonic()
        for volume in volumes:
            volume.stop()
        assert all(volume.join(10) for volume in volumes)
        assert time.monotonic() - started < 10
    assert sum(sealed(dock).values()) < _PORTS, "all were in before the stop: nothing was shown"
    states = {d["state"] for d in dock.run("dockings", "list", "--json").json["dockings"]}
    assert states <= {Stay.INTERRUPTED, Stay.SAFE}


def docked(number: int, around: Surroundings) -> DockedVolume:
    """Return the volume of one more camera, on a port of its own."""
    return DockedVolume(
        replace(
            CAMERA,
            key=f"{CAMERA.key}{number}",
            port=f"1-{number + 1}",
            usb_path=f"{CAMERA.usb_path}{number}",
            usb=UsbIdentity("1234", "abcd", f"CAM{number}"),
            uuid=f"UUID-{number}",
        ),
        around,
    )


def copying(board: Board) -> int:
    return sum(1 for row in board.rows().values() if row.progress.copied)
