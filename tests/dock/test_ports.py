"""All ports together, as the watcher tells what comes and goes."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from recorder_sync.config import Configuration, load
from recorder_sync.dock import docked
from recorder_sync.dock.board import Board
from recorder_sync.dock.dock import Dock as AllPorts
from recorder_sync.dock.ports import usb_ports
from recorder_sync.dock.watcher import Came, Gone
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.model import Health
from recorder_sync.station import now
from tests.conftest import Dock
from tests.dock.conftest import CAMERA

GONE = Gone(CAMERA.key, CAMERA.usb_path)


def opened(settings: Configuration, stack: ExitStack) -> AllPorts:
    """Return the station's own ports; what is plugged in is not checked."""
    capacity = Capacity(settings, stack)
    return AllPorts(
        lambda: settings,
        capacity,
        stack.enter_context(Board(settings.paths.runtime, "test", now)),
        replace(usb_ports(lambda: settings, capacity), check=lambda _plugged, _root: Health()),
    )


def alerts_after(station: Dock, *events: Came | Gone) -> list[Any]:
    """Tell the ports of these events; return the kinds of the open alerts."""
    settings = load(station.config)
    with ExitStack() as stack:
        ports = opened(settings, stack)
        for event in events:
            ports.handle(event)
        assert ports.stop(30)
    return [alert["kind"] for alert in station.run("status", "--json").json["alerts"]]


@pytest.fixture
def known(dock: Dock, new_port: Callable[..., object]) -> Dock:
    """A station whose ledger knows the camera by its USB identity."""
    new_port()
    assert dock.run("devices", "add", "0031", "--usb", str(CAMERA.usb)).code == 0
    return dock


def test_a_known_camera_that_is_pulled_out_before_it_was_looked_at_is_alerted(
    known: Dock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docked, "_AGAIN_S", 0.2)
    assert alerts_after(known, Came(CAMERA), GONE) == ["removed-early"]


def test_a_camera_that_comes_again_at_once_was_not_removed_early(known: Dock) -> None:
    """Its disk got another sequence number: no person pulled anything."""
    again = Came(replace(CAMERA, disk_sequence=2))
    assert alerts_after(known, Came(CAMERA), GONE, again) == []


def test_a_volume_that_comes_when_the_service_ends_is_not_begun(known: Dock) -> None:
    settings = load(known.config)
    with ExitStack() as stack:
        ports = opened(settings, stack)
        assert ports.stop(30)
        ports.handle(Came(CAMERA))
        begun = any(thread.name == "port 1-1" for thread in threading.enumerate())
        ports.handle(GONE)
    assert not begun
