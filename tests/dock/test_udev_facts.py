"""What udev says becomes a volume, or none; the text in it is the device's own."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.dock.plugged import Interface
from recorder_sync.dock.udev_facts import (
    ATTRIBUTES,
    PROPERTIES,
    UdevFacts,
    plugged_from,
    usb_device_path,
)
from recorder_sync.model import UsbIdentity

_USB = "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4"
_SDA = f"{_USB}/1-1.4:1.0/host6/target6:0:0/6:0:0:0/block/sda"
_CAMERA = {"ID_VENDOR_ID": "46f4", "ID_MODEL_ID": "0001", "ID_SERIAL_SHORT": "BC-0031"}
_DISK = UdevFacts(
    path=_SDA,
    properties={
        "SUBSYSTEM": "block",
        "DEVTYPE": "disk",
        "DEVNAME": "/dev/sda",
        "MAJOR": "8",
        "MINOR": "0",
        "ID_FS_USAGE": "filesystem",
        "ID_FS_TYPE": "exfat",
        "ID_FS_UUID": "12AB-34CD",
    },
    usb=_CAMERA,
    sectors=1000,
    disk_sequence=7,
)


def saying(**properties: str) -> UdevFacts:
    return replace(_DISK, properties={**_DISK.properties, **properties})


def of_usb(**properties: str) -> UdevFacts:
    return replace(_DISK, usb=properties)


@pytest.mark.parametrize(
    ("path", "usb"),
    [
        (_SDA, _USB),
        (_USB, _USB),
        (f"{_USB}/1-1.4:1.0", _USB),
        (
            "/sys/devices/platform/hc.0/usb3/3-1/3-1:1.0/host2",
            "/sys/devices/platform/hc.0/usb3/3-1",
        ),
        ("/sys/devices/pci0000:00/0000:00:14.0/usb1", None),
        ("/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/block/sda", None),
        ("/sys/devices/virtual/block/loop0", None),
    ],
)
def test_the_usb_device_is_the_last_one_on_the_way(path: str, usb: str | None) -> None:
    assert usb_device_path(path) == usb


def test_the_port_is_the_physical_path() -> None:
    seen = plugged_from(_DISK)
    assert seen is not None
    assert (seen.port, seen.usb_path) == ("1-1.4", _USB)


@pytest.mark.parametrize(
    "none",
    [
        replace(_DISK, sectors=0),
        replace(_DISK, has_partitions=True),
        replace(_DISK, usb={}),
        replace(_DISK, path="/sys/devices/virtual/block/loop0"),
        saying(ID_CDROM="1"),
        saying(DEVTYPE="partition", ID_PART_ENTRY_TYPE="0x5"),
        saying(DEVTYPE="partition", ID_PART_ENTRY_TYPE="e3c9e316-0b5c-4db8-817d-f92df00215ae"),
        saying(SUBSYSTEM="scsi"),
        saying(DEVNAME="/dev/.."),
        saying(MAJOR="x"),
    ],
)
def test_what_is_no_volume(none: UdevFacts) -> None:
    assert plugged_from(none) is None


def test_a_partition_table_with_no_partitions_is_told_of_as_unreadable() -> None:
    said = {k: v for k, v in _DISK.properties.items() if not k.startswith("ID_FS")}
    seen = plugged_from(replace(_DISK, properties=said | {"ID_PART_TABLE_TYPE": "dos"}))
    assert seen is not None
    assert seen.file_system is None


def test_the_usb_device_says_who_it_is_not_the_disk_behind_its_bridge() -> None:
    seen = plugged_from(saying(ID_VENDOR_ID="ffff", ID_MODEL_ID="ffff", ID_SERIAL_SHORT="WD-1"))
    assert seen is not None
    assert seen.usb == UsbIdentity("46f4", "0001", "BC-0031")


def test_without_the_usb_device_what_udev_noted_of_the_disk_counts() -> None:
    facts = saying(ID_VENDOR_ID="46F4", ID_MODEL_ID="00AB", ID_SERIAL_SHORT="S")
    seen = plugged_from(replace(facts, usb={}))
    assert seen is not None
    assert seen.usb == UsbIdentity("46f4", "00ab", "S")


def test_what_udev_does_not_know_is_asked_of_the_usb_device_itself() -> None:
    said = {"idVendor": "46f4", "idProduct": "0001", "serial": " X1 ", "manufacturer": "Maker"}
    seen = plugged_from(of_usb(**said))
    assert seen is not None
    assert (seen.usb.serial, seen.maker, seen.model) == ("X1", "Maker", None)


def test_a_device_without_a_serial_number_has_none() -> None:
    seen = plugged_from(of_usb(ID_VENDOR_ID="46f4", ID_MODEL_ID="0001", ID_SERIAL_SHORT=" "))
    assert seen is not None
    assert seen.usb.serial is None


def test_a_number_that_udev_puts_in_place_of_a_name_is_no_name() -> None:
    seen = plugged_from(of_usb(**_CAMERA, ID_VENDOR_ENC="46f4", ID_VENDOR="46f4", ID_MODEL="0001"))
    assert seen is not None
    assert (seen.maker, seen.model) == (None, None)


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("BODY\\x20CAM", "BODY CAM"),
        ("\\xe6\\x89\\xa7\\xe6\\xb3\\x95", "执法"),
        ("执法", "执法"),
        ("a\\x5cb", "a\\b"),
        ("\\x1b[2J", "\\x1b[2J"),
        ("a\\x0ab", "a\\nb"),
        ("\\xff\\xfe", "\ufffd\ufffd"),
        ("\\x20\\x00", None),
        ("x" * 1000, "x" * 64),
        ("\u202eabc", "\\u202eabc"),
    ],
)
def test_text_of_the_device_is_unescaped_and_harmless(label: str, shown: str | None) -> None:
    seen = plugged_from(saying(ID_FS_LABEL_ENC=label))
    assert seen is not None
    assert seen.label == shown


_SAID = st.dictionaries(st.sampled_from(PROPERTIES + ATTRIBUTES), st.text(max_size=200))


@given(properties=_SAID, usb=_SAID)
def test_whatever_a_device_says_it_is_a_harmless_volume_or_none(
    properties: dict[str, str], usb: dict[str, str]
) -> None:
    facts = replace(_DISK, properties={**_DISK.properties, **properties}, usb={**_CAMERA, **usb})
    seen = plugged_from(facts)
    if seen is None:
        return
    assert "/" not in seen.mount_name
    assert seen.mount_name not in {"", ".", ".."}
    assert seen.mount_name.isascii()
    texts = (seen.maker, seen.model, seen.label, seen.uuid, seen.file_system, seen.usb.serial)
    assert all(text is None or (text and text.isprintable()) for text in texts)


def test_an_mtp_camera_needs_its_place_on_the_bus() -> None:
    said = {
        "SUBSYSTEM": "usb",
        "DEVTYPE": "usb_device",
        "DEVNAME": "/dev/bus/usb/001/007",
        "ID_MTP_DEVICE": "1",
        "BUSNUM": "001",
        "DEVNUM": "007",
    }
    facts = UdevFacts(_USB, said, _CAMERA)
    seen = plugged_from(facts)
    assert seen is not None
    assert (seen.interface, seen.mount_name) == (Interface.MTP, "mtp-001-007")
    assert plugged_from(replace(facts, properties=said | {"DEVNUM": "../x"})) is None
    assert plugged_from(replace(facts, properties=said | {"ID_MTP_DEVICE": "0"})) is None
