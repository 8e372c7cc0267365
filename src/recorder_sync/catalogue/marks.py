"""Marks and bookmarks of recordings, as the custody log has them.

Every entry `mark` holds all marks as they stand from then on. What searches ask for stands in
the row of the recording; a bookmark that was taken back stays, and says by whom and why.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import insert
from recorder_sync.custody.log import Entry
from recorder_sync.rules.access import Secrecy
from recorder_sync.rules.marks import Bookmark, BookmarkKind, Marks, Notified
from recorder_sync.rules.stage import Stage
from recorder_sync.timestamps import iso, moment

Json = dict[str, Any]

_AT_ONCE = 500

COLUMNS = ("important", "notified_by", "notified_second", "stage", "item", "secrecy")
"""What the row of a recording has of its marks."""


def marks_of(db: Database, recordings: Sequence[str]) -> dict[str, Marks]:
    """Return the marks of these recordings, by id."""
    found = {}
    for some in _parts(recordings):
        marks = ", ".join("?" for _ in some)
        select = f"select id, {', '.join(COLUMNS)} from recordings where id in ({marks})"
        for row in db.query(select, list(some)):
            found[row["id"]] = _marks(row)
    return {one: found.get(one, Marks()) for one in recordings}


def bookmarks_of(db: Database, recordings: Sequence[str]) -> dict[str, list[Bookmark]]:
    """Return the bookmarks that stand, by recording, in the order of the recording."""
    found: dict[str, list[Bookmark]] = {one: [] for one in recordings}
    for some in _parts(recordings):
        marks = ", ".join("?" for _ in some)
        for row in db.query(
            f"select * from bookmarks where recording in ({marks}) and withdrawn_at is null"
            " order by second, custody_seq",
            list(some),
        ):
            found[row["recording"]].append(_bookmark(row))
    return found


def marks_json(marks: Marks) -> Json:
    """Return marks as JSON: in the custody log, and of a RECORDING."""
    notified = marks.notified
    return {
        "important": marks.important,
        "notified": {"by": notified.by, "second": notified.second} if notified else None,
        "stage": marks.stage.value if marks.stage else None,
        "item": marks.item,
        "secrecy": marks.secrecy.value,
    }


def bookmark_json(bookmark: Bookmark) -> Json:
    return {
        "number": bookmark.number,
        "second": bookmark.second,
        "kind": bookmark.kind.value,
        "note": bookmark.note,
        "by": bookmark.by,
        "entered_at": iso(bookmark.entered_at),
    }


def columns_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the marks that an entry of the custody log holds."""
    notified, secrecy = found["notified"], found["secrecy"]
    second = notified["second"] if notified else None
    return {
        "important": None if found["important"] is None else int(found["important"]),
        "notified_by": notified["by"] if notified else None,
        "notified_second": None if second is None else float(second),
        "stage": found["stage"],
        "item": found["item"],
        "secrecy": None if secrecy == Secrecy.NONE else secrecy,
    }


def take_up_marks(db: Database, entry: Entry) -> None:
    """Do to the catalogue what followed from an entry `mark`; it may be repeated."""
    columns = columns_of(entry.deed.facts["after"])
    changes = ", ".join(f"{name} = ?" for name in columns)
    db.execute(
        f"update recordings set {changes} where id = ?", [*columns.values(), entry.deed.subject]
    )


def take_up_bookmark(db: Database, entry: Entry) -> None:
    """Do the same for an entry `bookmark`: one was set, or one was taken back."""
    facts = entry.deed.facts
    if facts["what"] == "withdrawn":
        db.execute(
            "update bookmarks set withdrawn_at = ?, withdrawn_by = ?, withdrawn_why = ?"
            " where custody_seq = ? and recording = ?",
            [
                *(iso(entry.deed.time), facts["who"], facts["reason"]),
                *(facts["bookmark"], entry.deed.subject),
            ],
        )
        return
    known = db.execute("select 1 from bookmarks where custody_seq = ?", [entry.seq]).fetchone()
    if known is None:
        row = {
            "custody_seq": entry.seq,
            "recording": entry.deed.subject,
            "second": float(facts["second"]),
            "kind": facts["kind"],
            "note": facts["note"],
            "who": facts["who"],
            "entered_at": iso(entry.deed.time),
        }
        insert(db, "bookmarks", [row])


def _parts(recordings: Sequence[str]) -> Iterable[Sequence[str]]:
    return (recordings[at : at + _AT_ONCE] for at in range(0, len(recordings), _AT_ONCE))


def _marks(row: Mapping[str, Any]) -> Marks:
    by = row["notified_by"]
    return Marks(
        important=None if row["important"] is None else bool(row["important"]),
        notified=Notified(by, row["notified_second"]) if by else None,
        stage=Stage(row["stage"]) if row["stage"] else None,
        item=row["item"],
        secrecy=Secrecy(row["secrecy"]) if row["secrecy"] else Secrecy.NONE,
    )


def _bookmark(row: Mapping[str, Any]) -> Bookmark:
    return Bookmark(
        number=row["custody_seq"],
        recording=row["recording"],
        second=row["second"],
        kind=BookmarkKind(row["kind"]),
        note=row["note"],
        by=row["who"],
        entered_at=moment(row["entered_at"]),
    )
