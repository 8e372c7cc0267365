"""What the custody log makes of the catalogue: every row that should be there.

The log is replayed once, by the steps of a rebuild, into a private database that is gone
with its connection; SQLite keeps it in memory as long as it is small, and on disk then. The
catalogue itself is attached to it, so that SQLite compares the two. Seals, by far the most
entries, take a shorter way than a rebuild: the catalogue's columns straight from the entry.
Descriptions are compared by their digests and need no row.
"""

import base64
import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue import ledger, marks, time_line, trail
from recorder_sync.catalogue.schema import migrations
from recorder_sync.catalogue.taking_up import take_up
from recorder_sync.catalogue.words import words
from recorder_sync.custody.log import Act, CustodyLog, Entry
from recorder_sync.errors import CustodyProblem
from recorder_sync.inspection.schema import Schema, schema_of
from recorder_sync.language import T
from recorder_sync.timestamps import moment

Json = Mapping[str, Any]

_BATCH = 1_000
_CACHE_KIB = 32 << 10

_RECORDING = (
    *("id", "docking", "state", "device", "device_as_sealed", "officer", "case_no", "kind"),
    *("name", "name_words", "path", "size", "blake3", "sha256", "fingerprint"),
    *("recorded_start", "recorded_end", "duration_s", "sealed_at", "deadline", "on_time"),
    *("flags", "description_blake3", "description_sha256", "part", "custody_seq", "number"),
    *marks.COLUMNS,
)
_UNMARKED = (None,) * len(marks.COLUMNS)
_EXTRA = ("folder", "protection", "fs_verity")
"""What the catalogue has no column for, and verification asks for."""

_FOR_SEARCHES = (
    *("inventory_known", "inventory_by_recording", "verified_by_time", "dockings_by_device"),
    *("dockings_by_time", "dockings_open", "dockings_on_port", "bookmarks_by_recording"),
    *("trail_by_time", "trail_by_act", "trail_by_actor", "trail_by_subject"),
    *("copies_looked_at_by_store", "documents_of_case", "recordings_of_document"),
    *("gap_explanations_by_time", "device_events_by_what"),
    *("device_faults", "moves_by_officer", "calendar_by_case"),
)
"""Indexes that no step of a rebuild looks into, and whose upkeep costs a quarter of the time."""

_INSERT = (
    f"insert into sealed ({', '.join((*_RECORDING, *_EXTRA))})"
    f" values ({', '.join('?' for _ in (*_RECORDING, *_EXTRA))})"
)


class Expected:
    """The rows, as far as the log was read. `stored` is the catalogue, attached."""

    def __init__(self, catalogue: Path) -> None:
        """Raises sqlite3.DatabaseError."""
        self.db = Database(sqlite3.connect("", isolation_level=None))
        self.entries = 0
        """How many entries of the log are in it."""
        self.newest: datetime | None = None
        """Time of the last of them."""
        self.corrections: dict[str, Json] = {}
        """Of recordings whose tags were corrected: what the newest entry says."""
        self._marks: dict[str, dict[str, Any]] = {}
        self.officer_names: set[tuple[str, str]] = set()
        """Every name that the log ever gave an officer."""
        self.schema: Schema = {}
        """What a catalogue is made of that was made just now."""
        self._seals: list[tuple[object, ...]] = []
        self._outcomes: list[tuple[str, str, bytes]] = []
        self._seen: set[object] = set()
        self._make_tables()
        self.db.execute("attach ? as stored", [str(catalogue)])

    def close(self) -> None:
        self.db.close()

    def read(self, custody: CustodyLog, between: Callable[[], None]) -> None:
        """Take up the entries that are new since the last call.

        `between` is called now and then, and may raise. Raises CustodyProblem at the first
        line that is not what it was; nothing can be compared then.
        """
        # Only the entry that follows shows by its link that an entry is what it was.
        held: Entry | None = None
        for entry in custody.entries(self.entries):
            if entry.seq % _BATCH == 0:
                between()
            if held is not None:
                self._take_up(held)
            held = entry
        if held is not None:
            self._take_up(held)
        self._flush()
        self._complete()

    def _take_up(self, entry: Entry) -> None:
        try:
            self._apply(entry)
        except (KeyError, TypeError, ValueError, AttributeError, sqlite3.IntegrityError) as error:
            raise CustodyProblem(
                T(
                    "Entry {seq} of the custody log makes no sense ({why}).",
                    seq=entry.seq,
                    why=f"{type(error).__name__}: {error}",
                ),
                T("Keep the folder as it is and compare it with a backup or a forwarded copy."),
            ) from error
        self.entries = entry.seq + 1
        self.newest = entry.deed.time

    def _make_tables(self) -> None:
        for pragma in (
            *("journal_mode=off", "synchronous=off", "foreign_keys=off", "trusted_schema=off"),
            f"cache_size=-{_CACHE_KIB}",
        ):
            self.db.execute(f"pragma {pragma}")
        migrations.apply(self.db)
        self.schema = schema_of(self.db)
        for (trigger,) in self.db.execute(
            "select name from sqlite_schema where type = 'trigger'"
        ).fetchall():
            self.db.execute(f"drop trigger {trigger}")
        for index in _FOR_SEARCHES:
            self.db.execute(f"drop index {index}")
        columns = ", ".join(
            f"{name} {'blob' if name == 'fingerprint' else ''}" for name in (*_RECORDING, *_EXTRA)
        )
        self.db.execute(f"create table sealed ({columns})")

    def _apply(self, entry: Entry) -> None:
        act = entry.deed.act
        if act is Act.SEAL:
            self._seal(entry)
            if len(self._seals) >= _BATCH:
                self._flush()
            return
        if act in (Act.VIEW, Act.EXPORT, Act.EXPORT_FAILED):
            trail.take_up(self.db, entry)
            return
        if act is Act.MARK:
            trail.take_up(self.db, entry)
            self._marks[entry.deed.subject] = marks.columns_of(entry.deed.facts["after"])
            return
        if not _touches_nothing_sealed(entry):
            self._flush()
        if act is Act.TAG:
            self._tag(entry.deed.subject, entry.deed.facts)
            trail.take_up(self.db, entry)
            return
        if act is Act.LEDGER or act is Act.DEVICE_EVENT:
            self._seen.clear()
        take_up(self.db, entry)

    def _seal(self, entry: Entry) -> None:
        facts = entry.deed.facts
        found = facts["recording"]
        device, officer = found["device"], found["officer"]
        self._see(device, officer, found["case"])
        name = found["original_name"]
        start = moment(found["recorded_start"])
        self._seals.append(
            (
                *(found["id"], found["docking"], "sealed", device, device),
                *(officer["cert_no"] if officer else None, found["case"], found["kind"]),
                *(name, words(name), found["path"], found["size"]),
                *(found["blake3"], found["sha256"], bytes.fromhex(facts["fingerprint"])),
                *(found["recorded_start"], found["recorded_end"], found["duration_s"]),
                *(found["sealed_at"], found["deadline"], int(found["on_time"])),
                *(json.dumps(sorted(found["flags"])), facts["description_blake3"]),
                *(facts["description_sha256"], None, entry.seq),
                time_line.first_place(start, found["id"]),
                *_UNMARKED,
                *(found["path"].rpartition("/")[0], facts.get("protection")),
                facts.get("fs_verity"),
            )
        )
        if not found["missing"]:
            exact = found["original_path_base64"]
            path = base64.b64decode(exact) if exact else found["original_path"].encode()
            self._outcomes.append((found["id"], found["docking"], path))

    def _flush(self) -> None:
        if not self._seals:
            return
        self.db.conn.executemany(_INSERT, self._seals)
        self.db.conn.executemany(
            "update inventory set outcome = 'sealed', recording = ?, reason = null, hint = null"
            " where docking = ? and path = ?",
            self._outcomes,
        )
        self._seals, self._outcomes = [], []

    def _complete(self) -> None:
        """Correct what was corrected; an index first, which is made quicker at the end."""
        self.db.execute("create index if not exists sealed_by_id on sealed (id)")
        self.db.conn.executemany(
            "update sealed set device = ?, officer = ?, case_no = ?, flags = ? where id = ?",
            [
                (
                    after["device"],
                    after["officer"]["cert_no"] if after["officer"] else None,
                    after["case"],
                    json.dumps(sorted(after["flags"])),
                    recording,
                )
                for recording, after in self.corrections.items()
            ],
        )
        changes = ", ".join(f"{name} = :{name}" for name in marks.COLUMNS)
        self.db.conn.executemany(
            f"update sealed set {changes} where id = :id",
            [{"id": recording, **columns} for recording, columns in self._marks.items()],
        )

    def _see(self, device: str | None, officer: Json | None, case: str | None) -> None:
        """Note what a recording names, as the catalogue does, once each."""
        if device and self._is_new("device", device):
            ledger.see_device(self.db, device)
        if officer and self._is_new("officer", officer["cert_no"], officer["name"]):
            ledger.see_officer(self.db, officer["cert_no"], officer["name"])
            if officer["name"]:
                self.officer_names.add((officer["cert_no"], officer["name"]))
        if case and self._is_new("case", case):
            ledger.see_case(self.db, case)

    def _is_new(self, *named: str | None) -> bool:
        if named in self._seen:
            return False
        self._seen.add(named)
        return True

    def _tag(self, recording: str, facts: Json) -> None:
        after = facts["after"]
        self.corrections[recording] = after
        self._see(after["device"], after["officer"], after["case"])


def _touches_nothing_sealed(entry: Entry) -> bool:
    """Tell whether an entry changes nothing that the seals just before it change as well."""
    if entry.deed.act is Act.DOCKING_CLOSED:
        return not (entry.deed.facts.get("already_sealed") or entry.deed.facts.get("failed"))
    return entry.deed.act in (Act.DOCKING_OPENED, Act.INVENTORY, Act.BOOKMARK)
