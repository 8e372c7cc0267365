"""Checks the records: the custody log, its checkpoints, and every row of the catalogue.

Others go on working meanwhile. Most acts stand in the log a moment before they stand in the
catalogue, so a difference counts only when it is still there at a later look.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from recorder_sync.catalogue.database import FILE_NAME, explain
from recorder_sync.errors import CustodyProblem, RecorderSyncError, refused
from recorder_sync.inspection.comparison import compare
from recorder_sync.inspection.expected import Expected
from recorder_sync.inspection.findings import Finding, FindingKind
from recorder_sync.inspection.kept_notes import compare_kept_notes
from recorder_sync.inspection.pace import Pace
from recorder_sync.inspection.schema import columns_to_compare
from recorder_sync.inspection.soundness import checking_soundness
from recorder_sync.station import Station
from recorder_sync.witnessing.making import checkpoints_of, notes_elsewhere

_LOOKS_S = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds before each later look at a difference."""

_QUIET = timedelta(minutes=1)
"""A log that has not grown for so long has nobody behind it who is about to write."""

_ADD_UNKNOWN = (
    "insert into sealed (id, folder, path, size, blake3, sha256, description_blake3,"
    " description_sha256)"
    " select id, rtrim(rtrim(path, replace(path, '/', '')), '/'), path, size, blake3, sha256,"
    " description_blake3, description_sha256 from stored.recordings"
    " where state = 'sealed' and id not in (select id from sealed)"
)


@contextmanager
def checked_records(station: Station, pace: Pace) -> Iterator[tuple[Expected, list[Finding]]]:
    """Hold what should be in the catalogue, with all that is wrong with the records.

    Its table `sealed` has the recordings of the log, and those that only the catalogue knows.
    Raises Stopping, MissingPart or CatalogueProblem.
    """
    path = station.settings.paths.state / FILE_NAME
    expected = Expected(path)
    try:
        with _explained(), checking_soundness(path, expected.schema) as soundness:
            findings = _look(station, expected, pace)
            expected.db.execute("create index if not exists sealed_by_id on sealed (id)")
            expected.db.execute("create index sealed_by_folder on sealed (folder, path)")
            if columns_to_compare(expected.db, "recordings") is not None:
                expected.db.execute(_ADD_UNKNOWN)
            findings += soundness.findings()
        yield expected, findings + list(_checkpoints(station, findings))
    finally:
        expected.close()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise explain(error) from error


def _look(station: Station, expected: Expected, pace: Pace) -> list[Finding]:
    findings = None
    pace.step()  # from here on it holds a view of the catalogue, and must not wait
    for wait_s in (0.0, *_LOOKS_S):
        time.sleep(wait_s)
        with _standstill(station, expected):
            try:
                expected.read(station.custody, pace.check)
            except CustodyProblem as problem:
                return [Finding(FindingKind.LOG_BROKEN, "custody", problem.text)]
            found = list(compare(expected, station.custody, pace.check))
        if findings is None:
            findings = found
        else:
            still = {(f.kind, f.path, f.row) for f in found}
            findings = [f for f in findings if (f.kind, f.path, f.row) in still]
        if not findings or _is_quiet(station, expected):
            break
    return findings or []


@contextmanager
def _standstill(station: Station, expected: Expected) -> Iterator[None]:
    """Look at the catalogue as it is now, however much is written meanwhile.

    The first read fixes what this connection sees (https://www.sqlite.org/isolation.html);
    it happens while nobody seals, so the log read next holds at least as much.
    """
    with station.evidence.sealing_turn():
        expected.db.execute("begin")
        expected.db.execute("select count(*) from stored.sqlite_schema").fetchone()
    try:
        yield
    finally:
        expected.db.execute("commit")


def _is_quiet(station: Station, expected: Expected) -> bool:
    newest = expected.newest
    return newest is None or not timedelta() <= station.now() - newest < _QUIET


def _checkpoints(station: Station, findings: list[Finding]) -> Iterator[Finding]:
    """Hold the log against its checkpoints, those elsewhere too, unless it is broken anyway."""
    if any(finding.kind is FindingKind.LOG_BROKEN for finding in findings):
        return
    settings = station.settings
    try:
        elsewhere = notes_elsewhere(settings)
        if elsewhere or any((settings.paths.state / "custody/checkpoints").glob("[0-9]*")):
            checkpoints_of(settings).check(elsewhere)
    except RecorderSyncError as problem:
        yield Finding(FindingKind.CHECKPOINT_DIFFERS, "custody", problem.text)
    except OSError as error:
        yield Finding(FindingKind.UNREADABLE, "custody", refused(error).text)
    try:
        yield from compare_kept_notes(settings)
    except OSError as error:
        yield Finding(FindingKind.UNREADABLE, "custody", refused(error).text)
