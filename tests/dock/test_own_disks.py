"""A station that runs from a USB disk is no camera."""

import os
from contextlib import ExitStack
from pathlib import Path

from recorder_sync.dock.own_disks import own_disks
from tests.dock.attached import add_partition, attached, image
from tests.faults.loop import mount


def test_a_disk_is_the_stations_own_with_all_its_partitions(tmp_path: Path) -> None:
    where = tmp_path / "evidence"
    where.mkdir()
    with ExitStack() as cleaning:
        whole = attached(image(tmp_path), cleaning)
        part = add_partition(whole, cleaning, 2)
        mount(str(whole.node), where, cleaning)
        assert own_disks([where / "not" / "there yet"]) == {whole.number, part.number}


def test_what_lies_under_lvm_and_encryption_belongs_to_it(tmp_path: Path) -> None:
    """A made-up sysfs: this machine's temporary folder on dm-0, that on a USB stick."""
    number = tmp_path.stat().st_dev
    top = f"{os.major(number)}:{os.minor(number)}"
    listed, disk, mapped = (tmp_path / name for name in ("list", "sdb", "dm-0"))
    for folder in (listed, mapped / "slaves", disk / "sdb1", disk / "sdb2"):
        folder.mkdir(parents=True)
    for device, dev in ((mapped, top), (disk, "8:16"), (disk / "sdb1", "8:17")):
        (device / "dev").write_text(f"{dev}\n")
    (disk / "sdb2" / "dev").write_text("8:18\n")
    for part in ("sdb1", "sdb2"):
        (disk / part / "partition").touch()
    (mapped / "slaves" / "sdb2").symlink_to(disk / "sdb2")
    (listed / top).symlink_to(mapped)
    expected = {number, os.makedev(8, 16), os.makedev(8, 17), os.makedev(8, 18)}
    assert own_disks([tmp_path], listed) == expected
