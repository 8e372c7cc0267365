"""Art. 5 and 27: what somebody with root and the database open can do, and what names it.

The table of docs/custody.md is this module: an attack, and the finding that it has to give.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from recorder_sync.inspection.findings import Finding
from tests.conftest import Card, Dock, MediaFiles
from tests.inspection.furnished import (
    description_of,
    log_file,
    log_lines,
    second_connection,
    verify_here,
)

Named = tuple[str, str]
"""The kind of a finding, and what its path holds."""


@dataclass(frozen=True)
class Attack:
    does: Callable[[Dock], str]
    """Returns what the finding has to name."""
    kind: str
    content_is_read: bool = False
    """Whether only re-reading the recordings themselves finds it."""


def _recording(dock: Dock) -> Path:
    return dock.sealed_files()[-1]


def _name(dock: Dock, path: Path) -> str:
    return str(path.relative_to(dock.evidence))


def _rewrite(path: Path, data: bytes) -> None:
    state = path.stat()
    path.chmod(0o640)
    path.write_bytes(data)
    path.chmod(state.st_mode)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    _rewrite(path, bytes(data))


def a_byte_of_a_recording_changed(dock: Dock) -> str:
    _flip(_recording(dock))
    return _name(dock, _recording(dock))


def a_recording_cut_short(dock: Dock) -> str:
    _rewrite(_recording(dock), _recording(dock).read_bytes()[:-1])
    return _name(dock, _recording(dock))


def a_byte_of_a_description_changed(dock: Dock) -> str:
    beside = Path(f"{_recording(dock)}.json")
    _flip(beside)
    return _name(dock, beside)


def a_recording_removed(dock: Dock) -> str:
    file = _recording(dock)
    file.unlink()
    return _name(dock, file)


def a_description_removed(dock: Dock) -> str:
    beside = Path(f"{_recording(dock)}.json")
    beside.unlink()
    return _name(dock, beside)


def a_file_added(dock: Dock) -> str:
    added = _recording(dock).with_name("120000_aaaaaaaaaaaaa_added.mp4")
    added.write_bytes(b"added")
    added.chmod(0o440)
    return _name(dock, added)


def a_recording_swapped_for_one_of_the_same_size(dock: Dock) -> str:
    file = _recording(dock)
    other = file.with_name("other")
    other.write_bytes(os.urandom(file.stat().st_size))
    other.chmod(0o440)
    other.rename(file)
    return _name(dock, file)


def a_digest_list_edited(dock: Dock) -> str:
    path = _recording(dock).parent / "SHA256SUMS"
    _rewrite(path, path.read_bytes().replace(b"a", b"b", 1))
    return _name(dock, path)


def a_recording_made_writable(dock: Dock) -> str:
    _recording(dock).chmod(0o640)
    return _name(dock, _recording(dock))


def a_description_made_writable(dock: Dock) -> str:
    beside = Path(f"{_recording(dock)}.json")
    beside.chmod(0o660)
    return _name(dock, beside)


def a_seal_without_a_file(dock: Dock) -> str:
    """A sealing that never was, entered at the end of the log with a sound link."""
    lines = log_lines(dock)
    last = json.loads(lines[-1])
    seal = next(json.loads(line) for line in lines if b'"act":"seal"' in line)
    path = "CAM001/2026/11/23/130000_bbbbbbbbbbbbb_forged.mp4"
    seal["facts"]["recording"] |= {"id": "bbbbbbbbbbbbb", "path": path}
    seal |= {
        "subject": "bbbbbbbbbbbbb",
        "seq": last["seq"] + 1,
        "prev": hashlib.sha256(b"\0" + lines[-1][:-1]).hexdigest(),
    }
    log_file(dock).write_bytes(b"".join(lines) + rfc8785.dumps(seal) + b"\n")
    return path


def a_recording_sealed_in_the_catalogue_only(dock: Dock) -> str:
    db = second_connection(dock)
    names = [row[1] for row in db.execute("pragma table_info(recordings)")]
    path = "CAM001/2026/11/23/130000_ccccccccccccc_forged.mp4"
    forged = {"id": "'ccccccccccccc'", "path": f"'{path}'", "number": "number + 1"}
    chosen = ", ".join(forged.get(name, name) for name in names)
    db.execute(f"insert into recordings select {chosen} from recordings limit 1")
    db.execute("insert into descriptions select 'ccccccccccccc', json from descriptions limit 1")
    db.close()
    return path


def a_line_of_the_log_edited(dock: Dock) -> str:
    lines = log_lines(dock)
    at = next(n for n, line in enumerate(lines) if b"lens broken" in line)
    lines[at] = lines[at].replace(b"lens broken", b"lens intact")
    log_file(dock).write_bytes(b"".join(lines))
    return "custody"


def two_lines_of_the_log_swapped(dock: Dock) -> str:
    lines = log_lines(dock)
    lines[2], lines[3] = lines[3], lines[2]
    log_file(dock).write_bytes(b"".join(lines))
    return "custody"


def a_line_removed_from_the_middle(dock: Dock) -> str:
    lines = log_lines(dock)
    del lines[len(lines) // 2]
    log_file(dock).write_bytes(b"".join(lines))
    return "custody"


def lines_dropped_from_the_end(dock: Dock) -> str:
    log_file(dock).write_bytes(b"".join(log_lines(dock)[:-2]))
    return "custody"


def the_log_cut_off_and_the_catalogue_made_anew_from_it(dock: Dock) -> str:
    """Nothing but the checkpoint is left that knows more."""
    log_file(dock).write_bytes(b"".join(log_lines(dock)[:-1]))
    assert dock.run("catalogue", "rebuild").code == 0
    log_file(dock).write_bytes(b"".join(log_lines(dock)[:-1]))
    return "custody"


def the_whole_log_rewritten_with_a_sound_chain(dock: Dock) -> str:
    previous, forged = "0" * 64, []
    for number, line in enumerate(log_lines(dock)):
        fields: dict[str, Any] = json.loads(line)
        fields |= {"seq": number, "prev": previous, "actor": "os:somebody"}
        text = rfc8785.dumps(fields)
        previous = hashlib.sha256(b"\0" + text).hexdigest()
        forged.append(text + b"\n")
    log_file(dock).write_bytes(b"".join(forged))
    return "custody"


def a_recording_hidden_in_the_catalogue_by_its_state(dock: Dock) -> str:
    identifier = description_of(_recording(dock))["id"]
    db = second_connection(dock)
    db.execute("update recordings set state = 'sealing' where id = ?", [identifier])
    db.close()
    return _name(dock, _recording(dock))


def a_recording_moved_to_another_time_of_the_searches(dock: Dock) -> str:
    identifier = description_of(_recording(dock))["id"]
    db = second_connection(dock)
    db.execute("update recordings set number = number - (1 << 40) where id = ?", [identifier])
    db.close()
    return _name(dock, _recording(dock))


def a_missing_file_of_a_docking_called_sealed(dock: Dock) -> str:
    db = second_connection(dock)
    db.execute(
        "update inventory set outcome = 'already-sealed' where path = cast('notes.txt' as blob)"
    )
    db.close()
    return "notes.txt"


ATTACKS = {
    attack.does.__name__: attack
    for attack in (
        Attack(a_byte_of_a_recording_changed, "changed", content_is_read=True),
        Attack(a_recording_cut_short, "changed"),
        Attack(a_byte_of_a_description_changed, "description-changed"),
        Attack(a_recording_removed, "missing"),
        Attack(a_description_removed, "description-missing"),
        Attack(a_file_added, "extra"),
        Attack(a_recording_swapped_for_one_of_the_same_size, "changed", content_is_read=True),
        Attack(a_digest_list_edited, "list-differs"),
        Attack(a_recording_made_writable, "unprotected"),
        Attack(a_description_made_writable, "unprotected"),
        Attack(a_seal_without_a_file, "missing"),
        Attack(a_recording_sealed_in_the_catalogue_only, "not-in-log"),
        Attack(a_line_of_the_log_edited, "log-broken"),
        Attack(two_lines_of_the_log_swapped, "log-broken"),
        Attack(a_line_removed_from_the_middle, "log-broken"),
        Attack(lines_dropped_from_the_end, "checkpoint-differs"),
        Attack(the_log_cut_off_and_the_catalogue_made_anew_from_it, "checkpoint-differs"),
        Attack(the_whole_log_rewritten_with_a_sound_chain, "checkpoint-differs"),
        Attack(a_recording_hidden_in_the_catalogue_by_its_state, "catalogue-differs"),
        Attack(a_recording_moved_to_another_time_of_the_searches, "catalogue-differs"),
        Attack(a_missing_file_of_a_docking_called_sealed, "catalogue-differs"),
    )
}


def named(findings: list[Finding]) -> set[Named]:
    return {(finding.kind.value, finding.path) for finding in findings}


@pytest.mark.parametrize("name", ATTACKS)
def test_verification_finds_and_names(name: str, furnished: Dock) -> None:
    attack = ATTACKS[name]
    wanted = attack.does(furnished)
    without_content = named(verify_here(furnished, bodies=False))
    found = named(verify_here(furnished))
    assert any(kind == attack.kind and wanted in path for kind, path in found), found
    if attack.content_is_read:
        assert not without_content, "metadata cannot tell; the documentation says so"
    else:
        assert any(k == attack.kind and wanted in path for k, path in without_content)


def test_the_documentation_has_every_attack() -> None:
    page = (Path(__file__).parents[2] / "docs" / "custody.md").read_text("utf-8")
    assert [name for name in ATTACKS if f"`{name}`" not in page] == []


def test_the_station_is_whole_before_the_attack(furnished: Dock) -> None:
    assert verify_here(furnished) == []
    assert verify_here(furnished, bodies=False) == []
    done = furnished.run("verify", "--metadata", "--json")
    assert (done.code, done.json["checked"], done.json["bytes"]) == (0, 4, 0)


def test_an_immutable_flag_taken_off_is_named(
    dock: Dock, card: Card, media_files: MediaFiles, unlock: Callable[[Path], None]
) -> None:
    card.put("MAH00001.MP4", media_files.video)
    assert dock.ingest(card).json["sealed"] == 1
    if b'"protection":"immutable"' not in log_file(dock).read_bytes():
        pytest.skip("this file system or user sets no immutable flag")
    assert verify_here(dock, bodies=False) == []
    (file,) = dock.sealed_files()
    unlock(file)
    file.chmod(0o440)
    (finding,) = verify_here(dock, bodies=False)
    assert (finding.kind.value, finding.path) == ("unprotected", _name(dock, file))
    assert "immutable" in finding.text.english


ON_RECORD = {
    "trail": ("custody_seq",),
    "alerts": ("key", "raised_at"),
    "deferrals": ("id",),
    "calendar": ("id",),
    "gap_explanations": ("custody_seq",),
    "bookmarks": ("custody_seq",),
}
"""Tables of many columns, and what each of their rows is known by."""

TABLES = (
    *("recordings", "descriptions", "dockings", "inventory", "devices", "device_file_systems"),
    *("device_events", "officers", "cases", "verified"),
)
_ORDER_ONLY = {("inventory", "number"), ("cases", "key"), ("alerts", "number")}
"""Keys that no row is known by, and that a rebuild gives anew."""

_ROW_NUMBERS = {
    ("recordings", "number"),
    ("device_events", "custody_seq"),
}
"""Columns that are the row's own number in SQLite."""


@pytest.fixture
def database(furnished: Dock) -> Iterator[sqlite3.Connection]:
    db = second_connection(furnished)
    yield db
    db.close()


def _columns(db: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    found = [(row[1], row[2]) for row in db.execute(f"pragma table_info({table})")]
    return [column for column in found if (table, column[0]) not in _ORDER_ONLY]


def _other(value: object, kind: str) -> object:
    """Return another value of the column's type, which looks harmless."""
    match kind:
        case "INTEGER":
            return int(str(value or 0)) + (1 << 40)
        case "REAL":
            return float(str(value or 0)) + 1
        case "BLOB":
            return (value if isinstance(value, bytes) else b"") + b"x"
    return f"{value}x" if value is not None else "x"


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_every_table_edited_is_named_with_both_values(
    table: str, furnished: Dock, database: sqlite3.Connection
) -> None:
    (row,) = database.execute(f"select rowid from {table} order by rowid limit 1").fetchone()
    for column, kind in _columns(database, table):
        where = f"from {table} where rowid = {row}"
        (before,) = database.execute(f"select {column} {where}").fetchone()
        after = _other(before, kind)
        change = f"update {table} set {column} = ? where rowid = {row}"
        database.execute(change, [after])
        row_now = after if (table, column) in _ROW_NUMBERS else row
        findings = verify_here(furnished, bodies=False)
        rows = [finding.row for finding in findings if finding.row]
        assert rows, (column, findings)
        refers = {"descriptions"} if column == "id" else set[str]()
        assert {found.table for found in rows} - refers == {table}, (column, rows)
        edited = [found for found in rows if found.column == column]
        if not edited:  # a key: one row is gone, another was added
            kinds = {finding.kind.value for finding in findings}
            assert kinds >= {"not-in-log", "not-in-catalogue"}, (column, findings)
        elif table != "descriptions":
            (found,) = edited
            assert found.catalogue != found.log
            text = next(f.text.english for f in findings if f.row == found)
            assert {column, table} <= set(text.replace(":", "").split())
        undo = f"update {table} set {column} = ? where rowid = {row_now}"
        database.execute(undo, [before])
    assert verify_here(furnished, bodies=False) == []


@pytest.mark.parametrize("table", ON_RECORD)
def test_every_column_of_what_people_put_on_record_is_compared(
    table: str, furnished: Dock, database: sqlite3.Connection
) -> None:
    known_by = ON_RECORD[table]
    columns = [column for column in _columns(database, table) if column[0] not in known_by]
    row = database.execute(f"select * from {table} limit 1")
    names = [column[0] for column in row.description]
    before = dict(zip(names, row.fetchone(), strict=True))
    where = " and ".join(f"{name} = ?" for name in known_by)
    changes = ", ".join(f"{name} = ?" for name, _ in columns)
    database.execute(
        f"update {table} set {changes} where {where}",
        [
            *(_other(before[name], kind) for name, kind in columns),
            *(before[name] for name in known_by),
        ],
    )
    named = {f.row.column for f in verify_here(furnished, bodies=False) if f.row}
    assert named == {name for name, _ in columns}


@pytest.mark.parametrize("table", [*TABLES, *ON_RECORD])
def test_a_row_deleted_from_any_table_is_named(
    table: str, furnished: Dock, database: sqlite3.Connection
) -> None:
    database.execute(
        f"delete from {table} where rowid = (select rowid from {table} order by rowid limit 1)"
    )
    findings = verify_here(furnished, bodies=False)
    assert findings
    assert {(f.kind.value, f.row.table if f.row else None) for f in findings} <= {
        ("not-in-catalogue", table),
        ("not-in-log", "descriptions"),  # of a recording that is gone
    }


ADDED = {
    "dockings": "insert into dockings (id, source, identity_state, started_at)"
    " values ('20261123-000000-ffffff', '/card', 'unknown', '2026-11-23T00:00:00.000Z')",
    "inventory": "insert into inventory (docking, path, size, mtime_ns)"
    " select id, cast('added.mp4' as blob), 1, 1 from dockings limit 1",
    "devices": "insert into devices (number, registered_at) values"
    " ('CAM999', '2026-11-23T00:00:00.000Z')",
    "device_file_systems": "insert into device_file_systems values ('CAM001', 'FFFF-FFFF')",
    "device_events": "insert into device_events (custody_seq, device, time, what, not_ready, actor)"
    " values (999999, 'CAM001', '2026-11-23T00:00:00.000Z', 'repaired', '[]', 'os:root')",
    "officers": "insert into officers (cert_no, name, registered_at)"
    " values ('999999', 'x', '2026-11-23T00:00:00.000Z')",
    "cases": "insert into cases (number, party) values ('2026-9', 'x')",
    "alerts": "insert into alerts (kind, text, hint, raised_at)"
    " select kind, text, hint, raised_at from alerts limit 1",
    "deferrals": "insert into deferrals (id, reason, begins, entered_at, entered_by, custody_seq)"
    " select 'x', reason, begins, entered_at, entered_by, custody_seq from deferrals",
    "calendar": "insert into calendar"
    " (id, kind, begins, ends, in_full, entered_at, entered_by, custody_seq)"
    " select 'x', kind, begins, ends, 0, entered_at, entered_by, custody_seq from calendar",
    "gap_explanations": "insert into gap_explanations"
    " (custody_seq, device, begins, ends, officers, who, entered_at)"
    " select 999999, device, begins, ends, officers, who, entered_at from gap_explanations",
    "bookmarks": "insert into bookmarks (custody_seq, recording, second, kind, who, entered_at)"
    " select 999999, recording, second, kind, who, entered_at from bookmarks",
    "descriptions": "insert into descriptions values ('fffffffffffff', '{}')",
    "verified": "insert into verified values ('fffffffffffff', '2026-11-23T00:00:00.000Z')",
    "verification_runs": "insert into verification_runs values ('2026-11-23T00:00:00.000Z')",
}


@pytest.mark.parametrize("table", ADDED)
def test_a_row_added_to_any_table_is_named(
    table: str, furnished: Dock, database: sqlite3.Connection
) -> None:
    database.execute(ADDED[table])
    findings = verify_here(furnished, bodies=False)
    assert {f.row.table for f in findings if f.row} == {table}


def test_what_was_only_seen_on_a_card_is_no_finding(
    furnished: Dock, database: sqlite3.Connection
) -> None:
    """A sealing that was taken back leaves the number of its device."""
    database.execute("insert into devices (number) values ('CAM777')")
    database.execute("insert into officers (cert_no, name, name_words) values ('7', 'x', 'x')")
    database.execute("insert into cases (number) values ('2026-77')")
    assert verify_here(furnished, bodies=False) == []
