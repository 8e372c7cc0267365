"""The catalogue's tables, as migrations in the order in which they came.

Times are ISO 8601 in UTC, which sort as text. A foreign key stands wherever one thing
names another. A table with full-text search has an integer key of its own, because
VACUUM may renumber hidden ones. A recording's number is its place in time
(`time_line.py`), so the table and each of its indexes hold the recordings in the order
in which a search shows them.
"""

from collections.abc import Sequence

from sqlite_utils.db import Database, Table
from sqlite_utils.migrations import Migrations

from recorder_sync.catalogue import figure_tables, news
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import event_key

migrations = Migrations("recorder-sync")


def table(db: Database, name: str) -> Table:
    found = db[name]
    assert isinstance(found, Table)
    return found


def index_words(db: Database, of: str, key: str, columns: Sequence[str], options: str = "") -> None:
    """Add full-text search over columns that hold words, kept up to date by triggers.

    https://www.sqlite.org/fts5.html#external_content_tables
    """
    listed = ", ".join(columns)
    new, old = (", ".join(f"{side}.{column}" for column in columns) for side in ("new", "old"))
    enter = f"insert into {of}_fts (rowid, {listed}) values (new.{key}, {new});"
    remove = (
        f"insert into {of}_fts ({of}_fts, rowid, {listed}) values ('delete', old.{key}, {old});"
    )
    db.execute(
        f"create virtual table {of}_fts using fts5 ({listed}, content={of}, content_rowid={key},"
        f" tokenize=unicode61, columnsize=0{options})"
    )
    for event, steps in (
        ("insert", enter),
        ("delete", remove),
        (f"update of {key}, {listed}", remove + enter),
    ):
        name = f"{of}_words_{event.split()[0]}"
        db.execute(f"create trigger {name} after {event} on {of} begin {steps} end")


@migrations()
def m001_devices_officers_cases(db: Database) -> None:
    table(db, "officers").create(
        {"cert_no": str, "name": str, "name_words": str, "unit": str, "registered_at": str},
        pk="cert_no",
        strict=True,
    )
    table(db, "devices").create(
        {
            "number": str,
            "kind": str,
            "maker": str,
            "model": str,
            "officer": str,
            "registered_at": str,
        },
        pk="number",
        foreign_keys=[("officer", "officers", "cert_no")],
        strict=True,
    )
    table(db, "cases").create(
        {
            "key": int,
            "number": str,
            "party": str,
            "party_words": str,
            "cause": str,
            "cause_words": str,
            "registered_at": str,
        },
        pk="key",
        not_null={"number"},
        strict=True,
    )
    db.execute("create unique index cases_by_number on cases (number)")
    db.execute("create index officers_by_name on officers (name)")
    index_words(db, "cases", "key", ["party_words", "cause_words"])


@migrations()
def m002_dockings_and_inventory(db: Database) -> None:
    table(db, "dockings").create(
        {
            "id": str,
            "source": str,
            "port": str,
            "device": str,
            "identity_source": str,
            "identity_state": str,
            "claims": str,
            "storage_total": int,
            "storage_used": int,
            "storage_free": int,
            "started_at": str,
            "ended_at": str,
            "outcome": str,
        },
        pk="id",
        not_null={"source", "started_at", "identity_state"},
        foreign_keys=[("device", "devices", "number")],
        strict=True,
    )
    db.execute("create index dockings_by_device on dockings (device, started_at desc)")
    db.execute("create index dockings_by_time on dockings (started_at desc)")
    db.execute("create index dockings_open on dockings (id) where ended_at is null")


@migrations()
def m003_recordings(db: Database) -> None:
    table(db, "recordings").create(
        {
            "number": int,
            "id": str,
            "docking": str,
            "state": str,
            "device": str,
            "device_as_sealed": str,
            "officer": str,
            "case_no": str,
            "kind": str,
            "name": str,
            "name_words": str,
            "path": str,
            "size": int,
            "blake3": str,
            "sha256": str,
            "fingerprint": bytes,
            "recorded_start": str,
            "recorded_end": str,
            "duration_s": float,
            "sealed_at": str,
            "deadline": str,
            "on_time": int,
            "flags": str,
            "description_blake3": str,
            "description_sha256": str,
            "part": str,
            "custody_seq": int,
        },
        pk="number",
        not_null={
            "id",
            "docking",
            "state",
            "path",
            "size",
            "blake3",
            "sha256",
            "fingerprint",
            "recorded_start",
        },
        foreign_keys=[
            ("docking", "dockings", "id"),
            ("device", "devices", "number"),
            ("officer", "officers", "cert_no"),
            ("case_no", "cases", "number"),
        ],
        strict=True,
    )
    for statement in (
        "create unique index recordings_by_id on recordings (id)",
        "create unique index recordings_by_path on recordings (path)",
        "create index recordings_by_content on recordings (blake3)",
        "create index recordings_by_docking on recordings (docking)",
        "create index recordings_by_device on recordings (device) where state = 'sealed'",
        "create index recordings_by_officer on recordings (officer) where state = 'sealed'",
        "create index recordings_by_case on recordings (case_no) where state = 'sealed'",
        "create index recordings_late on recordings (on_time) where on_time = 0",
        "create index recordings_by_sealing on recordings (sealed_at, size) where state = 'sealed'",
        "create index recordings_unsealed on recordings (state) where state <> 'sealed'",
    ):
        db.execute(statement)
    # Without prefixes of their own, one or two letters put thousands of words together.
    index_words(db, "recordings", "number", ["name_words"], options=", prefix='1 2 3'")
    table(db, "descriptions").create(
        {"recording": str, "json": str},
        pk="recording",
        not_null={"json"},
        foreign_keys=[("recording", "recordings", "id")],
        strict=True,
    )
    table(db, "inventory").create(
        {
            "number": int,
            "docking": str,
            "path": bytes,
            "size": int,
            "mtime_ns": int,
            "kind": str,
            "outcome": str,
            "reason": str,
            "hint": str,
            "recording": str,
        },
        pk="number",
        not_null={"docking", "path", "size", "mtime_ns"},
        foreign_keys=[("docking", "dockings", "id"), ("recording", "recordings", "id")],
        strict=True,
    )
    db.execute("create unique index inventory_by_docking on inventory (docking, path)")
    db.execute(
        "create index inventory_known on inventory (path, size, mtime_ns)"
        " where recording is not null"
    )
    db.execute(
        "create index inventory_by_recording on inventory (recording) where recording is not null"
    )


@migrations()
def m004_stays(db: Database) -> None:
    """What the dock knows of a docking beyond its intake."""
    for column in ("state", "usb", "fs_uuid", "health", "removed_at"):
        db.execute(f"alter table dockings add column {column} text")
    db.execute(
        "create index dockings_on_port on dockings (port) where removed_at is null"
        " and state is not null"
    )


@migrations()
def m005_device_ledger(db: Database) -> None:
    """Who keeps a device, what it can do, how it is known again, and what happened to it."""
    for column in ("custodian", "features", "usb"):
        db.execute(f"alter table devices add column {column} text")
    db.execute("create index devices_by_usb on devices (usb) where usb is not null")
    db.execute("alter table cases add column closed_on text")
    table(db, "device_file_systems").create(
        {"device": str, "uuid": str},
        pk=("device", "uuid"),
        foreign_keys=[("device", "devices", "number")],
        strict=True,
    )
    db.execute("create index device_by_file_system on device_file_systems (uuid collate nocase)")
    table(db, "device_events").create(
        {
            "custody_seq": int,
            "device": str,
            "time": str,
            "what": str,
            "officer": str,
            "text": str,
            "override": str,
            "not_ready": str,
            "actor": str,
        },
        pk="custody_seq",
        not_null={"device", "time", "what", "not_ready", "actor"},
        foreign_keys=[("device", "devices", "number"), ("officer", "officers", "cert_no")],
        strict=True,
    )
    db.execute("create index device_events_by_device on device_events (device, custody_seq)")


@migrations()
def m006_alerts(db: Database) -> None:
    table(db, "alerts").create(
        {
            "number": int,
            "kind": str,
            "device": str,
            "docking": str,
            "text": str,
            "hint": str,
            "raised_at": str,
            "resolved_at": str,
        },
        pk="number",
        not_null={"kind", "text", "hint", "raised_at"},
        strict=True,
    )
    db.execute("create index alerts_open on alerts (kind) where resolved_at is null")


@migrations()
def m007_verified(db: Database) -> None:
    """When each recording was last re-read and whole, and a full verification under way.

    What is whole on disk can be gone from this catalogue: so it refers to no recording here.
    """
    table(db, "verified").create(
        {"recording": str, "at": str},
        pk="recording",
        not_null={"at"},
        strict=True,
    )
    db.execute("create index verified_by_time on verified (at)")
    table(db, "verification_runs").create({"began_at": str}, pk="began_at", strict=True)


@migrations()
def m008_life_of_an_alert(db: Database) -> None:
    """An alert is one matter with a key, that is opened, updated, acknowledged and resolved.

    From now on its number is that of its opening in the custody log. Older ones are
    numbered from nought, so that no number of theirs comes up again.
    """
    db.execute("update alerts set number = number - 1")
    for column in (
        *("key text", "severity text", "state text", "since text", "due text"),
        *("recording text", "officer text", "case_no text"),
        *("count integer", "items text", "digest text", "updated_at text"),
        *("acknowledged_at text", "acknowledged_by text"),
        *("resolved_by text", "resolver text", "note text"),
        *("cause_gone integer", "times_worse integer", "custody_seq integer"),
    ):
        db.execute(f"alter table alerts add column {column}")
    for row in db.execute("select number, kind, device, docking, text from alerts").fetchall():
        number, kind, device, docking, text = row
        key = event_key(AlertKind(kind), docking or device, text)
        db.execute("update alerts set key = ? where number = ?", [key, number])
    db.execute(
        "update alerts set severity = 'warning', state = 'open', since = raised_at, count = 1,"
        " items = '[]', digest = '', cause_gone = 0, times_worse = 0"
    )
    db.execute("drop index alerts_open")
    # Not unique: an older version may have raised the same matter twice.
    db.execute("create index alerts_standing on alerts (key) where cause_gone = 0")
    db.execute("create index alerts_by_key on alerts (key, raised_at)")
    db.execute("create index alerts_by_device on alerts (device)")


@migrations()
def m009_deferrals_and_calendar(db: Database) -> None:
    """What people put on record that moves a deadline, or says what should be recorded."""
    table(db, "deferrals").create(
        {
            "id": str,
            "reason": str,
            "device": str,
            "officer": str,
            "begins": str,
            "ends": str,
            "expected": str,
            "approver": str,
            "approved_at": str,
            "returned_at": str,
            "note": str,
            "entered_at": str,
            "entered_by": str,
            "custody_seq": int,
        },
        pk="id",
        not_null={"reason", "begins", "entered_at", "entered_by", "custody_seq"},
        strict=True,
    )
    table(db, "calendar").create(
        {
            "id": str,
            "kind": str,
            "begins": str,
            "ends": str,
            "officer": str,
            "device": str,
            "case_no": str,
            "in_full": int,
            "reason": str,
            "reason_note": str,
            "explained_by": str,
            "entered_at": str,
            "entered_by": str,
            "custody_seq": int,
        },
        pk="id",
        not_null={"kind", "begins", "ends", "in_full", "entered_at", "entered_by", "custody_seq"},
        strict=True,
    )
    db.execute("create index calendar_by_time on calendar (ends)")
    table(db, "gap_explanations").create(
        {
            "custody_seq": int,
            "device": str,
            "begins": str,
            "ends": str,
            "recording": str,
            "at_second": float,
            "officers": str,
            "text": str,
            "who": str,
            "entered_at": str,
        },
        pk="custody_seq",
        not_null={"device", "begins", "ends", "officers", "who", "entered_at"},
        strict=True,
    )
    db.execute("create index gap_explanations_by_device on gap_explanations (device, begins)")


@migrations()
def m010_watching(db: Database) -> None:
    """What this machine remembers of its watching: not in the custody log, and not evidence."""
    table(db, "alerts_told").create(
        {"alert": int, "stage": str, "times_worse": int, "at": str},
        pk=("alert", "stage", "times_worse"),
        not_null={"at"},
        foreign_keys=[("alert", "alerts", "number")],
        strict=True,
    )
    table(db, "messages").create(
        {
            "id": int,
            "channel": str,
            "recipient": str,
            "officer": str,
            "alerts": str,
            "is_digest": int,
            "made_at": str,
            "attempts": int,
            "next_try_at": str,
            "delivered_at": str,
            "given_up_at": str,
            "last_error": str,
        },
        pk="id",
        not_null={"channel", "recipient", "alerts", "is_digest", "made_at", "attempts"},
        defaults={"attempts": 0},
        strict=True,
    )
    db.execute(
        "create index messages_waiting on messages (next_try_at)"
        " where delivered_at is null and given_up_at is null"
    )
    table(db, "channels").create(
        {"name": str, "failing_since": str, "last_error": str, "last_delivered_at": str},
        pk="name",
        strict=True,
    )
    table(db, "watch_state").create(
        {"id": int, "digested_until": str, "last_tick_at": str},
        pk="id",
        strict=True,
    )
    db.execute("insert into watch_state (id) values (1)")
    table(db, "disk_samples").create(
        {"disk": str, "at": str, "used": int},
        pk=("disk", "at"),
        not_null={"used"},
        strict=True,
    )


@migrations()
def m011_news(db: Database) -> None:
    """What changed last (`news.py`), and what a look remembers that is in no other table.

    Working state as well.
    """
    table(db, "measured").create(
        {"what": str, "since": str, "why": str, "hint": str},
        pk="what",
        not_null={"since"},
        strict=True,
    )
    table(db, "clock_steps").create({"at": str, "seconds": float}, pk="at", strict=True)
    news.make(db)
    db.execute(
        "create index inventory_not_in on inventory (docking)"
        " where outcome is null or outcome = 'failed'"
    )
    db.execute("create index calendar_by_officer on calendar (officer, ends)")


@migrations()
def m012_stores(db: Database) -> None:
    """What stores have confirmed, which the custody log says; and what waits for them.

    The queue and how each store fares are working state of this machine.
    """
    table(db, "copies").create(
        {
            "recording": str,
            "store": str,
            "key": str,
            "version": str,
            "proof": str,
            "kept_until": str,
            "confirmed_at": str,
            "custody_seq": int,
        },
        pk=("recording", "store"),
        not_null={"key", "proof", "confirmed_at", "custody_seq"},
        strict=True,
    )
    db.execute("create index copies_by_store on copies (store, confirmed_at)")
    table(db, "uploads").create(
        {
            "number": int,
            "recording": str,
            "store": str,
            "state": str,
            "important": int,
            "deadline": str,
            "size": int,
            "queued_at": str,
            "look_first": int,
            "key": str,
            "resume": str,
            "sent": int,
            "attempts": int,
            "next_try_at": str,
            "why": str,
            "hint": str,
        },
        pk="number",
        not_null={
            *("recording", "store", "state", "important", "deadline", "size", "queued_at"),
            *("look_first", "sent", "attempts"),
        },
        strict=True,
    )
    db.execute("create unique index uploads_by_recording on uploads (recording, store)")
    db.execute("create index uploads_in_order on uploads (store, important desc, deadline, number)")
    table(db, "stores").create(
        {
            "name": str,
            "paused_at": str,
            "paused_by": str,
            "failing_since": str,
            "trouble": str,
            "why": str,
            "hint": str,
            "rate": float,
            "rate_at": str,
            "try_at_once": int,
        },
        pk="name",
        strict=True,
    )


@migrations()
def m013_marks(db: Database) -> None:
    """What people mark recordings and moments of them with, and how secret a case is."""
    for column in (
        *("important integer", "notified_by text", "notified_second real"),
        *("stage text", "item text", "secrecy text"),
    ):
        db.execute(f"alter table recordings add column {column}")
    for statement in (
        "create index recordings_important on recordings (important) where important = 1",
        "create index recordings_by_stage on recordings (stage) where stage is not null",
        "create index recordings_by_item on recordings (item) where item is not null",
        "create index recordings_secret on recordings (secrecy) where secrecy is not null",
        # By their state, which is the same for all: so they stand in the order of time.
        "create index recordings_notified on recordings (state) where notified_by is not null",
        "create index recordings_flagged on recordings (state) where flags <> '[]'",
    ):
        db.execute(statement)
    db.execute("alter table cases add column secrecy text")
    db.execute("create index cases_secret on cases (secrecy) where secrecy is not null")
    db.execute("create index officers_of_unit on officers (unit)")
    table(db, "bookmarks").create(
        {
            "custody_seq": int,
            "recording": str,
            "second": float,
            "kind": str,
            "note": str,
            "who": str,
            "entered_at": str,
            "withdrawn_at": str,
            "withdrawn_by": str,
            "withdrawn_why": str,
        },
        pk="custody_seq",
        not_null={"recording", "second", "kind", "who", "entered_at"},
        strict=True,
    )
    db.execute("create index bookmarks_by_recording on bookmarks (recording)")


@migrations()
def m014_trail(db: Database) -> None:
    """What the audit trail shows (`trail.py`); the log is read anew for what came before."""
    table(db, "trail").create(
        {"custody_seq": int, "at": str, "act": str, "actor": str, "subject": str, "facts": str},
        pk="custody_seq",
        not_null={"at", "act", "actor", "subject", "facts"},
        strict=True,
    )
    db.execute("create index trail_by_time on trail (at)")
    for column in ("act", "actor", "subject"):
        db.execute(f"create index trail_by_{column} on trail ({column}, at)")
    db.execute("pragma user_version = 0")


@migrations()
def m015_brought_back(db: Database) -> None:
    """When the station was made anew from a store, and whether the files were fetched."""
    table(db, "brought_back").create(
        {"custody_seq": int, "store": str, "with_recordings": int},
        pk="custody_seq",
        not_null={"store", "with_recordings"},
        strict=True,
    )


@migrations()
def m016_legal_holds(db: Database) -> None:
    """What nobody may dispose of, and what stores keep of it.

    Whether a store keeps its locks is working state of this machine.
    """
    table(db, "legal_holds").create(
        {
            "custody_seq": int,
            "recording": str,
            "case_no": str,
            "reason": str,
            "held_by": str,
            "held_at": str,
            "released_seq": int,
            "released_at": str,
            "released_by": str,
            "release_reason": str,
        },
        pk="custody_seq",
        not_null={"reason", "held_by", "held_at"},
        strict=True,
    )
    db.execute(
        "create index legal_holds_standing on legal_holds (recording, case_no)"
        " where released_seq is null"
    )
    db.execute("alter table copies add column held integer not null default 0")
    db.execute("create index copies_held on copies (store) where held = 1")
    for column in ("lock_failing_since", "lock_why", "lock_hint"):
        db.execute(f"alter table stores add column {column} text")


@migrations()
def m017_looked_at(db: Database) -> None:
    """When confirmed copies were looked at again, by the custody log."""
    table(db, "copies_looked_at").create(
        {"recording": str, "store": str, "at": str},
        pk=("recording", "store"),
        not_null={"at"},
        strict=True,
    )
    db.execute("create index copies_looked_at_by_store on copies_looked_at (store, at)")


@migrations()
def m018_day_figures(db: Database) -> None:
    """Sums of each day for the statistics (`day_figures.py`): working state."""
    figure_tables.make(db)


@migrations()
def m019_documents(db: Database) -> None:
    """Documents of cases, and which recording belongs to which.

    What is about to be moved into place is working state of this machine.
    """
    table(db, "documents").create(
        {
            "id": str,
            "case_no": str,
            "title": str,
            "kind": str,
            "number": str,
            "stage": str,
            "item": str,
            "name": str,
            "name_base64": str,
            "path": str,
            "size": int,
            "blake3": str,
            "sha256": str,
            "sm3": str,
            "handed_in_by": str,
            "handed_in_at": str,
            "sealed_at": str,
            "read_back": str,
            "description_blake3": str,
            "description_sha256": str,
            "protection": str,
            "fs_verity": str,
            "custody_seq": int,
        },
        pk="id",
        not_null={
            *("case_no", "title", "kind", "name", "path", "size", "blake3", "sha256"),
            *("handed_in_by", "handed_in_at", "sealed_at", "read_back"),
            *("description_blake3", "description_sha256", "custody_seq"),
        },
        foreign_keys=[("case_no", "cases", "number")],
        strict=True,
    )
    db.execute("create index documents_of_case on documents (case_no, handed_in_at)")
    db.execute("create unique index documents_by_path on documents (path)")
    table(db, "recording_documents").create(
        {"recording": str, "document": str, "who": str, "at": str, "custody_seq": int},
        pk="recording",
        not_null={"document", "who", "at", "custody_seq"},
        strict=True,
    )
    db.execute("create index recordings_of_document on recording_documents (document)")
    table(db, "documents_under_way").create(
        {"document": str, "json": str, "part": str},
        pk="document",
        not_null={"json", "part"},
        strict=True,
    )


@migrations()
def m020_figures_of_years(db: Database) -> None:
    """What pages read without going through everything: sums of months and years
    (`year_figures.py`), which are working state; and indexes."""
    figure_tables.make_periods(db)
    for statement in (
        "create index gap_explanations_by_time on gap_explanations (begins)",
        "create index device_events_by_what on device_events (device, what, custody_seq)",
        "create index device_faults on device_events (time) where what = 'fault'",
        "create index moves_by_officer on device_events (officer, device) where officer > ''",
        "create index calendar_by_case on calendar (case_no) where case_no is not null",
    ):
        db.execute(statement)


@migrations()
def m021_documents_in_stores(db: Database) -> None:
    """What each store has of the documents of cases (`document_copies.py`): working state."""
    table(db, "document_copies").create(
        {
            "document": str,
            "store": str,
            "key": str,
            "version": str,
            "proof": str,
            "kept_until": str,
            "confirmed_at": str,
            "attempts": int,
            "next_try_at": str,
            "why": str,
            "hint": str,
        },
        pk=("document", "store"),
        not_null={"attempts"},
        strict=True,
    )


@migrations()
def m022_trail_of_a_person(db: Database) -> None:
    """What a person did of one kind, whatever else there is (`trail.py`)."""
    db.execute("drop index trail_by_actor")
    db.execute("create index trail_by_actor on trail (actor, act, at)")


@migrations()
def m023_documents_as_recordings(db: Database) -> None:
    """Copies of documents stand as those of recordings do: what the custody log says of them, and
    what waits, which is working state. A store is asked for what was known before. And what was
    said of a document can be corrected, and who hands one in is known after a crash.
    """
    db.execute("drop table document_copies")
    table(db, "document_copies").create(
        {
            "document": str,
            "store": str,
            "key": str,
            "version": str,
            "proof": str,
            "kept_until": str,
            "confirmed_at": str,
            "custody_seq": int,
            "held": int,
        },
        pk=("document", "store"),
        not_null={"key", "proof", "confirmed_at", "custody_seq", "held"},
        defaults={"held": 0},
        strict=True,
    )
    db.execute("create index document_copies_by_store on document_copies (store, confirmed_at)")
    table(db, "document_uploads").create(
        {
            "document": str,
            "store": str,
            "queued_at": str,
            "attempts": int,
            "next_try_at": str,
            "why": str,
            "hint": str,
        },
        pk=("document", "store"),
        not_null={"queued_at", "attempts"},
        strict=True,
    )
    db.execute("alter table copies_looked_at rename column recording to sealed")
    db.execute("alter table documents add column corrected_seq integer")
    db.execute("alter table documents_under_way add column actor text")


@migrations()
def m024_intakes_taken_up(db: Database) -> None:
    """The number of entries known to be here counts an intake's too; it did not before."""
    db.execute("pragma user_version = 0")
