"""A station with a directory for a store, and `recorder-sync forward` in a child process."""

import hashlib
import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.model import AlertKind
from recorder_sync.watching.tick import tick
from tests.conftest import Card, Dock
from tests.ingest.aftermath import until
from tests.on_the_day import today
from tests.warm_start import Running


class Forwarded:
    """A dock whose sealed recordings go to stores."""

    def __init__(self, dock: Dock, folder: Path, card: Card) -> None:
        self.dock = dock
        self.card = card
        self.nas = folder / "nas"
        self.nas.mkdir()
        self._journals = folder
        self._started: list[Running | subprocess.Popen[bytes]] = []

    def set_up(self, more: str = "", *, stores: str | None = None, **sections: Any) -> None:
        """Configure one store `nas`, or `stores`, with `more` in its table."""
        self.dock.configure(ingest={"immutable": False}, **sections)
        text = stores
        if text is None:
            text = f'[[stores]]\nname = "nas"\n{more}\n{self.directory(self.nas)}'
        with self.dock.config.open("a", encoding="utf-8") as file:
            file.write("\n" + text)

    @staticmethod
    def directory(path: Path) -> str:
        return f'[stores.directory]\npath = "{path}"\nown_disk = true\nimmutable = false\n'

    def bind(self, *names: str) -> None:
        for name in names or ("nas",):
            done = self.dock.run("stores", "bind", name)
            assert done.code == 0, done.err

    def seal(self, count: int = 1, size: int = 1000, first: int = 1) -> list[dict[str, Any]]:
        """Seal new recordings of so many bytes each."""
        for number in range(first, first + count):
            content = hashlib.sha256(str(number).encode()).digest() * (size // 32 + 1)
            self.card.put(f"{number:04d}.jpg", content[:size])
        done = self.dock.ingest(self.card, "--device", "0031")
        assert done.json["failed"] == 0, done.err
        found: list[dict[str, Any]] = done.json["recordings"]
        return found

    def start(self) -> Running | subprocess.Popen[bytes]:
        journal = self._journals / f"journal-{len(self._started)}"
        self._started.append(self.dock.start("forward", journal=journal))
        return self._started[-1]

    def journal(self) -> str:
        paths = sorted(self._journals.glob("journal-*"))
        return "".join(path.read_text("utf-8") for path in paths)

    def stop(self) -> int:
        self._started[-1].send_signal(signal.SIGTERM)
        return self._started[-1].wait(20)

    def end(self) -> None:
        for one in self._started:
            one.kill()
            one.wait()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(f"file:{self.dock.state}/catalogue.db?mode=ro", uri=True, timeout=60)
        try:
            return db.execute(query, values).fetchall()
        finally:
            db.close()

    def confirmed(self, store: str = "nas") -> set[str]:
        query = "select recording from copies where store = ?"
        return {row[0] for row in self.rows(query, store)}

    def until_confirmed(self, count: int, store: str = "nas") -> None:
        until(lambda: len(self.confirmed(store)) == count, f"{count} confirmed by {store}")

    def entries(self, act: str) -> list[dict[str, Any]]:
        lines = [
            json.loads(line)
            for path in sorted((self.dock.state / "custody").glob("*.jsonl"))
            for line in path.read_bytes().splitlines()
        ]
        return [line for line in lines if line["act"] == act]

    def store(self, name: str = "nas") -> dict[str, Any]:
        """Return what `forward status` says of a store."""
        stores = self.dock.run("forward", "status", "--json").json["stores"]
        (found,) = [one for one in stores if one["name"] == name]
        assert isinstance(found, dict)
        return found

    def until_failing(self, trouble: str, name: str = "nas") -> dict[str, Any]:
        """Wait until the custodian is told of a trouble with a store; return what is said."""
        select = "select trouble from stores where name = ?"
        until(lambda: self.rows(select, name) == [(trouble,)], f"{name} {trouble}")
        found = self.store(name)
        assert found["state"] == "failing"
        assert found["trouble"] == trouble
        return found

    def until_failed(self, count: int, name: str = "nas") -> None:
        """Wait until so many recordings are failed, each by itself."""
        select = "select count(*) from uploads where store = ? and state = 'failed'"
        until(lambda: self.rows(select, name) == [(count,)], f"{count} failed")

    def until_back(self, name: str = "nas") -> None:
        select = "select count(*) from stores where name = ? and failing_since is not null"
        until(lambda: self.rows(select, name) == [(0,)], f"{name} is back")

    def alerts(self, kind: AlertKind, after: timedelta = timedelta()) -> list[RecordedAlert]:
        """Look at what is watched, so much later than now; return the open alerts of a kind."""
        station = self.dock.station()
        try:
            tick(station, station.now() + after)
            return [one for one in alerts.live(station.catalogue) if one.kind is kind]
        finally:
            station.catalogue.close()

    def retry(self) -> None:
        """Have everything tried at once, as a person does who has mended something."""
        done = self.dock.run("forward", "retry")
        assert done.code == 0, done.err

    def assert_each_is_there_once(
        self, sealed: Sequence[dict[str, Any]], root: Path | None = None, store: str = "nas"
    ) -> None:
        """All of it is at the store, bit for bit, and confirmed there exactly once."""
        objects = self.objects(root)
        assert len(objects) == 2 * len(sealed)
        for one in sealed:
            (key,) = [key for key in objects if one["id"] in key and not key.endswith(".json")]
            assert objects[key] == (self.dock.evidence / one["path"]).read_bytes()
            assert f"{key}.json" in objects
        said = [e["subject"] for e in self.entries("confirmed") if e["facts"]["store"] == store]
        assert sorted(said) == sorted(one["id"] for one in sealed)

    def objects(self, root: Path | None = None) -> dict[str, bytes]:
        """Return what the store has of recordings, by key."""
        root = root or self.nas
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not str(path.relative_to(root)).startswith((".", "_"))
        }


@pytest.fixture
def forwarded(dock: Dock, tmp_path: Path, card: Card) -> Iterator[Forwarded]:
    today()  # the day begins here for all processes of the test
    bed = Forwarded(dock, tmp_path, card)
    yield bed
    bed.end()
