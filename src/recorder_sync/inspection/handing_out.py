"""A checkable copy of recordings as one file that is sent while it is made.

What `export.py` puts into a folder is sent as a ZIP archive (APPNOTE 6.3, stored, ZIP64), so that
a browser can keep it and nothing is copied to this computer's disk first. Each recording is
compared with its seal while it is sent. One that is not what was sealed breaks the archive off:
it has no directory then, which every program refuses, and the log says that it was not made.
"""

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from blake3 import blake3

from recorder_sync.catalogue.recordings import Sealed
from recorder_sync.custody.entry import parsed
from recorder_sync.custody.log import Act
from recorder_sync.errors import RecordingFailure
from recorder_sync.inspection.export import digest_lists
from recorder_sync.inspection.independent_check import NAME, independent_check
from recorder_sync.language import T
from recorder_sync.on_record import put
from recorder_sync.station import Station

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A copy that is on record, and not sent yet."""

    entries: dict[str, int]
    """By recording, the number of the entry in the custody log."""
    facts: dict[str, object]


def put_on_record(
    station: Station, wanted: Sequence[Sealed], *, to: str, by: str, reason: str
) -> HandedOut:
    """Enter that these are copied out, before the first byte of them."""
    facts: dict[str, object] = {"to": to, "by": by, "reason": reason}
    deeds = [station.deed(Act.EXPORT, one.recording.id, facts) for one in wanted]
    entries = put(station, deeds)
    return HandedOut({entry.deed.subject: entry.seq for entry in entries}, facts)


def take_back(station: Station, made: HandedOut, why: str) -> None:
    """Enter that the copy was not made whole."""
    deeds = [
        station.deed(Act.EXPORT_FAILED, one, {**made.facts, "entry": entry, "why": why})
        for one, entry in made.entries.items()
    ]
    put(station, deeds)


def archive(
    station: Station, wanted: Sequence[Sealed], proof_of: Callable[[Sealed], str], at: datetime
) -> Iterator[bytes]:
    """Yield the archive, which is on record already.

    Raises RecordingFailure where the evidence is not what was sealed, OSError, and what
    `proof_of` raises.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as whole:
        for one in wanted:
            name = one.recording.path.rpartition("/")[2]
            for file, path, digest in (
                (name, one.recording.path, one.recording.digests.blake3),
                (f"{name}.json", one.recording.path + ".json", one.description.blake3),
            ):
                yield from _file(whole, sink, file, _content(station, path, digest), at)
            lines = b"".join(line + b"\n" for line in custody_lines(station, one))
            yield from _file(whole, sink, f"{name}.custody.jsonl", [lines], at)
            proof = proof_of(one).encode()
            yield from _file(whole, sink, f"{name}.proof.json", [proof], at)
        for file, listed in digest_lists(wanted).items():
            yield from _file(whole, sink, file, ["".join(listed).encode()], at)
        yield from _file(whole, sink, NAME, [independent_check()], at)
    yield sink.taken()


def custody_lines(station: Station, one: Sealed) -> list[bytes]:
    """Return the exact lines of the custody log about a recording, its seal first.

    Nothing is on record about a recording before its seal, so the log is read from there.
    """
    identifier = one.recording.id
    has = b'"subject":"' + identifier.encode() + b'"'
    lines = station.custody.numbered_lines(one.custody_seq or 0)
    return [line for _, line in lines if has in line and parsed(line).deed.subject == identifier]


class _Sink:
    """What the archive is written to: taken out again piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """It has no end of its own."""

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _file(
    whole: zipfile.ZipFile,
    sink: _Sink,
    name: str,
    content: Iterator[bytes] | list[bytes],
    at: datetime,
) -> Iterator[bytes]:
    info = zipfile.ZipInfo(name, at.timetuple()[:6])
    info.external_attr = 0o440 << 16
    with whole.open(info, "w", force_zip64=True) as target:
        for data in content:
            target.write(data)
            yield sink.taken()
    yield sink.taken()


def _content(station: Station, path: str, expected: str) -> Iterator[bytes]:
    digest = blake3()
    with os.fdopen(station.evidence.opened(path), "rb", buffering=0) as file:
        while data := file.read(_CHUNK):
            digest.update(data)
            yield data
    if digest.hexdigest() != expected:
        raise RecordingFailure(
            T("{path} is not what was sealed.", path=path),
            T("Do not use this copy. Run: recorder-sync verify --all, and tell the custodian."),
        )
