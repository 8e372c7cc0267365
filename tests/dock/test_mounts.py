"""Where a volume is mounted, by the kernel's own table."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from recorder_sync.dock import mounts
from recorder_sync.dock.mounts import (
    Mount,
    NotMounted,
    mount_of,
    mounted_at,
    parse,
    wait_until_mounted,
)
from recorder_sync.dock.plugged import Interface, Plugged
from recorder_sync.errors import VolumeGone
from recorder_sync.ingest.stopping import Stop, Stopping
from tests.dock.attached import attached, image
from tests.faults.loop import mount


@pytest.fixture
def cleaning() -> Iterator[ExitStack]:
    with ExitStack() as cleaning:
        yield cleaning


@pytest.fixture
def volume(tmp_path: Path, cleaning: ExitStack) -> Plugged:
    return attached(image(tmp_path), cleaning)


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    folder = tmp_path / "volumes"
    folder.mkdir()
    return folder


def folder(where: Path) -> Path:
    where.mkdir(parents=True)
    return where


def test_names_are_unescaped_and_may_be_any_bytes() -> None:
    line = b"36 35 8:1 / /media/a\\040b\\011\\134\xff ro,nosuid - vfat /dev/sda1 rw\n"
    (found,) = parse(line)
    assert os.fsencode(found.folder) == b"/media/a b\t\\\xff"
    assert found.number == os.makedev(8, 1)


@pytest.mark.parametrize(("options", "read_only"), [(b"ro,nosuid", True), (b"rw,errors=ro", False)])
def test_only_the_file_system_itself_can_be_read_only(options: bytes, read_only: bool) -> None:
    (found,) = parse(b"36 35 8:1 / /a ro shared:1 master:2 - vfat /dev/sda1 " + options)
    assert found.is_read_only is read_only


def test_what_is_covered_by_another_mount_cannot_be_seen() -> None:
    table = b"1 0 8:1 / /a rw - vfat /dev/sda1 rw\n2 1 8:2 / /a rw - vfat /dev/sda2 rw\n"
    assert parse(table) == [Mount(Path("/a"), os.makedev(8, 2), True, False, Path("/dev/sda2"))]


def test_a_volume_that_is_not_mounted_is_nowhere(volume: Plugged, volumes: Path) -> None:
    assert mounted_at(volume, volumes) is None


def test_a_disk_is_found_wherever_it_is_mounted(
    volume: Plugged, volumes: Path, tmp_path: Path, cleaning: ExitStack
) -> None:
    where = folder(tmp_path / "some where")
    mount(str(volume.node), where, cleaning)
    assert mounted_at(volume, volumes) == where


def test_our_own_mount_goes_first(
    volume: Plugged, volumes: Path, tmp_path: Path, cleaning: ExitStack
) -> None:
    ours = folder(volumes / volume.mount_name)
    for where in (folder(tmp_path / "before"), ours, folder(tmp_path / "after")):
        mount(str(volume.node), where, cleaning)
    assert mounted_at(volume, volumes) == ours


def test_a_mount_that_shows_only_a_part_is_none(
    volume: Plugged, volumes: Path, tmp_path: Path, cleaning: ExitStack
) -> None:
    where, part = folder(tmp_path / "whole"), folder(tmp_path / "part")
    with ExitStack() as whole:
        mount(str(volume.node), where, whole)
        mount(str(where / "lost+found"), part, cleaning, "bind")
    assert mounted_at(volume, volumes) is None


@pytest.mark.parametrize(("options", "read_only"), [("ro", True), ("rw", False)])
def test_whether_it_can_be_written(
    volume: Plugged, volumes: Path, cleaning: ExitStack, options: str, read_only: bool
) -> None:
    where = folder(volumes / volume.mount_name)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(where)], check=True)
    cleaning.callback(subprocess.run, ["umount", str(where)], check=True)
    found = mount_of(replace(volume, number=where.stat().st_dev), volumes)
    assert found is not None
    assert found.is_read_only is read_only


def test_an_mtp_camera_is_found_by_its_folder(
    volume: Plugged, volumes: Path, cleaning: ExitStack
) -> None:
    camera = replace(volume, interface=Interface.MTP, number=None, mount_name="mtp-001-005")
    where = folder(volumes / "mtp-001-005")
    assert mounted_at(camera, volumes) is None
    mount(str(volume.node), where, cleaning)  # stands for what jmtpfs would mount
    assert mounted_at(camera, volumes) == where


def test_waiting_ends_as_soon_as_it_is_mounted(
    volume: Plugged, volumes: Path, cleaning: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "_LOOK_S", 60)  # only the mount itself can end it
    where = folder(volumes / volume.mount_name)
    found: list[Path] = []
    waiting = threading.Thread(
        target=lambda: found.append(wait_until_mounted(volume, volumes, 30, Stop()))
    )
    waiting.start()
    mount(str(volume.node), where, cleaning)
    waiting.join(10)
    assert found == [where]


def test_what_is_not_mounted_in_time_is_told_with_what_to_do(
    volume: Plugged, volumes: Path
) -> None:
    with pytest.raises(NotMounted) as caught:
        wait_until_mounted(volume, volumes, 0.1, Stop())
    assert str(volume.node) in caught.value.text.english
    assert caught.value.hint is not None
    assert volume.mount_name in caught.value.hint.english


def test_a_camera_that_is_pulled_out_meanwhile_is_not_waited_for(
    tmp_path: Path, volumes: Path
) -> None:
    with ExitStack() as plugged_in:
        volume = attached(image(tmp_path), plugged_in)
    began = time.monotonic()
    with pytest.raises(VolumeGone):
        wait_until_mounted(volume, volumes, 60, Stop())
    assert time.monotonic() - began < 30


def test_a_stop_ends_the_waiting(volume: Plugged, volumes: Path) -> None:
    stop = Stop()
    threading.Timer(0.1, stop.request).start()
    with pytest.raises(Stopping):
        wait_until_mounted(volume, volumes, 60, stop)
