"""One recording from the card to a copy that is proven: copied, synced, read back.

A large recording goes on where an earlier docking stopped. What cannot be read as a whole
can be salvaged.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.config import Ingest as IngestSettings
from recorder_sync.durable import READ_ONLY
from recorder_sync.errors import RecordingFailure
from recorder_sync.ingest.buffers import Buffers, is_ring
from recorder_sync.ingest.engine import Copied, Copy, Digesting, Mark, Writer, not_written
from recorder_sync.ingest.failures import bad_medium, explained, other_bytes
from recorder_sync.ingest.inventory import Item
from recorder_sync.ingest.medium import file_system_of, has_device
from recorder_sync.ingest.pairs import Pairs
from recorder_sync.ingest.part import NEW, part_folder
from recorder_sync.ingest.partials import KEPT_FROM, KeptPartials, Note, go_on, key_of, write_note
from recorder_sync.ingest.progress import Observer
from recorder_sync.ingest.readback import ReadBack, read_back
from recorder_sync.ingest.salvage import merged, partly_readable, salvaged
from recorder_sync.ingest.small import SmallCopy, SmallFile, SmallGroup
from recorder_sync.ingest.source import Source, changed
from recorder_sync.ingest.stopping import Stop
from recorder_sync.ingest.volume import Stamp, Volume, stamp
from recorder_sync.media.window import Shown, place_of
from recorder_sync.model import Range

_BEING_WRITTEN = 0o640


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A copy on stable storage, not read back yet."""

    item: Item
    part: Path
    copied: Copied
    mtime_ns: int
    """The source's time when it was copied."""
    resumed_at: int | None = None
    """Bytes that an earlier docking had copied already."""
    missing: tuple[Range, ...] = ()
    """Of a salvage copy: what could not be read."""
    failure: RecordingFailure | None = None
    """Of a salvage copy: why the recording as a whole is not in."""


@dataclass(frozen=True, slots=True)
class Proven:
    """A copy that was read back, and what that proves."""

    copy: OnDisk
    read_back: ReadBack
    shown: Shown | None = None
    """Where whoever describes it finds it in the window."""


@dataclass(frozen=True, slots=True)
class Failed:
    number: int
    item: Item
    failure: RecordingFailure


class Copying:
    """Copies from one volume into one docking's incoming folder."""

    def __init__(
        self,
        volume: Volume,
        incoming: Path,
        device: str | None,
        settings: IngestSettings,
        buffers: Buffers,
        pairs: Pairs | None,
        copy_small: Callable[[SmallGroup], Sequence[SmallCopy | RecordingFailure]],
        observer: Observer,
        stop: Stop,
    ) -> None:
        self.volume = volume
        self._incoming = incoming
        self._folder = part_folder(incoming)
        self._device = device
        self._settings = settings
        self._buffers = buffers
        self._pairs = pairs
        self._copy_small = copy_small
        self._observer = observer
        self._stop = stop
        self._kept = KeptPartials(incoming.parent)
        self._on_device = has_device(file_system_of(incoming))

    def part(self, number: int) -> Path:
        return Path(f"{self._incoming}/{number}.part")

    def salvage_part(self, number: int) -> Path:
        """Return where a salvage copy goes: what is copied already may yet become whole."""
        return Path(f"{self._incoming}/{number}-salvage.part")

    def discard(self, part: Path) -> None:
        """Throw a partial copy away. An evidence folder that is gone has nothing to discard."""
        if not self._folder.is_there():
            return
        for path in (part, part.with_suffix(".note")):
            with suppress(OSError):
                path.unlink()

    def large(self, number: int, item: Item, between: Callable[[], None], *, first: bool) -> OnDisk:
        """Copy one recording to stable storage.

        `first` is false when it changed under an earlier try: then it is taken as it is by
        now. `between` is called between two chunks. Raises RecordingFailure or Stopping; what
        is left of the copy may be worth keeping.
        """
        part = self.part(number)
        expected = Stamp(item.size, item.mtime_ns)
        with self._reading(), self.volume.file(item.path) as handle:
            if not first:
                expected = stamp(handle)
            source = self._source(handle, expected)
            key = key_of(self._device, item.path, expected.size, expected.mtime_ns)
            with ExitStack() as stack:
                target, mark = self._part_or_kept(part, key, first, stack)
                buffers = stack.enter_context(self._buffers.for_large())
                pairs = self._pairs if is_ring(buffers) else None
                self._observer.started(item.path, expected.size)
                writer, digesting = Writer(target), self._digesting(pairs)
                if mark and not go_on(source, target, mark, digesting, buffers[0], between):
                    writer.start_over()
                    digesting, mark = self._digesting(pairs), None
                if mark:
                    self._observer.copied(item.path, mark.length)
                copy = Copy(
                    source,
                    writer,
                    digesting,
                    lambda count: self._observer.copied(item.path, count),
                    between,
                    lambda reached: self._note(part, key, reached),
                    pairs,
                )
                copied = copy.run(buffers)
                writer.close_to_writing()
        return OnDisk(item, part, copied, expected.mtime_ns, mark.length if mark else None)

    def _digesting(self, pairs: Pairs | None) -> Digesting:
        return Digesting(self._settings.digests, in_pairs=pairs is not None)

    def _part_or_kept(
        self, part: Path, key: str, first: bool, stack: ExitStack
    ) -> tuple[int, Mark | None]:
        """Open a new partial copy, or one that an earlier docking left and its mark."""
        try:
            mark = self._kept.fetch(key, part) if first else None
        except OSError as error:
            raise not_written(error) from error
        flags = os.O_RDWR if mark else NEW
        return stack.enter_context(self._folder.opened(part, flags, _BEING_WRITTEN)), mark

    def _note(self, part: Path, key: str, mark: Mark) -> None:
        if mark.length < KEPT_FROM or not self._folder.is_there():
            return
        try:
            write_note(part, Note(key, mark))
        except OSError as error:
            raise not_written(error) from error

    def salvage(
        self, number: int, item: Item, why: RecordingFailure, between: Callable[[], None]
    ) -> OnDisk | None:
        """Copy what can be read of a recording to stable storage; None: nothing can.

        Where all of it can be read by now, the copy is the whole recording, and no failure.
        Raises RecordingFailure or Stopping.
        """
        part, expected = self.salvage_part(number), Stamp(item.size, item.mtime_ns)
        with (
            self._reading(),
            self.volume.file(item.path) as handle,
            self._folder.opened(part, NEW, READ_ONLY) as target,
            self._buffers.single() as buffer,
        ):
            _check_unchanged(handle, expected)
            writer, digesting = Writer(target), Digesting(self._settings.digests)
            missing: list[Range] = []
            for count, unreadable in salvaged(
                handle, item.size, buffer, self.volume.check_present, between
            ):
                writer.write(buffer, count, digesting.size)
                digesting.all(buffer[:count])
                missing += unreadable
            _check_unchanged(handle, expected)
            writer.sync()
        ranges = merged(missing)
        if sum(r.length for r in ranges) >= item.size:
            return None
        failure = partly_readable(ranges, item.size, why) if ranges else None
        copied = digesting.result()
        return OnDisk(item, part, copied, item.mtime_ns, missing=ranges, failure=failure)

    def prove(self, copy: OnDisk) -> Proven:
        """Read a copy back. Raises RecordingFailure when it is not good, or Stopping."""
        if not self._settings.read_back:
            return Proven(copy, ReadBack.OFF)
        with (
            self._buffers.for_reading_back() as buffers,
            self._folder.opened(copy.part, os.O_RDONLY) as handle,
        ):
            return Proven(copy, self._read_back(copy, handle, buffers))

    def small(
        self, numbered: Sequence[tuple[int, Item]], pane: int | None = None
    ) -> list[Proven | Failed]:
        """Copy and prove recordings that fit one small buffer.

        They may be left in this pane of the window.
        """
        files = tuple(
            SmallFile(i.path, i.size, i.mtime_ns, f"{number}.part", place_of(pane, at, i.size))
            for at, (number, i) in enumerate(numbered)
        )
        group = SmallGroup(
            self.volume.root,
            self.volume.identity,
            self._folder,
            files,
            # Plain strings: an enumeration would have the other process load all settings.
            tuple(name.value for name in self._settings.digests),
            self._settings.read_back,
            self._on_device,
        )
        for _, item in numbered:
            self._observer.started(item.path, item.size)
        results: list[Proven | Failed] = []
        for (number, item), done in zip(numbered, self._copy_small(group), strict=True):
            if isinstance(done, RecordingFailure):
                results.append(Failed(number, item, done))
                continue
            self._observer.copied(item.path, item.size)
            self._observer.read_back(item.path, item.size)
            copy = OnDisk(item, self.part(number), done.copied, item.mtime_ns)
            results.append(Proven(copy, done.read_back, done.shown))
        return results

    def _source(self, handle: int, expected: Stamp) -> Source:
        return Source(handle, expected, self.volume.check_present, self._stop.wait)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn an error of the card into what it means."""
        try:
            yield
        except OSError as error:
            self.volume.check_present()
            raise explained(error) from error

    def _read_back(
        self, copy: OnDisk, handle: int, buffers: tuple[memoryview, memoryview]
    ) -> ReadBack:
        path, copied = copy.item.path, copy.copied
        try:
            read = read_back(
                handle,
                buffers[0],
                self._on_device,
                lambda count: self._observer.read_back(path, count),
                self._stop.check,
                spare=buffers[1],
            )
        except OSError as error:
            raise bad_medium(error) from error
        if (read.blake3, read.size) != (copied.digests.blake3, copied.size):
            raise other_bytes()
        return read.proof


def _check_unchanged(handle: int, expected: Stamp) -> None:
    if stamp(handle) != expected:
        raise changed()
