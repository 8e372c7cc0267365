"""From what udev says of a device to the volume that it is, or to none. Pure.

Names and serial numbers come from the device itself: they are cut, unescaped and made
printable before anyone sees them. What is a disk of the kernel's, such as its path in
sysfs, cannot be chosen by the device.

Knows no clock and no disk; `watcher.py` gathers the facts.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from recorder_sync.dock.plugged import Interface, Plugged
from recorder_sync.model import UsbIdentity
from recorder_sync.printable import printable

PROPERTIES = (
    *("SUBSYSTEM", "DEVTYPE", "DEVNAME", "MAJOR", "MINOR", "DISKSEQ", "BUSNUM", "DEVNUM"),
    *("ID_FS_USAGE", "ID_FS_TYPE", "ID_FS_UUID", "ID_FS_LABEL_ENC", "ID_FS_LABEL"),
    *("ID_PART_TABLE_TYPE", "ID_PART_ENTRY_TYPE", "ID_CDROM", "ID_MTP_DEVICE", "ID_GPHOTO2"),
    *("ID_VENDOR_ID", "ID_MODEL_ID", "ID_SERIAL_SHORT"),
    *("ID_VENDOR_ENC", "ID_VENDOR", "ID_MODEL_ENC", "ID_MODEL"),
    "RECORDER_SYNC_IGNORE",
)
"""Properties that are looked at, of the device and of the USB device it belongs to."""

ATTRIBUTES = ("idVendor", "idProduct", "serial", "manufacturer", "product")
"""Attributes of a USB device in sysfs, for what udev has not recorded."""

_MOST_CHARACTERS = 64
_ESCAPED = re.compile(rb"\\x([0-9a-fA-F]{2})")
_USB_DEVICE = re.compile(r"\d+-\d+(\.\d+)*")
_USB_ID = re.compile(r"[0-9a-f]{4}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_KERNEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NEVER_VOLUMES = frozenset({"0x5", "0xf", "0x85", "e3c9e316-0b5c-4db8-817d-f92df00215ae"})
"""Partition types: extended ones, which only hold others, and Microsoft's reserved one."""


@dataclass(frozen=True, slots=True)
class UdevFacts:
    """What udev and sysfs say of one device at one moment."""

    path: str
    """Path in sysfs, with /sys."""
    properties: Mapping[str, str]
    """Those of `PROPERTIES` that it has."""
    usb: Mapping[str, str]
    """`PROPERTIES` and `ATTRIBUTES` of the USB device that it is or belongs to."""
    sectors: int = 0
    """Size of a disk or partition; 0 when there is no medium."""
    has_partitions: bool = False
    disk_sequence: int | None = None


def usb_device_path(path: str) -> str | None:
    """Return the path in sysfs of the USB device that the device at `path` belongs to."""
    here = PurePosixPath(path)
    for folder in (here, *here.parents):
        if _USB_DEVICE.fullmatch(folder.name):
            return str(folder)
    return None


def plugged_from(facts: UdevFacts) -> Plugged | None:
    """Return the volume that these facts describe; None when it is none.

    A volume without a file system that can be mounted is one, so that a person can be
    told: its `file_system` is None.
    """
    usb_path = usb_device_path(facts.path)
    usb = _usb_identity(facts)
    node = facts.properties.get("DEVNAME")
    if facts.properties.get("RECORDER_SYNC_IGNORE") == "1":  # the administrator's own rule
        return None
    if usb_path is None or usb is None or node is None:
        return None
    match facts.properties.get("SUBSYSTEM"), facts.properties.get("DEVTYPE"):
        case "usb", "usb_device":
            return _camera(facts, usb_path, usb, Path(node))
        case "block", "disk" | "partition":
            return _volume(facts, usb_path, usb, Path(node))
    return None


def _camera(facts: UdevFacts, usb_path: str, usb: UsbIdentity, node: Path) -> Plugged | None:
    said = facts.properties
    if "1" not in (said.get("ID_MTP_DEVICE"), said.get("ID_GPHOTO2")):
        return None
    bus, number = said.get("BUSNUM", ""), said.get("DEVNUM", "")
    if not (_NUMBER.fullmatch(bus) and _NUMBER.fullmatch(number)):
        return None
    return Plugged(
        key=facts.path,
        interface=Interface.MTP,
        node=node,
        mount_name=f"mtp-{bus}-{number}",
        number=None,
        disk_sequence=None,
        port=PurePosixPath(usb_path).name,
        usb_path=usb_path,
        usb=usb,
        maker=_name(facts, "VENDOR", "manufacturer", usb.vendor),
        model=_name(facts, "MODEL", "product", usb.product),
        file_system=None,
        uuid=None,
        label=None,
    )


def _volume(facts: UdevFacts, usb_path: str, usb: UsbIdentity, node: Path) -> Plugged | None:
    said = facts.properties
    major, minor = said.get("MAJOR", ""), said.get("MINOR", "")
    if not (_may_hold_files(facts) and _KERNEL_NAME.fullmatch(node.name)):
        return None
    if not (_NUMBER.fullmatch(major) and _NUMBER.fullmatch(minor)):
        return None
    mountable = said.get("ID_FS_USAGE") == "filesystem"
    return Plugged(
        key=facts.path,
        interface=Interface.DISK,
        node=node,
        mount_name=node.name,
        number=os.makedev(int(major), int(minor)),
        disk_sequence=facts.disk_sequence,
        port=PurePosixPath(usb_path).name,
        usb_path=usb_path,
        usb=usb,
        maker=_name(facts, "VENDOR", "manufacturer", usb.vendor),
        model=_name(facts, "MODEL", "product", usb.product),
        file_system=_text(said.get("ID_FS_TYPE")) if mountable else None,
        uuid=_text(said.get("ID_FS_UUID")),
        label=_text(said.get("ID_FS_LABEL_ENC") or said.get("ID_FS_LABEL")),
    )


def _may_hold_files(facts: UdevFacts) -> bool:
    """Tell whether a file system might be directly on this disk or partition.

    Optical discs do not count: many devices show one with their driver for Windows.
    """
    return not (
        facts.sectors == 0
        or facts.has_partitions
        or facts.properties.get("ID_CDROM") == "1"
        or facts.properties.get("ID_PART_ENTRY_TYPE") in _NEVER_VOLUMES
    )


def _usb_identity(facts: UdevFacts) -> UsbIdentity | None:
    """Return who the USB device says it is, the same for all its volumes.

    A disk behind a USB bridge has a vendor and a serial number of its own: those are
    only asked when the USB device is not there to be asked any more.
    """
    for said in (facts.usb, facts.properties):
        vendor = (said.get("ID_VENDOR_ID") or said.get("idVendor", "")).lower()
        product = (said.get("ID_MODEL_ID") or said.get("idProduct", "")).lower()
        if _USB_ID.fullmatch(vendor) and _USB_ID.fullmatch(product):
            serial = said.get("ID_SERIAL_SHORT") or said.get("serial")
            return UsbIdentity(vendor, product, _text(serial))
    return None


def _name(facts: UdevFacts, what: str, attribute: str, usb_id: str) -> str | None:
    """Return the maker's or the model's name as the device gives it.

    Where a USB device has none udev puts its number there: that is not a name.
    """
    for said in (facts.usb, facts.properties):
        for key in (f"ID_{what}_ENC", f"ID_{what}", attribute):
            name = _text(said.get(key))
            if name is not None and name.lower() != usb_id:
                return name
    return None


def _text(said: str | None) -> str | None:
    """Return a device's text with udev's escapes undone, short, printable; None if empty."""
    if said is None:
        return None
    raw = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), said.encode("utf-8", "replace"))
    text = raw.decode("utf-8", "replace").strip(" \t\r\n\0")
    return printable(text[:_MOST_CHARACTERS]) or None
