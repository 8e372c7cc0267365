"""Body cameras: images of their cards, what is on them, and proof that it stays so.

FAT is filled by mtools, without mounting. exFAT, NTFS and ext4 are filled by the guest,
whose kernel knows them; the host's may not.
"""

import hashlib
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.e2e.footage import Footage, own_copy
from tests.e2e.running import run
from tests.e2e.usb import SECTOR, BadSectors, Ports
from tests.e2e.warm import Guest

_OFFICER = "130102"
_VOLUME_MIB = 64
_PARTITION_START = 2048
_ZONE = ZoneInfo("Asia/Shanghai")


class FileSystem(StrEnum):
    FAT32 = "vfat"
    EXFAT = "exfat"


_MAKE: dict[FileSystem, tuple[str, ...]] = {
    FileSystem.FAT32: ("mkfs.vfat", "-F", "32", "-s", "1", "-n", "BODYCAM"),
    FileSystem.EXFAT: ("mkfs.exfat", "-L", "BODYCAM"),
}
_PARTITION_TYPES = {FileSystem.FAT32: "c", FileSystem.EXFAT: "7"}


@dataclass(frozen=True)
class Camera:
    device: str
    """Device number, as its file names say it."""
    serial: str
    """USB serial number."""
    image: Path
    recordings: Mapping[str, str]
    """SHA-256 by path on the card."""
    _contents: Path
    _as_made: str

    @property
    def long_recording(self) -> str:
        """The path of the largest recording."""
        return max(self.recordings, key=lambda path: (self._contents / path).stat().st_size)

    def is_untouched(self) -> bool:
        """Tell whether the image is what it was when it was made, byte for byte."""
        return _sha256(self.image) == self._as_made

    def sectors_of(self, recording: str, at: int, count: int) -> BadSectors:
        """Return the sectors of the image that hold a recording from byte `at` on."""
        wanted = (self._contents / recording).read_bytes()[at : at + count * SECTOR]
        image = self.image.read_bytes()
        assert image.count(wanted) == 1, f"{recording} cannot be told from others at byte {at}"
        found = image.find(wanted)
        assert found % SECTOR == 0, f"{recording} does not fill sectors at byte {at}"
        return BadSectors(found // SECTOR, count)


@dataclass(frozen=True)
class Workshop:
    """Makes cameras."""

    folder: Path
    footage: Footage
    guest: Guest
    """Fills the cards that the host cannot."""

    def camera(
        self,
        device: str,
        *,
        file_system: FileSystem = FileSystem.FAT32,
        partitioned: bool = True,
        long: bool = False,
    ) -> Camera:
        """Make a camera with a shift's recordings; `long`: one of them is large."""
        place = self.folder / device
        contents = place / "contents"
        self._film(contents, device, long)
        volume = place / "volume"
        with open(volume, "wb") as file:
            file.truncate(_VOLUME_MIB << 20)
        run(*_MAKE[file_system], volume)
        if file_system is FileSystem.FAT32:
            run("mcopy", "-s", "-m", "-i", volume, *contents.iterdir(), "::/")
        else:
            self._fill_in_guest(file_system, volume, contents)
        image = place / "card.img"
        if partitioned:
            _partition(volume, image, _PARTITION_TYPES[file_system])
        else:
            volume.rename(image)
        recordings = {
            str(path.relative_to(contents)): _sha256(path)
            for path in sorted(contents.rglob("*"))
            if path.is_file()
        }
        return Camera(device, f"SN{device}", image, recordings, contents, _sha256(image))

    def _film(self, contents: Path, device: str, long: bool) -> None:
        folder = contents / "DCIM" / "100MEDIA"
        folder.mkdir(parents=True)
        footage = self.footage
        made = (footage.video, footage.video, footage.audio, footage.photo)
        begun = datetime.now(_ZONE) - timedelta(hours=3)
        for number, recording in enumerate((*made, *([footage.long_video] if long else []))):
            at = begun + timedelta(minutes=10 * number)
            name = f"DCAM_{device}_{_OFFICER}_{at:%Y%m%d_%H%M%S}{recording.suffix}"
            own_copy(recording, f"{device} {number}", folder / name)

    def _fill_in_guest(self, file_system: FileSystem, volume: Path, contents: Path) -> None:
        supply = volume.with_name("contents.tar")
        with tarfile.open(supply, "w") as tar:
            for path in contents.iterdir():
                tar.add(path, path.name)
        with self.guest.resumed() as guest:
            ports = Ports(guest.control)
            plugs = ports.plug(supply, "SUPPLY", "1"), ports.plug(volume, "VOLUME", "2")
            guest.agent.sh(f"""
                udevadm wait --timeout 60 {node_of("SUPPLY")} {node_of("VOLUME")}
                mount -t {file_system} {node_of("VOLUME")} /mnt
                tar -xf {node_of("SUPPLY")} -C /mnt --no-same-owner
                umount /mnt
            """)
            for plug in plugs:
                ports.pull(plug)
        supply.unlink()


def node_of(serial: str) -> str:
    """Return where the guest's udev puts a link to the disk of this serial number."""
    return f"/dev/disk/by-id/usb-QEMU_QEMU_HARDDISK_{serial}-0:0"


def _partition(volume: Path, image: Path, type_: str) -> None:
    """Make the image of a disk whose one partition is this volume, which is used up."""
    start = _PARTITION_START * SECTOR
    with open(image, "wb") as file:
        file.truncate(start + volume.stat().st_size)
    run(
        "sfdisk", "-q", image, input_=f"label: dos\nstart={_PARTITION_START}, type={type_}".encode()
    )
    with open(volume, "rb") as source, open(image, "r+b") as target:
        target.seek(start)
        shutil.copyfileobj(source, target, 1 << 20)
    volume.unlink()


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
