"""How fast evidence is re-read, and what it gives way to.

A verification has time. It keeps to a rate, stands still while a camera is being taken in,
and steps back for every other program at the processor and at the disk.
"""

import ctypes
import os
import platform
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from recorder_sync.ingest.stopping import Stop

_LOOK_S = 1.0
"""Seconds between two looks at whether to give way."""

_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30, "loongarch64": 30}
"""Number of the system call, which the C library has no name for (ioprio_set(2))."""

_THIS_THREAD = 1, 0
_IDLE = 3 << 13
_NICEST = 19


def _never() -> bool:
    return False


class Pace:
    """The pace of one verification; without arguments as fast as it goes."""

    def __init__(
        self,
        rate: int | None = None,
        stop: Stop | None = None,
        gives_way: Callable[[], bool] = _never,
        ends: Callable[[], bool] = _never,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rate` is in bytes a second. `gives_way` says whether something more urgent goes on,
        `ends` whether its time is over."""
        self._rate = rate
        self._stop = stop or Stop()
        self._gives_way = gives_way
        self._ends = ends
        self._clock = clock
        self._free_at = clock()
        self._look_at = clock()

    def check(self) -> None:
        """Between two steps that cannot wait. Raises as `step` does."""
        if self._ends():
            self._stop.request()
        self._stop.check()

    def step(self) -> None:
        """Between two steps: wait as long as something is more urgent.

        Raises Stopping when it was asked to stop, or its time is over.
        """
        self._stop.check()
        if self._clock() < self._look_at:
            return
        while True:
            self.check()
            self._look_at = self._clock() + _LOOK_S
            if not self._gives_way():
                return
            self._stop.wait(_LOOK_S)

    def took(self, size: int) -> None:
        """Wait until so many bytes were not too many. Raises Stopping."""
        if self._rate is None:
            return
        now = self._clock()
        self._free_at = max(self._free_at, now - _LOOK_S) + size / self._rate
        while (left := self._free_at - self._clock()) > 0:
            self.check()
            self._stop.wait(min(left, _LOOK_S))


def step_back() -> None:
    """Have the calling thread give way to all others, at the processor and at the disk.

    It stays so: only a process, or a thread of its own, should ask for it. Where the system
    does not allow it, or has no such number, it goes on as it was.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICEST)
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None:
        ctypes.CDLL(None).syscall(number, *_THIS_THREAD, _IDLE)
