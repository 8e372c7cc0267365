"""Art. 5 and 27: what somebody with the database open can do to it beside its rows.

Tables, indexes, triggers, views and full-text tables: what a search or the next entry relies
on. Each attack returns what the finding has to name.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from recorder_sync.inspection.findings import Finding
from recorder_sync.inspection.verification import Scope, verify
from tests.conftest import Dock
from tests.inspection.furnished import second_connection, verify_here


@dataclass(frozen=True)
class Attack:
    does: Callable[[sqlite3.Connection], str]
    """Returns what the finding's path ends with."""
    kind: str


def _rewrite(db: sqlite3.Connection, sql: str, *names: str) -> None:
    """Write statements into the schema itself, as nothing but SQLite should."""
    db.execute("pragma writable_schema=on")
    marks = ", ".join("?" for _ in names)
    db.execute(f"update sqlite_schema set sql = {sql} where name in ({marks})", names)
    (version,) = db.execute("pragma schema_version").fetchone()
    db.execute(f"pragma schema_version = {version + 1}")
    db.execute("pragma writable_schema=off")


def a_trigger_that_deletes_rows(db: sqlite3.Connection) -> str:
    db.execute(
        "create trigger tidy after insert on alerts begin"
        " delete from alerts where kind = 'verification-finding'; end"
    )
    return "tidy"


def a_trigger_that_lets_nobody_enter_what_was_found(db: sqlite3.Connection) -> str:
    db.execute(
        "create trigger quiet before insert on verification_runs begin"
        " select raise(abort, 'no'); end"
    )
    return "quiet"


def a_trigger_that_fills_the_full_text_table_made_to_do_nothing(db: sqlite3.Connection) -> str:
    db.execute("drop trigger cases_words_insert")
    db.execute("create trigger cases_words_insert after insert on cases begin select 1; end")
    return "cases_words_insert"


def an_index_dropped(db: sqlite3.Connection) -> str:
    db.execute("drop index recordings_by_case")
    return "recordings_by_case"


def an_index_narrowed(db: sqlite3.Connection) -> str:
    db.execute("drop index recordings_by_officer")
    db.execute(
        "create index recordings_by_officer on recordings (officer)"
        " where state = 'sealed' and officer <> '000001'"
    )
    return "recordings_by_officer"


def an_index_that_leaves_a_recording_out_though_its_words_are_right(db: sqlite3.Connection) -> str:
    (sql,) = db.execute(
        "select sql from sqlite_schema where name = 'recordings_by_docking'"
    ).fetchone()
    db.execute("drop index recordings_by_docking")
    db.execute("create index recordings_by_docking on recordings (docking) where state = 'none'")
    _rewrite(db, f"'{sql}'", "recordings_by_docking")
    return "catalogue.db"


def a_view_in_the_place_of_a_table(db: sqlite3.Connection) -> str:
    db.execute("alter table alerts rename to alerts_real")
    db.execute("create view alerts as select * from alerts_real where 0")
    return "alerts_real"


def a_view_that_never_ends_in_the_place_of_a_table(db: sqlite3.Connection) -> str:
    columns = [row[1] for row in db.execute("pragma table_info(device_events)")]
    db.execute("alter table device_events rename to device_events_real")
    db.execute(
        f"create view device_events ({', '.join(columns)}) as with recursive n(x) as"
        " (select 1 union all select x + 1 from n)"
        f" select {', '.join('x' for _ in columns)} from n"
    )
    return "device_events"


def a_column_added(db: sqlite3.Connection) -> str:
    db.execute("alter table cases add column note text")
    return "cases"


def a_column_renamed(db: sqlite3.Connection) -> str:
    db.execute("alter table device_file_systems rename column uuid to uuid2")
    return "device_file_systems"


def a_table_added(db: sqlite3.Connection) -> str:
    db.execute("create table kept_elsewhere (what text)")
    return "kept_elsewhere"


def a_name_of_control_characters(db: sqlite3.Connection) -> str:
    db.execute('create table "x\x1b[2J" (what text)')
    return "[2J"


def a_word_taken_out_of_the_full_text_table(db: sqlite3.Connection) -> str:
    number, words = db.execute("select number, name_words from recordings limit 1").fetchone()
    db.execute(
        "insert into recordings_fts (recordings_fts, rowid, name_words) values ('delete', ?, ?)",
        [number, words],
    )
    return "recordings_fts"


def a_full_text_table_emptied(db: sqlite3.Connection) -> str:
    db.execute("insert into cases_fts (cases_fts) values ('delete-all')")
    return "cases_fts"


def a_full_text_table_that_is_an_ordinary_one(db: sqlite3.Connection) -> str:
    db.execute("drop table cases_fts")
    db.execute("create table cases_fts (cases_fts, rank, party_words, cause_words)")
    return "cases_fts"


ATTACKS = {
    attack.does.__name__: attack
    for attack in (
        Attack(a_trigger_that_deletes_rows, "schema-differs"),
        Attack(a_trigger_that_lets_nobody_enter_what_was_found, "schema-differs"),
        Attack(a_trigger_that_fills_the_full_text_table_made_to_do_nothing, "schema-differs"),
        Attack(an_index_dropped, "schema-differs"),
        Attack(an_index_narrowed, "schema-differs"),
        Attack(
            an_index_that_leaves_a_recording_out_though_its_words_are_right, "catalogue-damaged"
        ),
        Attack(a_view_in_the_place_of_a_table, "schema-differs"),
        Attack(a_view_that_never_ends_in_the_place_of_a_table, "schema-differs"),
        Attack(a_column_added, "schema-differs"),
        Attack(a_column_renamed, "schema-differs"),
        Attack(a_table_added, "schema-differs"),
        Attack(a_name_of_control_characters, "schema-differs"),
        Attack(a_word_taken_out_of_the_full_text_table, "catalogue-damaged"),
        Attack(a_full_text_table_emptied, "catalogue-damaged"),
        Attack(a_full_text_table_that_is_an_ordinary_one, "schema-differs"),
    )
}


def attacked(dock: Dock, attack: Callable[[sqlite3.Connection], str]) -> str:
    db = second_connection(dock)
    try:
        return attack(db)
    finally:
        db.close()


def names(findings: list[Finding], kind: str, ending: str) -> bool:
    return any(f.kind.value == kind and f.path.endswith(ending) for f in findings)


@pytest.mark.parametrize("name", ATTACKS)
def test_what_searches_rely_on_is_named(name: str, furnished: Dock) -> None:
    attack = ATTACKS[name]
    wanted = attacked(furnished, attack.does)
    db = second_connection(furnished)
    db.execute("update dockings set port = 'x'")
    db.close()
    findings = verify_here(furnished, bodies=False)
    assert names(findings, attack.kind, wanted), findings
    assert all("\x1b" not in f.path + f.text.english for f in findings)
    assert any(f.row and f.row.column == "port" for f in findings), "the rest is still compared"


@pytest.mark.long
def test_the_statement_of_a_trigger_is_shown(furnished: Dock) -> None:
    attacked(furnished, a_trigger_that_deletes_rows)
    done = furnished.run("verify", "--metadata", "--json")
    assert done.code == 1, done.err
    (finding,) = (f for f in done.json["findings"] if f["kind"] == "schema-differs")
    assert finding["path"] == "catalogue.db/tidy"
    assert "trigger" in finding["text"]
    assert "delete from alerts" in finding["text"]


@pytest.mark.long
def test_a_trigger_that_forbids_alerts_does_not_silence_the_command(furnished: Dock) -> None:
    db = second_connection(furnished)
    db.execute("create trigger mute before insert on alerts begin select raise(abort, 'no'); end")
    db.close()
    done = furnished.run("verify", "--metadata", "--json")
    assert done.code == 1, done.err
    assert {f["path"] for f in done.json["findings"]} == {"catalogue.db/mute"}
    assert "No alert could be put on record" in done.err


@pytest.mark.long
def test_a_part_names_it_too(furnished: Dock) -> None:
    attacked(furnished, a_trigger_that_deletes_rows)
    attacked(furnished, a_full_text_table_emptied)
    opened = furnished.station()
    try:
        found = verify(opened, Scope(sample=1), bodies=False).findings
    finally:
        opened.catalogue.close()
    assert {f.path for f in found} == {"catalogue.db/tidy", "catalogue.db/cases_fts"}


def test_a_question_to_a_false_full_text_table_leaves_no_row_in_it(furnished: Dock) -> None:
    attacked(furnished, a_full_text_table_that_is_an_ordinary_one)
    verify_here(furnished, bodies=False)
    db = second_connection(furnished)
    assert db.execute("select count(*) from cases_fts").fetchone() == (0,)
    db.close()


def test_other_quotes_and_lines_are_no_finding(furnished: Dock) -> None:
    """As another version of the library that makes the tables writes them."""
    db = second_connection(furnished)
    tables = [
        row[0]
        for row in db.execute("select name from sqlite_schema where sql like 'create table \"%'")
    ]
    assert "recordings" in tables
    _rewrite(db, "replace(replace(sql, '\"', '`'), char(10), '  ')", *tables)
    db.close()
    assert verify_here(furnished, bodies=False) == []


def test_statistics_of_the_planner_are_no_finding(furnished: Dock) -> None:
    db = second_connection(furnished)
    db.execute("analyze")
    assert db.execute("select count(*) from sqlite_stat1").fetchone() != (0,)
    db.close()
    assert verify_here(furnished, bodies=False) == []


def test_the_documentation_has_every_attack() -> None:
    page = (Path(__file__).parents[2] / "docs" / "custody.md").read_text("utf-8")
    assert [name for name in ATTACKS if f"`{name}`" not in page] == []
