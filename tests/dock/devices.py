"""Devices as sysfs and udev's database describe them, in umockdev's notation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType

_CONTROLLER = "/devices/pci0000:00/0000:00:14.0"
_MAJOR = "71"
"""Of the 113th SCSI disk on: udev's real database on this machine has none of those."""
Found = Mapping[str, str]
_NOTHING: Found = MappingProxyType({})
_DONE = {"USEC_INITIALIZED": "1"}
"""udev's mark of a device that it has finished looking at."""


@dataclass
class Made:
    """One device: what `umockdev` makes a folder in sysfs, a node and an event of."""

    path: str
    """Path in sysfs, without /sys."""
    properties: dict[str, str]
    attributes: dict[str, str] = field(default_factory=dict)
    node: str | None = None

    @property
    def key(self) -> str:
        return f"/sys{self.path}"

    def __str__(self) -> str:
        lines = [f"P: {self.path}"]
        if self.node is not None:
            lines += [f"N: {self.node}", f"E: DEVNAME=/dev/{self.node}"]
        lines += [f"E: {key}={value}" for key, value in self.properties.items()]
        lines += [f"A: {key}={value}" for key, value in self.attributes.items()]
        return "\n".join(lines) + "\n"


def usb_device(port: str, serial: str = "BC-0031", *, number: int = 5, **properties: str) -> Made:
    """Return a USB device on a port such as `1-2`, or `1-2.4` on a hub."""
    bus, _, ports = port.partition("-")
    hubs = [f"{bus}-{'.'.join(ports.split('.')[: n + 1])}" for n in range(ports.count(".") + 1)]
    node = f"bus/usb/{int(bus):03}/{number:03}"
    return Made(
        "/".join([_CONTROLLER, f"usb{bus}", *hubs]),
        {
            **_DONE,
            "SUBSYSTEM": "usb",
            "DEVTYPE": "usb_device",
            "BUSNUM": f"{int(bus):03}",
            "DEVNUM": f"{number:03}",
            "ID_VENDOR_ID": "46f4",
            "ID_MODEL_ID": "0001",
            "ID_SERIAL_SHORT": serial,
            "ID_VENDOR_ENC": "Example\\x20Cameras",
            "ID_MODEL_ENC": "BC-4\\x20Pro",
        }
        | properties,
        {"idVendor": "46f4", "idProduct": "0001", "serial": serial},
        node,
    )


def mtp(port: str, serial: str = "BC-0031", *, number: int = 5) -> Made:
    return usb_device(port, serial, number=number, ID_MTP_DEVICE="1")


def disk(usb: Made, name: str = "sda", found: Found = _NOTHING, *, sequence: int = 9) -> Made:
    """Return a disk of a USB device, and what udev found on it."""
    number = ord(name[2]) - ord("a")
    interface = f"{PurePosixPath(usb.path).name}:1.0"
    scsi = f"host{6 + number}/target{6 + number}:0:0/{6 + number}:0:0:0"
    return Made(
        f"{usb.path}/{interface}/{scsi}/block/{name}",
        {
            **_DONE,
            "SUBSYSTEM": "block",
            "DEVTYPE": "disk",
            "MAJOR": _MAJOR,
            "MINOR": str(16 * number),
            "DISKSEQ": str(sequence),
            "ID_BUS": "usb",
        }
        | dict(found),
        {"size": "1048576", "diskseq": str(sequence), "dev": f"{_MAJOR}:{16 * number}"},
        name,
    )


def partition(of: Made, number: int = 1, found: Found = _NOTHING) -> Made:
    """Return a partition of a disk."""
    minor = int(of.properties["MINOR"]) + number
    assert of.node is not None
    return Made(
        f"{of.path}/{of.node}{number}",
        {
            **_DONE,
            "SUBSYSTEM": "block",
            "DEVTYPE": "partition",
            "MAJOR": _MAJOR,
            "MINOR": str(minor),
            "ID_BUS": "usb",
        }
        | dict(found),
        {"size": "1046528", "partition": str(number), "dev": f"{_MAJOR}:{minor}"},
        f"{of.node}{number}",
    )


def vfat(uuid: str = "4C2C-C00A", label: str = "BODYCAM") -> dict[str, str]:
    """Return what udev says of a FAT file system."""
    return {
        "ID_FS_USAGE": "filesystem",
        "ID_FS_TYPE": "vfat",
        "ID_FS_UUID": uuid,
        "ID_FS_LABEL": label,
        "ID_FS_LABEL_ENC": label,
    }


PARTITIONED = {"ID_PART_TABLE_TYPE": "dos"}


def camera(port: str, name: str = "sda", serial: str = "BC-0031") -> list[Made]:
    """Return a body camera with one partition."""
    usb = usb_device(port, serial)
    whole = disk(usb, name, PARTITIONED)
    return [usb, whole, partition(whole, found=vfat())]
