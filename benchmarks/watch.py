"""How long does a look at everything that is watched take, at a million recordings?

Fills a catalogue through the product's own schema: years of dockings with their inventories,
issues and returns, shifts, enforcement of which some was never recorded, deferrals. Then it
makes looks as the daemon does, in this process: the first after a start, which reads
everything; those that add up the days of years for the statistics, as after an upgrade; quiet
ones; and ones after as many dockings as there are ports. Exits 1 when one
that is not the first takes longer than --limit milliseconds.

Not to be concluded: how long the first look takes when the file is not in the page cache,
and what a station costs that has few devices with very many recordings each: what there is
news of is read anew by whole devices.
"""

import argparse
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlite_utils.db import Database

from recorder_sync.catalogue import alerts, news
from recorder_sync.catalogue.database import FILE_NAME, open_catalogue
from recorder_sync.catalogue.time_line import first_place
from recorder_sync.config import Configuration, Paths
from recorder_sync.config import Station as StationSettings
from recorder_sync.station import Station, open_station
from recorder_sync.timestamps import iso
from recorder_sync.watching.tick import Watch

END = datetime(2026, 11, 23, 10, tzinfo=UTC)
PER_DOCKING = 10
LISTED_TWICE = 0.1
"""Recordings that a second docking found on the card again."""
CUT_OFF = 0.001
"""Dockings that were cut off, of which another docking took the recordings in."""
NEVER_IN = 40
"""Devices with a recording that never came in."""
NOT_RECORDED = 300
"""Enforcement that nobody recorded or explained."""
ENFORCEMENT = 20_000
PORTS = 30
_TO_ADD_UP = "select exists (select 1 from stale_days) or exists (select 1 from stale_hours)"

screen = Console(width=100, highlight=False)
Row = dict[str, Any]


def device(number: int) -> str:
    return f"ZFY-{number:04d}"


def officer(number: int) -> str:
    return f"{13_010_000 + number:08d}"


class Maker:
    """Makes the rows; the same numbers always give the same catalogue."""

    def __init__(self, db: sqlite3.Connection, recordings: int, devices: int) -> None:
        self._db = db
        self._devices = devices
        self._dockings = recordings // PER_DOCKING
        self._choose = random.Random(recordings)
        self._step = timedelta(days=3 * 365) / self._dockings

    def fill(self) -> None:
        before = iso(END - timedelta(days=4 * 365))
        every = range(self._devices)
        self._insert("officers", ({"cert_no": officer(n), "name": "王伟"} for n in every))
        self._insert("devices", ({"number": device(n), "registered_at": before} for n in every))
        for first in range(0, self._dockings, 5_000):
            numbers = range(first, min(self._dockings, first + 5_000))
            self._insert("dockings", map(self._docking, numbers))
            self._insert("recordings", self._recordings(numbers))
            self._insert("inventory", self._inventory(numbers))
            self._insert("device_events", self._moves(numbers))
            self._insert("calendar", self._shifts(numbers))
        self._insert("inventory", map(self._never_in, range(NEVER_IN)))
        self._insert("calendar", self._enforcement())
        self._insert("deferrals", map(self._deferral, range(200)))

    def at(self, docking: int) -> datetime:
        return END - self._step * (self._dockings - docking) - timedelta(hours=1)

    def of(self, docking: int) -> int:
        return docking % self._devices

    def _docking(self, number: int) -> Row:
        at = self.at(number)
        return {
            "id": f"{at:%Y%m%d-%H%M%S}-{number:06x}",
            "source": "/media/card",
            "port": f"1-{number % PORTS}",
            "device": device(self.of(number)),
            "identity_state": "known",
            "claims": "[]",
            "storage_total": 1000,
            "storage_used": 200,
            "storage_free": 800,
            "started_at": iso(at),
            "ended_at": iso(at + timedelta(minutes=5)),
            "outcome": "interrupted" if self._is_cut_off(number) else "done",
            "state": "removed",
            "fs_uuid": f"{self.of(number):04X}-0001",
            "removed_at": iso(at + timedelta(minutes=30)),
        }

    def _is_cut_off(self, number: int) -> bool:
        ahead = number + self._devices < self._dockings
        return ahead and random.Random(number).random() < CUT_OFF

    def _file(self, docking: int, turn: int) -> tuple[str, datetime, int]:
        begins = self.at(docking) - timedelta(minutes=45 * (PER_DOCKING - turn))
        count = docking // self._devices * PER_DOCKING + turn
        return f"DCIM/100MEDIA/MAH{count % 1_000_000:06d}.MP4", begins, 1_000_000 + turn

    def _id(self, docking: int, turn: int) -> str:
        return f"r{docking:08x}{turn:02x}"

    def _recordings(self, numbers: Iterable[int]) -> Iterator[Row]:
        for number in numbers:
            for turn in range(PER_DOCKING):
                path, begins, size = self._file(number, turn)
                identifier = self._id(number, turn)
                ends = begins + timedelta(minutes=10 if turn % 5 else 45)
                place = first_place(begins, "") + number % 32_000
                yield {
                    "number": place,
                    "id": identifier,
                    "docking": self._docking(number)["id"],
                    "state": "sealed",
                    "device": device(self.of(number)),
                    "device_as_sealed": device(self.of(number)),
                    "officer": officer(self.of(number)),
                    "kind": "video",
                    "name": path.rpartition("/")[2],
                    "path": f"{identifier}.mp4",
                    "size": size,
                    "blake3": identifier,
                    "sha256": identifier,
                    "fingerprint": b"",
                    "recorded_start": iso(begins),
                    "recorded_end": iso(ends),
                    "sealed_at": iso(self.at(number)),
                    "deadline": iso(ends + timedelta(hours=24)),
                    "on_time": 1,
                    "custody_seq": number * PER_DOCKING + turn,
                }

    def _inventory(self, numbers: Iterable[int]) -> Iterator[Row]:
        for number in numbers:
            docking, cut_off = self._docking(number)["id"], self._is_cut_off(number)
            for turn in range(PER_DOCKING):
                outcome = (None, None) if cut_off else ("sealed", self._id(number, turn))
                yield self._listing(docking, number, turn, *outcome)
                again = number + self._devices
                if again < self._dockings and (cut_off or turn < PER_DOCKING * LISTED_TWICE):
                    later = self._docking(again)["id"]
                    yield self._listing(
                        later, number, turn, "already-sealed", self._id(number, turn)
                    )

    def _listing(
        self, docking: str, number: int, turn: int, outcome: str | None, recording: str | None
    ) -> Row:
        path, begins, size = self._file(number, turn)
        return {
            "docking": docking,
            "path": path.encode(),
            "size": size,
            "mtime_ns": int(begins.timestamp()) * 10**9,
            "kind": "video",
            "outcome": outcome,
            "recording": recording,
        }

    def _never_in(self, number: int) -> Row:
        docking = self._dockings - 1 - number
        row = self._listing(self._docking(docking)["id"], docking, 0, None, None)
        return {**row, "path": b"DCIM/100MEDIA/MAH999999.MP4"}

    def _moves(self, numbers: Iterable[int]) -> Iterator[Row]:
        for number in numbers:
            at, which = self.at(number), self.of(number)
            for turn, (what, hours) in enumerate((("issued", -9), ("returned", 1))):
                yield {
                    "custody_seq": number * 2 + turn,
                    "device": device(which),
                    "time": iso(at + timedelta(hours=hours)),
                    "what": what,
                    "officer": officer(which) if what == "issued" else None,
                    "not_ready": "[]",
                    "actor": "os:test",
                }

    def _shifts(self, numbers: Iterable[int]) -> Iterator[Row]:
        for number in numbers:
            yield self._entry(f"s{number}", "shift", self.at(number), self.of(number))

    def _enforcement(self) -> Iterator[Row]:
        for number in range(ENFORCEMENT):
            docking = self._choose.randrange(self._dockings)
            days = 400 * (number % (ENFORCEMENT // NOT_RECORDED) == 0)
            at = self.at(docking) - timedelta(hours=4, days=4 * days)
            yield self._entry(f"e{number}", "enforcement", at, self.of(docking))

    def _entry(self, name: str, kind: str, ends: datetime, which: int) -> Row:
        return {
            "id": name,
            "kind": kind,
            "begins": iso(ends - timedelta(hours=2 if kind == "enforcement" else 8)),
            "ends": iso(ends),
            "officer": officer(which),
            "in_full": 0,
            "entered_at": iso(ends),
            "entered_by": "os:test",
            "custody_seq": 0,
        }

    def _deferral(self, number: int) -> Row:
        at = END - timedelta(days=5 * number + 5)
        return {
            "id": f"d{number}",
            "reason": "water",
            "device": device(number),
            "begins": iso(at),
            "expected": iso(at + timedelta(days=2)),
            "approver": "赵所",
            "approved_at": iso(at),
            "entered_at": iso(at),
            "entered_by": "os:test",
            "custody_seq": number,
        }

    def dock(self, turn: int, ports: int) -> None:
        """Take in one more docking of each of so many devices, at the end of time."""
        self._db.execute("begin")
        for port in range(ports):
            at = END + timedelta(minutes=turn, seconds=port)
            which = (turn * ports + port) % self._devices
            row = {**self._docking(self._dockings - 1), "id": f"{at:%Y%m%d-%H%M%S}-{port:06x}"}
            row |= {"device": device(which), "started_at": iso(at), "ended_at": iso(at)}
            self._insert("dockings", [row])
            for number in range(PER_DOCKING):
                identifier = f"n{turn:04x}{port:04x}{number:02x}"
                (model,) = islice(self._recordings([self._dockings - 1]), 1)
                model |= {"id": identifier, "path": identifier, "docking": row["id"]}
                place = first_place(at, "") + port * PER_DOCKING + number
                self._insert("recordings", [{**model, "device": device(which), "number": place}])
        self._db.execute("commit")

    def _insert(self, into: str, rows: Iterable[Row]) -> None:
        found = list(rows)
        if found:
            columns, marks = ", ".join(found[0]), ", ".join("?" for _ in found[0])
            statement = f"insert or ignore into {into} ({columns}) values ({marks})"
            self._db.executemany(statement, [tuple(row.values()) for row in found])


@contextmanager
def indexes_and_triggers_at_the_end(db: sqlite3.Connection) -> Iterator[None]:
    found = db.execute(
        "select type, name, sql from sqlite_schema where type in ('index', 'trigger') and sql <> ''"
        " and name not like 'sqlite%'"
    ).fetchall()
    for kind, name, _ in found:
        db.execute(f"drop {kind} {name}")
    yield
    for _, _, statement in found:
        db.execute(statement)


def make(path: Path, recordings: int, devices: int) -> None:
    open_catalogue(path).close()
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=off", "synchronous=off", "cache_size=-500000"):
        db.execute(f"pragma {pragma}")
    with indexes_and_triggers_at_the_end(db):
        db.execute("begin")
        Maker(db, recordings, devices).fill()
        db.execute("commit")
    news.enter_all(Database(db))
    db.execute("pragma journal_mode=wal")
    db.close()


def measure(station: Station, recordings: int, devices: int, rounds: int) -> dict[str, list[float]]:
    watch = Watch()
    adding = "adding up days"
    whats = ("the first", adding, "quiet", f"after {PORTS} dockings")
    times: dict[str, list[float]] = {what: [] for what in whats}
    db = sqlite3.connect(station.settings.paths.state / FILE_NAME, isolation_level=None)
    maker = Maker(db, recordings, devices)
    moment = END

    def look(what: str) -> None:
        began = time.perf_counter()
        watch.tick(replace(station, now=lambda: moment), moment)
        times[what].append((time.perf_counter() - began) * 1000)

    look("the first")
    while db.execute(_TO_ADD_UP).fetchone()[0]:
        moment += timedelta(minutes=1)
        look(adding)
    for turn in range(rounds):
        moment += timedelta(minutes=1)
        look("quiet")
        maker.dock(turn, PORTS)
        moment += timedelta(minutes=1)
        look(f"after {PORTS} dockings")
    db.close()
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=1_000_000)
    parser.add_argument("--devices", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--limit", type=float, default=1000.0, help="milliseconds")
    parser.add_argument("--folder", type=Path, help="where to keep the catalogue for next time")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        state, evidence = folder / "state", folder / "evidence"
        evidence.mkdir(parents=True, exist_ok=True)
        state.mkdir(exist_ok=True)
        if not (state / FILE_NAME).exists():
            make(state / FILE_NAME, given.recordings, given.devices)
        settings = Configuration(
            station=StationSettings(id="bench"), paths=Paths(state=state, evidence=evidence)
        )
        station = open_station(settings)
        times = measure(station, given.recordings, given.devices, given.rounds)
        open_alerts = len(alerts.live(station.catalogue))
        station.catalogue.close()
    table = Table("a look", "median, ms", "longest, ms", title=f"{open_alerts} open alerts")
    for what, found in times.items():
        table.add_row(what, f"{statistics.median(found):.0f}", f"{max(found):.0f}")
    screen.print(table)
    later = [one for what, found in times.items() if what != "the first" for one in found]
    return int(max(later) > given.limit)


if __name__ == "__main__":
    sys.exit(main())
