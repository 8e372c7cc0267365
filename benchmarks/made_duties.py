"""What a busy station has besides recordings: everything else that the console's pages read.

Inventories, cameras' moves and faults, the calendar, interruptions of which most are explained,
deferrals, alerts, copies, verifications, closed cases, an audit trail, a custody log, accounts
and programs. Made for a catalogue of `made_catalogue.py`, in the product's own tables; the sums
of days are added up by the product.
"""

import json
import random
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from made_catalogue import CASES, OFFICERS
from sqlite_utils.db import Database

from recorder_sync.access import accounts, tokens
from recorder_sync.access.accounts import Account
from recorder_sync.access.database import open_accounts
from recorder_sync.access.tokens import NewToken
from recorder_sync.catalogue import news
from recorder_sync.catalogue.alert_facts import text_json
from recorder_sync.catalogue.database import FILE_NAME, open_catalogue
from recorder_sync.catalogue.day_figures import Basis, bring_up
from recorder_sync.catalogue.year_figures import sum_up
from recorder_sync.custody.log import Act, CustodyLog, Deed
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.access import ApiScope, Role
from recorder_sync.rules.figures import day_of
from recorder_sync.timestamps import iso, moment

ALERTS = 20_000
OPEN_ALERTS = 60
DEFERRALS = 400
ENFORCEMENT = 20_000
LOG_ENTRIES = 200_000
NOT_IN = 400
"""Files of old cards that never came in, and of as many newest dockings one each."""
DOCKED_NOW = 16
STORE = "bureau"
TRAIL_FROM = 100_000_000
"""Numbers of made entries of the trail: those of real ones are smaller."""

Row = dict[str, Any]

_EXPLAINED = 0.97
_MOST_COUNTED = 400


def make_duties(folder: Path, basis: Basis, trail: int = 1_000_000) -> None:
    """Fill the tables beside the recordings of the catalogue in a folder; the trail has so many
    rows."""
    open_catalogue(folder / FILE_NAME).close()
    db = sqlite3.connect(folder / FILE_NAME, isolation_level=None)
    for pragma in ("journal_mode=off", "synchronous=off", "cache_size=-300000"):
        db.execute(f"pragma {pragma}")
    choose = random.Random(trail)
    ids = [row[0] for row in db.execute("select id from recordings order by number")]
    (newest,) = db.execute("select max(started_at) from dockings").fetchone()
    end = moment(newest)
    triggers = db.execute("select name, sql from sqlite_schema where type = 'trigger'").fetchall()
    for name, _ in triggers:  # what they would enter is entered as a whole at the end
        db.execute(f"drop trigger {name}")
    db.execute("begin")
    _ledger(db, end)
    _dockings(db, choose)
    _inventories(db)
    _moves(db)
    _calendar(db)
    _interruptions(db, basis, choose)
    _insert(db, "deferrals", (_deferral(number, end) for number in range(DEFERRALS)))
    _insert(db, "alerts", (_alert(number, end) for number in range(ALERTS)))
    _stores(db)
    make_trail(db, ids, end, trail)
    db.execute("commit")
    for _, statement in triggers:
        db.execute(statement)
    news.enter_all(Database(db))
    while bring_up(Database(db), basis, _MOST_COUNTED):
        pass
    while sum_up(Database(db), day_of(end, basis.zone), _MOST_COUNTED):
        pass
    db.execute(f"pragma user_version = {_custody_log(folder, ids, end)}")
    db.execute("pragma journal_mode=wal")
    db.close()
    _people(folder, end)


def _ledger(db: sqlite3.Connection, end: datetime) -> None:
    before = iso(end - timedelta(days=4 * 365))
    db.execute(
        "update devices set kind = 'body-camera', maker = '海康威视', model = 'DS-MH2311',"
        " custodian = '周晓梅', registered_at = ?",
        [before],
    )
    db.execute("update officers set registered_at = ?", [before])
    db.execute("update cases set registered_at = ?", [before])
    for number in range(CASES - CASES // 50):
        closed = end - timedelta(days=3 * 365 * (CASES - number) / CASES - 10)
        db.execute(
            "update cases set closed_on = ? where key = ?",
            [f"{min(closed, end):%Y-%m-%d}", number + 1],
        )
    db.execute("update cases set secrecy = 'commercial secret' where key % 53 = 0")
    db.executemany(
        "insert into disk_samples (disk, at, used) values ('evidence', ?, ?)",
        ((iso(end - timedelta(hours=h)), 10**12 - h * 10**9) for h in range(60 * 24)),
    )


def _dockings(db: sqlite3.Connection, choose: random.Random) -> None:
    def measured() -> str:
        return json.dumps(
            {
                "battery": {
                    "percent": choose.randrange(40, 101),
                    "source": "dev",
                    "charging": True,
                },
                "storage": {"total": 64 * 10**9, "used": 20 * 10**9, "free": 44 * 10**9},
                "clock_offset_s": choose.randrange(-50, 50) / 10,
                "clock_source": "device",
                **dict.fromkeys(("file_system", "firmware", "firmware_source", "maker")),
                **dict.fromkeys(("model", "model_source")),
                "read_errors": 0,
            }
        )

    found = db.execute("select id, ended_at from dockings order by started_at").fetchall()
    db.executemany(
        "update dockings set port = ?, state = 'removed', fs_uuid = substr(device, 5) || '-0001',"
        " health = ?, removed_at = ? where id = ?",
        (
            (f"1-1.{n % 30}", measured(), iso(moment(ended) + timedelta(minutes=25)), identifier)
            for n, (identifier, ended) in enumerate(found)
        ),
    )
    docked: dict[str, str] = {}
    for identifier, _ in reversed(found):
        (device,) = db.execute("select device from dockings where id = ?", [identifier]).fetchone()
        docked.setdefault(device, identifier)
        if len(docked) == DOCKED_NOW:
            break
    db.executemany(
        "update dockings set state = 'safe', removed_at = null where id = ?",
        ((one,) for one in docked.values()),
    )


def _inventories(db: sqlite3.Connection) -> None:
    listed = "insert into inventory (docking, path, size, mtime_ns, kind, outcome, recording)"
    db.execute(
        f"{listed} select docking, cast('DCIM/100MEDIA/' || name as blob), size,"
        " number, kind, 'sealed', id from recordings order by number"
    )
    for order in ("started_at desc", "started_at"):
        db.execute(
            f"{listed} select id, cast('DCIM/100MEDIA/LOST.MP4' as blob), 1000 + rowid,"
            " cast(unixepoch(started_at) as integer) * 1000000000, 'video', null, null"
            f" from dockings order by {order} limit ?",
            [NOT_IN],
        )


def _moves(db: sqlite3.Connection) -> None:
    rows = db.execute(
        "select d.device, d.started_at, r.officer from dockings d join recordings r"
        " on r.docking = d.id group by d.id order by d.started_at"
    ).fetchall()
    number = 0

    def moves() -> Iterator[Row]:
        nonlocal number
        out: set[str] = set()
        for turn, (device, started, officer) in enumerate(rows):
            at = moment(started)
            happened = [("returned", 0, None)] if device in out else []
            if turn % 50 == 0:
                happened += [("fault", 1, None), ("repaired", 2, None)]
            happened.append(("issued", 3, officer))
            out.add(device)
            for what, hours, whom in happened:
                number += 1
                yield {
                    "custody_seq": number,
                    "device": device,
                    "time": iso(at + timedelta(minutes=10 * hours)),
                    "what": what,
                    "officer": whom,
                    "text": "夹子松了" if what == "fault" else None,
                    "not_ready": "[]",
                    "actor": "account:zhou",
                }

    _insert(db, "device_events", moves())


def _calendar(db: sqlite3.Connection) -> None:
    rows = db.execute(
        "select d.id, d.started_at, r.officer, r.case_no, r.recorded_start from dockings d"
        " join recordings r on r.docking = d.id group by d.id order by d.started_at"
    ).fetchall()
    enforced = max(1, len(rows) // ENFORCEMENT)

    def entries() -> Iterator[Row]:
        for number, (_, started, officer, case, recorded) in enumerate(rows):
            ends = moment(started)
            yield _entry(f"s{number}", "shift", ends - timedelta(hours=8), ends, officer, None)
            if number % enforced == 0:
                begins = moment(recorded)
                yield _entry(
                    f"e{number}", "enforcement", begins, begins + timedelta(hours=1), officer, case
                )

    _insert(db, "calendar", entries())


def _entry(
    name: str, kind: str, begins: datetime, ends: datetime, officer: str | None, case: str | None
) -> Row:
    return {
        "id": name,
        "kind": kind,
        "begins": iso(begins),
        "ends": iso(ends),
        "officer": officer,
        "case_no": case,
        "in_full": 0,
        "entered_at": iso(begins),
        "entered_by": "account:zhou",
        "custody_seq": 0,
    }


def _interruptions(db: sqlite3.Connection, basis: Basis, choose: random.Random) -> None:
    """Explain most of the interruptions that the recordings have."""
    pause = basis.limits.action_pause.total_seconds()
    found = db.execute(
        "select device, earlier, begins from (select device, recorded_start as begins,"
        " max(recorded_end) over (partition by device order by recorded_start, id"
        " rows between unbounded preceding and 1 preceding) as earlier from recordings"
        " where kind in ('video', 'audio'))"
        " where (julianday(begins) - julianday(earlier)) * 86400 between 5 and ?"
        " order by begins",
        [pause],
    ).fetchall()
    _insert(
        db,
        "gap_explanations",
        (
            {
                "custody_seq": number,
                "device": device,
                "begins": earlier,
                "ends": begins,
                "officers": '["13010000", "13010001"]',
                "text": "换电池",
                "who": "account:zhou",
                "entered_at": begins,
            }
            for number, (device, earlier, begins) in enumerate(found)
            if choose.random() < _EXPLAINED
        ),
    )


def _deferral(number: int, end: datetime) -> Row:
    at = end - timedelta(days=3 * 365 * (DEFERRALS - number) / DEFERRALS)
    is_open = number >= DEFERRALS - 10
    return {
        "id": f"d{number}",
        "reason": ("water", "remote", "continuous")[number % 3],
        "device": f"ZFY-{number % 300:04d}",
        "begins": iso(at),
        "ends": None if is_open else iso(at + timedelta(hours=30)),
        "expected": iso(at + timedelta(days=2)),
        "approver": None if is_open and number % 2 else "赵所",
        "approved_at": None if is_open and number % 2 else iso(at),
        "returned_at": None if is_open else iso(at + timedelta(days=1, hours=6)),
        "entered_at": iso(at),
        "entered_by": "account:zhou",
        "custody_seq": number,
    }


def _alert(number: int, end: datetime) -> Row:
    at = end - timedelta(days=3 * 365 * (ALERTS - number) / ALERTS)
    is_open = number >= ALERTS - OPEN_ALERTS
    device = f"ZFY-{number % 300:04d}"
    kind = (AlertKind.GAP, AlertKind.NOT_DOCKED, AlertKind.OUTSTANDING)[number % 3]
    text = T("Device {device} was not docked.", device=device)
    ended = None if is_open else iso(at + timedelta(hours=5))
    return {
        "number": LOG_ENTRIES - ALERTS + number,
        "kind": kind.value,
        "key": f"{kind.value}/{device}/{number}",
        "device": device,
        "officer": f"{13_010_000 + number % OFFICERS:08d}",
        "text": text_json(text),
        "hint": text_json(T("Ask the officer.")),
        "severity": ("notice", "warning", "breach")[number % 3],
        "state": "open" if is_open else "resolved",
        "since": iso(at),
        "raised_at": iso(at),
        "updated_at": iso(at),
        "resolved_at": ended,
        "resolved_by": None if is_open else "person",
        "count": 1,
        "items": "[]",
        "digest": "made",
        "cause_gone": int(not is_open),
        "times_worse": 0,
        "custody_seq": LOG_ENTRIES - ALERTS + number,
    }


def _stores(db: sqlite3.Connection) -> None:
    """All recordings have a copy but the newest, which wait; all were verified once."""
    db.execute(
        "insert into copies (recording, store, key, proof, confirmed_at, custody_seq)"
        " select id, ?, path, 'checksum', sealed_at, 0 from recordings order by number",
        [STORE],
    )
    waiting = "select id from recordings order by number desc limit 2000"
    db.execute(f"delete from copies where recording in ({waiting})")
    db.execute(
        "insert into uploads (recording, store, state, important, deadline, size, queued_at,"
        " look_first, sent, attempts) select id, ?, iif(number % 50 = 0, 'failed', 'waiting'), 0,"
        f" deadline, size, sealed_at, 0, 0, 0 from recordings where id in ({waiting})",
        [STORE],
    )
    db.execute("insert into verified (recording, at) select id, sealed_at from recordings")


def make_trail(db: sqlite3.Connection, ids: list[str], end: datetime, rows: int) -> None:
    """Make an audit trail of so many rows over three years, most of them views."""
    step = timedelta(days=3 * 365) / rows
    indexes = db.execute(
        "select name, sql from sqlite_schema where tbl_name = 'trail' and type = 'index'"
        " and sql <> ''"
    ).fetchall()
    for name, _ in indexes:
        db.execute(f"drop index {name}")
    acts = (*(Act.VIEW.value,) * 7, Act.EXPORT.value, Act.TAG.value, Act.MARK.value)
    changed = {"before": {"case": "2026-1"}, "after": {"case": "2026-2"}}
    facts = json.dumps({"what": "recording", "reason": "checked", **changed})
    db.executemany(
        "insert into trail (custody_seq, at, act, actor, subject, facts) values (?, ?, ?, ?, ?, ?)",
        (
            (
                TRAIL_FROM + number,
                iso(end - step * (rows - number)),
                acts[number % 10],
                f"account:person{number * 7 % 50}",
                ids[number * 7919 % len(ids)],
                facts,
            )
            for number in range(rows)
        ),
    )
    for _, statement in indexes:
        db.execute(statement)


def _custody_log(folder: Path, ids: list[str], end: datetime) -> int:
    """Make a log whose entries are as large as seals; return how many it has."""
    log = CustodyLog(folder / "custody", "benchmark")
    seconds = timedelta(seconds=1)
    for first in range(0, LOG_ENTRIES, 5_000):
        log.append(
            [
                Deed(
                    Act.VERIFICATION,
                    ids[number % len(ids)],
                    "recorder-sync benchmark",
                    end - seconds * (LOG_ENTRIES - number),
                    {"what": "made", "more": "x" * 900},
                )
                for number in range(first, first + 5_000)
            ]
        )
    return log.size()


def _people(folder: Path, end: datetime) -> None:
    db = open_accounts(folder)
    for number in range(50):
        accounts.add(db, Account(f"person{number}", Role.INSPECTOR), end)
    for number in range(10):
        tokens.make(db, NewToken(f"program{number}", frozenset({ApiScope.RECORDINGS_READ})), end)
    db.close()


def _insert(db: sqlite3.Connection, into: str, rows: Iterable[Row]) -> None:
    found = iter(rows)
    first = next(found)
    statement = f"insert into {into} ({', '.join(first)}) values ({', '.join('?' for _ in first)})"
    db.execute(statement, tuple(first.values()))
    db.executemany(statement, (tuple(row.values()) for row in found))
