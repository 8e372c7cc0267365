"""Re-reads evidence and compares disk, descriptions, digest lists, catalogue and log.

The custody log is the measure: the chain of its entries is checked first, then every
recording against its seal entry. The files are read round the page cache, so that what
is verified is the disk. Lines cut off the end of the log are not found here; that needs
a witness outside this machine.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from mmap import mmap
from pathlib import Path

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.recordings import Sealed
from recorder_sync.custody.log import Act
from recorder_sync.errors import CustodyProblem, os_reason
from recorder_sync.ingest.buffers import page_aligned
from recorder_sync.ingest.readback import read_back
from recorder_sync.inspection.measure import Measure, of_catalogue, read_measures
from recorder_sync.language import T, Text
from recorder_sync.model import CardPath
from recorder_sync.station import Station
from recorder_sync.stores.evidence import B3SUMS, SHA256SUMS


class FindingKind(StrEnum):
    CHANGED = "changed"
    MISSING = "missing"
    EXTRA = "extra"
    UNREADABLE = "unreadable"
    DESCRIPTION_CHANGED = "description-changed"
    DESCRIPTION_MISSING = "description-missing"
    LIST_DIFFERS = "list-differs"
    NOT_IN_LOG = "not-in-log"
    NOT_IN_CATALOGUE = "not-in-catalogue"
    CATALOGUE_DIFFERS = "catalogue-differs"
    LOG_BROKEN = "log-broken"


@dataclass(frozen=True, slots=True)
class Finding:
    kind: FindingKind
    path: str
    """Below the evidence folder; of the log, its name."""
    text: Text
    recording: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What to verify: everything, or a part. Only everything finds extra files."""

    since: datetime | None = None
    sample: int | None = None
    case: str | None = None

    @property
    def is_everything(self) -> bool:
        return self.since is None and self.sample is None and self.case is None


@dataclass(slots=True)
class Verification:
    checked: int = 0
    size: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify(
    station: Station, scope: Scope, checked: Callable[[str, int], None] = lambda _p, _s: None
) -> Verification:
    """Verify the recordings in scope and enter the result in the custody log.

    `checked` is told each recording's path and size. Every finding is one thing that is
    not as it was sealed. Raises MissingPart when the result cannot be entered.
    """
    result = Verification()
    with _standstill(station):
        measures = _measures(station, result)
        log_broken = bool(result.findings)
        known: dict[str, Measure] = {}
        with page_aligned() as buffer:
            for sealed in _in_scope(station, scope):
                identifier = sealed.recording.id
                measure = measures.pop(identifier, None)
                if measure is not None or not log_broken:
                    result.findings += _compare(sealed, measure)
                measure = measure or of_catalogue(sealed)
                known[measure.path] = measure
                result.findings += _on_disk(station, identifier, measure, buffer)
                result.checked += 1
                result.size += measure.size
                checked(measure.path, measure.size)
            if scope.is_everything:
                for identifier, measure in measures.items():
                    known[measure.path] = measure
                    result.findings.append(_not_in_catalogue(identifier, measure))
                    result.findings += _on_disk(station, identifier, measure, buffer)
    if scope.is_everything:
        with station.evidence.sealing_turn():
            for sealed in recordings.all_sealed(station.catalogue):
                known.setdefault(sealed.recording.path, of_catalogue(sealed))
            result.findings += _extras_and_lists(station, known)
    _enter(station, scope, result)
    return result


@contextmanager
def _standstill(station: Station) -> Iterator[None]:
    """Look at the catalogue as it is now, however much is sealed meanwhile.

    The first read fixes what this connection sees (https://www.sqlite.org/isolation.html);
    it happens while nobody measures, so the log read next holds at least as much.
    """
    with station.evidence.sealing_turn():
        station.catalogue.execute("begin")
        recordings.count_sealed(station.catalogue)
    try:
        yield
    finally:
        station.catalogue.rollback()


def _measures(station: Station, result: Verification) -> dict[str, Measure]:
    try:
        return read_measures(station.custody)
    except CustodyProblem as problem:
        result.findings.append(Finding(FindingKind.LOG_BROKEN, "custody", problem.text))
        return {}


def _in_scope(station: Station, scope: Scope) -> Iterator[Sealed]:
    if scope.sample is not None:
        yield from recordings.sample_sealed(station.catalogue, scope.sample)
    else:
        yield from recordings.all_sealed(station.catalogue, scope.since, scope.case)


def _compare(sealed: Sealed, measure: Measure | None) -> Iterator[Finding]:
    recording = sealed.recording
    if measure is None:
        yield Finding(
            FindingKind.NOT_IN_LOG,
            recording.path,
            T("in the catalogue, but the custody log has no seal of it"),
            recording.id,
        )
    elif measure != of_catalogue(sealed):
        yield Finding(
            FindingKind.CATALOGUE_DIFFERS,
            measure.path,
            T("the catalogue says something else than the custody log"),
            recording.id,
        )


def _not_in_catalogue(identifier: str, measure: Measure) -> Finding:
    return Finding(
        FindingKind.NOT_IN_CATALOGUE,
        measure.path,
        T("sealed by the custody log, unknown to the catalogue"),
        identifier,
    )


def _on_disk(
    station: Station, identifier: str, measure: Measure, buffer: mmap
) -> Iterator[Finding]:
    path = station.evidence.absolute(measure.path)
    beside = path.with_name(path.name + ".json")
    try:
        with _regular(path) as handle:
            read = read_back(handle, buffer, on_device=True)
        if (read.blake3, read.size) != (measure.blake3, measure.size):
            yield Finding(
                FindingKind.CHANGED,
                measure.path,
                T("its content is not what was sealed"),
                identifier,
            )
    except OSError as error:
        yield _unreadable(error, measure.path, identifier)
    try:
        with _regular(beside) as handle:
            described = read_back(handle, buffer, on_device=True)
        if described.blake3 != measure.description_blake3:
            yield Finding(
                FindingKind.DESCRIPTION_CHANGED,
                measure.path + ".json",
                T("the description is not what was sealed"),
                identifier,
            )
    except FileNotFoundError:
        yield Finding(
            FindingKind.DESCRIPTION_MISSING,
            measure.path + ".json",
            T("the description is missing"),
            identifier,
        )
    except OSError as error:
        yield _unreadable(error, measure.path + ".json", identifier)


@contextmanager
def _regular(path: Path) -> Iterator[int]:
    """Open a file for reading; a pipe or device in its place is an error, and never waits."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        yield handle
    finally:
        os.close(handle)


def _unreadable(error: OSError, path: str, identifier: str) -> Finding:
    if error.errno == errno.ENOENT:
        return Finding(FindingKind.MISSING, path, T("the file is missing"), identifier)
    if error.errno in (errno.ELOOP, errno.EINVAL, errno.ENXIO, errno.EISDIR):
        return Finding(
            FindingKind.CHANGED, path, T("something else stands in its place"), identifier
        )
    return Finding(
        FindingKind.UNREADABLE,
        path,
        T("it cannot be read: {why}", why=os_reason(error)),
        identifier,
    )


def _extras_and_lists(station: Station, measures: dict[str, Measure]) -> Iterator[Finding]:
    expected = set(measures) | {path + ".json" for path in measures}
    by_folder: dict[str, list[Measure]] = {}
    for path, measure in measures.items():
        by_folder.setdefault(path.rpartition("/")[0], []).append(measure)
    lists = {f"{folder}/{name}" for folder in by_folder for name in (B3SUMS, SHA256SUMS)}
    for found in station.evidence.files():
        relative = str(found.relative_to(station.evidence.root))
        if relative not in expected and relative not in lists:
            yield Finding(FindingKind.EXTRA, _shown(relative), T("nothing of this name was sealed"))
    for folder, inside in sorted(by_folder.items()):
        for name in (B3SUMS, SHA256SUMS):
            yield from _list(station, f"{folder}/{name}", inside)


def _list(station: Station, relative: str, inside: list[Measure]) -> Iterator[Finding]:
    wanted = set()
    for measure in inside:
        name = measure.path.rpartition("/")[2]
        if relative.endswith(B3SUMS):
            own, its = measure.blake3, measure.description_blake3
        else:
            own, its = measure.sha256, measure.description_sha256
        wanted |= {f"{own}  {name}", f"{its}  {name}.json"}
    try:
        with _regular(station.evidence.absolute(relative)) as handle:
            found = os.read(handle, os.fstat(handle).st_size + 1)
    except OSError as error:
        why = T("the digest list cannot be read: {why}", why=os_reason(error))
        yield Finding(FindingKind.LIST_DIFFERS, relative, why)
        return
    if sorted(found.split(b"\n")) != sorted([b"", *(line.encode() for line in wanted)]):
        yield Finding(
            FindingKind.LIST_DIFFERS, relative, T("the digest list is not what was sealed")
        )


def _enter(station: Station, scope: Scope, result: Verification) -> None:
    """Put the result on record; a log too broken for that is a finding already."""
    try:
        _append(station, scope, result)
    except CustodyProblem as problem:
        if not any(f.kind is FindingKind.LOG_BROKEN for f in result.findings):
            raise
        result.findings.append(Finding(FindingKind.LOG_BROKEN, "custody", problem.text))


def _append(station: Station, scope: Scope, result: Verification) -> None:
    station.custody.append(
        [
            station.deed(
                Act.VERIFICATION,
                "evidence",
                {
                    "scope": {
                        "since": scope.since.isoformat() if scope.since else None,
                        "sample": scope.sample,
                        "case": scope.case,
                    },
                    "checked": result.checked,
                    "bytes": result.size,
                    "findings": [
                        {"kind": f.kind.value, "path": f.path, "recording": f.recording}
                        for f in result.findings
                    ],
                },
            )
        ]
    )


def _shown(path: str) -> str:
    return CardPath(os.fsencode(path)).shown
