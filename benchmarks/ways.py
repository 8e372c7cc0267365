"""The ways in which a card is copied: the product, what it is compared with, and the floor.

Every way gets a fresh folder. Before it, what is still to be written is written (`sync`), the
card's pages are dropped from the page cache, and what memory is free then is filled with pages of
another file (`page_cache.py`).

Not to be concluded: that the ways are worth the same. `cp` proves nothing; `rsync -ac` and
`rclone check` read the copy from memory where it is still there, compute MD5 or the like,
and wait for no disk; only the chain of b3sum and sha256sum computes what the product
computes and reads the copy from the disk. `sync` waits for whatever else is being written
on this computer.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from cards import Cards
from measured_process import SAMPLE_S, Measured, environment, run_measured
from page_cache import PageCache, drop_from_page_cache

PROGRAM = Path(sys.executable).with_name("recorder-sync")


class RunFailed(Exception):
    """A command failed, or did not do all of its work: its figures would mean nothing."""


class Way(StrEnum):
    COPY = "cp -r && sync"
    UNREAD = "ingest, read-back off"
    VERIFIED = "ingest, verified"
    LIVE = "ingest, verified, on a terminal"
    RSYNC = "rsync -a && rsync -ac"
    RCLONE = "rclone copy && rclone check"
    DIGESTS = "cp, b3sum, sha256sum, b3sum of the copy"
    FLOOR = "floor"
    FLOOR_READ = "floor, with read-back"


PRODUCT = frozenset({Way.UNREAD, Way.VERIFIED, Way.LIVE})

_SCRIPTS = {
    Way.COPY: 'cp -r "$1" "$2/copy" && sync',
    Way.RSYNC: 'rsync -a "$1/" "$2/copy/" && rsync -ac "$1/" "$2/copy/"',
    Way.RCLONE: (
        'rclone --config "" copy "$1" "$2/copy" && rclone --config "" -q check "$1" "$2/copy"'
    ),
    Way.DIGESTS: """
        cp -r "$1" "$2/copy" && sync
        (cd "$1" && find . -type f -print0 | sort -z | xargs -0 b3sum) >"$2/source.b3"
        (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$2/source.sha256"
        find "$2/copy" -type f -exec dd if={} iflag=nocache count=0 status=none ';'
        (cd "$2/copy" && find . -type f -print0 | sort -z | xargs -0 b3sum) >"$2/copy.b3"
        cmp "$2/source.b3" "$2/copy.b3"
    """,
}


class Station:
    """A station of its own in a fresh folder, and the product at work on it."""

    def __init__(
        self, folder: Path, ffprobe: str, *, read_back: bool = True, evidence: Path | None = None
    ) -> None:
        self.evidence = evidence or folder / "evidence"
        self._catalogue = folder / "state" / "catalogue.db"
        self._config = folder / "config.toml"
        self._config.write_text(
            '[station]\nid = "benchmark"\nlanguage = "en"\ntimezone = "UTC"\n'
            f'[paths]\nstate = "{folder}/state"\nevidence = "{self.evidence}"\n'
            f"[ingest]\nimmutable = false\nread_back = {str(read_back).lower()}\n"
            f'[media]\nffprobe = "{ffprobe}"\n'
        )

    def ingest(
        self,
        folders: Sequence[Path],
        *,
        terminal: bool = False,
        inside: Sequence[str | Path] = (),
        sample_s: float = SAMPLE_S,
    ) -> Measured:
        """Take the cards in with one command, started by the command `inside` if there is one."""
        command = (*inside, PROGRAM, "--config", self._config, "ingest", *folders)
        return checked(run_measured(command, terminal=terminal, sample_s=sample_s))

    def sealed(self) -> list[str]:
        """Return the paths of what is sealed, below the evidence folder."""
        db = sqlite3.connect(f"file:{self._catalogue}?mode=ro", uri=True)
        try:
            rows = db.execute("select path from recordings where state = 'sealed'").fetchall()
        finally:
            db.close()
        return [str(path) for (path,) in rows]

    def dockings(self) -> list[tuple[str, str]]:
        """Return when each docking began and ended."""
        db = sqlite3.connect(f"file:{self._catalogue}?mode=ro", uri=True)
        try:
            return db.execute("select started_at, ended_at from dockings").fetchall()
        finally:
            db.close()

    def check_sealed(self, count: int) -> None:
        """Raise RunFailed when not everything is sealed."""
        if (sealed := len(self.sealed())) != count:
            raise RunFailed(f"{sealed} of {count} files were sealed")


def copy(cards: Cards, way: Way, folder: Path, page_cache: PageCache, ffprobe: str) -> Measured:
    """Copy the cards into a fresh folder, one way, and measure it."""
    folder.mkdir(parents=True)
    os.sync()
    for file in cards.all_files:
        drop_from_page_cache(file)
    page_cache.fill()
    if way in PRODUCT:
        station = Station(folder, ffprobe, read_back=way is not Way.UNREAD)
        done = station.ingest(cards.folders, terminal=way is Way.LIVE)
        station.check_sealed(cards.files)
        return done
    if way in (Way.FLOOR, Way.FLOOR_READ):
        return floor(cards.all_files, folder, read_back=way is Way.FLOOR_READ)
    (source,) = cards.folders
    return checked(run_measured(["sh", "-euc", _SCRIPTS[way], "sh", source, folder]))


def floor(files: Sequence[Path], folder: Path, *, read_back: bool) -> Measured:
    """Measure the floor for these files; the start of Python does not count."""
    options = ("--read-back",) if read_back else ()
    script = Path(__file__).with_name("floor.py")
    done = checked(run_measured([sys.executable, script, *options, folder, *files]))
    told = json.loads(done.output)
    return replace(done, wall_s=told["wall_s"], cpu_s=told["cpu_s"])


def checked(done: Measured) -> Measured:
    """Return it, or raise RunFailed with what the command printed."""
    if done.code:
        raise RunFailed(f"it ended with {done.code}:\n{done.output}")
    return done


def takes_many_cards() -> bool:
    """Tell whether the command takes the paths of several cards."""
    usage = subprocess.run(
        [PROGRAM, "ingest", "--help"], capture_output=True, text=True, check=True, env=environment()
    ).stdout.splitlines()[0]
    return re.search(r"\S\.\.\.\s*$", usage) is not None
