"""A port of the dock, with a folder in the place of a mounted card.

Real: the intake, the catalogue, the custody log, the status file. Stand-ins: plugging,
mounting and the check of the device, which need a USB port (tests/e2e has one).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.config import Configuration, load
from recorder_sync.dock.board import Board
from recorder_sync.dock.clearing import ask_for_clearing
from recorder_sync.dock.docked import DockedVolume, Surroundings
from recorder_sync.dock.plugged import Interface, Plugged
from recorder_sync.dock.ports import Ports
from recorder_sync.dock.watcher import Event
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.model import Battery, Health, UsbIdentity
from recorder_sync.rules.docking import Stay
from recorder_sync.station import now
from tests.conftest import Card, Dock
from tests.faults.conftest import hostile
from tests.ingest.aftermath import until

__all__ = ["hostile"]

CAMERA = Plugged(
    key="/sys/devices/usb1/1-1/block/sda/sda1",
    interface=Interface.DISK,
    node=Path("/dev/sda1"),
    mount_name="sda1",
    number=None,
    disk_sequence=None,
    port="1-1",
    usb_path="/sys/devices/usb1/1-1",
    usb=UsbIdentity("1234", "abcd", "CAM0031"),
    maker="Maker",
    model="Model 1",
    file_system="vfat",
    uuid="AAAA-0031",
    label=None,
)


def _yes(_plugged: Plugged) -> bool:
    return True


def _no(_plugged: Plugged) -> bool:
    return False


def stand_in_surroundings(
    settings: Configuration,
    capacity: Capacity,
    board: Board,
    folder: Path,
    is_present: Callable[[Plugged], bool] = _yes,
    has_twin: Callable[[Plugged], bool] = _no,
) -> Surroundings:
    """What the daemon gives a docked volume, with `folder` in the place of its mount."""
    return Surroundings(
        settings=lambda: settings,
        capacity=capacity,
        board=board,
        ports=Ports(
            teller=_Nobody(),
            mount=lambda _plugged, _stop: folder,
            is_present=is_present,
            check=lambda _plugged, _root: Health(battery=Battery(91, "stand-in")),
            clear=ask_for_clearing,
        ),
        has_twin=has_twin,
    )


class _Nobody:
    """Tells of no device: the tests plug in by hand."""

    def events(self) -> Iterator[Event]:
        return iter(())

    def stop(self) -> None:
        """Nothing was begun."""


class Port:
    """One port: what is plugged into it, and what it shows."""

    def __init__(self, dock: Dock, stack: ExitStack) -> None:
        self.dock = dock
        self._settings = load(dock.config)
        self.runtime = self._settings.paths.runtime
        self._capacity = Capacity(self._settings, stack)
        self.board = stack.enter_context(Board(self.runtime, "test", now))
        self._status = self.runtime / "status.json"
        self._present = False
        self._twin = False
        self._volume: DockedVolume | None = None
        self._plugged = CAMERA
        self._stack = stack
        stack.callback(self._end)

    def plug(self, folder: Path, *, port: str = "1-1", twin: bool = False) -> None:
        """Plug the camera in, with its card in this folder."""
        self._present, self._twin = True, twin
        self._plugged = replace(CAMERA, port=port)
        around = stand_in_surroundings(
            self._settings,
            self._capacity,
            self.board,
            folder,
            is_present=lambda _plugged: self._present,
            has_twin=lambda _plugged: self._twin,
        )
        self._volume = DockedVolume(self._plugged, around)
        self._volume.start()

    @property
    def volume(self) -> DockedVolume:
        assert self._volume
        return self._volume

    def lose(self) -> None:
        """The device is gone, and udev has not said so yet."""
        self._present = False

    def pull(self) -> None:
        """Pull the camera out, and wait until the port has taken note."""
        self._present = False
        assert self._volume
        self._volume.gone()
        assert self._volume.join(30)

    def stop(self) -> None:
        """Stop the service with the camera plugged in."""
        assert self._volume
        self._volume.stop()
        assert self._volume.join(30)

    def shows(self, *wanted: Stay) -> Any:
        """Wait until the status file shows one of these states; return the port's entry."""

        def entry() -> Any:
            for port in json.loads(self._status.read_text("utf-8"))["ports"]:
                if port["state"] in wanted:
                    return port
            return None

        return until(entry, f"{wanted}")

    def newest(self) -> Any:
        """Return the newest docking on record."""
        return self.dock.run("dockings", "list", "--json").json["dockings"][0]

    def alerts(self) -> list[Any]:
        return list(self.dock.run("status", "--json").json["alerts"])

    def close(self) -> None:
        """Let go of the station, as a service that is stopped does."""
        self._stack.close()

    def _end(self) -> None:
        if self._volume is not None:
            self._volume.stop()
            self._volume.join(30)


@pytest.fixture
def new_port(dock: Dock, tmp_path: Path) -> Iterator[Callable[..., Port]]:
    """Open a port of the station with these settings of [dock]."""
    with ExitStack() as stack:

        def opened(**settings: object) -> Port:
            dock.configure(
                paths={"runtime": str(tmp_path / "run")},
                dock=settings,
                ingest={"immutable": False},
            )
            return Port(dock, stack)

        yield opened


@pytest.fixture
def port(dock: Dock, new_port: Callable[..., Port]) -> Port:
    """A port of a station whose ledger knows device 0031."""
    opened = new_port()
    assert dock.run("devices", "add", "0031").code == 0
    return opened


@pytest.fixture
def camera(card: Card) -> Card:
    """The card of a camera whose identity file says 0031."""
    card.put("device.json", b'{"device": "0031"}')
    return card
