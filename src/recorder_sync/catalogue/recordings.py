"""Recordings in the catalogue: entered while being sealed, then searched (Art. 25).

Searches come back newest first. A search by party, cause or name can match a few
recordings or nearly all; what is found by words is counted first, up to a bound, and
the query is driven from whichever side is the smaller.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.database import insert
from recorder_sync.catalogue.schema import table
from recorder_sync.catalogue.words import phrase, words
from recorder_sync.description import as_json, from_json
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T
from recorder_sync.model import Digests, Recording
from recorder_sync.rules.lifecycle import Event, State, after
from recorder_sync.timestamps import iso, iso_or_none

_FEW = 5_000
"""Up to so many matches, a search sorts the matches; beyond, it walks the time line."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A recording about to be moved into place: all that a restart needs to finish it."""

    recording: Recording
    description: Digests
    fingerprint: bytes
    """Digest of the first and last bytes (`ingest/engine.py`)."""
    part: str
    """The copy's path below the evidence folder."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A recording of the catalogue."""

    recording: Recording
    description: Digests
    custody_seq: int | None
    """Number of its entry in the custody log."""


@dataclass(frozen=True, slots=True)
class Search:
    device: str | None = None
    officer: str | None = None
    """Certificate number or name."""
    case: str | None = None
    party: str | None = None
    cause: str | None = None
    name: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    state: State | None = None
    on_time: bool | None = None
    limit: int = 50
    after: str | None = None
    """The cursor of an earlier page."""


@dataclass(frozen=True, slots=True)
class Page:
    found: list[Recording]
    next: str | None
    """Cursor of the next page, None on the last."""


def enter(db: Database, intent: Intent) -> None:
    """Write the intent to seal a recording."""
    recording = intent.recording
    tags = recording.tags
    if tags.device:
        ledger.see_device(db, tags.device.value)
    if tags.officer:
        ledger.see_officer(db, tags.officer.value, recording.officer_name)
    if tags.case:
        ledger.see_case(db, tags.case.value)
    state = after(None, Event.INTENT_WRITTEN)
    assert state is not None
    insert(
        db,
        "recordings",
        {
            "id": recording.id,
            "docking": recording.docking,
            "state": state.value,
            **_searched(recording),
            "path": recording.path,
            "size": recording.size,
            "blake3": recording.digests.blake3,
            "sha256": recording.digests.sha256,
            "fingerprint": intent.fingerprint,
            "recorded_start": iso(recording.recorded.start),
            "recorded_end": iso_or_none(recording.recorded.end),
            "sealed_at": iso(recording.sealed_at),
            "deadline": iso(recording.deadline),
            "on_time": int(recording.on_time),
            "description_blake3": intent.description.blake3,
            "description_sha256": intent.description.sha256,
            "part": intent.part,
        },
    )
    insert(db, "descriptions", {"recording": recording.id, "json": _text(recording)})


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


def mark_sealed(db: Database, recording: str, custody_seq: int) -> None:
    state = after(State.SEALING, Event.ENTERED_IN_CUSTODY_LOG)
    assert state is not None
    db.execute(
        "update recordings set state = ?, part = null, custody_seq = ? where id = ?",
        [state.value, custody_seq, recording],
    )


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
    tags = recording.tags
    if tags.device:
        ledger.see_device(db, tags.device.value)
    if tags.officer:
        ledger.see_officer(db, tags.officer.value, recording.officer_name)
    if tags.case:
        ledger.see_case(db, tags.case.value)
    row = table(db, "recordings").rows_where("id = ?", [recording.id], select="number")
    number = next(iter(row))["number"]
    table(db, "recordings").update(number, _searched(recording))
    table(db, "descriptions").update(recording.id, {"json": _text(recording)})


def intents(db: Database) -> list[Intent]:
    """Return the recordings whose sealing was interrupted."""
    rows = db.query(
        "select r.*, d.json from recordings r join descriptions d on d.recording = r.id"
        " where r.state <> 'sealed' order by r.number"
    )
    return [
        Intent(
            from_json(json.loads(row["json"])),
            Digests(row["description_blake3"], row["description_sha256"]),
            row["fingerprint"],
            row["part"],
        )
        for row in rows
    ]


def with_content(db: Database, blake3: str, size: int) -> list[tuple[str, str | None, State]]:
    """Return id, device and state of the recordings with this content."""
    rows = db.query(
        "select id, device, state from recordings where blake3 = ? and size = ?", [blake3, size]
    )
    return [(row["id"], row["device"], State(row["state"])) for row in rows]


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


def all_sealed(
    db: Database, since: datetime | None = None, case: str | None = None
) -> Iterator[Sealed]:
    """Yield the sealed recordings by path: all, or those sealed since, or of one case."""
    query, values = _SEALED, []
    if since is not None:
        query, values = query + " and r.sealed_at >= ?", [iso(since)]
    if case is not None:
        query, values = query + " and r.case_no = ?", [*values, case]
    for row in db.query(query + " order by r.path", values):
        yield _sealed(row)


_SEALED = (
    "select r.description_blake3, r.description_sha256, r.custody_seq, d.json"
    " from recordings r join descriptions d on d.recording = r.id where r.state = 'sealed'"
)


def sample_sealed(db: Database, count: int) -> list[Sealed]:
    """Return up to `count` sealed recordings, picked at random."""
    ids = [
        row["id"]
        for row in db.query(
            "select id from recordings where state = 'sealed' order by random() limit ?", [count]
        )
    ]
    return [recording(db, one) for one in ids]


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


def search(db: Database, wanted: Search) -> Page:
    """Return one page of the sealed recordings that match.

    Raises UsageProblem for a cursor that is none.
    """
    where: list[str] = []
    values: list[Any] = []

    def add(condition: str, *its_values: object) -> None:
        where.append(condition)
        values.extend(its_values)

    if wanted.state is not None and wanted.state is not State.SEALED:
        add("r.state <> 'sealed' and r.state = ?", wanted.state.value)
    else:
        add("r.state = 'sealed'")
    if wanted.device is not None:
        add("r.device = ?", wanted.device)
    if wanted.officer is not None:
        numbers = _officers(db, wanted.officer)
        add(f"r.officer in ({_marks(numbers)})", *numbers)
    if wanted.case is not None:
        add("r.case_no = ?", wanted.case)
    if wanted.since is not None:
        add("r.recorded_start >= ?", iso(wanted.since))
    if wanted.until is not None:
        add("r.recorded_start < ?", iso(wanted.until))
    if wanted.on_time is not None:
        add("r.on_time = 1" if wanted.on_time else "r.on_time = 0")
    if wanted.after is not None:
        add("(r.recorded_start, r.id) < (?, ?)", *_read_cursor(wanted.after))
    for column, text in (("party_words", wanted.party), ("cause_words", wanted.cause)):
        if text is not None:
            condition, its_values = _by_case_words(db, column, text)
            add(condition, *its_values)
    if wanted.name is not None:
        condition, its_values = _by_name(db, wanted.name)
        add(condition, *its_values)
    rows = list(
        db.query(
            "select r.id, r.recorded_start, d.json from recordings r"
            " join descriptions d on d.recording = r.id"
            f" where {' and '.join(where)}"
            " order by r.recorded_start desc, r.id desc limit ?",
            [*values, wanted.limit + 1],
        )
    )
    more = len(rows) > wanted.limit
    shown = rows[: wanted.limit]
    return Page(
        [from_json(json.loads(row["json"])) for row in shown],
        _cursor(shown[-1]["recorded_start"], shown[-1]["id"]) if more and shown else None,
    )


def _officers(db: Database, wanted: str) -> list[str]:
    rows = db.query("select cert_no from officers where cert_no = ? or name = ?", [wanted, wanted])
    return [row["cert_no"] for row in rows]


def _by_case_words(db: Database, column: str, text: str) -> tuple[str, list[object]]:
    query = phrase(text)
    if query is None:
        return "0", []
    matching = (
        "select c.number from cases c where c.key in"
        " (select rowid from cases_fts where cases_fts match ?)"
    )
    match = f"{column} : {query}"
    counted = db.execute(
        f"select count(*) from (select 1 from recordings where case_no in ({matching}) limit ?)",
        [match, _FEW + 1],
    ).fetchone()[0]
    column_name = "r.case_no" if counted <= _FEW else "+r.case_no"
    return f"{column_name} in ({matching})", [match]


def _by_name(db: Database, text: str) -> tuple[str, list[object]]:
    query = phrase(text)
    if query is None:
        return "0", []
    matching = "select rowid from recordings_fts where recordings_fts match ?"
    counted = db.execute(
        f"select count(*) from ({matching} limit ?)", [query, _FEW + 1]
    ).fetchone()[0]
    if counted <= _FEW:
        return f"r.number in ({matching})", [query]
    return f"exists ({matching} and rowid = r.number)", [query]


def _cursor(start: str, identifier: str) -> str:
    return base64.urlsafe_b64encode(f"{start} {identifier}".encode()).decode()


def _read_cursor(text: str) -> tuple[str, str]:
    try:
        start, identifier = base64.urlsafe_b64decode(text.encode()).decode().split(" ")
    except (binascii.Error, ValueError) as error:
        raise UsageProblem(
            T("{text} is no cursor.", text=text),
            T("Give --after what the page before printed as its cursor."),
        ) from error
    return start, identifier


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)


def _sealed(row: dict[str, Any]) -> Sealed:
    return Sealed(
        from_json(json.loads(row["json"])),
        Digests(row["description_blake3"], row["description_sha256"]),
        row["custody_seq"],
    )


def _text(recording: Recording) -> str:
    return json.dumps(as_json(recording), ensure_ascii=False)
