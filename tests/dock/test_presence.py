"""A device that is gone is gone, whatever its mount still says."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from recorder_sync.dock.plugged import Interface
from recorder_sync.dock.presence import is_present
from tests.dock.attached import add_partition, attached, image, plugged, take_partition_away

_LOOP_CHANGE_FD = 0x4C06
"""linux/loop.h: another medium in the same drive."""


@pytest.fixture
def cleaning() -> Iterator[ExitStack]:
    with ExitStack() as cleaning:
        yield cleaning


def test_what_is_attached_is_present(tmp_path: Path, cleaning: ExitStack) -> None:
    assert is_present(attached(image(tmp_path), cleaning))


def test_what_was_detached_is_not(tmp_path: Path) -> None:
    with ExitStack() as plugged_in:
        volume = attached(image(tmp_path), plugged_in)
    assert not is_present(volume)


def test_another_medium_at_the_same_node_is_not_the_one_that_came(
    tmp_path: Path, cleaning: ExitStack
) -> None:
    first = attached(image(tmp_path), cleaning, "--read-only")
    # Or else the node would stay read-only for whoever has it next.
    cleaning.callback(subprocess.run, ["blockdev", "--setrw", str(first.node)], check=True)
    another = image(tmp_path, "another")
    with first.node.open("rb") as slot, another.open("rb") as medium:
        fcntl.ioctl(slot, _LOOP_CHANGE_FD, medium.fileno())
    assert not is_present(first)
    assert is_present(plugged(first.node))


def test_a_partition_is_present_as_long_as_it_and_its_disk(
    tmp_path: Path, cleaning: ExitStack
) -> None:
    whole = attached(image(tmp_path), cleaning)
    volume = add_partition(whole, cleaning)
    assert is_present(volume)
    assert not is_present(replace(volume, disk_sequence=1))
    take_partition_away(whole)
    assert not is_present(volume)


def test_a_node_that_is_no_block_device_is_not_it(tmp_path: Path, cleaning: ExitStack) -> None:
    volume = attached(image(tmp_path), cleaning)
    assert not is_present(replace(volume, node=tmp_path / "image"))
    assert not is_present(replace(volume, node=tmp_path / "nothing"))
    assert not is_present(replace(volume, number=1))


def test_an_mtp_camera_is_present_while_it_is_in_sysfs_and_on_the_bus(
    tmp_path: Path, cleaning: ExitStack
) -> None:
    usb, node = tmp_path / "1-2", tmp_path / "005"
    usb.mkdir()
    node.touch()
    camera = replace(
        attached(image(tmp_path), cleaning),
        interface=Interface.MTP,
        number=None,
        disk_sequence=None,
        usb_path=str(usb),
        node=node,
    )
    assert is_present(camera)
    node.unlink()
    assert not is_present(camera)
    node.touch()
    usb.rmdir()
    assert not is_present(camera)
