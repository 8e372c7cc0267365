"""What udev tells of something that was plugged in, before anything of it is read."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from recorder_sync.model import UsbIdentity


class Interface(StrEnum):
    """How a device shows its recordings."""

    DISK = "disk"
    """As a disk with a file system (USB mass storage)."""
    MTP = "mtp"
    """As objects, by the Media Transfer Protocol; a FUSE mount makes files of them."""


@dataclass(frozen=True, slots=True)
class Plugged:
    """One volume of a device on a port; a device may have several.

    All of it is remembered when it comes: the event of its removal says only `key`.
    """

    key: str
    """Path in sysfs, unique while it is plugged."""
    interface: Interface
    node: Path
    """Device node, such as /dev/sda1."""
    mount_name: str
    """Name of the folder below `<runtime>/volumes` where its unit mounts it."""
    number: int | None
    """Device number (st_rdev) of a disk; None for MTP."""
    disk_sequence: int | None
    """DISKSEQ of the kernel: another disk on the same node has another one."""
    port: str
    """The USB port by its physical path, such as `1-1.2`."""
    usb_path: str
    """Path in sysfs of the USB device that it belongs to."""
    usb: UsbIdentity
    maker: str | None
    model: str | None
    file_system: str | None
    """Type, such as `vfat`; None where udev knows none."""
    uuid: str | None
    label: str | None
