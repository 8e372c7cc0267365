"""Cameras are plugged in, and people walk away."""

import pytest

from recorder_sync.rules.docking import Stay
from tests.e2e.aftermath import all_is_accounted_for
from tests.e2e.camera import FileSystem, Workshop
from tests.e2e.conftest import Booting
from tests.e2e.dock import Dock
from tests.e2e.live import OnPort


@pytest.mark.smoke
def test_a_camera_is_taken_in_and_said_to_be_safe(dock: Dock, workshop: Workshop) -> None:
    camera = workshop.camera("0031")
    dock.register(camera)
    dock.plug(camera)
    assert dock.until_settled(camera) == [Stay.SAFE]
    dock.pull(camera)
    all_is_accounted_for(dock, camera)
    assert [row["state"] for row in dock.dockings()] == [Stay.REMOVED]


@pytest.mark.parametrize("file_system", FileSystem)
@pytest.mark.parametrize("partitioned", [True, False], ids=["partitioned", "whole disk"])
def test_cards_of_every_make_are_taken_in(
    dock: Dock, workshop: Workshop, file_system: FileSystem, partitioned: bool
) -> None:
    camera = workshop.camera("0031", file_system=file_system, partitioned=partitioned)
    dock.register(camera)
    dock.plug(camera)
    assert dock.until_settled(camera) == [Stay.SAFE]
    dock.pull(camera)
    all_is_accounted_for(dock, camera)


def test_four_cameras_on_a_hub_are_taken_in_at_once(dock: Dock, workshop: Workshop) -> None:
    cameras = [workshop.camera(f"003{n}") for n in range(1, 5)]
    dock.register(*cameras)
    dock.plug_hub("4")
    for n, camera in enumerate(cameras, 1):
        dock.plug(camera, f"4.{n}")
    assert dock.until_settled(*cameras) == [Stay.SAFE] * 4
    dock.pull(*cameras)
    all_is_accounted_for(dock, *cameras)


def test_a_camera_that_was_plugged_in_before_the_start_is_taken_in(
    dock: Dock, workshop: Workshop, booting: Booting
) -> None:
    camera = workshop.camera("0031")
    dock.register(camera)
    dock.machine.agent.sh("sync")
    with booting(dock, [camera]) as again:
        assert again.until_settled(camera) == [Stay.SAFE]
        again.pull(camera)
        all_is_accounted_for(again, camera)


def test_an_unknown_stick_is_held_until_it_is_registered(dock: Dock, workshop: Workshop) -> None:
    stick = workshop.camera("0077")
    dock.plug(stick)
    (held,) = dock.until("the stick is held", _one_is_held)
    assert dock.recordings() == []
    added = dock.run("devices", "add", "0077", "--docking", held.docking or "")
    assert added.code == 0, added.err
    dock.until_settled(stick)
    dock.pull(stick)
    all_is_accounted_for(dock, stick)


def _one_is_held(ports: list[OnPort]) -> bool:
    return [row.state for row in ports] == [Stay.HELD]
