"""Gathers the facts of one udev device, from its event, udev's database and sysfs.

A device may go while it is asked: what is not there any more is simply not among the
facts, and the event of its removal follows.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pyudev

from recorder_sync.dock.udev_facts import ATTRIBUTES, PROPERTIES, UdevFacts, usb_device_path


def facts_of(context: pyudev.Context, device: pyudev.Device) -> UdevFacts:
    path = device.sys_path
    properties = _told(device.properties.__getitem__, PROPERTIES)
    if properties.get("SUBSYSTEM") != "block":
        return UdevFacts(path, properties, _usb_facts(context, path))
    disk = device.parent if properties.get("DEVTYPE") == "partition" else device
    # The partitions of a card that was pulled out of its reader keep their size for a while.
    has_medium = disk is not None and _number(disk, "size") != 0
    return UdevFacts(
        path,
        properties,
        _usb_facts(context, path),
        sectors=(_number(device, "size") or 0) if has_medium else 0,
        has_partitions=any(Path(path).glob("*/partition")),
        disk_sequence=_disk_sequence(device, disk),
    )


def is_looked_at(device: pyudev.Device) -> bool:
    """Tell whether udev has finished looking at a device, so that its facts are all there."""
    return "USEC_INITIALIZED" in device.properties


def _usb_facts(context: pyudev.Context, path: str) -> dict[str, str]:
    usb_path = usb_device_path(path)
    if usb_path is None:
        return {}
    try:
        usb = pyudev.Devices.from_sys_path(context, usb_path)
    except pyudev.DeviceNotFoundError:
        return {}
    properties = _told(usb.properties.__getitem__, PROPERTIES)
    return properties | _told(usb.attributes.asstring, ATTRIBUTES)


def _disk_sequence(device: pyudev.Device, disk: pyudev.Device | None) -> int | None:
    """Return which disk this is about.

    An event tells of the disk that it was sent for, sysfs of the one that is there now.
    Older kernels and rules tell it of the disk only, not of its partitions.
    """
    if device.action is not None:
        with contextlib.suppress(KeyError, ValueError):
            return int(device.properties["DISKSEQ"])
    return None if disk is None else _number(disk, "diskseq")


def _number(device: pyudev.Device, attribute: str) -> int | None:
    try:
        return int(device.attributes.asstring(attribute))
    except (KeyError, ValueError, OSError):
        return None


def _told(ask: Callable[[str], str], names: tuple[str, ...]) -> dict[str, str]:
    """Return those of the values that there are; one that is not even text is none."""
    found = {}
    for name in names:
        with contextlib.suppress(KeyError, UnicodeError, OSError):
            found[name] = ask(name)
    return found
