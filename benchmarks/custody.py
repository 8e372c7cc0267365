"""How fast is the custody log: entries, checkpoints, and proofs at ten million entries?

Entries and checkpoints are made by the product on a real disk, with entries as large as
those of a seal. A log of ten million entries would take 12 GB; instead the tree of its
hashes is made whole, and of the log itself the segments around the entry that is proven.
Each proof is made in a new process, after the pages of all these files were dropped from
the page cache; the start of Python is not counted. Exits 1 when a target is missed.

Not to be concluded: what a synced entry takes on another disk. Most of it is the disk's own
time, and a disk with a volatile cache that lies about it is faster.
"""

import argparse
import base64
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from measured_process import environment
from rich.console import Console
from rich.table import Table

from recorder_sync.custody import merkle
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.custody.log import SEGMENT_ENTRIES, Act, CustodyLog, Deed
from recorder_sync.custody.tree import HashTree

STATION = "benchmark"
BATCH = 100
BATCHED = 20_000
SINGLE = 200
GROWTH = 1_000
LEAST_ENTRIES_A_SECOND = 5_000
MOST_SINGLE_MS = 3.0
MOST_PROOF_MS = 50.0

_PROVE = """
import sys, time
from pathlib import Path
from recorder_sync.custody import merkle
from recorder_sync.custody.log import CustodyLog
from recorder_sync.custody.tree import HashTree
folder, what, one, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
log, tree = CustodyLog(folder, "benchmark"), HashTree(folder / "tree")
begin = time.perf_counter()
if what == "lookup":
    next(log.lines(one))
elif what == "inclusion":
    _, line = next(log.lines(one))
    path = merkle.inclusion(one, size, tree.node)
elif what == "consistency":
    path = merkle.consistency(one, size, tree.node)
took = time.perf_counter() - begin
if what == "inclusion":
    assert merkle.includes(tree.root(size), size, one, merkle.leaf(line), path)
elif what == "consistency":
    assert merkle.extends(tree.root(one), one, tree.root(size), size, path)
print(took * 1000)
"""

screen = Console(width=100, highlight=False)


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    measured: str
    most: str
    target: str
    met: bool | None
    """None: there is no target."""


def deed(number: int) -> Deed:
    """Return what an entry about a sealed recording holds, in size and in form."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    name = f"DCIM/100MEDIA/DCAM_0031_130100_{number:09d}.mp4"
    facts = {
        "recording": {
            **dict.fromkeys(("blake3", "sha256"), digest),
            "id": digest[:12],
            "device": "0031",
            "case": "冀石执〔2026〕00001号",
            "size": number,
            "original_path": name,
            "path": f"0031/2026/11/23/160000_{digest[:12]}_{name[14:]}",
            "recorded_start": "2026-11-23T08:00:00.000Z",
            "state": "sealed",
            "stores": {},
            "media": {"codec": "h264", "width": 1920, "height": 1080, "frame_rate": 30},
            "tags": {n: {"value": "0031", "source": "name"} for n in ("device", "officer", "case")},
            "recorded_raw": {"container": "2026-11-23T08:00:00Z", "name": "20261123_160000"},
        },
        **dict.fromkeys(("description_blake3", "description_sha256"), digest),
        "fingerprint": digest,
    }
    at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    return Deed(Act.SEAL, digest[:12], "os:recorder-sync", at, facts)


def entries(folder: Path) -> list[Row]:
    """Time appends, in batches and one by one, and a checkpoint of a log that grew."""
    log = CustodyLog(folder, STATION)
    batches = [[deed(n) for n in range(at, at + BATCH)] for at in range(0, BATCHED, BATCH)]
    begin = time.perf_counter()
    for batch in batches:
        log.append(batch)
    a_second = BATCHED / (time.perf_counter() - begin)
    single = _timed(SINGLE, lambda number: log.append([deed(number)]))
    checkpoints = Checkpoints(folder, log, STATION)
    checkpoints.make()
    grown = []
    for _ in range(5):
        log.append([deed(n) for n in range(GROWTH)])
        grown += _timed(1, lambda _: checkpoints.make())
    median = statistics.median(single)
    return [
        Row(
            f"entries a second, {BATCH} in a batch",
            f"{a_second:,.0f}",
            "",
            f"at least {LEAST_ENTRIES_A_SECOND:,}",
            a_second >= LEAST_ENTRIES_A_SECOND,
        ),
        Row(
            "one entry, synced",
            f"{median:.2f} ms",
            f"{max(single):.2f}",
            f"below {MOST_SINGLE_MS:g} ms",
            median < MOST_SINGLE_MS,
        ),
        Row(
            f"checkpoint after {GROWTH} entries",
            f"{statistics.median(grown):.1f} ms",
            f"{max(grown):.1f}",
            "",
            None,
        ),
        _row("the newest 50 entries", _timed(5, lambda _: list(islice(log.newest_first(), 50)))),
    ]


def _timed(times: int, work: Callable[[int], object]) -> list[float]:
    """Return the milliseconds of each time."""
    taken = []
    for number in range(times):
        begin = time.perf_counter()
        work(number)
        taken.append((time.perf_counter() - begin) * 1000)
    return taken


def make_long_log(folder: Path, size: int, proven: int) -> None:
    """Make the whole tree, and the full segment that the proven entry is in."""
    folder.mkdir()
    first = proven // SEGMENT_ENTRIES * SEGMENT_ENTRIES
    leaves = _lines_by_number(folder / f"{first:020d}.jsonl", first)

    def all_leaves() -> Iterator[bytes]:
        for number in range(size):
            yield leaves.get(number) or hashlib.sha256(number.to_bytes(8)).digest()

    HashTree(folder / "tree").extend(all_leaves())


def _lines_by_number(segment: Path, first: int) -> dict[int, bytes]:
    """Write one full segment; return the leaf of each of its entries."""
    aside = segment.parent / "aside"
    CustodyLog(aside, STATION).append([deed(n) for n in range(SEGMENT_ENTRIES)])
    found: dict[int, bytes] = {}
    previous = hashlib.sha256(b"").hexdigest()
    with segment.open("wb") as file:
        for _, line in CustodyLog(aside, STATION).lines():
            number = first + len(found)
            before, after = line.split(b'"prev":"', 1)[0], line.split(b',"station":', 1)[1]
            moved = b'%s"prev":"%s","seq":%d,"station":%s' % (
                *(before, previous.encode(), number, after),
            )
            file.write(moved + b"\n")
            found[number] = merkle.leaf(moved)
            previous = found[number].hex()
    shutil.rmtree(aside)
    return found


def proofs(folder: Path, size: int, rounds: int) -> list[Row]:
    """Time what a proof takes in a log so long, each in a process of its own."""
    proven = size // 3
    make_long_log(folder, size, proven)
    rows = []
    for name, what, one in (
        ("looking the entry up", "lookup", proven),
        ("inclusion proof, looking up included", "inclusion", proven),
        ("consistency proof, from a third", "consistency", proven),
        ("consistency proof, from 1000 before", "consistency", size - GROWTH),
    ):
        taken = []
        for _ in range(rounds):
            _drop_from_page_cache(folder)
            command = [sys.executable, "-c", _PROVE, str(folder), what, str(one), str(size)]
            done = subprocess.run(command, check=True, capture_output=True, env=environment())
            taken.append(float(done.stdout))
        rows.append(_row(f"{name}, at {size:,}", taken, MOST_PROOF_MS))
    tree = HashTree(folder / "tree")
    path = merkle.inclusion(proven, size, tree.node)
    length = len(base64.b64encode(b"".join(path)))
    screen.print(f"an inclusion proof has {len(path)} hashes, {length} characters")
    return rows


def _row(what: str, taken: list[float], limit: float | None = None) -> Row:
    most = max(taken)
    return Row(
        what,
        f"{statistics.median(taken):.1f} ms",
        f"{most:.1f}",
        f"below {limit:g} ms" if limit else "",
        most < limit if limit else None,
    )


def _drop_from_page_cache(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=10_000_000, help="of the long log")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="recorder-sync-bench-", dir=given.folder))
    try:
        rows = entries(folder / "short")
        rows += proofs(folder / "long", given.entries, given.rounds)
    finally:
        shutil.rmtree(folder)
    drawn = Table("custody log", "median", "most", "target", "met", box=None)
    for row in rows:
        met = {True: "yes", False: "MISSED", None: ""}[row.met]
        style = "bold red" if row.met is False else None
        drawn.add_row(row.what, row.measured, row.most, row.target, met, style=style)
    screen.print(drawn)
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
