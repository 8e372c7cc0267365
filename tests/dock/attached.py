"""A volume that this machine really has: an image on a loop device, plugged in as it were."""

import os
import subprocess
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from recorder_sync.dock.plugged import Interface, Plugged
from recorder_sync.model import UsbIdentity
from tests.faults.loop import attach


def image(folder: Path, name: str = "image") -> Path:
    """Return an image of 2 MiB with an ext4 file system."""
    path = folder / name
    with path.open("wb") as file:
        file.truncate(2 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(path)], check=True)
    return path


def attached(path: Path, cleaning: ExitStack, *options: str) -> Plugged:
    """Attach an image until `cleaning` ends; tell of it as the watcher would."""
    if os.geteuid() != 0:
        pytest.skip("only root may attach and mount an image")
    return plugged(Path(attach(path, cleaning, *options)))


def add_partition(whole: Plugged, cleaning: ExitStack, number: int = 1) -> Plugged:
    """Give a disk a partition of 512 KiB until `cleaning` ends; return it as a volume."""
    begin = str(1024 * number)
    subprocess.run(["addpart", str(whole.node), str(number), begin, "1024"], check=True)
    # The kernel would leave it to whatever is attached to that node next.
    cleaning.callback(take_partition_away, whole, number)
    node = Path(f"{whole.node}p{number}")
    deadline = time.monotonic() + 10
    while not node.is_block_device():  # made by devtmpfs, which has no events
        assert time.monotonic() < deadline, f"{node} was not made"
        time.sleep(0.01)
    return replace(
        whole, node=node, mount_name=node.name, number=node.stat().st_rdev, key=f"{whole.key}/p"
    )


def take_partition_away(whole: Plugged, number: int = 1) -> None:
    if Path(f"{whole.node}p{number}").exists():
        subprocess.run(["delpart", str(whole.node), str(number)], check=True)


def plugged(node: Path) -> Plugged:
    """Return a volume of a camera that is at this node."""
    number = node.stat().st_rdev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    return Plugged(
        key=str(device.resolve()),
        interface=Interface.DISK,
        node=node,
        mount_name=node.name,
        number=number,
        disk_sequence=int((device / "diskseq").read_text()),
        port="1-2",
        usb_path=str(device.resolve()),
        usb=UsbIdentity("46f4", "0001", "BC-0031"),
        maker=None,
        model=None,
        file_system="ext4",
        uuid=None,
        label=None,
    )
