"""The process behind a HostileCard: shows a real folder, and misbehaves as it is told."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from errno import EIO, ENOENT
from typing import Any

from tests.faults.serving import Remembered, serve

_STAT = ("st_mode", "st_ino", "st_nlink", "st_uid", "st_gid", "st_size")
_STATVFS = (
    *("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail"),
    *("f_files", "f_ffree", "f_favail", "f_flag", "f_namemax"),
)

_LATER = 2_000_000_000
"""How much later a file that changed says it was modified, in ns: FAT counts in 2 s."""


@dataclass
class _Bad:
    start: int
    end: float
    left: int | None
    """How many reads it still fails; None is always."""


@dataclass
class _Hang:
    at: int
    released: bool = False
    readers: int = 0


@dataclass
class _Resize:
    when_read: int | None
    size: int
    tail: bytes


@dataclass
class _File:
    """What is wrong with one file, and what was read from it."""

    bad: list[_Bad] = field(default_factory=list)
    shortest: int | None = None
    hangs: list[_Hang] = field(default_factory=list)
    changing: list[tuple[int, bytearray]] = field(default_factory=list)
    """Where a range starts, and a mask of it: 255 for every byte that was given before."""
    resizes: list[_Resize] = field(default_factory=list)
    now: _Resize | None = None
    reads: list[tuple[int, int]] = field(default_factory=list)
    errors: int = 0


@dataclass(frozen=True)
class _Handle:
    descriptor: int
    insertion: int
    """In which stay of the card it was opened: later ones do not bring it back to life."""


class CardFiles:
    """The card's file system, and the answers to what the test asks for."""

    use_ns = True

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._handles: dict[int, _Handle] = {}
        self._changed = threading.Condition()
        self._insertion = 0
        self._gone = False
        self._leave_after: int | None = None
        self._given = 0

    # What libfuse calls.

    def init(self, path: str) -> None:
        self._remembered = Remembered()

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        if path != "/":
            self._need_card(ENOENT)
        found = os.lstat(self._folder + path)
        shown = {name: getattr(found, name) for name in _STAT}
        later = 0
        with self._changed:
            file = self._files.get(path)
            if file and file.now:
                shown["st_size"], later = file.now.size, _LATER
        times = ("st_atime", "st_mtime", "st_ctime")
        return shown | {name: getattr(found, f"{name}_ns") + later for name in times}

    def readdir(self, path: str, fh: int) -> Iterator[tuple[str, dict[str, int], int]]:
        folder = self._folder + path
        for name in (".", "..", *([] if self._gone else os.listdir(folder))):
            found = os.lstat(f"{folder}/{name}")  # an entry without a number is not listed
            yield name, {"st_ino": found.st_ino, "st_mode": found.st_mode}, 0

    def readlink(self, path: str) -> str:
        self._need_card(ENOENT)
        return os.readlink(self._folder + path)  # noqa: PTH115  # the text, as it is

    def statfs(self, path: str) -> dict[str, int]:
        self._need_card(EIO)
        found = os.statvfs(self._folder)
        return {name: getattr(found, name) for name in _STATVFS}

    def open(self, path: str, flags: int) -> int:
        self._need_card(ENOENT)
        descriptor = os.open(self._folder + path, os.O_RDONLY)
        with self._changed:
            self._handles[descriptor] = _Handle(descriptor, self._insertion)
        return descriptor

    def release(self, path: str, fh: int) -> int:
        with self._changed:
            del self._handles[fh]
        os.close(fh)
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        with self._changed:
            file = self._file(path)
            if file.shortest is not None:
                size = min(size, file.shortest)
            self._hang(file, fh, offset, size)
            self._fail(file, fh, offset, size)
            if self._leave_after is not None:
                size = min(size, self._leave_after - self._given)
            data = _content(file, fh, size, offset)
            for change in file.changing:
                data = _changed(data, offset, *change)
            if data:
                file.reads.append((offset, len(data)))
            self._given += len(data)
            self._after(path, file, offset, size)
            return data

    # How a read comes to harm; all under the lock.

    def _need_card(self, error: int) -> None:
        if self._gone:
            raise OSError(error, os.strerror(error))

    def _hang(self, file: _File, fh: int, offset: int, size: int) -> None:
        for hang in file.hangs:
            if offset <= hang.at < offset + size and not hang.released:
                hang.readers += 1
                self._changed.notify_all()
                while not (hang.released or self._dead(fh)):
                    self._changed.wait()
                hang.readers -= 1

    def _dead(self, fh: int) -> bool:
        return self._gone or self._handles[fh].insertion != self._insertion

    def _fail(self, file: _File, fh: int, offset: int, size: int) -> None:
        failed = self._dead(fh)
        for bad in file.bad:
            if offset < bad.end and bad.start < offset + size and bad.left != 0:
                failed = True
                if bad.left is not None:
                    bad.left -= 1
        if failed:
            file.errors += 1
            raise OSError(EIO, os.strerror(EIO))

    def _after(self, path: str, file: _File, offset: int, size: int) -> None:
        for resize in file.resizes[:]:
            if resize.when_read is not None and offset <= resize.when_read < offset + size:
                file.resizes.remove(resize)
                file.now = resize
                self._remembered.forget(path)
        if self._leave_after is not None and self._given >= self._leave_after:
            self._leave()

    def _leave(self) -> None:
        self._gone, self._leave_after = True, None
        self._changed.notify_all()

    def _file(self, path: str) -> _File:
        return self._files.setdefault(path, _File())

    # What the test asks for.

    def fail(self, path: str, offset: int, length: int | None, times: int | None) -> None:
        with self._changed:
            end = float("inf") if length is None else offset + length
            self._file(path).bad.append(_Bad(offset, end, times))

    def shorten(self, path: str, most: int | None) -> None:
        with self._changed:
            self._file(path).shortest = most

    def hang(self, path: str, at: int) -> int:
        with self._changed:
            hangs = self._file(path).hangs
            hangs.append(_Hang(at))
            return len(hangs) - 1

    def await_reader(self, path: str, hang: int, seconds: float) -> bool:
        with self._changed:
            point = self._file(path).hangs[hang]
            return self._changed.wait_for(lambda: point.readers > 0, seconds)

    def release_hang(self, path: str, hang: int) -> None:
        with self._changed:
            self._file(path).hangs[hang].released = True
            self._changed.notify_all()

    def change(self, path: str, offset: int, length: int | None) -> None:
        if length is None:
            length = os.stat(self._folder + path).st_size - offset
        with self._changed:
            self._file(path).changing.append((offset, bytearray(length)))

    def resize(self, path: str, size: int | None, tail: str, when_read: int | None) -> None:
        added = bytes.fromhex(tail)
        if size is None:
            size = os.stat(self._folder + path).st_size + len(added)
        with self._changed:
            file, resize = self._file(path), _Resize(when_read, size, added)
            if when_read is not None:
                file.resizes.append(resize)
            else:
                file.now = resize
                self._remembered.forget(path)

    def leave(self, after: int | None) -> None:
        with self._changed:
            if after is None:
                self._leave()
            else:
                self._leave_after = self._given + after

    def come_back(self) -> None:
        with self._changed:
            self._gone, self._leave_after = False, None
            self._insertion += 1

    def heal(self) -> None:
        """Every fault is over; the card that is gone stays so, and reads stay counted."""
        with self._changed:
            for path, file in self._files.items():
                for hang in file.hangs:
                    hang.released = True
                self._files[path] = _File(reads=file.reads, errors=file.errors)
                self._remembered.forget(path)
            self._leave_after = None
            self._changed.notify_all()

    def reads(self, path: str) -> list[tuple[int, int]]:
        with self._changed:
            return list(self._file(path).reads)

    def errors(self, path: str) -> int:
        with self._changed:
            return self._file(path).errors

    def forget_reads(self) -> None:
        with self._changed:
            for file in self._files.values():
                file.reads, file.errors = [], 0


def _content(file: _File, fh: int, size: int, offset: int) -> bytes:
    """Return what the file has there, as long as it is now."""
    if not file.now:
        return os.pread(fh, size, offset)
    size = max(0, min(size, file.now.size - offset))
    data = os.pread(fh, size, offset)
    real = file.now.size - len(file.now.tail)
    if len(data) < size:
        start = offset + len(data) - real
        data += file.now.tail[start : start + size - len(data)]
    return data


def _changed(data: bytes, offset: int, start: int, given: bytearray) -> bytes:
    """Return the data with every byte inverted that was given before; note what is given."""
    first, last = max(offset, start), min(offset + len(data), start + len(given))
    if first >= last:
        return data
    mask = given[first - start : last - start]
    inside = slice(first - offset, last - offset)
    other = int.from_bytes(data[inside]) ^ int.from_bytes(mask)
    given[first - start : last - start] = b"\xff" * (last - first)
    return data[: inside.start] + other.to_bytes(last - first) + data[inside.stop :]


def main(control: str, mount: str, folder: str) -> None:
    """Serve a folder as a card."""
    card = CardFiles(folder)
    asked: dict[str, Any] = {
        "fail": card.fail,
        "shorten": card.shorten,
        "hang": card.hang,
        "await_reader": card.await_reader,
        "release_hang": card.release_hang,
        "change": card.change,
        "resize": card.resize,
        "leave": card.leave,
        "come_back": card.come_back,
        "heal": card.heal,
        "reads": card.reads,
        "errors": card.errors,
        "forget_reads": card.forget_reads,
    }
    serve(
        card,
        mount,
        socket.socket(fileno=int(control)),
        asked,
        orphaned=card.heal,
        ro=True,  # and so the kernel keeps no access times, which would end its memory
        attr_timeout=86400,
        use_ino=True,
        fsname="card",
        subtype="card",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
