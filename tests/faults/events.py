"""What happened to a disk, in the order it happened, as it is written to the log."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

_HEAD = struct.Struct("<BBQQ")


class Kind(IntEnum):
    """What an event is."""

    WRITE = 1
    """The file system wrote this to the disk."""
    FLUSH = 2
    """The disk was told to keep what was written before."""
    REPORT = 3
    """A process wrote this to the report."""
    FLIP = 4
    """The rig changed the medium; nothing above knows."""


@dataclass(frozen=True)
class Event:
    """One thing that happened to the disk, or was reported meanwhile."""

    kind: Kind
    offset: int = 0
    data: bytes = b""
    failed: bool = False
    """It was answered with EIO, and changed nothing."""

    def write_to(self, log: BinaryIO) -> None:
        """Append this to a log."""
        log.write(_HEAD.pack(self.kind, self.failed, self.offset, len(self.data)))
        log.write(self.data)


def read_events(log: BinaryIO, size: int) -> Iterator[Event]:
    """Read the events in the first `size` bytes of a log."""
    while log.tell() < size:
        kind, failed, offset, length = _HEAD.unpack(log.read(_HEAD.size))
        yield Event(Kind(kind), offset, log.read(length), bool(failed))
