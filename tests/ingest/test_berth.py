"""Where a card is plugged in, as sysfs tells it."""

import os
from pathlib import Path

import pytest

from recorder_sync.ingest.berth import berth_of
from recorder_sync.ingest.turns import Berth

_PCI = "devices/pci0000:00/0000:00:14.0"
_SCSI = "host6/target6:0:0/6:0:0:0/block"


@pytest.mark.parametrize(
    ("path", "berth"),
    [
        (f"{_PCI}/usb1/1-2/1-2:1.0/{_SCSI}/sdb", Berth("sdb", "1")),
        (f"{_PCI}/usb1/1-2/1-2:1.0/{_SCSI}/sdb/sdb1", Berth("sdb", "1")),
        (f"{_PCI}/usb1/1-2/1-2.3/1-2.3:1.0/{_SCSI}/sdc/sdc1", Berth("sdc", "1-2")),
        (f"{_PCI}/usb1/1-2/1-2.3/1-2.3.4/1-2.3.4:1.0/{_SCSI}/sdd/sdd1", Berth("sdd", "1-2.3")),
        (f"{_PCI}/usb12/12-10/12-10.11/12-10.11:1.0/{_SCSI}/sde/sde15", Berth("sde", "12-10")),
        (f"{_PCI}/ata1/{_SCSI}/sda/sda2", Berth("sda", None)),
        (f"{_PCI}/nvme/nvme0/nvme0n1/nvme0n1p3", Berth("nvme0n1", None)),
        (f"{_PCI}/mmc_host/mmc0/mmc0:0001/block/mmcblk0/mmcblk0p1", Berth("mmcblk0", None)),
        ("devices/virtual/block/dm-0", Berth("dm-0", None)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_card_is_on_its_disk_and_shares_the_line_of_its_hub(
    tmp_path: Path, path: str, berth: Berth
) -> None:
    real = tmp_path / path
    real.mkdir(parents=True)
    if real.parent.name != "block" and "virtual" not in path:
        (real / "partition").write_text("1\n")
    link = tmp_path / "dev/block/8:17"
    link.parent.mkdir(parents=True)
    link.symlink_to(Path(os.path.relpath(real, link.parent)))
    assert berth_of(os.makedev(8, 17), tmp_path) == berth


def test_cards_on_one_hub_share_a_line_and_cards_on_two_do_not(tmp_path: Path) -> None:
    (tmp_path / "dev/block").mkdir(parents=True)
    ports = ["1-2/1-2.1", "1-2/1-2.4", "1-3/1-3.1", "1-4", "1-5"]
    for number, port in enumerate(ports):
        disk = tmp_path / f"{_PCI}/usb1/{port}/block/sd{number}"
        disk.mkdir(parents=True)
        (tmp_path / f"dev/block/8:{number}").symlink_to(disk)
    groups = [berth_of(os.makedev(8, n), tmp_path).port_group for n in range(len(ports))]
    assert groups == ["1-2", "1-2", "1-3", "1", "1"]


def test_what_is_no_disk_of_this_machine_counts_as_one_of_its_own(tmp_path: Path) -> None:
    first, second = (berth_of(os.makedev(0, minor), tmp_path) for minor in (51, 52))
    assert (first.port_group, second.port_group) == (None, None)
    assert first.disk != second.disk
    assert first == berth_of(os.makedev(0, 51), tmp_path)
