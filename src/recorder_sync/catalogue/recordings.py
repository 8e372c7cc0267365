"""Recordings in the catalogue: entered while being sealed, and looked up.

Searches are in `search.py`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue import ledger, time_line
from recorder_sync.catalogue.database import FILE_NAME, as_values, broken, insert
from recorder_sync.catalogue.schema import table
from recorder_sync.catalogue.words import words
from recorder_sync.description import Json, as_json, as_text, from_json
from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.model import Digests, Recording
from recorder_sync.rules.lifecycle import Event, State, after
from recorder_sync.timestamps import iso, iso_or_none

_AT_ONCE = 500
"""Descriptions that are read together."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A recording about to be moved into place: all that a restart needs to finish it."""

    recording: Recording
    described: Json
    """The RECORDING as it is sealed (`description.py`)."""
    text: str
    """The description file's text: the same."""
    description: Digests
    """Of that text, in UTF-8."""
    fingerprint: bytes
    """Digest of the first and last bytes (`ingest/engine.py`)."""
    part: str
    """The copy's path below the evidence folder."""

    @property
    def id(self) -> str:
        return self.recording.id

    @property
    def path(self) -> str:
        """Its place below the evidence folder."""
        return self.recording.path

    @property
    def digests(self) -> Digests:
        return self.recording.digests


@dataclass(frozen=True, slots=True)
class Sealed:
    """A recording of the catalogue."""

    recording: Recording
    description: Digests
    row: dict[str, Any]
    """What the index says, column by column."""
    custody_seq: int | None
    """Number of its entry in the custody log."""

    @property
    def id(self) -> str:
        return self.recording.id

    @property
    def path(self) -> str:
        return self.recording.path

    @property
    def size(self) -> int:
        return self.recording.size

    @property
    def digests(self) -> Digests:
        return self.recording.digests


def enter(db: Database, intents: Sequence[Intent]) -> None:
    """Write the intents to seal these recordings.

    What a device, officer or case is called is not entered before they are sealed.
    """
    _see_tags(db, [intent.recording for intent in intents])
    state = after(None, Event.INTENT_WRITTEN)
    assert state is not None
    wanted = [(i.recording.recorded.start, i.recording.id) for i in intents]
    numbers = time_line.free_places(db, wanted)
    rows = [_row(i, number, state) for i, number in zip(intents, numbers, strict=True)]
    insert(db, "recordings", rows)
    described = [{"recording": i.recording.id, "json": i.text} for i in intents]
    insert(db, "descriptions", described)


def see_tags(db: Database, seen: Sequence[Recording]) -> None:
    """Give every device, officer and case that a sealed recording names a row to refer to."""
    _see_tags(db, seen)
    for officer, name in {(r.tags.officer.value, r.officer_name) for r in seen if r.tags.officer}:
        if name:
            ledger.see_officer(db, officer, name)


def _see_tags(db: Database, seen: Sequence[Recording]) -> None:
    for device in {r.tags.device.value for r in seen if r.tags.device}:
        ledger.see_device(db, device)
    for officer in {r.tags.officer.value for r in seen if r.tags.officer}:
        ledger.see_officer(db, officer, None)
    for case in {r.tags.case.value for r in seen if r.tags.case}:
        ledger.see_case(db, case)


def _row(intent: Intent, number: int, state: State) -> dict[str, Any]:
    recording = intent.recording
    device = recording.tags.device
    return {
        **columns(recording),
        "number": number,
        "state": state.value,
        "docking": recording.docking,
        "device_as_sealed": device.value if device else None,
        "fingerprint": intent.fingerprint,
        "description_blake3": intent.description.blake3,
        "description_sha256": intent.description.sha256,
        "part": intent.part,
    }


def columns(recording: Recording) -> dict[str, Any]:
    """Return what the index says of a recording."""
    return {
        "id": recording.id,
        **_searched(recording),
        "path": recording.path,
        "size": recording.size,
        "blake3": recording.digests.blake3,
        "sha256": recording.digests.sha256,
        "recorded_start": iso(recording.recorded.start),
        "recorded_end": iso_or_none(recording.recorded.end),
        "sealed_at": iso(recording.sealed_at),
        "deadline": iso(recording.deadline),
        "on_time": int(recording.on_time),
    }


def _searched(recording: Recording) -> dict[str, Any]:
    """Return the columns that a tag correction changes, and what is shown beside them."""
    tags = recording.tags
    name = recording.original_path.name.text
    return {
        "device": tags.device.value if tags.device else None,
        "officer": tags.officer.value if tags.officer else None,
        "case_no": tags.case.value if tags.case else None,
        "kind": recording.kind.value,
        "name": name,
        "name_words": words(name),
        "duration_s": recording.media.duration_s,
        "flags": json.dumps(sorted(recording.flags)),
    }


def mark_sealed(db: Database, custody_seqs: Mapping[str, int]) -> None:
    """Mark recordings, by id, as sealed by these entries of the custody log."""
    state = after(State.SEALING, Event.ENTERED_IN_CUSTODY_LOG)
    assert state is not None
    for marks, values in as_values(custody_seqs.items()):
        db.conn.execute(
            f"with entered (recording, seq) as (values {marks})"
            " update recordings indexed by recordings_by_id"
            " set state = ?, part = null, custody_seq = entered.seq"
            " from entered where id = entered.recording",
            [*values, state.value],
        )


def is_entered(db: Database, recording: str) -> bool:
    """Tell whether a recording is sealed, or meant to be, by its whole id."""
    found = db.execute("select 1 from recordings where id = ?", [recording]).fetchone()
    return found is not None


def is_intent(db: Database, recording: str) -> bool:
    """Tell whether a recording is meant to be sealed and not known to be, by its whole id."""
    select = "select 1 from recordings where id = ? and state <> 'sealed'"
    return db.execute(select, [recording]).fetchone() is not None


def custody_seq_of(db: Database, recording: str) -> int | None:
    """Return the number of a recording's seal in the custody log, None before there is one."""
    found = db.execute("select custody_seq from recordings where id = ?", [recording]).fetchone()
    return found[0] if found else None


def withdraw(db: Database, recording: str) -> None:
    """Take back an intent whose copy is lost; the card still has the recording."""
    assert after(State.SEALING, Event.COPY_LOST) is None
    db.execute(
        "update inventory set recording = null, outcome = null where recording = ?", [recording]
    )
    db.execute("delete from descriptions where recording = ?", [recording])
    db.execute("delete from recordings where id = ? and state = 'sealing'", [recording])


def retag(db: Database, recording: Recording) -> None:
    """Replace the tags of a sealed recording, in the index and its description here."""
    see_tags(db, [recording])
    row = table(db, "recordings").rows_where("id = ?", [recording.id], select="number")
    number = next(iter(row))["number"]
    table(db, "recordings").update(number, _searched(recording))
    table(db, "descriptions").update(recording.id, {"json": as_text(as_json(recording))})


def intents(db: Database) -> list[Intent]:
    """Return the recordings whose sealing was interrupted."""
    rows = db.query(
        "select r.*, d.json from recordings r indexed by recordings_unsealed"
        " join descriptions d on d.recording = r.id"
        " where r.state <> 'sealed' order by r.number"
    )
    return [
        Intent(
            from_json(described := json.loads(row["json"])),
            described,
            row["json"],
            Digests(row["description_blake3"], row["description_sha256"]),
            row["fingerprint"],
            row["part"] or row["path"],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class SameContent:
    """A recording with given content."""

    recording: str
    state: State
    devices: frozenset[str | None]
    """Its device now, and as it was sealed; None: unassigned."""


def with_content(db: Database, digests: Sequence[str]) -> dict[tuple[str, int], list[SameContent]]:
    """Return the recordings with these BLAKE3 digests, by digest and size."""
    marks = ", ".join("?" for _ in digests)
    rows = db.execute(
        "select blake3, size, id, state, device, device_as_sealed from recordings"
        f" where blake3 in ({marks}) order by number",
        list(digests),
    )
    found: dict[tuple[str, int], list[SameContent]] = {}
    for blake3, size, recording, state, device, as_sealed in rows:
        same = SameContent(recording, State(state), frozenset((device, as_sealed)))
        found.setdefault((blake3, size), []).append(same)
    return found


def recording(db: Database, prefix: str) -> Sealed:
    """Return the sealed recording whose id starts with `prefix`, or raise NotFound."""
    rows = list(
        db.query(
            f"{_SEALED} and r.id >= ? and r.id < ? order by r.id limit 2",
            [prefix, prefix + "\U0010ffff"],
        )
    )
    if not prefix or (len(rows) == 2 and rows[0]["id"] != prefix):
        raise NotFound(
            T("More than one recording begins with {id}.", id=prefix),
            T("Type more of it; recorder-sync recordings list shows them."),
        )
    if not rows:
        raise NotFound(
            T("There is no sealed recording {id}.", id=prefix),
            T("recorder-sync recordings list shows them."),
        )
    return _sealed(rows[0])


def sealed_by_id(db: Database, ids: Sequence[str]) -> Iterator[Recording]:
    """Yield these sealed recordings, in this order. Raises NotFound where one is not there."""
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        query = f"{_SEALED} and r.id in (select value from json_each(?))"
        rows = db.query(query, [json.dumps(some)])
        found = {row["id"]: _sealed(row) for row in rows}
        for identifier in some:
            yield (found.get(identifier) or recording(db, identifier)).recording


def sealed_ids(db: Database, since: datetime | None = None, case: str | None = None) -> list[str]:
    """Return the sealed recordings by path: all, or those sealed since, or of one case."""
    query, values = "select id from recordings where state = 'sealed'", []
    if since is not None:
        query, values = query + " and sealed_at >= ?", [iso(since)]
    if case is not None:
        query, values = query + " and case_no = ?", [*values, case]
    return [row[0] for row in db.execute(query + " order by path", values)]


_SEALED = (
    "select r.*, d.json from recordings r join descriptions d on d.recording = r.id"
    " where r.state = 'sealed'"
)


def newest_ids(db: Database, count: int) -> list[str]:
    """Return up to `count` sealed recordings, the newest first."""
    query = "select id from recordings where state = 'sealed' order by number desc limit ?"
    return [row[0] for row in db.execute(query, [count])]


def sample_ids(db: Database, count: int) -> list[str]:
    """Return up to `count` sealed recordings, picked at random."""
    query = "select id from recordings where state = 'sealed' order by random() limit ?"
    return [row[0] for row in db.execute(query, [count])]


def count_sealed(db: Database) -> tuple[int, int]:
    """Return how many recordings are sealed, and how many of them late."""
    (sealed,) = db.execute("select count(*) from recordings where state = 'sealed'").fetchone()
    (late,) = db.execute("select count(*) from recordings where on_time = 0").fetchone()
    return int(sealed), int(late)


def size_sealed(db: Database) -> int:
    """Return the bytes of all sealed recordings."""
    (size,) = db.execute(
        "select coalesce(sum(size), 0) from recordings where state = 'sealed'"
    ).fetchone()
    return int(size)


def _sealed(row: dict[str, Any]) -> Sealed:
    try:
        recording = from_json(json.loads(row["json"]))
    except (KeyError, TypeError, ValueError) as error:
        raise broken(FILE_NAME, f"recording {row['id']}: {type(error).__name__}") from error
    indexed = (*columns(recording), "description_blake3", "description_sha256", "custody_seq")
    return Sealed(
        recording,
        Digests(row["description_blake3"], row["description_sha256"]),
        {name: row[name] for name in indexed},
        row["custody_seq"],
    )
