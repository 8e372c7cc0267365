"""Plugs are pulled, cards break, disks fill up, programs die and the power goes."""

import pytest

from recorder_sync.rules.docking import Stay
from tests.e2e.aftermath import all_is_accounted_for
from tests.e2e.camera import Camera, Workshop
from tests.e2e.conftest import Booting
from tests.e2e.dock import Dock

_SLOW = 300_000
"""Bytes a second: a long recording takes half a minute."""


@pytest.fixture
def being_copied(dock: Dock, workshop: Workshop) -> Camera:
    """A slow camera, in the middle of its long recording."""
    camera = workshop.camera("0031", long=True)
    dock.register(camera)
    dock.plug(camera, "1", bytes_per_s=_SLOW)
    dock.until_in_the_middle(camera)
    return camera


@pytest.mark.smoke
def test_a_pulled_camera_goes_on_at_another_port(dock: Dock, being_copied: Camera) -> None:
    dock.pull(being_copied)
    (early,) = dock.dockings()
    assert early["state"] == Stay.REMOVED_EARLY
    assert {row["path"] for row in dock.inventory(early["docking"])} == set(being_copied.recordings)
    dock.plug(being_copied, "3")
    assert dock.until_settled(being_copied) == [Stay.SAFE]
    dock.pull(being_copied)
    all_is_accounted_for(dock, being_copied)


def test_a_recording_that_cannot_be_read_is_named_and_the_others_are_sealed(
    dock: Dock, workshop: Workshop
) -> None:
    camera = workshop.camera("0031", long=True)
    broken = camera.long_recording
    dock.register(camera)
    dock.plug(camera, bad=(camera.sectors_of(broken, 2 << 20, 8),))
    assert dock.until_settled(camera) == [Stay.NEEDS_CUSTODIAN]
    dock.pull(camera)
    all_is_accounted_for(dock, camera, missing={camera.recordings[broken]})


def test_a_daemon_that_is_killed_while_copying_goes_on(dock: Dock, being_copied: Camera) -> None:
    dock.kill_service()
    dock.full_speed(being_copied)
    assert dock.until_settled(being_copied) == [Stay.SAFE]
    dock.pull(being_copied)
    all_is_accounted_for(dock, being_copied)


def test_a_full_evidence_disk_is_said_and_room_is_enough_to_go_on(
    dock: Dock, workshop: Workshop
) -> None:
    camera = workshop.camera("0031", long=True)
    dock.register(camera)
    dock.fill_evidence_disk(leave_bytes=10 << 20)
    dock.plug(camera)
    assert dock.until_settled(camera) == [Stay.NEEDS_CUSTODIAN]
    assert dock.recordings() == []
    dock.empty_evidence_disk()
    dock.until_safe(camera)
    dock.pull(camera)
    all_is_accounted_for(dock, camera)


def test_after_a_power_cut_the_next_start_goes_on(
    dock: Dock, being_copied: Camera, booting: Booting
) -> None:
    sealed = dock.recordings()
    with booting(dock, [being_copied]) as again:
        assert again.until_settled(being_copied) == [Stay.SAFE]
        again.pull(being_copied)
        all_is_accounted_for(again, being_copied)
        kept = {row["id"] for row in again.recordings()}
        assert {row["id"] for row in sealed} <= kept, "what was sealed before the cut is gone"
