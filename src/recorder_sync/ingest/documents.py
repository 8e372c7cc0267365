"""Takes a document of a case into the evidence store (Art. 10 to 15), with the promises of every
recording: copied, on stable storage, read back, sealed.

The source is an open file and stays as it is. It is never held in memory as a whole. The same
content is sealed once for each case, whatever its name and its title are.
"""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from recorder_sync.catalogue import documents
from recorder_sync.catalogue.documents import DocumentIntent, SealedDocument
from recorder_sync.direct_io import page_aligned
from recorder_sync.errors import DocumentFailure, MissingPart, RecordingFailure, os_reason
from recorder_sync.ingest.document_seal import seal_document
from recorder_sync.ingest.engine import Copied, Copy, Digesting, WriteFailed, Writer
from recorder_sync.ingest.failures import bad_medium, other_bytes
from recorder_sync.ingest.medium import file_system_of, has_device
from recorder_sync.ingest.part import NEW, part_folder
from recorder_sync.ingest.readback import ReadBack, read_back
from recorder_sync.ingest.recovery import incoming_folder
from recorder_sync.ingest.source import Source, SourceChanged
from recorder_sync.ingest.stopping import Stop
from recorder_sync.ingest.tray import HandedIn, Tray
from recorder_sync.ingest.volume import Stamp, stamp
from recorder_sync.language import T
from recorder_sync.rules.documents import Document, Given, document_id, document_path
from recorder_sync.station import Station

_BEING_WRITTEN = 0o640
_PART = "document.part"


@dataclass(frozen=True, slots=True)
class TakenIn:
    sealed: SealedDocument
    is_new: bool
    """False: this case has the same content already, sealed as that says."""


def take_in_document(
    station: Station,
    source: int,
    given: Given,
    stop: Stop | None = None,
    received: str | None = None,
) -> TakenIn:
    """Seal the open file `source` as a document of a case.

    `received` is its BLAKE3 when it was received, where that is known. Raises DocumentFailure
    where this file cannot be taken in, MissingPart or CustodyProblem where none can, and Stopping.
    """
    stop = stop or Stop()
    expected = stamp(source)
    _check_room(station, expected.size)
    name = f"document-{secrets.token_hex(8)}"
    try:
        with incoming_folder(station, name) as folder:
            copied, proof = _copied(station, source, expected, folder, stop)
            if received not in (None, copied.digests.blake3):
                raise _changed_since()
            document = _document(station, given, copied, proof)
            part = f"{folder / _PART}".removeprefix(f"{station.evidence.root}/")
            sealed = seal_document(station, DocumentIntent(document, part, station.actor))
    except OSError as error:
        raise station.evidence.unusable(error) from error
    if sealed is not None:
        return TakenIn(sealed, is_new=True)
    known = documents.document(station.catalogue, document.id)
    if not os.path.lexists(station.evidence.absolute(known.path)):
        raise DocumentFailure(
            T("This document was sealed before, and its file is not in the evidence folder."),
            T("Touch nothing, and run: recorder-sync verify --all"),
        )
    return TakenIn(known, is_new=False)


def seal_handed_in(station: Station, tray: Tray, one: HandedIn, stop: Stop) -> bool:
    """Seal a document of the tray, in the name of who handed it in; tell whether it is sealed.

    Why it is not is noted beside it. Raises MissingPart, CustodyProblem or Stopping.
    """
    with tray.taken(one) as source:
        if source is None:
            return True  # somebody else does, or has
        try:
            as_handed_in = replace(station, actor=one.actor)
            take_in_document(as_handed_in, source, one.given, stop, one.blake3)
        except DocumentFailure as failure:
            tray.note_problem(one, failure.text)
            return False
        except MissingPart as problem:
            tray.note_problem(one, problem.text)
            raise
        tray.remove(one)
    return True


def _changed_since() -> DocumentFailure:
    return DocumentFailure(
        T("The file is not what was received: it changed while it waited."),
        T("Have the disk of the state folder checked, and hand the document in again."),
    )


def _check_room(station: Station, size: int) -> None:
    free = station.evidence.free_bytes()
    reserve = station.settings.ingest.reserve_mib << 20
    if size + reserve > free:
        raise MissingPart(
            T(
                "The evidence disk has too little room: {free} MiB are free, of which {reserve} "
                "MiB stay free.",
                free=free >> 20,
                reserve=reserve >> 20,
            ),
            T("Enlarge the evidence disk or move other files off it; never delete evidence."),
        )


def _copied(
    station: Station, handle: int, expected: Stamp, folder: Path, stop: Stop
) -> tuple[Copied, ReadBack]:
    settings = station.settings.ingest
    part, parts = folder / _PART, part_folder(folder)
    try:
        with parts.opened(part, NEW, _BEING_WRITTEN) as target, page_aligned() as buffer:
            writer, digesting = Writer(target), Digesting(settings.digests)
            source = Source(handle, expected, lambda: None, stop.wait)
            copy = Copy(source, writer, digesting, lambda _: None, stop.check, lambda _: None)
            try:
                copied = copy.run([buffer])
            except OSError as error:
                raise DocumentFailure(
                    T("The file cannot be read: {why}.", why=os_reason(error)),
                    T("Check the disk that it is on, and hand it in again."),
                ) from error
            writer.close_to_writing()
            if not settings.read_back:
                return copied, ReadBack.OFF
            try:
                read = read_back(
                    target, buffer, has_device(file_system_of(folder)), between=stop.check
                )
            except OSError as error:
                raise bad_medium(error) from error
            if (read.blake3, read.size) != (copied.digests.blake3, copied.size):
                raise other_bytes()
            return copied, read.proof
    except RecordingFailure as failure:
        with suppress(OSError):
            part.unlink()
        raise _of_document(failure) from failure


def _of_document(failure: RecordingFailure) -> DocumentFailure:
    """Say of a document what the engine says of a recording."""
    if isinstance(failure, SourceChanged):
        return DocumentFailure(
            T("The file changed while it was read."),
            T("Close it in the program that has it open, and hand it in again."),
        )
    hint = (
        T("Make room on the evidence disk, then hand the document in again.")
        if isinstance(failure, WriteFailed)
        else T("Have the evidence disk checked, then hand the document in again.")
    )
    return DocumentFailure(failure.text, hint)


def _document(station: Station, given: Given, copied: Copied, proof: ReadBack) -> Document:
    identifier = document_id(given.case, copied.digests.blake3)
    return Document(
        id=identifier,
        given=given,
        path=document_path(identifier, given, station.settings.station.zone),
        size=copied.size,
        digests=copied.digests,
        sealed_at=station.now(),
        read_back=proof.value,
    )
