"""Volumes come and go: the real watcher and pyudev at a made-up sysfs (umockdev).

No udev rule runs there and the kernel's events look like udev's; those two are for the
virtual dock to try.
"""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from recorder_sync.dock.plugged import Interface
from recorder_sync.model import UsbIdentity
from tests.dock.devices import PARTITIONED, camera, disk, mtp, partition, usb_device, vfat
from tests.dock.plugging import Port, made_up_port


@pytest.fixture
def port() -> Iterator[Port]:
    with made_up_port() as port:
        yield port


# -- plug in, pull out


def test_a_camera_is_seen_with_all_that_is_known_of_it(port: Port) -> None:
    port.watch()
    usb, whole, volume = camera("1-2")
    port.plug(usb, whole, volume)
    seen = port.came()
    assert seen.key == volume.key
    assert seen.interface is Interface.DISK
    assert (str(seen.node), seen.mount_name) == ("/dev/sda1", "sda1")
    assert seen.number == os.makedev(71, 1)
    assert seen.disk_sequence == 9
    assert (seen.port, seen.usb_path) == ("1-2", usb.key)
    assert seen.usb == UsbIdentity("46f4", "0001", "BC-0031")
    assert (seen.maker, seen.model) == ("Example Cameras", "BC-4 Pro")
    assert (seen.file_system, seen.uuid, seen.label) == ("vfat", "4C2C-C00A", "BODYCAM")
    assert port.nothing_more()


def test_a_pulled_camera_is_gone_once(port: Port) -> None:
    port.watch()
    made = camera("1-2")
    port.plug(*made)
    port.came()
    port.unplug(*made)
    assert port.gone() == made[-1].key
    assert port.nothing_more()


def test_it_may_come_back_on_another_port(port: Port) -> None:
    port.watch()
    first, second = camera("1-2"), camera("1-3", "sdb")
    port.plug(*first)
    port.came()
    port.unplug(*first)
    port.gone()
    port.plug(*second)
    assert port.came().port == "1-3"


def test_what_is_already_plugged_in_at_the_start_is_seen(port: Port) -> None:
    port.plug(*camera("1-2"), mtp("1-3", "BC-0032"))
    port.watch()
    assert {port.came().usb.serial, port.came().usb.serial} == {"BC-0031", "BC-0032"}
    assert port.nothing_more()


def test_what_udev_has_not_finished_with_is_seen_when_it_has(port: Port) -> None:
    whole = disk(usb := usb_device("1-2"), found=vfat())
    kernels = ("SUBSYSTEM", "DEVTYPE", "MAJOR", "MINOR", "DISKSEQ")
    told = {key: whole.properties[key] for key in kernels}
    port.plug(usb, replace(whole, properties=told))
    port.watch()
    assert port.nothing_more()
    port.change(whole, whole.properties, told=False)
    port.tell(whole, "add")
    assert port.came().file_system == "vfat"


def test_what_is_told_twice_is_reported_once(port: Port) -> None:
    made = camera("1-2")
    port.plug(*made)
    port.watch()
    port.came()
    for device in made:
        port.tell(device, "add")
        port.tell(device, "change")
    assert port.nothing_more()


# -- several


def test_sixteen_cameras_on_two_hubs(port: Port) -> None:
    port.watch()
    ports = [f"1-{hub}.{n}" for hub in (1, 2) for n in range(1, 9)]
    seen = []
    for n, name in enumerate(ports):
        port.plug(*camera(name, f"sd{chr(ord('a') + n)}", f"BC-{n:04}"))
        seen.append(port.came())
    assert [volume.port for volume in seen] == ports
    assert len({volume.mount_name for volume in seen}) == 16
    assert port.nothing_more()


def test_a_hub_takes_its_cameras_with_it_even_when_only_the_hub_is_told_of(port: Port) -> None:
    hub = usb_device("1-1", "HUB")
    first, second, beside = (
        camera("1-1.1", "sda"),
        camera("1-1.2", "sdb"),
        camera("1-11", "sdc"),
    )
    port.plug(hub, *first, *second, *beside)
    port.watch()
    for _ in range(3):
        port.came()
    port.vanish(hub, told=True)
    assert {port.gone(), port.gone()} == {first[-1].key, second[-1].key}
    assert port.nothing_more()


def test_memory_and_card_of_one_camera_are_two_volumes_of_it(port: Port) -> None:
    usb = usb_device("1-2")
    memory, card = disk(usb, "sda", vfat("AAAA-0001")), disk(usb, "sdb", vfat("AAAA-0002"))
    port.watch()
    port.plug(usb, memory, card)
    seen = port.came(), port.came()
    assert [volume.uuid for volume in seen] == ["AAAA-0001", "AAAA-0002"]
    assert {volume.usb_path for volume in seen} == {usb.key}
    port.vanish(card, told=True)
    assert port.gone() == card.key
    assert port.nothing_more()


# -- disks, partitions, cards


def test_a_disk_without_partitions_is_a_volume_itself(port: Port) -> None:
    port.watch()
    port.plug(usb := usb_device("1-2"), whole := disk(usb, found=vfat()))
    assert port.came().key == whole.key


def test_every_partition_is_a_volume_and_their_disk_is_none(port: Port) -> None:
    usb = usb_device("1-2")
    whole = disk(usb, found=PARTITIONED)
    extended = partition(whole, 2, {"ID_PART_ENTRY_TYPE": "0xf"})
    port.watch()
    port.plug(usb, whole, partition(whole, 1, vfat()), extended, partition(whole, 5, vfat()))
    assert [port.came().mount_name, port.came().mount_name] == ["sda1", "sda5"]
    assert port.nothing_more()


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"ID_FS_USAGE": "crypto", "ID_FS_TYPE": "crypto_LUKS"},
        {"ID_FS_USAGE": "raid", "ID_FS_TYPE": "LVM2_member"},
        {"ID_FS_USAGE": "other", "ID_FS_TYPE": "swap"},
    ],
)
def test_what_cannot_be_read_is_seen_all_the_same(port: Port, found: dict[str, str]) -> None:
    port.watch()
    port.plug(usb := usb_device("1-2"), disk(usb, found=found))
    assert port.came().file_system is None


def test_an_empty_slot_is_nothing_until_a_card_is_pushed_in(port: Port) -> None:
    usb = usb_device("1-2", "READER")
    slot = disk(usb)
    port.watch()
    port.plug(usb, replace(slot, attributes=slot.attributes | {"size": "0"}))
    assert port.nothing_more()
    port.change(slot, vfat(), size=1048576, sequence=10)
    assert port.came().uuid == "4C2C-C00A"
    port.change(slot, size=0, sequence=11)
    assert port.gone() == slot.key
    assert port.nothing_more()


def test_a_card_with_partitions_that_is_pulled_out_of_its_reader_is_gone(port: Port) -> None:
    usb = usb_device("1-2", "READER")
    slot = disk(usb, found=PARTITIONED)
    port.plug(usb, slot, volume := partition(slot, found=vfat()))
    port.watch()
    port.came()
    port.change(slot, size=0, sequence=10)
    assert port.gone() == volume.key
    assert port.nothing_more()


def test_partitions_that_appear_later_replace_their_disk(port: Port) -> None:
    usb = usb_device("1-2")
    slot = disk(usb)
    port.watch()
    port.plug(usb, slot)
    assert port.came().file_system is None
    port.plug(volume := partition(slot, found=vfat()))
    assert port.gone() == slot.key
    assert port.came().key == volume.key


@pytest.mark.parametrize(("sequence", "uuid"), [(10, "4C2C-C00A"), (9, "BEEF-0001")])
def test_another_card_in_the_same_slot_is_another_volume(
    port: Port, sequence: int, uuid: str
) -> None:
    usb = usb_device("1-2", "READER")
    slot = disk(usb, found=vfat())
    port.plug(usb, slot)
    port.watch()
    port.came()
    port.change(slot, vfat(uuid), sequence=sequence)
    assert port.gone() == slot.key
    seen = port.came()
    assert (seen.disk_sequence, seen.uuid) == (sequence, uuid)


def test_a_partition_of_another_card_has_the_sequence_of_its_disk(port: Port) -> None:
    usb = usb_device("1-2", "READER")
    slot = disk(usb, found=PARTITIONED)
    port.plug(usb, slot, volume := partition(slot, found=vfat()))
    port.watch()
    assert port.came().disk_sequence == 9
    port.change(slot, sequence=10)
    assert port.gone() == volume.key
    assert port.came().disk_sequence == 10


# -- cameras that show no disk


def test_an_mtp_camera_is_seen_by_its_place_on_the_bus(port: Port) -> None:
    port.watch()
    port.plug(made := mtp("2-1.3", number=17))
    seen = port.came()
    assert seen.interface is Interface.MTP
    assert seen.mount_name == "mtp-002-017"
    assert (seen.number, seen.disk_sequence) == (None, None)
    assert str(seen.node) == "/dev/bus/usb/002/017"
    assert seen.port == "2-1.3"
    port.unplug(made)
    assert port.gone() == made.key


def test_a_ptp_camera_is_read_in_the_same_way(port: Port) -> None:
    port.watch()
    port.plug(usb_device("1-2", ID_GPHOTO2="1"))
    assert port.came().interface is Interface.MTP


def test_an_mtp_camera_that_comes_back_before_anybody_looked_is_another_stay(port: Port) -> None:
    port.plug(made := mtp("1-2", number=5))
    port.watch()
    port.came()
    port.change(made, {"DEVNUM": "006", "DEVNAME": "/dev/bus/usb/001/006"})
    assert port.gone() == made.key
    assert port.came().mount_name == "mtp-001-006"


def test_a_camera_that_switches_to_disk_mode_becomes_a_disk(port: Port) -> None:
    port.plug(usb := mtp("1-2"))
    port.watch()
    port.came()
    port.change(usb, {"ID_MTP_DEVICE": "0"})
    assert port.gone() == usb.key
    port.plug(disk(usb, found=vfat()))
    assert port.came().interface is Interface.DISK


# -- what is none of our business


def test_only_volumes_on_usb_ports_are_seen(port: Port) -> None:
    inside = disk(usb_device("1-2"), found=vfat())
    port.watch()
    port.plug(replace(inside, path="/devices/pci0000:00/0000:00:17.0/ata1/block/sda"))
    port.plug(usb_device("1-3", "KEYBOARD"))
    assert port.nothing_more()


def test_the_stations_own_disks_are_never_seen(port: Port) -> None:
    usb = usb_device("1-2")
    whole = disk(usb, found=PARTITIONED)
    port.watch(ignored=frozenset({os.makedev(71, 1)}))
    port.plug(usb, whole, partition(whole, 1, vfat()), partition(whole, 2, vfat()))
    assert port.came().mount_name == "sda2"
    assert port.nothing_more()
