"""The process behind a HangingShare: a folder, shown by FUSE, that can stop to answer."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults.serving import serve

_STAT = ("st_mode", "st_ino", "st_nlink", "st_uid", "st_gid", "st_size")
_STATVFS = (
    *("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail"),
    *("f_files", "f_ffree", "f_favail", "f_flag", "f_namemax"),
)


class ShareFiles:
    """The folder's files as they are. While it hangs, every call waits in the kernel."""

    use_ns = True

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._changed = threading.Condition()
        self._only: str | None = ""
        """Calls of this kind hang; empty: none, None: all."""
        self._waiting = 0

    # What the test asks for.

    def hang(self, only: str | None = None) -> None:
        with self._changed:
            self._only = only

    def resume(self) -> None:
        with self._changed:
            self._only = ""
            self._changed.notify_all()

    def waiting(self) -> int:
        """Return how many calls wait now."""
        with self._changed:
            return self._waiting

    # What libfuse calls.

    def init(self, path: str) -> None: ...

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        self._wait("getattr")
        found = os.lstat(self._folder + path)
        times = ("st_atime", "st_mtime", "st_ctime")
        shown = {name: getattr(found, name) for name in _STAT}
        return shown | {name: getattr(found, f"{name}_ns") for name in times}

    def readdir(self, path: str, fh: int) -> Iterator[tuple[str, dict[str, int], int]]:
        self._wait("readdir")
        for name in (".", "..", *os.listdir(self._folder + path)):
            found = os.lstat(f"{self._folder}{path}/{name}")
            yield name, {"st_ino": found.st_ino, "st_mode": found.st_mode}, 0

    def statfs(self, path: str) -> dict[str, int]:
        self._wait("statfs")
        found = os.statvfs(self._folder)
        return {name: getattr(found, name) for name in _STATVFS}

    def open(self, path: str, flags: int) -> int:
        self._wait("open")
        return os.open(self._folder + path, flags & ~os.O_DIRECT & ~os.O_NOFOLLOW)

    def create(self, path: str, mode: int, fi: object = None) -> int:
        self._wait("create")
        return os.open(self._folder + path, os.O_RDWR | os.O_CREAT, mode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        self._wait("read")
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self._wait("write")
        return os.pwrite(fh, data, offset)

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        self._wait("fsync")
        return 0

    def release(self, path: str, fh: int) -> int:
        os.close(fh)
        return 0

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        self._wait("truncate")
        os.truncate(self._folder + path, length)
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        self._wait("mkdir")
        Path(self._folder + path).mkdir(mode)
        return 0

    def rename(self, old: str, new: str) -> int:
        self._wait("rename")
        os.rename(self._folder + old, self._folder + new)
        return 0

    def unlink(self, path: str) -> int:
        self._wait("unlink")
        Path(self._folder + path).unlink()
        return 0

    def chmod(self, path: str, mode: int) -> int:
        self._wait("chmod")
        os.chmod(self._folder + path, mode)
        return 0

    def _wait(self, kind: str) -> None:
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._only is not None and self._only != kind)
            finally:
                self._waiting -= 1


def main(control: str, mount: str, folder: str) -> None:
    """Serve a folder as a share."""
    share = ShareFiles(folder)
    asked: list[Callable[..., object]] = [share.hang, share.resume, share.waiting]
    answers = {answer.__name__: answer for answer in asked}
    connection = socket.socket(fileno=int(control))
    serve(share, mount, connection, answers, orphaned=share.resume, fsname="share")


if __name__ == "__main__":
    main(*sys.argv[1:])
