"""What a store lacks of the recordings that it has confirmed, and what it has beyond the log.

Only names are compared: what an object holds shows when it is fetched. The names are held in
a private database that SQLite keeps on disk when it is large.
"""

import sqlite3
from collections.abc import Callable, Iterator

from sqlite_utils.db import Database

from recorder_sync.from_store.recordings import StoredRecordings
from recorder_sync.language import T, Text
from recorder_sync.rules.layout import station_key

_MOST_NAMED = 10


def lacking(stored: StoredRecordings, check: Callable[[], None]) -> Iterator[Text]:
    """Yield what is missing in the store, and what no seal of the log tells of.

    The first few of each, and how many more. `check` is called now and then and may raise.
    Raises StoreProblem or CustodyProblem.
    """
    name, prefix = stored.store.name, _own_prefix(stored)
    db = Database(sqlite3.connect(""))
    try:
        db.execute("create table there (key text primary key) without rowid")
        db.execute("create table wanted (key text primary key, confirmed int) without rowid")
        db.conn.executemany(
            "insert or ignore into there values (?)",
            ((key,) for key in _keys(stored, prefix, check)),
        )
        db.conn.executemany("insert or ignore into wanted values (?, ?)", _wanted(stored, check))
        yield from _named(
            db,
            "select key from wanted where confirmed and key not in (select key from there)",
            lambda key: T("{store}: {key} is missing.", store=name, key=key),
        )
        if prefix:  # else other stations' recordings are among them
            yield from _named(
                db,
                "select key from there where key not in (select key from wanted)"
                " and key like '%.json'",
                lambda key: T(
                    "{store}: {key} is of a recording that the custody log there has no seal of: "
                    "it was sealed after the log was sent last.",
                    store=name,
                    key=key,
                ),
            )
    finally:
        db.close()


def _keys(stored: StoredRecordings, prefix: str, check: Callable[[], None]) -> Iterator[str]:
    records = station_key("x", "").partition("/")[0] + "/"
    for key in stored.store.keys(prefix):
        check()
        if not key.startswith(records):
            yield key


def _wanted(stored: StoredRecordings, check: Callable[[], None]) -> Iterator[tuple[str, int]]:
    """Yield the keys of recordings and descriptions, and whether the store confirmed them."""
    for row in stored.rows():
        check()
        key = row["key"] or stored.wanted(row).key
        confirmed = int(row["key"] is not None)
        yield key, confirmed
        yield f"{key}.json", confirmed


def _own_prefix(stored: StoredRecordings) -> str:
    """Return what all keys of this station begin with, where its layout has that."""
    settings = stored.station.settings
    layouts = {one.name: one.layout for one in settings.stores}
    if not layouts[stored.store.name].startswith("{station}/"):
        return ""
    return station_key(settings.station.id, "").partition("/")[2]


def _named(db: Database, query: str, say: Callable[[str], Text]) -> Iterator[Text]:
    found = db.execute(f"{query} order by key")
    for (key,) in found.fetchmany(_MOST_NAMED):
        yield say(key)
    if more := sum(1 for _ in found):
        yield T("and {count} more of this kind", count=more)
