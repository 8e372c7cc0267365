"""Remembers which checkpoints each place was given, so that one that was emptied is noticed.

    <state>/custody/delivered       SIZE FILE-SYSTEM PLACE, one line a checkpoint and place

A place is a folder on one file system: another disk or stick at the same path was given
nothing yet, and nobody is accused. Where a file system cannot be told from others (a network
share, a disk that udev does not know) nothing is remembered of it. Somebody who empties a
place and cuts this file as well is noticed only by places that they did not think of.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recorder_sync.durable import (
    exclusive,
    make_folders,
    read_regular,
    replace_synced,
    sync_folder,
    write_all,
)

FILE = "delivered"
_SIZE = re.compile(r"[0-9]{20}")
_MOUNTS = Path("/proc/self/mountinfo")
_NUMBER_THEMSELVES = frozenset({"ext2", "ext3", "ext4"})
"""What statvfs(2) gives for them is made of their UUID; for others, of the device's number."""

_BY_UUID = Path("/dev/disk/by-uuid")


class Delivered:
    """The file of one station's log. Everything here may raise OSError."""

    def __init__(self, custody: Path) -> None:
        """`custody` is the log's folder."""
        self._path = custody / FILE

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the right to keep checkpoints in places: one process at a time."""
        make_folders(self._path.parent)
        with exclusive(self._path.with_name(f"{FILE}.lock")):
            yield

    def add(self, place: Path, file_system: str, sizes: Iterable[int]) -> None:
        """Note what a place holds, synced; in one's turn."""
        new = sorted(set(sizes) - self.given(place, file_system))
        if not new:
            return
        lines = "".join(f"{size:020d} {file_system} {_quoted(place)}\n" for size in new).encode()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(self._path, flags, 0o640)
        try:
            size = os.fstat(handle).st_size
            torn = size and os.pread(handle, 1, size - 1) != b"\n"
            write_all(handle, b"\n" + lines if torn else lines)
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_folder(self._path.parent)

    def forget(self, place: Path) -> None:
        """Forget what a place was given, on whatever file system: it begins anew, on record."""
        with self.turn():
            try:
                lines = read_regular(self._path).splitlines(keepends=True)
            except FileNotFoundError:
                return
            ending = f" {_quoted(place)}\n".encode()
            replace_synced(self._path, b"".join(one for one in lines if not one.endswith(ending)))

    def given(self, place: Path, file_system: str) -> set[int]:
        """Return the sizes of the checkpoints that a place was seen to hold."""
        try:
            lines = read_regular(self._path).decode("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return set()
        ending = f" {file_system} {_quoted(place)}"
        heads = (line.removesuffix(ending) for line in lines if line.endswith(ending))
        return {
            int(head) for head in heads if len(head) == 20 and head.isascii() and head.isdigit()
        }


def file_system_of(path: Path) -> str | None:
    """Return what tells the file system at `path` from all others, for good.

    None: nothing does. Raises OSError.
    """
    device = path.stat().st_dev
    # Of no one disk are btrfs and overlays, which number themselves; network shares say 0.
    if os.major(device) == 0 or _type_of(device) in _NUMBER_THEMSELVES:
        number = os.statvfs(path).f_fsid
        return f"fsid-{number:x}" if number else None
    with suppress(FileNotFoundError):
        for link in _BY_UUID.iterdir():
            with suppress(OSError):  # of a disk that was just pulled out
                if link.stat().st_rdev == device:
                    return f"uuid-{link.name}"
    return None


def _type_of(device: int) -> str | None:
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in _MOUNTS.read_text("utf-8", "surrogateescape").splitlines():
        mounted, _, behind = line.partition(" - ")
        if mounted.split(" ")[2] == wanted:
            return behind.split(" ")[0]
    return None


def _quoted(place: Path) -> str:
    return json.dumps(str(place))
