"""Seals verified copies of documents, in the order of every sealing (`seal.py`).

The intent is committed, the copy moved into place with its description and digest lists, all
synced, then the custody entry and the catalogue's row come in one step. Intents exist within
the sealing turn only: one that is found there is of a run that was cut off or failed, and is
finished or withdrawn before anything else.
"""

import errno
from contextlib import ExitStack, suppress
from dataclasses import replace

from recorder_sync.catalogue import documents
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.documents import DocumentIntent, SealedDocument
from recorder_sync.custody.log import Act, Deed
from recorder_sync.document_json import document_json
from recorder_sync.errors import DocumentFailure, os_reason
from recorder_sync.ingest.placing import Day, clear_away, copy_is_whole, folders_of
from recorder_sync.language import T
from recorder_sync.on_record import put, take_up_rest
from recorder_sync.protection import Protection
from recorder_sync.station import Station


def seal_document(station: Station, intent: DocumentIntent) -> SealedDocument | None:
    """Seal one document; when this returns, it is sealed. None: it was sealed before.

    Raises DocumentFailure where it cannot be put in its place, MissingPart or CustodyProblem
    where it cannot be put on record: then the next start finishes it.
    """
    with station.evidence.sealing_turn():
        finish_interrupted_documents(station)
        if documents.find(station.catalogue, intent.id) is not None:
            return None
        with transaction(station.catalogue):
            documents.note_intent(station.catalogue, intent)
        _seal(station, intent, interrupted=False)
    return documents.document(station.catalogue, intent.id)


def finish_interrupted_documents(station: Station) -> int:
    """Finish what a crash left between intent and seal; call in the sealing turn.

    Every copy is read again first. One that is not whole is discarded: whoever handed it in
    has it. Returns how many were sealed. Raises MissingPart or CustodyProblem.
    """
    if not documents.intents(station.catalogue):
        return 0
    take_up_rest(station)  # what stands in the log is sealed, and its intent is gone by that
    finished = 0
    for intent in documents.intents(station.catalogue):
        if not copy_is_whole(station, intent):
            clear_away(station, intent)
            _forget(station, intent)
            continue
        try:
            _seal(station, intent, interrupted=True)
        except DocumentFailure:
            continue  # it was withdrawn, and is handed in again
        with suppress(OSError):  # what else is in it is looked at by the next start
            (station.evidence.incoming / intent.folder).rmdir()
        finished += 1
    return finished


def _seal(station: Station, intent: DocumentIntent, *, interrupted: bool) -> None:
    protection = _put_in_place(station, intent, interrupted=interrupted)
    put(station, [_deed(station, intent, protection)])


def _put_in_place(station: Station, intent: DocumentIntent, *, interrupted: bool) -> Protection:
    try:
        with ExitStack() as stack:
            day = Day(station.evidence, *folders_of(intent), stack, interrupted=interrupted)
            ((_, error),) = day.place([intent])
            if error is None:
                return day.complete([intent])[intent.id]
            day.take_back(intent)
            day.complete([])
    except OSError as other:
        raise station.evidence.unusable(other) from other
    _forget(station, intent)
    raise not_placed(error)


def not_placed(error: OSError) -> DocumentFailure:
    """Return what an error of the evidence disk means for a document."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = T("Make room on the evidence disk, then hand the document in again.")
    else:
        hint = T(
            "Check the evidence disk with recorder-sync verify --all, then hand the document in "
            "again."
        )
    return DocumentFailure(
        T("The document could not be put into the evidence folder: {why}.", why=os_reason(error)),
        hint,
    )


def _forget(station: Station, intent: DocumentIntent) -> None:
    with transaction(station.catalogue):
        documents.forget_intent(station.catalogue, intent.id)


def _deed(station: Station, intent: DocumentIntent, protection: Protection) -> Deed:
    facts: dict[str, object] = {
        "document": document_json(intent.document),
        "description_blake3": intent.description.blake3,
        "description_sha256": intent.description.sha256,
        "protection": protection,
    }
    if station.settings.ingest.fs_verity:
        facts["fs_verity"] = station.evidence.verity_of(intent.path)
    deed = station.deed(Act.DOCUMENT, intent.id, facts)
    return replace(deed, actor=intent.actor or deed.actor)  # also where a later start finishes it
