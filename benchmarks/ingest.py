"""How fast is a verified intake beside `cp`, how much memory does it take, is it ever silent?

Two cards: two clips of 1 GiB, and 5 000 photos of 64 KiB. Each is copied by
`cp -r CARD TARGET && sync` and taken in by `recorder-sync ingest`, by turns, in an order
that turns with the rounds; every copy goes to a fresh folder on the same disk, and ends on
stable storage. The card's pages are dropped from the page cache before each copy. Prints
medians, and exits 1 when one of three targets is missed: cp at most 2.5 times faster than a
verified intake of the clips, peak memory of all processes below 150 MB, no second without
a sign of life.

Not to be concluded: how fast an intake is from a real card, which reads slower than this
disk; from several cards at once; or with evidence that is immutable (here it is not, so
that it can be removed). `sync` waits for whatever else is being written on this computer.
cp proves nothing: it reads nothing back and computes no digest.
"""

import argparse
import io
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measured_process import Measured, run_measured
from PIL import Image
from rich.console import Console
from rich.table import Table

MOST_TIMES_CP = 2.5
MOST_MEMORY_MB = 150
MOST_SILENCE_S = 1.0
_PAUSE_S = 2.0
_PHOTO_BYTES = 64 << 10
_PER_FOLDER = 1000
_MANY = 100
_BLOCK = 4 << 20

COPY = "cp -r && sync"
VERIFIED = "verified"
UNREAD = "without read-back"
LIVE = "verified, on a terminal"

screen = Console(width=100, highlight=False)


@dataclass(frozen=True, slots=True)
class Card:
    name: str
    path: Path
    files: int
    size: int
    ways: tuple[str, ...]
    """How it is copied, by turns."""
    most_times_cp: float | None = None
    """How much faster cp may be; None: shown, but no target yet."""


def make_clips(path: Path, count: int, size: int) -> Card:
    """Make clips that ffprobe knows, of the wanted size with bytes that no disk can shrink."""
    folder = path / "DCIM" / "100MEDIA"
    folder.mkdir(parents=True)
    for number in range(count):
        clip = folder / f"MAH{number:05d}.MP4"
        source = "testsrc2=size=1280x720:rate=25:duration=2"
        subprocess.run(
            [
                "ffmpeg",
                "-nostdin",
                "-v",
                "error",
                "-f",
                "lavfi",
                "-i",
                source,
                "-c:v",
                "mpeg4",
                clip,
            ],
            check=True,
        )
        with clip.open("ab") as file:
            left = size - file.tell()
            file.write((1).to_bytes(4, "big") + b"free" + left.to_bytes(8, "big"))
            while (left := size - file.tell()) > 0:
                file.write(os.urandom(min(left, _BLOCK)))
    return Card(
        f"{count} clips of {size >> 20} MiB",
        path,
        count,
        count * size,
        (COPY, VERIFIED, UNREAD),
        MOST_TIMES_CP,
    )


def make_photos(path: Path, count: int) -> Card:
    """Make JPEG files of the same size and picture, each with bytes of its own inside."""
    picture = io.BytesIO()
    Image.effect_noise((128, 128), 64).save(picture, "JPEG")
    start, rest = picture.getvalue()[:2], picture.getvalue()[2:]
    room = _PHOTO_BYTES - len(start) - len(rest)
    for number in range(count):
        folder = path / "DCIM" / f"{100 + number // _PER_FOLDER}MEDIA"
        folder.mkdir(parents=True, exist_ok=True)
        comment = b"\xff\xfe" + (room - 2).to_bytes(2, "big") + os.urandom(room - 4)
        (folder / f"MAH{number:05d}.JPG").write_bytes(start + comment + rest)
    return Card(
        f"{count} photos of {_PHOTO_BYTES >> 10} KiB",
        path,
        count,
        count * _PHOTO_BYTES,
        (COPY, VERIFIED),
    )


def copy(card: Card, way: str, folder: Path) -> Measured:
    """Copy the card into a fresh folder, one way, and measure it."""
    folder.mkdir()
    os.sync()
    for file in card.path.rglob("*.*"):
        _drop_from_page_cache(file)
    if way == COPY:
        return _checked(run_measured(["sh", "-c", f"cp -r '{card.path}' '{folder}/copy' && sync"]))
    read_back = "false" if way == UNREAD else "true"
    config = folder / "config.toml"
    config.write_text(
        '[station]\nid = "benchmark"\nlanguage = "en"\n'
        f'[paths]\nstate = "{folder}/state"\nevidence = "{folder}/evidence"\n'
        f"[ingest]\nimmutable = false\nread_back = {read_back}\n"
    )
    program = Path(sys.executable).with_name("recorder-sync")
    options = ("--config", config, "ingest", card.path, "--device", "0031")
    done = _checked(run_measured([program, *options], terminal=way == LIVE))
    db = sqlite3.connect(folder / "state" / "catalogue.db")
    (sealed,) = db.execute("select count(*) from recordings where state = 'sealed'").fetchone()
    db.close()
    if sealed != card.files:
        sys.exit(f"{sealed} of {card.files} files were sealed")
    return done


def _checked(done: Measured) -> Measured:
    if done.code:
        sys.exit(f"it ended with {done.code}:\n{done.output}")
    return done


def _drop_from_page_cache(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def measure(card: Card, rounds: int, folder: Path) -> dict[str, list[Measured]]:
    """Copy the card every way in every round; the order turns."""
    measured: dict[str, list[Measured]] = {way: [] for way in (*card.ways, LIVE)}
    for number in range(rounds):
        turn = number % len(card.ways)
        ways = card.ways[turn:] + card.ways[:turn]
        # On a terminal the display differs, not the work: once is enough.
        for way in (*ways, LIVE) if number == 0 else ways:
            measured[way].append(copy(card, way, folder / f"{number}-{way.split()[0]}-{len(way)}"))
            screen.print(f"  {card.name}, {way}: {measured[way][-1].wall_s:.2f} s")
        # For minutes after many files were removed, ext4 is slow at making new ones; large
        # ones are few, and take room.
        for done in folder.iterdir() if card.files < _MANY else ():
            shutil.rmtree(done)
        os.sync()
        time.sleep(_PAUSE_S)
    return measured


def show(card: Card, measured: dict[str, list[Measured]]) -> list[str]:
    """Print the table of one card; return the targets that were missed."""
    columns = ("median s", "min", "max", "x cp", "MB/s", "CPU s/GiB", "MB", "largest", "silence")
    drawn = Table(card.name, *columns, box=None)
    for column in drawn.columns[1:]:
        column.justify = "right"
    cp = statistics.median(m.wall_s for m in measured[COPY])
    for way, runs in measured.items():
        wall = statistics.median(m.wall_s for m in runs)
        product = way != COPY
        drawn.add_row(
            way,
            f"{wall:.2f}",
            f"{min(m.wall_s for m in runs):.2f}",
            f"{max(m.wall_s for m in runs):.2f}",
            f"{wall / cp:.2f}",
            f"{card.size / wall / 1e6:.0f}",
            f"{statistics.median(m.cpu_s for m in runs) / card.size * (1 << 30):.2f}",
            f"{_peak_mb(runs):.0f}" if product else "",
            f"{max(m.peak_rss for m in runs) / 1e6:.0f}" if product else "",
            f"{_silence(runs):.2f}" if product else "",
        )
    screen.print()
    screen.print(drawn)
    screen.print()
    return _missed(card, cp, measured)


def _missed(card: Card, cp: float, measured: dict[str, list[Measured]]) -> list[str]:
    times = statistics.median(m.wall_s for m in measured[VERIFIED]) / cp
    product = [run for way, runs in measured.items() if way != COPY for run in runs]
    memory, silence = _peak_mb(product), _silence(product)
    targets = (
        (
            card.most_times_cp is None or times <= card.most_times_cp,
            f"cp is {times:.2f} times faster, not at most {card.most_times_cp}",
        ),
        (memory < MOST_MEMORY_MB, f"{memory:.0f} MB of memory, not below {MOST_MEMORY_MB}"),
        (silence < MOST_SILENCE_S, f"{silence:.2f} s of silence, not below {MOST_SILENCE_S:g}"),
    )
    return [f"{card.name}: {text}" for met, text in targets if not met]


def _peak_mb(runs: Sequence[Measured]) -> float:
    return max(m.peak_pss for m in runs) / 1e6


def _silence(runs: Sequence[Measured]) -> float:
    return max(m.silence_s for m in runs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="rounds")
    parser.add_argument("--clip-mib", type=int, default=1024)
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--only", choices=("clips", "photos"))
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="recorder-sync-bench-", dir=given.folder))
    missed: list[str] = []
    try:
        for kind in ("clips", "photos"):
            if given.only in (None, kind):
                copies = folder / f"copies-of-{kind}"
                copies.mkdir()
                path = folder / kind
                if kind == "clips":
                    card = make_clips(path, 2, given.clip_mib << 20)
                else:
                    card = make_photos(path, given.photos)
                missed += show(card, measure(card, given.runs, copies))
    finally:
        shutil.rmtree(folder)
    for one in missed:
        screen.print(one, style="bold red")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
