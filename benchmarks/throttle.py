"""Holds the reading of block devices to a rate, for the processes of one control group.

Both generations of the kernel's controllers are served: `blkio` (version 1) and `io`
(version 2). What a process of the group reads directly is held back; what the kernel
reads ahead for it is too, as long as it is charged to the group, so devices should not
read ahead. A rate is counted over some milliseconds: the first of them may be faster.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TRIAL_MIB = 64
_MOST_TIMES_LIMIT = 1.1
_LEAST_TIMES_LIMIT = 0.85


class Unavailable(Exception):
    """It cannot be had here; the text says why."""


class Throttle:
    def __init__(self, group: Path, generation: int) -> None:
        self._group = group
        self._generation = generation

    @property
    def inside(self) -> tuple[str | Path, ...]:
        """Begin of a command that runs the rest of it in the group."""
        enter = 'echo $$ >"$0" && exec "$@"'
        return ("sh", "-c", enter, self._group / "cgroup.procs")

    def limit(self, device: Path, bytes_per_s: int) -> None:
        number = os.stat(device).st_rdev
        name = f"{os.major(number)}:{os.minor(number)}"
        if self._generation == 1:
            rule = self._group / "blkio.throttle.read_bps_device"
            rule.write_text(f"{name} {bytes_per_s}")
        else:
            (self._group / "io.max").write_text(f"{name} rbps={bytes_per_s}")

    def check(self, file: Path, bytes_per_s: int) -> float:
        """Read a little of a file on a limited device; return the rate, or raise Unavailable."""
        read = ("dd", f"if={file}", "of=/dev/null", "bs=4M", f"count={_TRIAL_MIB // 4}")
        begin = time.perf_counter()
        subprocess.run([*self.inside, *read, "iflag=direct", "status=none"], check=True)
        rate = min(_TRIAL_MIB << 20, file.stat().st_size) / (time.perf_counter() - begin)
        if not _LEAST_TIMES_LIMIT < rate / bytes_per_s < _MOST_TIMES_LIMIT:
            raise Unavailable(
                f"a limit of {bytes_per_s / 1e6:g} MB/s let {rate / 1e6:.1f} MB/s through"
            )
        return rate


@contextmanager
def throttle() -> Iterator[Throttle]:
    """Hold a control group for reading at a limited rate. Raises Unavailable."""
    if os.geteuid():
        raise Unavailable("only root can mount images and make control groups")
    root, generation = _controller()
    group = root / f"recorder-sync-bench-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise Unavailable(f"no control group can be made: {error.strerror}") from error
    try:
        yield Throttle(group, generation)
    finally:
        group.rmdir()


def _controller() -> tuple[Path, int]:
    """Find where the controller is mounted. Raises Unavailable."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        root = Path(before.split()[4])
        if kind == "cgroup" and "blkio" in options.split(","):
            if (root / "blkio.throttle.read_bps_device").exists():
                return root, 1
        elif kind == "cgroup2" and "io" in (root / "cgroup.controllers").read_text().split():
            (root / "cgroup.subtree_control").write_text("+io")
            return root, 2
    raise Unavailable("the kernel has no controller that limits reading (blkio or io)")
