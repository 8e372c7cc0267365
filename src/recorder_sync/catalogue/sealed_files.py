"""What recordings and documents of cases have in common: a sealed file and its description."""

from typing import Protocol

from sqlite_utils.db import Database

from recorder_sync.catalogue import documents, recordings
from recorder_sync.catalogue.documents import SealedDocument
from recorder_sync.catalogue.recordings import Sealed
from recorder_sync.model import Digests
from recorder_sync.rules.documents import is_document


class SealedFile(Protocol):
    """A sealed recording or document."""

    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str:
        """Below the evidence folder."""

    @property
    def size(self) -> int:
        """In bytes."""

    @property
    def digests(self) -> Digests: ...
    @property
    def description(self) -> Digests:
        """Of the description beside it."""


def sealed_file(db: Database, identifier: str) -> Sealed | SealedDocument:
    """Return the recording or document with this id. Raises NotFound."""
    if is_document(identifier):
        return documents.document(db, identifier)
    return recordings.recording(db, identifier)
