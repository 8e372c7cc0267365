"""The station's own disks, which are never taken for a camera, on whatever port they are."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from recorder_sync.dock.mounts import source_of

_BLOCK_DEVICES = Path("/sys/dev/block")


def own_disks(folders: Iterable[Path], block_devices: Path = _BLOCK_DEVICES) -> frozenset[int]:
    """Return the device numbers of all disks and partitions that carry `folders`.

    Whole disks with every partition of theirs, also underneath LVM, RAID and encryption.
    Folders that do not exist yet count as the nearest one that does. `block_devices` is
    the kernel's list of them. Raises OSError.
    """
    numbers: set[int] = set()
    for folder in folders:
        device = _device(folder)
        if device is not None:
            numbers.update(_with_all_beneath(block_devices / device))
    return frozenset(numbers)


def _device(folder: Path) -> str | None:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    number = there.stat().st_dev
    if os.major(number) == 0:  # btrfs and its like have a number of their own
        source = source_of(number)
        if source is None or not source.is_block_device():
            return None
        number = source.stat().st_rdev
    return f"{os.major(number)}:{os.minor(number)}"


def _with_all_beneath(device: Path) -> Iterator[int]:
    here = device.resolve()
    disk = here.parent if (here / "partition").exists() else here
    for part in (disk, *(partition.parent for partition in disk.glob("*/partition"))):
        major, minor = (part / "dev").read_text("ascii").split(":")
        yield os.makedev(int(major), int(minor))
    for beneath in disk.glob("slaves/*"):
        yield from _with_all_beneath(beneath)
