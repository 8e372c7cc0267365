"""Holds what should be kept of the log's checkpoints against what is there.

A place that was emptied, a file that nobody delivered among its checkpoints, a time stamp
that stamps nothing of ours: none of them changes the log, and each takes away what would
show that it was changed.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from recorder_sync.config import Configuration
from recorder_sync.durable import read_regular
from recorder_sync.errors import MissingPart, refused
from recorder_sync.inspection.findings import Finding, FindingKind
from recorder_sync.language import T, Text
from recorder_sync.model import CardPath
from recorder_sync.stores.evidence import CHECKPOINTS
from recorder_sync.witnessing.delivered import Delivered, file_system_of
from recorder_sync.witnessing.places import Place, places_of
from recorder_sync.witnessing.witnessed import Witnessed

_NOTE = re.compile(r"[0-9]{20}")
_UNFINISHED = re.compile(r"\.([0-9]{20})\.new")


def compare_kept_notes(settings: Configuration) -> Iterator[Finding]:
    """Yield what is missing in the places of the settings, and what does not belong there."""
    custody = settings.paths.state / "custody"
    delivered = Delivered(custody)
    for place in places_of(settings):
        try:
            if place.is_missed and place.is_there():
                with delivered.turn():
                    yield from _missing(place, delivered)
        except OSError as error:
            yield _unreadable(str(place.path), error)
    with delivered.turn():
        yield from _foreign(settings)
    yield from _timestamps(settings)


def _missing(place: Place, delivered: Delivered) -> Iterator[Finding]:
    file_system = file_system_of(place.disk)
    if file_system is None:
        return
    gone = delivered.given(place.path, file_system) - place.sizes()
    if gone:
        text = T(
            "{count} checkpoint(s) that were kept here are gone, the last one of {size} entries",
            count=len(gone),
            size=max(gone),
        )
        yield Finding(FindingKind.CHECKPOINT_MISSING, _shown(place.path), text)


def _foreign(settings: Configuration) -> Iterator[Finding]:
    """Find what lies among the checkpoints beside the evidence and is none."""
    folder = settings.paths.evidence / CHECKPOINTS
    try:
        if not os.path.lexists(folder):
            return
        if not _is(stat.S_ISDIR, folder):
            yield _extra(settings, folder, T("the folder of the checkpoints should stand here"))
            return
        for station in sorted(folder.iterdir()):
            if not _is(stat.S_ISDIR, station):
                text = T("among the checkpoints there are only folders of stations")
                yield _extra(settings, station, text)
                continue
            for path in sorted(station.iterdir()):
                is_note = _NOTE.fullmatch(path.name) and _is(stat.S_ISREG, path)
                if not is_note and not _is_unfinished(settings, path):
                    text = T("it is no checkpoint, and lies among them")
                    yield _extra(settings, path, text)
    except OSError as error:
        yield _unreadable(CHECKPOINTS, error)


def _is_unfinished(settings: Configuration, path: Path) -> bool:
    """Tell whether it is the beginning of a checkpoint, left by a run that was cut off.

    Of another station that keeps its checkpoints on this disk, nobody here knows that.
    """
    found = _UNFINISHED.fullmatch(path.name)
    if found is None or not _is(stat.S_ISREG, path):
        return False
    if path.parent.name != settings.station.id:
        return True
    note = settings.paths.state / "custody" / "checkpoints" / found[1]
    try:
        return read_regular(note).startswith(read_regular(path))
    except FileNotFoundError:
        return False


def _timestamps(settings: Configuration) -> Iterator[Finding]:
    custody = settings.paths.state / "custody"
    witnessed = Witnessed(custody)
    for path in witnessed.no_timestamps():
        yield _false_stamp(path, T("by its name it is of no checkpoint"))
    stamps = list(witnessed.timestamps())
    if not stamps:
        return
    from recorder_sync.witnessing.timestamping import certificates_in, refuted

    try:
        certificates = certificates_in(settings.witness.timestamp_certificates)
    except MissingPart as problem:
        certificates = []
        yield Finding(FindingKind.UNREADABLE, "custody/witnessed", problem.text)
    for size, path in stamps:
        try:
            note = _note(settings, size)
            response = read_regular(path)
        except OSError as error:
            yield _unreadable(f"custody/witnessed/{path.name}", error)
            continue
        if note is None:
            yield _false_stamp(path, T("there is no checkpoint of {size} entries", size=size))
        elif (why := refuted(response, note, certificates)) is not None:
            yield _false_stamp(path, T("it does not vouch for the checkpoint: {why}", why=why))


def _note(settings: Configuration, size: int) -> str | None:
    """Return the checkpoint of so many entries, from wherever it is kept."""
    beside = settings.paths.evidence / CHECKPOINTS / settings.station.id
    for folder in (settings.paths.state / "custody" / "checkpoints", beside):
        path = folder / f"{size:020d}"
        if os.path.lexists(path):
            return read_regular(path).decode("utf-8", "replace")
    return None


def _is(wanted: Callable[[int], bool], path: Path) -> bool:
    return wanted(path.lstat().st_mode)


def _extra(settings: Configuration, path: Path, text: Text) -> Finding:
    return Finding(FindingKind.EXTRA, _shown(path.relative_to(settings.paths.evidence)), text)


def _false_stamp(path: Path, text: Text) -> Finding:
    return Finding(
        FindingKind.TIMESTAMP_DIFFERS, f"custody/witnessed/{_shown(Path(path.name))}", text
    )


def _unreadable(path: str, error: OSError) -> Finding:
    return Finding(FindingKind.UNREADABLE, path, refused(error).text)


def _shown(path: Path) -> str:
    return CardPath(os.fsencode(path)).shown
