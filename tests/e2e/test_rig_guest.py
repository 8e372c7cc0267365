"""The virtual dock itself: what it does to a guest is what would happen to a dock PC."""

import pytest

from tests.e2e.agent import NotInTime
from tests.e2e.camera import Camera, FileSystem, Workshop, node_of
from tests.e2e.machine import Disks, Machine, run_folder
from tests.e2e.usb import Plug, Ports
from tests.e2e.warm import Guest, booted


def _mounted(machine: Machine, camera: Camera, *, partitioned: bool = True) -> None:
    node = node_of(camera.serial) + "-part1" * partitioned
    machine.agent.sh(f"udevadm wait --timeout 60 {node}; mount -o ro {node} /mnt")


def _plugged(machine: Machine, camera: Camera) -> tuple[Ports, Plug]:
    ports = Ports(machine.control)
    return ports, ports.plug(camera.image, camera.serial, "1")


@pytest.mark.parametrize("file_system", FileSystem)
@pytest.mark.parametrize("partitioned", [True, False], ids=["partitioned", "whole disk"])
def test_the_guest_reads_what_is_on_a_card_and_changes_nothing(
    bare: Machine, workshop: Workshop, file_system: FileSystem, partitioned: bool
) -> None:
    camera = workshop.camera("0031", file_system=file_system, partitioned=partitioned)
    ports, plug = _plugged(bare, camera)
    _mounted(bare, camera, partitioned=partitioned)
    printed = bare.agent.sh("cd /mnt; find . -type f -exec sha256sum {} +")
    bare.agent.sh("umount /mnt")
    ports.pull(plug)
    lines = (line.split("  ./") for line in printed.splitlines())
    found = {path: digest for digest, path in lines}
    assert found == camera.recordings
    assert camera.is_untouched()


def test_udev_tells_of_a_camera_that_comes_and_goes(bare: Machine, workshop: Workshop) -> None:
    camera = workshop.camera("0031")
    bare.agent.start("udevadm monitor --udev --property > /run/heard 2>&1")
    with bare.agent.follow("/run/heard") as heard:
        heard.until("the monitor runs", lambda text: "UDEV - " in (text or "") or None)
        ports, plug = _plugged(bare, camera)
        heard.until("add", lambda text: _told(text, "add", "sda1") or None)
        assert f"ID_SERIAL_SHORT={camera.serial}" in bare.agent.sh("cat /run/heard")
        ports.pull(plug)
        heard.until("remove", lambda text: _told(text, "remove", "sda1") or None)


def _told(text: str | None, action: str, name: str) -> bool:
    return any(
        line.startswith("UDEV") and f" {action} " in line and f"/{name} " in line
        for line in (text or "").splitlines()
    )


def test_a_pull_ends_a_read_that_is_under_way(bare: Machine, workshop: Workshop) -> None:
    camera = workshop.camera("0031", long=True)
    ports = Ports(bare.control)
    plug = ports.plug(camera.image, camera.serial, "1", bytes_per_s=500_000)
    _mounted(bare, camera)
    bare.agent.start(
        f"(cat /mnt/{camera.long_recording}; echo ended with $? >&2) 2> /run/ended"
        " | (head -c 65536 > /run/begun; cat > /dev/null)"
    )
    with bare.agent.follow("/run/begun") as begun, bare.agent.follow("/run/ended") as ended:
        begun.until("the read is under way", lambda text: text or None)
        ports.pull(plug)
        said = ended.until("the read has ended", lambda t: t if t and "ended" in t else None)
    assert "ended with 1" in said


def test_a_bad_sector_fails_the_recording_that_it_holds_and_no_other(
    bare: Machine, workshop: Workshop
) -> None:
    camera = workshop.camera("0031", long=True)
    broken = camera.long_recording
    ports = Ports(bare.control)
    bad = [camera.sectors_of(broken, 256 << 10, 8)]
    ports.plug(camera.image, camera.serial, "1", bad=bad)
    _mounted(bare, camera)
    for path in camera.recordings:
        read = bare.agent.run("dd", f"if=/mnt/{path}", "of=/dev/null", "bs=64k")
        assert bool(read.code) == (path == broken), read.err


def test_cameras_on_a_hub_vanish_with_it(bare: Machine, workshop: Workshop) -> None:
    cameras = [workshop.camera(f"003{n}") for n in (1, 2)]
    ports = Ports(bare.control)
    hub = ports.plug_hub("4")
    nodes = [node_of(camera.serial) for camera in cameras]
    for n, camera in enumerate(cameras, 1):
        ports.plug(camera.image, camera.serial, f"4.{n}")
    bare.agent.sh(f"udevadm wait --timeout 60 {' '.join(nodes)}")
    ports.pull(hub)
    bare.agent.sh(f"udevadm wait --timeout 60 --removed {' '.join(nodes)}")


def test_a_power_cut_takes_what_was_not_synced_and_nothing_else(debian: Guest) -> None:
    with run_folder() as folder:
        disks = Disks.over(debian.disks, folder)
        with booted(debian, disks, folder) as machine:
            machine.agent.sh("echo kept > /srv/synced; sync; echo lost > /srv/unsynced")
            machine.power_cut()
        with booted(debian, disks, folder / "again") as machine:
            kept = machine.agent.sh("cat /srv/synced /srv/unsynced 2>/dev/null || true")
    assert kept == "kept\n"


def test_what_does_not_become_so_in_time_is_named(bare: Machine) -> None:
    with bare.agent.follow("/run/never") as never, pytest.raises(NotInTime, match="a miracle"):
        never.until("a miracle", lambda text: text, limit_s=1)


def test_a_machine_that_is_left_runs_no_longer(debian: Guest) -> None:
    with debian.resumed() as machine:
        assert machine.is_running()
    assert not machine.is_running()
