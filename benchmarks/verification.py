"""How long does a verification of 100 000 recordings' metadata take?

Makes a station (`made_station.py`), then runs `recorder-sync verify --metadata` in a child
process: with what was just written still in memory (warm), and, as root, after the kernel
dropped its caches (cold). Exits 1 when one takes longer than --limit seconds.

Not to be concluded: how long re-reading the recordings themselves takes. That is their size
divided by the rate that is set, or by what the disk gives.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from made_station import make_station, remove_protection
from measured_process import run_measured
from rich.console import Console
from rich.table import Table

_DROP = Path("/proc/sys/vm/drop_caches")
_EVERYTHING = "3\n"

screen = Console(width=100, highlight=False)


def _rounds(rounds: int) -> Iterator[str]:
    for _ in range(rounds):
        yield "warm"
        os.sync()
        try:
            _DROP.write_text(_EVERYTHING)
        except OSError as error:
            screen.print(f"no cold round: {error.strerror}")
        else:
            yield "cold"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=30.0, help="seconds")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    parser.add_argument("--read-only", action="store_true", help="no immutable flags")
    parser.add_argument("--keep", action="store_true", help="leave the station there")
    parser.add_argument("--use", type=Path, help="folder of a station that was kept")
    given = parser.parse_args()
    folder = given.use or Path(tempfile.mkdtemp(prefix="recorder-sync-bench-", dir=given.folder))
    within = True
    try:
        config = folder / "config.toml"
        if given.use is None:
            begin = time.monotonic()
            make_station(folder, given.recordings, immutable=not given.read_only)
            screen.print(f"{given.recordings:,} recordings in {time.monotonic() - begin:.0f} s\n")
        program = Path(sys.executable).with_name("recorder-sync")
        drawn = Table("verify --metadata", "seconds", "processor", "MiB", "findings", box=None)
        for caches in _rounds(given.rounds):
            done = run_measured([program, "--config", config, "verify", "--metadata", "--json"])
            result = json.loads(done.output[done.output.index("{") :])
            drawn.add_row(
                caches,
                f"{done.wall_s:.1f}",
                f"{done.cpu_s:.1f}",
                f"{done.peak_rss / (1 << 20):.0f}",
                str(len(result["findings"])),
            )
            within = within and done.code == 0 and done.wall_s <= given.limit
        screen.print(drawn)
    finally:
        if given.keep or given.use:
            screen.print(f"\nkept: {folder}", soft_wrap=True)
        else:
            remove_protection(folder)
            shutil.rmtree(folder)
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
