"""Small recordings, several together: all written, then all synced, then all read back.

Each is one read, one write and one sync, so what costs is the program around it. Taken
together they share the way to their folder, and the first sync does most of the work of
all. The group is plain data in and plain data out, so that another process can do it
(`copier.py`).
"""

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.direct_io import page_aligned, whole_pages
from recorder_sync.durable import READ_ONLY
from recorder_sync.errors import RecordingFailure
from recorder_sync.ingest.engine import Copied, Digesting, Writer
from recorder_sync.ingest.failures import bad_medium, explained, other_bytes
from recorder_sync.ingest.part import NEW, PartFolder, opened_in
from recorder_sync.ingest.readback import ReadBack, read_back
from recorder_sync.ingest.source import Source, changed
from recorder_sync.ingest.volume import CardReader, OpenFile, Stamp, Volume, gone
from recorder_sync.media.window import Shown, view_of
from recorder_sync.model import CardPath


@dataclass(frozen=True, slots=True)
class SmallFile:
    """One recording of at most CHUNK bytes, as it is in the inventory."""

    path: CardPath
    size: int
    mtime_ns: int
    part: str
    """Name of its copy in the group's folder."""
    place: int | None = None
    """Where in the window it may be left, for whoever has one (`window.py`)."""


@dataclass(frozen=True, slots=True)
class SmallGroup:
    root: Path
    """The volume."""
    identity: tuple[int, int]
    """Device and inode of the root when the intake began."""
    folder: PartFolder
    """Where all copies go."""
    files: tuple[SmallFile, ...]
    digests: tuple[str, ...]
    read_back: bool
    on_device: bool
    """Whether the evidence folder's file system can prove a read-back."""


@dataclass(frozen=True, slots=True)
class SmallCopy:
    copied: Copied
    read_back: ReadBack
    shown: Shown | None = None
    """Where it is in the window, if there."""


def copy_small(
    group: SmallGroup, window: memoryview | None = None
) -> list[SmallCopy | RecordingFailure]:
    """Copy and prove a group; return what came of each file, in order.

    What is read back is left in `window` where there is a place for it.
    """
    try:
        volume = Volume(group.root)
    except OSError:
        return [gone() for _ in group.files]
    with ExitStack() as stack:
        stack.callback(volume.close)
        if volume.identity != group.identity:
            return [gone() for _ in group.files]
        try:
            folder = stack.enter_context(group.folder.held())
        except RecordingFailure as failure:
            return [failure for _ in group.files]
        largest = max((file.size for file in group.files), default=0)
        buffer = stack.enter_context(page_aligned(whole_pages(largest + 1)))
        reader = stack.enter_context(volume.reader())
        written = [
            _written(group, file, folder, volume, reader, buffer, stack) for file in group.files
        ]
        return [
            one if isinstance(one, RecordingFailure) else _proven(group, file, one, buffer, window)
            for file, one in zip(group.files, written, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Written:
    target: int
    writer: Writer
    copied: Copied


def _written(
    group: SmallGroup,
    file: SmallFile,
    folder: int,
    volume: Volume,
    reader: CardReader,
    buffer: memoryview,
    stack: ExitStack,
) -> _Written | RecordingFailure:
    try:
        target = opened_in(folder, file.part, NEW, READ_ONLY)
        stack.callback(os.close, target)
        try:
            with reader.file(file.path) as opened:
                writer = Writer(target)
                copied = _copied(group, file, volume, opened, writer, buffer)
                return _Written(target, writer, copied)
        except OSError as error:
            volume.check_present()
            return explained(error)
    except RecordingFailure as failure:
        return failure


def _copied(
    group: SmallGroup,
    file: SmallFile,
    volume: Volume,
    opened: OpenFile,
    writer: Writer,
    buffer: memoryview,
) -> Copied:
    expected = Stamp(file.size, file.mtime_ns)
    source = Source(
        opened.handle,
        expected,
        volume.check_present,
        time.sleep,
        found=opened.stamp,
        flags=opened.flags,
    )
    count = source.fill(buffer, 0)
    if count != file.size:
        raise changed()
    writer.write(buffer, count, 0)
    digesting = Digesting(group.digests)
    digesting.all(buffer[:count])
    source.check_unchanged()
    source.leave_no_pages()
    return digesting.result()


def _proven(
    group: SmallGroup,
    file: SmallFile,
    one: _Written,
    buffer: memoryview,
    window: memoryview | None,
) -> SmallCopy | RecordingFailure:
    view, shown = buffer, None
    if window is not None and file.place is not None:
        shown = Shown(file.place, one.copied.size)
        view = view_of(window, file.place)
    try:
        one.writer.sync()
        if not group.read_back:
            return SmallCopy(one.copied, ReadBack.OFF)
        read = read_back(
            one.target,
            view,
            group.on_device,
            size=one.copied.size,
            flags=one.writer.flags,
        )
    except RecordingFailure as failure:
        return failure
    except OSError as error:
        return bad_medium(error)
    if (read.blake3, read.size) != (one.copied.digests.blake3, one.copied.size):
        return other_bytes()
    return SmallCopy(one.copied, read.proof, shown)
