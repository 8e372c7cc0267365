"""Runs a command and measures it from the outside, with everything that it starts.

Memory is the sum of the proportional set sizes of the process and all below it (PSS:
shared pages count once), sampled; a peak between two samples can be missed, so the
kernel's own peak of the largest process stands beside it. Beside it stands what of it is
the processes' own: without pages of mapped files, above all the code of libraries, which
the kernel drops when it needs the room and reads again. Processor time is that of the
processes; what the kernel does for them in its own threads, such as writing back cached
pages, is nobody's.
"""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.05
COLUMNS, ROWS = 100, 30
_MOST_OUTPUT = 1 << 16


@dataclass(frozen=True, slots=True)
class Measured:
    code: int
    wall_s: float
    cpu_s: float
    peak_pss: int
    """Bytes, of the whole tree of processes."""
    peak_own: int
    """Bytes, of the whole tree of processes, without pages of files."""
    peak_rss: int
    """Bytes, of the largest single process."""
    silence_s: float
    """Longest time without a byte of output, from the first moment to the last."""
    output: str
    """The end of what it printed."""
    began_at: float
    """Seconds since 1970."""


def run_measured(
    command: Sequence[str | Path], *, terminal: bool = False, sample_s: float = SAMPLE_S
) -> Measured:
    """Run a command to its end, on a terminal of its own or with its output in a pipe."""
    reading, writing = pty.openpty() if terminal else os.pipe()
    if terminal:
        fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    began_at, begin = time.time(), time.perf_counter()
    child = subprocess.Popen(
        command,
        stdin=writing if terminal else subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
        start_new_session=True,
        env=environment(),
    )
    os.close(writing)
    memory = _MemorySampler(child.pid, sample_s)
    listener = _Listener(reading, begin)
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except BaseException:  # an interrupt: nothing goes on working behind it
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
    child.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait again
    end = time.perf_counter()
    peak = memory.stop()
    listener.join()
    os.close(reading)
    return Measured(
        child.returncode,
        end - begin,
        usage.ru_utime + usage.ru_stime,
        peak.pss,
        peak.own,
        usage.ru_maxrss << 10,
        listener.longest_silence(end),
        listener.text.decode("utf-8", "replace"),
        began_at,
    )


def environment() -> dict[str, str]:
    """Return what a command is run with: as it is installed, with its compiled modules."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return {**kept, "TERM": "xterm-256color"}


class _Listener(threading.Thread):
    """Reads output as it comes and notes when it came."""

    def __init__(self, handle: int, begin: float) -> None:
        super().__init__(daemon=True)
        self.text = b""
        self._reading_end = handle
        self._longest = 0.0
        self._last = begin
        self.start()

    def run(self) -> None:
        with suppress(OSError):  # how a terminal says that nobody writes any more
            while part := os.read(self._reading_end, _MOST_OUTPUT):
                self._note(time.perf_counter())
                self.text = (self.text + part)[-_MOST_OUTPUT:]

    def longest_silence(self, end: float) -> float:
        self._note(end)
        return self._longest

    def _note(self, now: float) -> None:
        self._longest = max(self._longest, now - self._last)
        self._last = now


@dataclass(frozen=True, slots=True)
class _Memory:
    pss: int = 0
    own: int = 0

    def __add__(self, other: "_Memory") -> "_Memory":
        return _Memory(self.pss + other.pss, self.own + other.own)

    def or_more(self, other: "_Memory") -> "_Memory":
        return _Memory(max(self.pss, other.pss), max(self.own, other.own))


class _MemorySampler(threading.Thread):
    def __init__(self, pid: int, sample_s: float) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._sample_s = sample_s
        self._peak = _Memory()
        self._end = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._end.wait(self._sample_s):
            now = sum((_memory(pid) for pid in _tree(self._pid)), _Memory())
            self._peak = self._peak.or_more(now)

    def stop(self) -> _Memory:
        self._end.set()
        self.join()
        return self._peak


def _tree(pid: int) -> Iterator[int]:
    """Yield a process and all below it, as far as they are still there.

    One that has the command line of its parent is just being started: until it runs its own
    program its memory is its parent's (vfork(2)), and would count twice.
    """
    yield pid
    with suppress(OSError):
        own = Path(f"/proc/{pid}/cmdline").read_bytes()
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                if Path(f"/proc/{child}/cmdline").read_bytes() != own:
                    yield from _tree(int(child))


def _memory(pid: int) -> _Memory:
    with suppress(OSError):
        pairs = [
            line.partition(":")
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        ]
        kib = {name: int(value.split()[0]) for name, _, value in pairs}
        return _Memory(kib["Pss"] << 10, (kib["Pss"] - kib["Pss_File"]) << 10)
    return _Memory()
