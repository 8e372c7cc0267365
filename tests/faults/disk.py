"""An evidence disk whose every block we own: it fails, lies and remembers as it is told."""

import fcntl
import mmap
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.faults.events import Event, read_events
from tests.faults.loop import attach, mount
from tests.faults.power_cut import CrashImage, crash_images, reported
from tests.faults.served import Served

_FORMATS = {
    "ext4": (
        *("mkfs.ext4", "-q", "-F", "-b", "4096", "-J", "size=4", "-m", "0"),
        *("-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"),
    ),
    "xfs": ("mkfs.xfs", "-q", "-f", "-K"),
}
_LEAST_MIB = {"ext4": 16, "xfs": 320}
_FIEMAP = 0xC020660B
_FIEMAP_SYNC = 1


def require_disks(file_system: str) -> None:
    """Skip the test where no disk image can be formatted and attached, and say why."""
    if os.geteuid() != 0:
        pytest.skip("only root may attach a disk image")
    for program in ("losetup", _FORMATS[file_system][0]):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")


class FaultyDisk:
    """A formatted and mounted disk on a loop device, whose image a process of ours serves.

    A fault holds from when it was ordered until `heal`. What the page cache of the
    mounted file system already has is not read again: to see the medium, read with
    O_DIRECT.
    """

    def __init__(
        self, folder: Path, where: Path, *, mib: int = 32, file_system: str = "ext4"
    ) -> None:
        """Prepare a disk for `where`; its image, log and report are kept in `folder`."""
        self.path = where
        self.file_system = file_system
        self._size = max(mib, _LEAST_MIB[file_system]) << 20
        self._folder = folder
        self._image = folder / "image"
        self._base = folder / "base"
        self._log = folder / "log"
        self._served_at = folder / "served"
        self.report = self._served_at / "report"
        """Redirect a child's output here: it is logged between the disk's events."""

    def __enter__(self) -> Self:
        require_disks(self.file_system)
        self._served_at.mkdir(parents=True)
        self.path.mkdir(exist_ok=True)
        with self._image.open("wb") as image:
            image.truncate(self._size)
        subprocess.run([*_FORMATS[self.file_system], self._image], check=True)
        subprocess.run(["fallocate", "--dig-holes", self._image], check=True)  # quick to copy
        with ExitStack() as cleaning:
            arguments = (self._image, self._base, self._log)
            self._served = Served("tests.faults.disk_server", self._served_at, *arguments)
            cleaning.callback(self._served.end)
            self.device = attach(self._served_at / "disk", cleaning, "--direct-io=on")
            self._served.ask("attached", device=self.device, mount=str(self.path))
            mount(self.device, self.path, cleaning)
            cleaning.callback(self._served.ask, "heal")
            self.start_log()
            self._cleaning = cleaning.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleaning.close()

    # Damage.

    def fail_writes(
        self, after: int = 0, *, offset: int | None = None, length: int | None = None
    ) -> None:
        """Writes give EIO: when `after` more bytes were written, or only in a block range."""
        self._served.ask("fail_writes", after=after, offset=offset, length=length)

    def fail_writes_of(self, data: bytes) -> None:
        """Writes with these bytes in them give EIO, wherever they go."""
        self._served.ask("fail_writes_of", data=data.hex())

    def fail_reads(self, offset: int = 0, length: int | None = None) -> None:
        """Reads of the medium that touch this range give EIO."""
        self._served.ask("fail_reads", offset=offset, length=length)

    def fail_flushes(self, times: int | None = None, *, after: int = 0) -> None:
        """Flushes give EIO, when `after` more succeeded: all of them, or so many `times`."""
        self._served.ask("fail_flushes", times=times, after=after)

    def flip(self, offset: int) -> None:
        """Invert the byte at this place of the medium; the file system does not know."""
        self._served.ask("flip", offset=offset)

    def flip_next_write(self, containing: bytes, behind: int = 0) -> None:
        """In the next write with these bytes, invert the one so far behind their start."""
        self._served.ask("flip_next_write", mark=containing.hex(), behind=behind)

    def heal(self) -> None:
        """End every fault; what was flipped stays so, and what failed is not made up for."""
        self._served.ask("heal")

    def given(self) -> dict[str, int]:
        """Count the faults that were really delivered: write, read, flush and flip."""
        found: dict[str, int] = self._served.ask("given")
        return found

    # Where things are.

    def place_of(self, path: Path, offset: int = 0) -> int:
        """Return where on the medium a byte of a file is; it is written out first."""
        handle = os.open(path, os.O_RDONLY)
        try:
            request = bytearray(struct.pack("=QQIIII", offset, 1, _FIEMAP_SYNC, 0, 1, 0))
            request += bytes(56)
            fcntl.ioctl(handle, _FIEMAP, request)
        finally:
            os.close(handle)
        (extents,) = struct.unpack_from("=I", request, 20)
        assert extents, f"{path} has nothing at {offset}"
        logical, physical = struct.unpack_from("=QQ", request, 32)
        place: int = physical + offset - logical
        return place

    def find(self, data: bytes) -> int:
        """Return where on the medium these bytes are; -1 when they are not."""
        with (
            self._image.open("rb") as image,
            mmap.mmap(image.fileno(), 0, prot=mmap.PROT_READ) as m,
        ):
            return m.find(data)

    # What happened.

    def start_log(self) -> None:
        """Write everything out, and forget how it came there: the log starts here."""
        self.write_out()
        self._served.ask("start_log")

    def write_out(self) -> None:
        """Have the file system write what it still holds back, as it does by itself later."""
        subprocess.run(["sync", "-f", self.path], check=True)

    def log(self) -> list[Event]:
        """Return everything that happened since the log was started, in order."""
        size = self._served.ask("flush_log")
        with self._log.open("rb") as log:
            return list(read_events(log, size))

    def reported(self) -> bytes:
        """Return everything that was written to the report since the log was started."""
        return reported(self.log())

    def crash_images(self, *, seeds: Sequence[int] = ()) -> Iterator[CrashImage]:
        """Return what a power cut could have left at any moment since the log was started."""
        folder = self._folder / "crash"
        folder.mkdir(exist_ok=True)
        options = "rw,nouuid" if self.file_system == "xfs" else "rw"  # the disk itself is mounted
        return crash_images(self._base, self.log(), folder, seeds=seeds, options=options)
