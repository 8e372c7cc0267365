"""Marks recordings and sets bookmarks; who, when and why stands in the custody log.

The recording and its description as sealed stay what they are: a mark says what somebody knows
of the recording, and can be changed by the next. What is taken back stays on record.
"""

import math

from recorder_sync.catalogue import marks as catalogue
from recorder_sync.catalogue import recordings
from recorder_sync.custody.log import Act
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.marks import (
    Bookmark,
    BookmarkKind,
    Change,
    Marks,
    asks_for_reason,
    check_second,
    marked,
)
from recorder_sync.station import Station

_LONGEST_NOTE = 500


def mark(
    station: Station, recording: str, change: Change, by: str, reason: str | None = None
) -> Marks:
    """Put marks of the sealed recording with this id on record; return all that it has then.

    `by` is who says so, as others know them. What changes nothing is not put on record. Raises
    NotFound; UsageProblem where the change makes no sense, nobody is named, or something is
    taken back without a reason.
    """
    by, reason = by.strip(), (reason or "").strip() or None
    if not by:
        raise UsageProblem(T("Nobody is named."), T("Say who marks the recording."))
    with turn(station):
        found = recordings.recording(station.catalogue, recording).recording
        before = catalogue.marks_of(station.catalogue, [found.id])[found.id]
        items = station.settings.marks.known
        after = marked(before, change, by, items, found.media.duration_s)
        if after == before:
            return before
        if reason is None and asks_for_reason(before, after):
            raise UsageProblem(
                T("A mark is taken back, which needs a reason."), T("Say why, in a few words.")
            )
        facts = {
            "by": by,
            "reason": reason,
            "before": catalogue.marks_json(before),
            "after": catalogue.marks_json(after),
        }
        enter(station, [station.deed(Act.MARK, found.id, facts)])
    return after


def set_bookmark(
    station: Station,
    recording: str,
    second: float,
    kind: BookmarkKind,
    note: str | None,
    by: str,
) -> Bookmark:
    """Put a bookmark on record. Raises NotFound, or UsageProblem for a moment outside of it."""
    by, note = by.strip(), (note or "").strip() or None
    if not by:
        raise UsageProblem(T("Nobody is named."), T("Say who sets the bookmark."))
    if note and len(note) > _LONGEST_NOTE:
        raise UsageProblem(
            T("The note is too long."),
            T("Write at most {count} characters.", count=_LONGEST_NOTE),
        )
    with turn(station):
        found = recordings.recording(station.catalogue, recording).recording
        check_second(second, found.media.duration_s)
        at = math.floor(second * 1000) / 1000
        facts = {"what": "set", "who": by, "second": at, "kind": kind.value, "note": note}
        (entry,) = enter(station, [station.deed(Act.BOOKMARK, found.id, facts)])
    return Bookmark(entry.seq, found.id, at, kind, note, by, entry.deed.time)


def withdraw_bookmark(station: Station, recording: str, number: int, by: str, reason: str) -> None:
    """Take a bookmark back. Raises NotFound, or UsageProblem without a person or a reason."""
    by, reason = by.strip(), reason.strip()
    if not by or not reason:
        raise UsageProblem(
            T("A bookmark is taken back by somebody, with a reason."),
            T("Say who and why, in a few words."),
        )
    with turn(station):
        found = recordings.recording(station.catalogue, recording).recording
        standing = catalogue.bookmarks_of(station.catalogue, [found.id])[found.id]
        if number not in {one.number for one in standing}:
            raise NotFound(
                T("There is no bookmark {number} in this recording.", number=number),
                T("recorder-sync recordings show {id} lists them.", id=found.id),
            )
        facts = {"what": "withdrawn", "who": by, "bookmark": number, "reason": reason}
        enter(station, [station.deed(Act.BOOKMARK, found.id, facts)])
