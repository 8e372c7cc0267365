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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from mmap import mmap
from pathlib import Path

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.recordings import Sealed
from recorder_sync.custody.log import Act
from recorder_sync.errors import CustodyProblem, os_reason
from recorder_sync.ingest.engine import ring_of_buffers
from recorder_sync.ingest.readback import read_back
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


@dataclass(frozen=True, slots=True)
class _Seal:
    """What the custody log holds of a recording."""

    path: str
    blake3: str
    sha256: str
    size: int
    description_blake3: str
    description_sha256: str


def verify(
    station: Station, scope: Scope, checked: Callable[[str, int], None] = lambda _p, _s: None
) -> Verification:
    """Verify the recordings in scope and enter the result in the custody log.

    `checked` is told each recording's path and size. Every finding is one thing that is
    not as it was sealed. Raises MissingPart when the result cannot be entered.
    """
    result = Verification()
    until = station.custody.size()
    seals = _seals(station, until, result)
    log_broken = bool(result.findings)
    with ExitStack() as stack:
        (buffer,) = stack.enter_context(ring_of_buffers(1))
        paths: dict[str, _Seal] = {}
        for sealed in _in_scope(station, scope):
            if sealed.custody_seq is not None and sealed.custody_seq >= until:
                continue  # sealed while this runs
            recording = sealed.recording
            seal = seals.pop(recording.id, None)
            if seal is not None or not log_broken:
                result.findings += _compare(sealed, seal)
            measure = seal or _of_catalogue(sealed)
            paths[measure.path] = measure
            result.findings += _on_disk(station, recording.id, measure, buffer)
            result.checked += 1
            result.size += measure.size
            checked(measure.path, measure.size)
    if scope.is_everything:
        for identifier, seal in seals.items():
            paths[seal.path] = seal
            result.findings.append(
                Finding(
                    FindingKind.NOT_IN_CATALOGUE,
                    seal.path,
                    T("sealed by the custody log, unknown to the catalogue"),
                    identifier,
                )
            )
        with station.evidence.sealing_turn():
            for sealed in recordings.all_sealed(station.catalogue):
                paths.setdefault(sealed.recording.path, _of_catalogue(sealed))
            result.findings += _extras_and_lists(station, paths)
    _enter(station, scope, result)
    return result


def _seals(station: Station, until: int, result: Verification) -> dict[str, _Seal]:
    seals: dict[str, _Seal] = {}
    try:
        for entry in station.custody.entries():
            if entry.seq >= until:
                break
            if entry.deed.act is Act.SEAL:
                facts = entry.deed.facts
                recording = facts["recording"]
                seals[entry.deed.subject] = _Seal(
                    recording["path"],
                    recording["blake3"],
                    recording["sha256"],
                    recording["size"],
                    facts["description_blake3"],
                    facts["description_sha256"],
                )
    except CustodyProblem as problem:
        result.findings.append(Finding(FindingKind.LOG_BROKEN, "custody", problem.text))
    return seals


def _in_scope(station: Station, scope: Scope) -> Iterator[Sealed]:
    if scope.sample is not None:
        yield from recordings.sample_sealed(station.catalogue, scope.sample)
    else:
        yield from recordings.all_sealed(station.catalogue, scope.since, scope.case)


def _of_catalogue(sealed: Sealed) -> _Seal:
    recording = sealed.recording
    return _Seal(
        recording.path,
        recording.digests.blake3,
        recording.digests.sha256,
        recording.size,
        sealed.description.blake3,
        sealed.description.sha256,
    )


def _compare(sealed: Sealed, seal: _Seal | None) -> Iterator[Finding]:
    recording = sealed.recording
    if seal is None:
        yield Finding(
            FindingKind.NOT_IN_LOG,
            recording.path,
            T("in the catalogue, but the custody log has no seal of it"),
            recording.id,
        )
    elif seal != _of_catalogue(sealed):
        yield Finding(
            FindingKind.CATALOGUE_DIFFERS,
            seal.path,
            T("the catalogue says something else than the custody log"),
            recording.id,
        )


def _on_disk(station: Station, identifier: str, seal: _Seal, buffer: mmap) -> Iterator[Finding]:
    path = station.evidence.absolute(seal.path)
    beside = path.with_name(path.name + ".json")
    try:
        with _regular(path) as handle:
            read = read_back(handle, buffer, on_device=True)
        if (read.blake3, read.size) != (seal.blake3, seal.size):
            yield Finding(
                FindingKind.CHANGED,
                seal.path,
                T("its content is not what was sealed"),
                identifier,
            )
    except OSError as error:
        yield _unreadable(error, seal.path, identifier)
    try:
        with _regular(beside) as handle:
            described = read_back(handle, buffer, on_device=True)
        if described.blake3 != seal.description_blake3:
            yield Finding(
                FindingKind.DESCRIPTION_CHANGED,
                seal.path + ".json",
                T("the description is not what was sealed"),
                identifier,
            )
    except FileNotFoundError:
        yield Finding(
            FindingKind.DESCRIPTION_MISSING,
            seal.path + ".json",
            T("the description is missing"),
            identifier,
        )
    except OSError as error:
        yield _unreadable(error, seal.path + ".json", identifier)


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


def _extras_and_lists(station: Station, seals: dict[str, _Seal]) -> Iterator[Finding]:
    expected = set(seals) | {path + ".json" for path in seals}
    folders = {str(Path(path).parent) for path in seals}
    lists = {f"{folder}/{name}" for folder in folders for name in (B3SUMS, SHA256SUMS)}
    for path in station.evidence.files():
        relative = str(path.relative_to(station.evidence.root))
        if relative not in expected and relative not in lists:
            yield Finding(FindingKind.EXTRA, _shown(relative), T("nothing of this name was sealed"))
    for relative in sorted(lists):
        yield from _list(station, relative, seals)


def _list(station: Station, relative: str, seals: dict[str, _Seal]) -> Iterator[Finding]:
    folder = relative.rpartition("/")[0]
    which_blake3 = relative.endswith(B3SUMS)
    wanted = set()
    for path, seal in seals.items():
        if path.rpartition("/")[0] == folder:
            name = path.rpartition("/")[2]
            own = seal.blake3 if which_blake3 else seal.sha256
            its = seal.description_blake3 if which_blake3 else seal.description_sha256
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
