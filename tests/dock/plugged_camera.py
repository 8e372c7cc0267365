"""A camera as udev would tell of it, and programs that stand in for those that ask it."""

from dataclasses import replace
from pathlib import Path

from recorder_sync.dock.plugged import Interface, Plugged
from recorder_sync.model import UsbIdentity

DISK = Plugged(
    key="/sys/devices/usb1/1-1/1-1.2/block/sdz/sdz1",
    interface=Interface.DISK,
    node=Path("/dev/no-such-node"),
    mount_name="sdz1",
    number=0xFFFF,
    disk_sequence=7,
    port="1-1.2",
    usb_path="/sys/no-such-device",
    usb=UsbIdentity("4255", "1000", "C0031"),
    maker="SIMULATED",
    model=None,
    file_system="vfat",
    uuid="1234-5678",
    label=None,
)
MTP = replace(DISK, interface=Interface.MTP, node=Path("/dev/bus/usb/001/005"), number=None)


def stand_in(folder: Path, name: str, script: str) -> Path:
    """Put a shell script in the place of the program `name` and return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
