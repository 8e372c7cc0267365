"""The floor: what copying, digesting and reading back cost at the very least on this machine.

One process and one thread read each file directly, compute BLAKE3 and SHA-256, and write
it directly, through one mapped buffer of 4 MiB; each file is synced, and on wish read back
directly with a BLAKE3 that must be the same. Prints the processor time and the seconds of
that alone, without the start of Python, as JSON.

The digests come from the libraries that the product uses. Processor time for a GiB is
different from machine to machine and from day to day, so a figure is worth more as a
multiple of this floor. Not to be concluded: how fast a copy can be. Nothing here runs
beside anything else, so a program with several threads can take fewer seconds than the
floor, never much less processor time.
"""

import argparse
import hashlib
import json
import mmap
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from blake3 import blake3

_BUFFER = 4 << 20
_READ = os.O_RDONLY | os.O_DIRECT | os.O_NOFOLLOW
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_DIRECT


def copy(source: Path, target: Path, buffer: mmap.mmap) -> str:
    """Copy one file and sync it; return its BLAKE3."""
    view = memoryview(buffer)
    first, second = blake3(), hashlib.sha256()
    reading, writing = os.open(source, _READ), os.open(target, _WRITE, 0o640)
    at = 0
    while count := os.preadv(reading, [view], at):
        first.update(view[:count])
        second.update(view[:count])
        padded = -(-count // mmap.PAGESIZE) * mmap.PAGESIZE
        if os.pwrite(writing, view[:padded], at) != padded:
            sys.exit("a short write")
        at += count
    os.ftruncate(writing, at)
    os.fsync(writing)
    os.close(writing)
    os.close(reading)
    second.hexdigest()
    return first.hexdigest()


def digest(path: Path, buffer: mmap.mmap) -> str:
    """Read a copy back and return its BLAKE3."""
    view = memoryview(buffer)
    read = blake3()
    handle = os.open(path, _READ)
    at = 0
    while count := os.preadv(handle, [view], at):
        read.update(view[:count])
        at += count
    os.close(handle)
    return read.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--read-back", action="store_true")
    parser.add_argument("target", type=Path, help="an empty folder")
    parser.add_argument("files", type=Path, nargs="+")
    given = parser.parse_args()
    buffer = mmap.mmap(-1, _BUFFER, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without large pages
        buffer.madvise(mmap.MADV_HUGEPAGE)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    for number, file in enumerate(given.files):
        target = given.target / str(number)
        written = copy(file, target, buffer)
        if given.read_back and digest(target, buffer) != written:
            sys.exit(f"other bytes came back than were written: {target}")
    cpu, wall = time.process_time() - begin_cpu, time.perf_counter() - begin
    print(json.dumps({"cpu_s": cpu, "wall_s": wall}))


if __name__ == "__main__":
    main()
