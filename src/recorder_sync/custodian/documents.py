"""Documents of a case as people hand them in and correct what they said of them, and the document
that a recording belongs to.

Art. 16 asks that recordings tie in with the written records: a recording names one document of
its own case. Who said so stands in the custody log, and the next may say otherwise.
"""

import os
from dataclasses import replace
from pathlib import Path

from recorder_sync.catalogue import documents, ledger, recordings
from recorder_sync.catalogue.documents import SealedDocument
from recorder_sync.custodian.registration import no_such_case
from recorder_sync.custody.log import Act
from recorder_sync.document_json import said_json
from recorder_sync.durable import open_regular
from recorder_sync.errors import MissingPart, UsageProblem, os_reason
from recorder_sync.ingest.documents import TakenIn, take_in_document
from recorder_sync.ingest.stopping import Stop
from recorder_sync.language import T
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.document_types import HEAD, refuse_other_type
from recorder_sync.rules.documents import Change, Given, checked, corrected
from recorder_sync.station import Station


def checked_here(station: Station, given: Given, head: bytes, size: int) -> Given:
    """Return what was said of a document, where it makes sense at this station.

    `head` is the first HEAD bytes of its file. Raises NotFound for a case that is not
    registered, and UsageProblem.
    """
    settings = station.settings
    if ledger.case(station.catalogue, given.case) is None:
        raise no_such_case(given.case)
    found = checked(given, settings.marks.known)
    if size == 0:
        raise UsageProblem(T("The file is empty."), T("Hand in the file that has the document."))
    if size > settings.documents.largest_mib << 20:
        raise too_large(settings.documents.largest_mib)
    refuse_other_type(found.name, head, settings.documents.types)
    return found


def too_large(largest_mib: int) -> UsageProblem:
    return UsageProblem(
        T("The file is larger than a document may be: {count} MiB.", count=largest_mib),
        T("Scan it smaller, hand it in in parts, or raise [documents] largest_mib."),
    )


def hand_in(station: Station, file: Path, given: Given, stop: Stop | None = None) -> TakenIn:
    """Seal a file of this computer as a document of a case; the file stays where it is.

    Raises NotFound, UsageProblem, DocumentFailure, MissingPart, CustodyProblem or Stopping.
    """
    try:
        with open_regular(file) as source:
            handle = os.dup(source.fileno())
    except FileNotFoundError:
        raise UsageProblem(T("There is no file {path}.", path=file), T("Check its name.")) from None
    except OSError as error:
        raise MissingPart(
            T("{path} cannot be read: {why}.", path=file, why=os_reason(error)),
            T("Name a file that this user may read."),
        ) from error
    try:
        head, size = os.pread(handle, HEAD, 0), os.fstat(handle).st_size
        return take_in_document(station, handle, checked_here(station, given, head, size), stop)
    finally:
        os.close(handle)


def correct_document(
    station: Station, document: str, change: Change, by: str, reason: str
) -> SealedDocument:
    """Put on record what is right of a document; return it as it is then.

    The file and its description stay as they were sealed. Raises NotFound; UsageProblem where
    nobody or no reason is named, the change makes no sense, or changes nothing.
    """
    by, reason = by.strip(), reason.strip()
    if not by or not reason:
        raise UsageProblem(
            T("A correction needs a person and a reason."), T("Say who and why, in a few words.")
        )
    db = station.catalogue
    with turn(station):
        found = documents.document(db, document)
        before = found.document.given
        after = corrected(before, change, station.settings.marks.known)
        if after == before:
            raise UsageProblem(
                T("There is nothing to correct."), T("Say what is right: it is so already.")
            )
        facts = {
            "by": by,
            "reason": reason,
            "before": said_json(before),
            "after": said_json(after),
        }
        enter(station, [station.deed(Act.DOCUMENT_CORRECTED, found.id, facts)])
    return documents.document(db, document)


def belongs_to(
    station: Station, recording: str, document: str | None, by: str
) -> SealedDocument | None:
    """Put on record which document of its case a recording belongs to; None: to none.

    `recording` is an id, or its start. What is so already is not put on record again. Raises
    NotFound, and UsageProblem where the document is of another case, or nobody is named.
    """
    if not by.strip():
        raise UsageProblem(T("Nobody is named."), T("Say who says so."))
    db = station.catalogue
    with turn(station):
        found = recordings.recording(db, recording).recording
        known = documents.belonging_of(db, found.id)
        wanted = documents.document(db, document) if document is not None else None
        if wanted is not None:
            case = found.tags.case.value if found.tags.case else None
            if wanted.document.given.case != case:
                raise UsageProblem(
                    T("The document is of another case than the recording."),
                    T("Correct the case of the recording first, or name a document of its case."),
                )
        before = known.document if known else None
        if before != document:
            facts = {"document": document, "before": before, "by": by.strip()}
            enter(station, [station.deed(Act.BELONGS_TO_DOCUMENT, found.id, facts)])
    if wanted is None:
        return None
    return replace(wanted, recordings=len(documents.recordings_of(db, [wanted.id])[wanted.id]))
