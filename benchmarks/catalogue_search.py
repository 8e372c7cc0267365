"""How long does a search of the catalogue take, at a million recordings?

Fills a catalogue through the product's own schema, then asks for everything that
`recorder-sync recordings list` can filter by, in this process: on a connection that has
answered before (warm), on a new one (cold), and on a new one after the file's pages were
dropped from the page cache (disk). Whole commands are timed apart, start-up included.
Exits 1 when a warm or cold search takes longer than --limit milliseconds.

Not to be concluded: how long a search takes on other hardware, on a disk that is busy
with an intake, or beside somebody who writes; and what combinations take that are not in
the list. Two filters that are common each but never meet are the slowest that can be
asked: such a search reads on until the end. `disk` depends on what the disk itself, or a
hypervisor, keeps in memory.
"""

import argparse
import gc
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from made_catalogue import CASES, DAYS, END, RARE_PARTY, make_catalogue
from measured_process import environment
from page_cache import drop_from_page_cache
from rich.console import Console
from rich.table import Table
from sqlite_utils.db import Database

from recorder_sync.catalogue.database import FILE_NAME, open_catalogue
from recorder_sync.catalogue.search import Search, search
from recorder_sync.model import Kind
from recorder_sync.rules.access import Reach, Scope, Secrecy
from recorder_sync.rules.lifecycle import State
from recorder_sync.rules.stage import Stage

COMMANDS: tuple[tuple[str, list[str]], ...] = (
    ("everything", []),
    ("party", ["--party", "李"]),
    ("late, name", ["--late", "--name", "mp4"]),
)
_LAST_MONTH = END - timedelta(days=30)
_FIRST_YEAR = END - timedelta(days=DAYS - 365)

screen = Console(width=100, highlight=False)


def searches(db: Database) -> dict[str, Search]:
    """Return every search to be timed, by what it asks for."""
    device, officer = "ZFY-0007", "13010007"
    named = db.execute("select name from officers where cert_no = ?", [officer]).fetchone()
    counter = db.execute("select name from recordings where name glob 'MAH*' limit 1").fetchone()
    single = {
        "everything": Search(),
        "device": Search(device=device),
        "officer by number": Search(officer=officer),
        "officer by name": Search(officer=named[0]),
        "case": Search(case=f"冀石执〔2026〕{CASES // 2:05d}号"),
        "party, rare": Search(party=RARE_PARTY),
        "party, common": Search(party="有限公司"),
        "party, one character": Search(party="李"),
        "cause, rare": Search(cause="古树名木"),
        "cause, middling": Search(cause="油烟超标"),
        "cause, in most cases": Search(cause="涉嫌"),
        "cause, only long ago": Search(cause="共享单车"),
        "name, one recording": Search(name=counter[0].split(".")[0]),
        "name, in most recordings": Search(name="mp4"),
        "name, one letter": Search(name="m"),
        "name, of one device": Search(name="ZFY0007"),
        "name, of one day": Search(name="20250310"),
        "name, of one month": Search(name="202503"),
        "name, only long ago": Search(name="2024"),
        "since": Search(since=_LAST_MONTH),
        "until": Search(until=_FIRST_YEAR),
        "since and until": Search(since=_FIRST_YEAR, until=_FIRST_YEAR + timedelta(days=30)),
        "state": Search(state=State.SEALED),
        "state, being sealed": Search(state=State.SEALING),
        "on time": Search(on_time=True),
        "late": Search(on_time=False),
    }
    deep = _cursor_at(db, 0.5)
    own, unit = Scope(Reach.OWN, officer=officer), Scope(Reach.UNIT, unit="3中队")
    return single | {
        "device, late": Search(device=device, on_time=False),
        "device, cause": Search(device=device, cause="涉嫌"),
        "device, name": Search(device=device, name="mp4"),
        "device, name of another": Search(device=device, name="ZFY0008"),
        "officer, party": Search(officer=officer, party="李"),
        "party, cause": Search(party="李", cause="涉嫌"),
        "party, name": Search(party="李", name="jpg"),
        "cause, since": Search(cause="涉嫌", since=_LAST_MONTH),
        "cause, until": Search(cause="涉嫌", until=_FIRST_YEAR),
        "cause, late": Search(cause="涉嫌", on_time=False),
        "name, late": Search(name="mp4", on_time=False),
        "everything there is": Search(
            device=device, officer=officer, party="李", cause="涉嫌", name="mp4",
            since=_FIRST_YEAR, until=_LAST_MONTH, on_time=True,
        ),
        "kind, rare": Search(kind=Kind.AUDIO),
        "stage": Search(stage=Stage.EXECUTION),
        "item, device": Search(item="7.2", device=device),
        "important": Search(important=True),
        "important, late": Search(important=True, on_time=False),
        "notified": Search(notified=True),
        "secret": Search(secrecy=Secrecy.PERSONAL),
        "free, officer's name": Search(q=named[0]),
        "free, part of a device": Search(q="0007"),
        "free, part of a case": Search(q=f"{CASES // 2:05d}"),
        "free, party": Search(q="李"),
        "free, cause and device": Search(q="无照经营 ZFY-0007"),
        "free, cause, only long ago": Search(q="共享单车"),
        "free, nothing": Search(q="查无此人"),
        "an officer's own": Search(scope=own),
        "an officer's own, free": Search(scope=own, q="李"),
        "a unit's": Search(scope=unit),
        "a unit's, cause": Search(scope=unit, cause="涉嫌"),
        "a unit's, late": Search(scope=unit, on_time=False),
        "a unit's, only long ago": Search(scope=unit, cause="共享单车"),
        "cleared for all": Search(scope=Scope(Reach.ALL, cleared=frozenset(Secrecy))),
        "cleared for nothing": Search(scope=Scope(Reach.ALL)),
        "no such device": Search(device="ZFY-9999"),
        "no such party": Search(party="查无此人"),
        "no such name": Search(name="IMP WAV"),
        "page in the middle": Search(after=deep),
        "page in the middle, cause": Search(cause="涉嫌", after=deep),
        "page in the middle, name": Search(name="mp4", after=deep),
        "page of 1000": Search(limit=1000),
    }  # fmt: skip


def _cursor_at(db: Database, share: float) -> str | None:
    """Return the cursor after so large a share of all recordings."""
    moment = END - timedelta(days=DAYS) * share
    return search(db, Search(until=moment, limit=1)).next


class Timings:
    """Milliseconds of the same search, several times."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def add(self, db: Database, wanted: Search) -> None:
        gc.collect()
        begin = time.perf_counter()
        search(db, wanted)
        self.values.append((time.perf_counter() - begin) * 1000)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def most(self) -> float:
        return max(self.values)


def time_searches(path: Path, rounds: int, limit_ms: float) -> bool:
    """Time and print every search; tell whether all stayed below the limit."""
    drawn = Table("search", "found", "warm", "max", "cold", "max", "disk", "max", box=None)
    for column in drawn.columns[1:]:
        column.justify = "right"
    used = open_catalogue(path)
    within = True
    for name, wanted in searches(used).items():
        warm, cold, disk = Timings(), Timings(), Timings()
        found = search(used, wanted)
        for _ in range(rounds):
            warm.add(used, wanted)
            with _opened(path) as fresh:
                cold.add(fresh, wanted)
            drop_from_page_cache(path)
            with _opened(path) as fresh:
                disk.add(fresh, wanted)
        slow = max(warm.most, cold.most) > limit_ms
        within = within and not slow
        drawn.add_row(
            name,
            f"{len(found.found)}{'+' if found.next else ''}",
            *(f"{ms:.1f}" for t in (warm, cold, disk) for ms in (t.median, t.most)),
            style="bold red" if slow else None,
        )
    used.close()
    screen.print(drawn)
    return within


@contextmanager
def _opened(path: Path) -> Iterator[Database]:
    db = open_catalogue(path)
    try:
        yield db
    finally:
        db.close()


def time_commands(folder: Path, rounds: int) -> None:
    """Time and print whole commands, from start to end of the process."""
    config = folder / "config.toml"
    paths = f'[paths]\nstate = "{folder}"\nevidence = "{folder}/evidence"\n'
    config.write_text(f'[station]\nid = "benchmark"\n{paths}')
    drawn = Table("recorder-sync recordings list --json", "median", "max", box=None)
    for column in drawn.columns[1:]:
        column.justify = "right"
    program = Path(sys.executable).with_name("recorder-sync")
    for name, options in COMMANDS:
        command = [str(program), "--config", str(config), "recordings", "list", "--json", *options]
        taken = []
        for _ in range(rounds):
            begin = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment())
            taken.append((time.perf_counter() - begin) * 1000)
        drawn.add_row(
            name + (f" ({' '.join(options)})" if options else ""),
            f"{statistics.median(taken):.0f}",
            f"{max(taken):.0f}",
        )
    screen.print(drawn)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=200.0, help="milliseconds")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    parser.add_argument("--keep", action="store_true", help="leave the catalogue there")
    parser.add_argument("--use", type=Path, help="folder of a catalogue that was kept")
    given = parser.parse_args()
    folder = given.use or Path(tempfile.mkdtemp(prefix="recorder-sync-bench-", dir=given.folder))
    try:
        path = folder / FILE_NAME
        if given.use is None:
            begin = time.monotonic()
            make_catalogue(path, given.recordings)
            screen.print(
                f"{given.recordings:,} recordings, {path.stat().st_size / 1e9:.2f} GB,"
                f" filled in {time.monotonic() - begin:.0f} s"
            )
        screen.print(f"\nMilliseconds, median and max of {given.rounds}:\n")
        within = time_searches(path, given.rounds, given.limit)
        screen.print()
        time_commands(folder, given.rounds)
    finally:
        if given.keep or given.use:
            screen.print(f"\nkept: {folder}", soft_wrap=True)
        else:
            shutil.rmtree(folder)
    if not within:
        screen.print(f"\nOver {given.limit:g} ms.", style="bold red")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
