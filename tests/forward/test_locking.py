"""Holds and longer retention reach the copies that stores have, and only their word counts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recorder_sync.catalogue import store_states
from recorder_sync.config import load
from recorder_sync.custody.log import Act
from recorder_sync.forward.destination import Destination
from recorder_sync.forward.line import Halt
from recorder_sync.forward.locking import Locking
from recorder_sync.forward.shared import Shared
from recorder_sync.language import T
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.forwarding import Retention, Selection
from recorder_sync.station import Station, now, station_of_thread
from recorder_sync.stores.store import (
    Check,
    Course,
    Lock,
    LockMode,
    Outgoing,
    Receipt,
    Source,
    Stored,
    StoreIdentity,
    StoreProblem,
    Trouble,
    Unfinished,
)
from recorder_sync.timestamps import iso
from tests.catalogue.whole import whole
from tests.conftest import Card, Dock
from tests.documents.handing_in import add, paper
from tests.ingest.aftermath import until

pytestmark = pytest.mark.long

_WHY = ("--reason", "诉讼", "--by", "王队")


class Vault:
    """A store whose locks can be out of order, as those of real servers are."""

    name = "vault"

    def __init__(self) -> None:
        self.locks: dict[str, Lock] = {}
        self.keeps = True
        self.refuses = False
        self.is_away = False
        self.was_told: list[tuple[str, Lock]] = []
        self.listed = 0

    def finds_out(self, item: Outgoing) -> bool:
        raise AssertionError("nothing is sent here")

    def look(self, key: str, version: str | None = None) -> Stored | None:
        if self.is_away:
            raise StoreProblem(Trouble.TRANSIENT, T("away"))
        return Stored(key, 1, "1", lock=self.locks[key]) if key in self.locks else None

    def lock(self, key: str, version: str | None, lock: Lock) -> None:
        self.was_told.append((key, lock))
        if self.refuses:
            raise StoreProblem(Trouble.REFUSED, T("AccessDenied"))
        if self.keeps:
            there = self.locks[key]
            until_ = max(filter(None, (lock.until, there.until)), default=None)
            self.locks[key] = Lock(lock.mode or there.mode, until_, lock.hold)

    def check(self, now: datetime) -> Iterator[Check]:
        yield from ()

    def identity(self) -> StoreIdentity:
        return StoreIdentity("vault", {})

    def bind(self, station: str) -> StoreIdentity:
        return self.identity()

    def send(self, item: Outgoing, source: Callable[[], Source], course: Course) -> Receipt:
        return Receipt()

    def read(self, key: str, version: str | None = None) -> Iterator[bytes]:
        yield from ()

    def keys(self, prefix: str = "") -> Iterator[str]:
        yield from [key for key in sorted(self.locks) if key.startswith(prefix)]
        self.listed += 1

    def unfinished(self) -> Iterator[Unfinished]:
        yield from ()

    def abandon(self, one: Unfinished) -> None: ...

    def close(self) -> None: ...


@dataclass
class Bed:
    dock: Dock
    vault: Vault
    ids: list[str]
    retention: tuple[Retention, ...] = ()
    now: datetime | None = None
    _working: Locking | None = None

    def start(self) -> None:
        settings = load(self.dock.config)
        destination = Destination(
            name="vault",
            opens=lambda: self.vault,
            make_sure=lambda _: None,
            takes=lambda _: True,
            key_of=lambda one: one.id,
            lock_mode=LockMode.GOVERNANCE,
            retention=self.retention,
        )

        @contextmanager
        def opens() -> Iterator[Station]:
            with station_of_thread(settings) as station:
                yield replace(station, now=lambda: self.now or now())

        self._working = Locking(Shared(destination, Halt()), opens)
        self._working.thread.start()

    def stop(self) -> None:
        if self._working is not None:
            self._working.thread.stop()
            assert self._working.thread.join(20)
            self._working = None

    def keys(self, number: int) -> tuple[str, str]:
        return self.ids[number], f"{self.ids[number]}.json"

    def held_there(self) -> set[str]:
        return {key for key, lock in self.vault.locks.items() if lock.hold}

    def on_record(self) -> list[dict[str, Any]]:
        station = self.dock.station()
        try:
            found = station.custody.entries_of([Act.COPY_LOCKED])
            return [{"recording": e.deed.subject, **e.deed.facts} for e in found]
        finally:
            station.catalogue.close()

    def state(self) -> store_states.StoreState:
        station = self.dock.station()
        try:
            return store_states.state_of(station.catalogue, "vault")
        finally:
            station.catalogue.close()


@pytest.fixture
def bed(dock: Dock, card: Card) -> Iterator[Bed]:
    """A station with two recordings, both confirmed by the vault long ago."""
    dock.configure(ingest={"immutable": False})
    for name in ("one", "two"):
        card.put(f"{name}.jpg", name.encode() * 100)
    ids = [one["id"] for one in dock.ingest(card, "--case", "2026-7").json["recordings"]]
    made = Bed(dock, Vault(), ids)
    _confirm(made, *ids)
    yield made
    made.stop()


def _confirm(bed: Bed, *sealed: str) -> None:
    """Have the vault confirm these, kept until 2027."""
    station = bed.dock.station()
    kept = datetime(2027, 1, 1, tzinfo=UTC)
    for one in sealed:
        facts = {
            "store": "vault",
            "key": one,
            "version": "1",
            "size": 300,
            "proof": "checksum",
            "checksums": {},
            "kept_until": iso(kept),
            "lock": "governance",
            "description": {"key": f"{one}.json", "version": "1"},
        }
        with turn(station):
            enter(station, [station.deed(Act.CONFIRMED, one, facts)])
        for key in (one, f"{one}.json"):
            bed.vault.locks[key] = Lock(LockMode.GOVERNANCE, kept)
    station.catalogue.close()


def test_art_25_a_hold_reaches_a_copy_that_was_confirmed_long_ago_and_its_release_too(
    bed: Bed,
) -> None:
    bed.start()
    assert bed.dock.run("recordings", "hold", bed.ids[0], *_WHY).code == 0
    until(lambda: len(bed.on_record()) == 1, "the hold is on record")
    assert bed.held_there() == set(bed.keys(0)), "the recording and its description"
    assert bed.on_record()[0]["hold"] is True
    assert bed.dock.run("recordings", "release", bed.ids[0], *_WHY).code == 0
    until(lambda: len(bed.on_record()) == 2, "the release is on record")
    assert bed.held_there() == set()
    bed.stop()
    assert bed.dock.run("verify", "--metadata", "--json").json["findings"] == []
    assert bed.dock.run("catalogue", "rebuild").code == 0
    assert bed.dock.run("verify", "--metadata", "--json").json["findings"] == []


def test_a_case_is_held_in_the_store_as_a_whole(bed: Bed) -> None:
    assert bed.dock.run("recordings", "hold", "--case", "2026-7", *_WHY).code == 0
    bed.start()
    until(lambda: len(bed.on_record()) == 2, "both are on record")
    assert bed.held_there() == {*bed.keys(0), *bed.keys(1)}


def test_art_25_documents_of_a_held_case_are_held_in_the_store_and_released_with_it(
    bed: Bed,
) -> None:
    others = "2026-8"
    for case in ("2026-7", others):
        assert bed.dock.run("cases", "add", case, "--party", "甲").code == 0
    file = paper(bed.dock.state.parent)
    (its, other) = (add(bed.dock, file, case=case).json["id"] for case in ("2026-7", others))
    _confirm(bed, its, other)
    ids = {*bed.ids, its}
    held = {key for one in ids for key in (one, f"{one}.json")}
    bed.start()
    assert bed.dock.run("recordings", "hold", "--case", "2026-7", *_WHY).code == 0
    until(lambda: len(bed.on_record()) == 3, "all are on record")
    assert {one["recording"] for one in bed.on_record()} == ids
    assert bed.held_there() == held, "and no document of another case"
    assert bed.dock.run("recordings", "release", "--case", "2026-7", *_WHY).code == 0
    until(lambda: len(bed.on_record()) == 6, "the releases are on record")
    assert bed.held_there() == set()
    bed.stop()
    before = whole(bed.dock.state / "catalogue.db")["document_copies"]
    assert bed.dock.run("catalogue", "rebuild").code == 0
    assert whole(bed.dock.state / "catalogue.db")["document_copies"] == before
    assert bed.dock.run("verify", "--metadata", "--json").json["findings"] == []


def test_a_hold_that_somebody_else_put_there_is_never_lifted(bed: Bed) -> None:
    for key in bed.keys(0):
        bed.vault.locks[key] = replace(bed.vault.locks[key], hold=True)
    bed.retention = (Retention(Selection(), days=3650),)
    bed.start()
    until(lambda: len(bed.on_record()) == 2, "the longer retention is on record")
    assert bed.held_there() == set(bed.keys(0))
    assert {one["hold"] for one in bed.on_record()} == {False}


def test_art_25_a_longer_retention_reaches_what_is_confirmed_and_a_shorter_one_changes_nothing(
    bed: Bed,
) -> None:
    before = dict(bed.vault.locks)
    bed.retention = (Retention(Selection(), days=1),)
    bed.start()
    assert bed.dock.run("recordings", "hold", bed.ids[0], *_WHY).code == 0
    until(lambda: len(bed.on_record()) == 1, "the hold is on record")
    bed.stop()
    assert {key: lock.until for key, lock in bed.vault.locks.items()} == {
        key: lock.until for key, lock in before.items()
    }
    bed.retention = (Retention(Selection(), days=3650),)
    bed.start()
    until(lambda: len(bed.on_record()) == 3, "both are on record with the new date")
    untils = {lock.until for lock in bed.vault.locks.values()}
    assert min(one for one in untils if one) > datetime.now(UTC) + timedelta(days=3000)
    bed.stop()
    assert bed.dock.run("verify", "--metadata", "--json").json["findings"] == []


@pytest.mark.parametrize("how", ["keeps nothing", "refuses", "has it no more"])
def test_a_store_that_does_not_keep_a_hold_is_told_of_until_it_does(bed: Bed, how: str) -> None:
    gone = {key: bed.vault.locks[key] for key in bed.keys(0)}
    if how == "keeps nothing":
        bed.vault.keeps = False
    elif how == "refuses":
        bed.vault.refuses = True
    else:
        for key in gone:
            del bed.vault.locks[key]
    assert bed.dock.run("recordings", "hold", bed.ids[0], *_WHY).code == 0
    bed.start()
    until(lambda: bed.state().lock_failing_since is not None, "it is noted")
    assert bed.on_record() == [], "nothing is believed"
    assert bed.state().failing_since is None, "recordings are sent there all the same"
    bed.vault.keeps, bed.vault.refuses = True, False
    bed.vault.locks.update(gone)
    bed.stop()
    bed.start()  # as a restart, or an hour later
    until(lambda: len(bed.on_record()) == 1, "the hold is on record")
    until(lambda: bed.state().lock_failing_since is None, "and nobody has to be told any more")


def test_a_store_that_is_away_is_left_alone_and_asked_later(bed: Bed) -> None:
    bed.vault.is_away = True
    assert bed.dock.run("recordings", "hold", bed.ids[0], *_WHY).code == 0
    bed.start()
    until(lambda: bed.state().failing_since is not None, "the store is noted as failing")
    assert bed.state().lock_failing_since is None
    bed.vault.is_away = False
    until(lambda: len(bed.on_record()) == 1, "the hold is on record")
    assert bed.held_there() == set(bed.keys(0))


@dataclass(frozen=True)
class Records:
    """A station's records in the vault, each locked on its own until some day."""

    bed: Bed
    names = ("log/0-7.jsonl", "log/7-9.jsonl", "checkpoints/9")

    def until(self, number: int) -> datetime:
        found = self.bed.vault.locks[self.key(number)].until
        assert found is not None
        return found

    def lock(self, *ends: datetime | None) -> None:
        for number, end in enumerate(ends):
            mode = LockMode.GOVERNANCE if end else None
            self.bed.vault.locks[self.key(number)] = Lock(mode, end)

    def key(self, number: int) -> str:
        return f"_stations/{load(self.bed.dock.config).station.id}/custody/{self.names[number]}"

    def told(self) -> list[str]:
        return [key for key, _ in self.bed.vault.was_told if key.startswith("_stations/")]


def test_art_25_the_log_in_a_store_is_locked_for_longer_than_the_recordings_that_it_proves(
    bed: Bed,
) -> None:
    records, last = Records(bed), datetime(2027, 1, 1, tzinfo=UTC)
    months = timedelta(days=60)
    records.lock(None, last - timedelta(days=300), last + 3 * months)
    bed.start()
    until(lambda: len(records.told()) == 2, "the two that ended too early")
    bed.stop()
    assert records.until(0) == records.until(1) == last + 2 * months
    assert records.until(2) == last + 3 * months, "what ends late enough stays as it is"
    listed = bed.vault.listed
    bed.start()  # as the next month
    until(lambda: bed.vault.listed > listed, "all were looked at once more")
    assert len(records.told()) == 2, "and nothing was to be done"


def test_documents_of_cases_are_kept_as_long_as_the_log_and_copies_of_the_catalogue_are_not(
    bed: Bed,
) -> None:
    short = Lock(LockMode.GOVERNANCE, datetime(2026, 12, 1, tzinfo=UTC))
    above = Records(bed).key(0).partition("custody/")[0]
    document, backup = f"{above}documents/17/one.pdf", f"{above}catalogue/catalogue-1.db"
    bed.vault.locks |= {document: short, backup: short}
    bed.start()
    until(lambda: document in Records(bed).told(), "the document is kept longer")
    until(lambda: bed.vault.listed == 1, "all were looked at")
    assert bed.vault.locks[backup] == short


def test_art_25_the_log_is_locked_as_long_as_a_recording_is_held(bed: Bed) -> None:
    long_ago = datetime(2027, 1, 1, tzinfo=UTC)
    records = Records(bed)
    records.lock(long_ago, long_ago, long_ago)
    bed.now = datetime(2035, 5, 5, tzinfo=UTC)
    bed.start()
    until(lambda: bed.vault.listed == 1, "all were looked at")
    assert {records.until(number).year for number in range(3)} == {2027}, "its recordings are over"
    assert bed.dock.run("recordings", "hold", bed.ids[0], *_WHY).code == 0
    until(lambda: bed.vault.listed == 2, "all were looked at at once")
    assert {records.until(number).year for number in range(3)} == {2035}


@pytest.mark.parametrize("how", ["keeps nothing", "refuses"])
def test_a_store_that_does_not_lock_the_log_for_longer_is_told_of_until_it_does(
    bed: Bed, how: str
) -> None:
    records = Records(bed)
    records.lock(None, None, None)
    bed.vault.keeps, bed.vault.refuses = how != "keeps nothing", how == "refuses"
    bed.start()
    until(lambda: bed.state().lock_failing_since is not None, "it is noted")
    assert bed.state().failing_since is None, "recordings are sent there all the same"
    bed.vault.keeps, bed.vault.refuses = True, False
    bed.stop()
    bed.start()  # as a restart, or an hour later
    until(lambda: bed.state().lock_failing_since is None, "and nobody has to be told any more")
    assert records.until(2) > datetime(2027, 1, 1, tzinfo=UTC)


def test_a_hold_waits_for_some_of_a_long_log_and_not_for_all_of_it(bed: Bed) -> None:
    short = Lock(LockMode.GOVERNANCE, datetime(2026, 12, 1, tzinfo=UTC))
    above = Records(bed).key(0)
    bed.vault.locks |= {f"{above}-{number:04d}": short for number in range(5000)}
    bed.start()
    until(lambda: bool(Records(bed).told()), "the log is seen to")
    assert bed.dock.run("recordings", "hold", bed.ids[0], *_WHY).code == 0
    until(lambda: len(bed.on_record()) == 1, "the hold is on record")
    assert bed.vault.listed == 0, "the log was not looked through to its end yet"
