"""A checkable copy of recordings, or of documents of a case, for a case file or a court.

The entry in the custody log is written before the first byte of a recording. Each copy is
compared with its seal while it is made, and one that is refused or cut off gets a second
entry, which takes the first one back; nothing of it is left. Beside each copy go the
description as sealed, the recording's custody entries, digest lists for `b3sum -c` and
`sha256sum -c` (for `cksum -a sm3 -c` too, where recordings were sealed with SM3), and the
independent check, which needs nothing but Python. With proofs, the receiver can check by the
station's verifier key alone that each recording is what the custody log says was sealed. A
file gets its name only when it is whole: what a full disk or a damaged source cut off is
removed.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from blake3 import blake3

from recorder_sync.catalogue.sealed_files import SealedFile
from recorder_sync.custody.log import Act, Entry
from recorder_sync.durable import sync_folder, write_all, write_synced
from recorder_sync.errors import MissingPart, RecordingFailure, UsageProblem, os_reason
from recorder_sync.inspection.independent_check import NAME, independent_check
from recorder_sync.language import T
from recorder_sync.on_record import put
from recorder_sync.station import Station
from recorder_sync.stores.evidence import B3SUMS, SHA256SUMS, SM3SUMS

_CHUNK = 4 << 20
_UNFINISHED = ".unfinished"


F = TypeVar("F", bound=SealedFile)


def export(
    station: Station,
    wanted: Sequence[F],
    to: Path,
    *,
    by: str | None,
    reason: str | None,
    proof_of: Callable[[F], str] | None = None,
    copied: Callable[[int], None] = lambda _: None,
) -> list[Path]:
    """Copy recordings or documents into the new or empty folder `to`; return the copies.

    `proof_of` makes the text of a proof, to be put beside each copy. Raises UsageProblem
    when `to` will not do, RecordingFailure when the evidence is not what was sealed,
    MissingPart when the copy cannot be written, and what `proof_of` raises.
    """
    folder = _prepared(station, to)
    # Before the first copy: a log that nothing can be proven from is known at once.
    proofs = {one.id: proof_of(one) for one in wanted} if proof_of else {}
    copies = []
    try:
        for one in wanted:
            name = Path(one.path).name
            with _on_record(station, one, {"to": str(folder), "by": by, "reason": reason}) as made:
                for path, expected in (
                    (one.path, one.digests),
                    (one.path + ".json", one.description),
                ):
                    target = folder / Path(path).name
                    _copy(station.evidence.absolute(path), target, expected.blake3, copied)
                    made.append(target)
                custody = folder / f"{name}.custody.jsonl"
                _write_custody(station, one.id, custody)
                made.append(custody)
                if proof := proofs.get(one.id):
                    _write(folder / f"{name}.proof.json", proof.encode())
            copies.append(folder / name)
        for list_name, lines in digest_lists(wanted).items():
            _write(folder / list_name, "".join(lines).encode())
        _write(folder / NAME, independent_check())
        sync_folder(folder)
    except OSError as error:
        raise MissingPart(
            T(
                "The copy in {folder} could not be made: {why}.",
                folder=folder,
                why=os_reason(error),
            ),
            T("Check the space and the rights there, and export to a new folder."),
        ) from error
    return copies


def digest_lists(wanted: Sequence[SealedFile]) -> dict[str, list[str]]:
    """Return the lines of the digest lists of these files and their descriptions."""
    lists: dict[str, list[str]] = {B3SUMS: [], SHA256SUMS: []}
    for one in wanted:
        name = Path(one.path).name
        for file, digests in ((name, one.digests), (f"{name}.json", one.description)):
            lists[B3SUMS].append(f"{digests.blake3}  {file}\n")
            lists[SHA256SUMS].append(f"{digests.sha256}  {file}\n")
        if sm3 := one.digests.sm3:
            lists.setdefault(SM3SUMS, []).append(f"{sm3}  {name}\n")
    return lists


@contextmanager
def _on_record(station: Station, one: SealedFile, facts: dict[str, object]) -> Iterator[list[Path]]:
    """Enter that a recording is copied out; and, where the block fails, that it was not.

    Whatever the block puts into the list is removed then.
    """
    deed = station.deed(Act.EXPORT, one.id, facts)
    (entry,) = put(station, [deed])
    made: list[Path] = []
    try:
        yield made
    except BaseException as error:
        for path in made:
            path.unlink()
        why = os_reason(error) if isinstance(error, OSError) else str(error)
        taken_back = {**facts, "entry": entry.seq, "why": str(why) or type(error).__name__}
        put(station, [station.deed(Act.EXPORT_FAILED, one.id, taken_back)])
        raise


def _prepared(station: Station, to: Path) -> Path:
    folder = to.resolve()
    if folder.is_relative_to(station.evidence.root.resolve()):
        raise UsageProblem(
            T("{folder} is inside the evidence folder.", folder=folder),
            T("Export to a folder outside it."),
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageProblem(
                T("{folder} is not empty.", folder=folder),
                T("Export to a new folder, so that nothing is mixed up or replaced."),
            )
    except OSError as error:
        raise MissingPart(
            T("{folder} cannot be used: {why}.", folder=folder, why=os_reason(error)),
            T("Export to a folder that this user may write."),
        ) from error
    return folder


@contextmanager
def _whole_or_none(target: Path) -> Iterator[Path]:
    """Lend a path to write to; it becomes `target` at the end, and is removed on any error."""
    unfinished = target.with_name(_UNFINISHED)
    try:
        yield unfinished
        # Two recordings can have one name in different folders; rename would replace the first.
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        unfinished.rename(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _write(target: Path, data: bytes) -> None:
    with _whole_or_none(target) as unfinished:
        write_synced(unfinished, data)


def _copy(source: Path, target: Path, expected: str, copied: Callable[[int], None]) -> None:
    digest = blake3()
    with _whole_or_none(target) as unfinished:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            with source.open("rb", buffering=0) as file:
                while data := file.read(_CHUNK):
                    digest.update(data)
                    write_all(handle, data)
                    copied(len(data))
            os.fsync(handle)
        except FileNotFoundError:
            raise _not_as_sealed(source) from None
        finally:
            os.close(handle)
        if digest.hexdigest() != expected:
            raise _not_as_sealed(source)


def _not_as_sealed(source: Path) -> RecordingFailure:
    return RecordingFailure(
        T("{path} is not what was sealed.", path=source),
        T("Do not use this copy. Run: recorder-sync verify --all, and tell the custodian."),
    )


def _write_custody(station: Station, recording: str, target: Path) -> None:
    lines = [line for entry, line in station.custody.lines() if _concerns(entry, recording)]
    _write(target, b"".join(line + b"\n" for line in lines))


def _concerns(entry: Entry, recording: str) -> bool:
    return entry.deed.subject == recording
