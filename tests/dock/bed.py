"""A made-up sysfs, udev and /dev, and the real watcher looking at it.

Runs under `umockdev-wrapper`, as `python -m tests.dock.bed FD`: does what the connection
FD asks, and sends there what the watcher reports. libumockdev is called directly, so that
it works in any Python environment, without GObject introspection.
"""

import contextlib
import ctypes
import errno
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyudev

from recorder_sync.dock.watcher import Watcher, open_monitor

_VOID, _TEXT = ctypes.c_void_p, ctypes.c_char_p


class Bed:
    """The testbed of umockdev."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libumockdev.so.0")
        self._library.umockdev_testbed_new.restype = _VOID
        self._bed = _VOID(self._library.umockdev_testbed_new())
        root = self._library.umockdev_testbed_get_root_dir
        root.argtypes, root.restype = [_VOID], _TEXT
        self._root = os.fsdecode(root(self._bed))

    def add(self, descriptions: list[str], partitions: list[str]) -> None:
        """Make devices; the `add` of each is sent.

        As the kernel does it, the partitions are in sysfs before anyone is told of their
        disk; umockdev alone would tell of the disk first.
        """
        for path in partitions:
            folder = Path(f"{self._root}{path}")
            folder.mkdir(parents=True)
            (folder / "partition").touch()
        for description in descriptions:
            self._call("add_from_string", description, None)

    def set(self, path: str, properties: dict[str, str], attributes: dict[str, str]) -> None:
        for name, value in properties.items():
            self._call("set_property", path, name, value)
        for name, value in attributes.items():
            self._call("set_attribute", path, name, value)

    def send(self, path: str, action: str) -> None:
        self._call("uevent", path, action)

    def take_away(self, path: str) -> None:
        """Remove the device and all below it."""
        self._call("remove_device", path)

    def _call(self, name: str, *arguments: str | None) -> None:
        function = getattr(self._library, f"umockdev_testbed_{name}")
        function.argtypes = [_VOID] + [_TEXT] * len(arguments)
        function(self._bed, *(None if a is None else a.encode() for a in arguments))


class LosingMonitor:
    """A fake: a real monitor whose buffer overflows when it is told to."""

    overflow = False
    is_waited_for = threading.Event()
    """What was there has been counted, and the watcher waits for events."""

    def __init__(self, context: pyudev.Context) -> None:
        self._real = open_monitor(context)

    def fileno(self) -> int:
        LosingMonitor.is_waited_for.set()
        return int(self._real.fileno())

    def poll(self, timeout: float) -> pyudev.Device | None:
        device = self._real.poll(timeout)
        if LosingMonitor.overflow:
            LosingMonitor.overflow = False
            raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
        return device


class _Served:
    def __init__(self, connection: Connection) -> None:
        self._bed = Bed()
        self._connection = connection
        self._watcher: Watcher | None = None

    def watch(self, ignored: frozenset[int]) -> None:
        """Begin to watch. What comes afterwards is told of by its events only.

        Else it may be counted before its events are read, and be gone again by then: it is
        reported once more, and gone once more, which is right but not what a test expects.
        """
        LosingMonitor.is_waited_for.clear()
        self._watcher = watcher = Watcher(ignored, LosingMonitor)
        signal.signal(signal.SIGTERM, lambda *_: watcher.stop())
        threading.Thread(target=self._report, args=[watcher], daemon=True).start()
        LosingMonitor.is_waited_for.wait()

    def lose_next(self) -> None:
        LosingMonitor.overflow = True

    def stop(self) -> None:
        assert self._watcher is not None
        self._watcher.stop()

    def _report(self, watcher: Watcher) -> None:
        with contextlib.suppress(BrokenPipeError):  # the test is over
            for event in watcher.events():
                self._connection.send(event)
            self._connection.send("ended")

    def run(self) -> None:
        while True:
            try:
                name, arguments = self._connection.recv()
            except (EOFError, ConnectionResetError):
                return
            target: Any = self if hasattr(self, name) else self._bed
            getattr(target, name)(*arguments)


if __name__ == "__main__":
    _Served(Connection(int(sys.argv[1]))).run()
