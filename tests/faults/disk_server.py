"""The process behind a FaultyDisk: keeps its blocks, its log, and does the damage ordered."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from errno import EIO, ENOENT
from pathlib import Path
from stat import S_IFDIR, S_IFREG

from tests.faults.events import Event, Kind
from tests.faults.serving import serve
from tests.faults.sparse import copy_sparsely

_DISK, _REPORT = "/disk", "/report"
_HANDLES = {_DISK: 1, _REPORT: 2}


@dataclass
class _Faults:
    """What goes wrong from now on."""

    write_range: tuple[int, float] | None = None
    writes_after: int | None = None
    """How many more bytes are written before every write fails."""
    read_range: tuple[int, float] | None = None
    flushes_pass: int | None = None
    """How many flushes still succeed before some fail."""
    flushes_fail: int | None = None
    """How many flushes fail then; None is all of them."""
    refused_data: bytes | None = None
    flip_in: tuple[bytes, int] | None = None
    """In the next write with these bytes, the byte so far behind their start is inverted."""


class DiskFiles:
    """Two files: the disk's image, and the report. One lock gives all events one order."""

    use_ns = True

    def __init__(self, image: str, base: str, log: str) -> None:
        self._image = os.open(image, os.O_RDWR)
        self._base, self._log_path = base, log
        self._log = open(log, "wb")  # noqa: SIM115  # as long as this process
        self._lock = threading.Lock()
        self._faults = _Faults()
        self._given = {"write": 0, "read": 0, "flush": 0, "flip": 0}
        self._report_size = 0
        self._attached: tuple[str, str] | None = None

    # What libfuse calls.

    def init(self, path: str) -> None:
        pass

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        if path == "/":
            return {"st_mode": S_IFDIR | 0o755, "st_nlink": 2}
        if path not in _HANDLES:
            raise OSError(ENOENT, os.strerror(ENOENT))
        size = os.fstat(self._image).st_size if path == _DISK else self._report_size
        return {"st_mode": S_IFREG | 0o666, "st_nlink": 1, "st_size": size}

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *(name[1:] for name in _HANDLES)]

    def open(self, path: str, flags: int) -> int:
        return _HANDLES[path]

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        return 0  # opening the report to write truncates it: what was reported was reported

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        if path == _REPORT:
            return b""
        with self._lock:
            if _touches(self._faults.read_range, offset, size):
                self._fail("read")
            return os.pread(self._image, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        with self._lock:
            if path == _REPORT:
                self._report_size += len(data)
                self._record(Event(Kind.REPORT, 0, data))
                return len(data)
            failed = self._refused(offset, data)
            kept = data if failed else self._flipped(data)
            self._record(Event(Kind.WRITE, offset, kept, failed=failed))
            if failed:
                self._fail("write")
            os.pwrite(self._image, kept, offset)
            return len(data)

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        if path == _REPORT:
            return 0
        with self._lock:
            failed = self._flush_fails()
            self._record(Event(Kind.FLUSH, failed=failed))
            if failed:
                self._fail("flush")
        return 0

    # How it comes to harm; all under the lock.

    def _record(self, event: Event) -> None:
        event.write_to(self._log)

    def _fail(self, what: str) -> None:
        self._given[what] += 1
        raise OSError(EIO, os.strerror(EIO))

    def _refused(self, offset: int, data: bytes) -> bool:
        faults, size = self._faults, len(data)
        if _touches(faults.write_range, offset, size):
            return True
        if faults.refused_data and faults.refused_data in data:
            return True
        if faults.writes_after is None:
            return False
        if faults.writes_after < size:
            faults.writes_after = 0
            return True
        faults.writes_after -= size
        return False

    def _flush_fails(self) -> bool:
        faults = self._faults
        if faults.flushes_pass is None:
            return False
        if faults.flushes_pass > 0:
            faults.flushes_pass -= 1
            return False
        if faults.flushes_fail is None:
            return True
        faults.flushes_fail -= 1
        if not faults.flushes_fail:
            faults.flushes_pass = None
        return True

    def _flipped(self, data: bytes) -> bytes:
        if not self._faults.flip_in:
            return data
        mark, behind = self._faults.flip_in
        at = data.find(mark)
        if at < 0 or at + behind >= len(data):
            return data
        self._faults.flip_in = None
        self._given["flip"] += 1
        at += behind
        return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]

    # What the test asks for.

    def fail_writes(self, after: int | None, offset: int | None, length: int | None) -> None:
        with self._lock:
            if offset is None:
                self._faults.writes_after = after
            else:
                self._faults.write_range = _range(offset, length)

    def fail_writes_of(self, data: str) -> None:
        with self._lock:
            self._faults.refused_data = bytes.fromhex(data)

    def fail_reads(self, offset: int, length: int | None) -> None:
        with self._lock:
            self._faults.read_range = _range(offset, length)

    def fail_flushes(self, times: int | None, after: int) -> None:
        with self._lock:
            self._faults.flushes_pass, self._faults.flushes_fail = after, times

    def flip(self, offset: int) -> None:
        with self._lock:
            other = bytes([os.pread(self._image, 1, offset)[0] ^ 0xFF])
            os.pwrite(self._image, other, offset)
            self._record(Event(Kind.FLIP, offset, other))
            self._given["flip"] += 1

    def flip_next_write(self, mark: str, behind: int) -> None:
        with self._lock:
            self._faults.flip_in = bytes.fromhex(mark), behind

    def heal(self) -> None:
        with self._lock:
            self._faults = _Faults()

    def given(self) -> dict[str, int]:
        with self._lock:
            return dict(self._given)

    def start_log(self) -> None:
        """Forget what was written so far: the image as it is now is where the log starts."""
        with self._lock:
            copy_sparsely(Path(f"/proc/self/fd/{self._image}"), Path(self._base))
            self._log.close()
            self._log = open(self._log_path, "wb")  # noqa: SIM115

    def flush_log(self) -> int:
        """Return how long the log is; so much of it is in its file."""
        with self._lock:
            self._log.flush()
            return self._log.tell()

    def attached(self, device: str, mount: str) -> None:
        self._attached = device, mount

    def detach(self) -> None:
        """The test is gone: take down what stands on this disk."""
        self.heal()
        if self._attached:
            device, mount = self._attached
            subprocess.run(["umount", "-q", "--lazy", mount], check=False)
            subprocess.run(["losetup", "-d", device], check=False, stderr=subprocess.DEVNULL)


def _range(offset: int, length: int | None) -> tuple[int, float]:
    return offset, float("inf") if length is None else offset + length


def _touches(bad: tuple[int, float] | None, offset: int, size: int) -> bool:
    return bad is not None and offset < bad[1] and bad[0] < offset + size


def main(control: str, mount: str, image: str, base: str, log: str) -> None:
    """Serve an image file as a disk."""
    disk = DiskFiles(image, base, log)
    asked: list[Callable[..., object]] = [
        *(disk.fail_writes, disk.fail_writes_of, disk.fail_reads, disk.fail_flushes),
        *(disk.heal, disk.given),
        *(disk.flip, disk.flip_next_write, disk.start_log, disk.flush_log, disk.attached),
    ]
    serve(
        disk,
        mount,
        socket.socket(fileno=int(control)),
        {answer.__name__: answer for answer in asked},
        orphaned=disk.detach,
        attr_timeout=0,
        fsname="faulty-disk",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
