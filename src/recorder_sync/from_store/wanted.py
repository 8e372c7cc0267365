"""Files that a store is to give back, and whether they are here: of recordings, or of documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from recorder_sync.model import Digests
from recorder_sync.station import Station
from recorder_sync.stores.evidence import EvidenceFolder, exists
from recorder_sync.stores.store import Store

Row = Mapping[str, Any]
"""What the catalogue has of one: `id`, `path`, `size` and `custody_seq`; of a recording also `key`
and `version` in the store where that has confirmed it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sealed recording or document, by the custody log."""

    id: str
    path: str
    size: int
    digests: Digests
    description: Digests
    text: str
    """Its description, as the log has it."""
    key: str
    version: str | None


class StoredFiles(Protocol):
    """What one store has of one station, of one kind."""

    station: Station
    store: Store

    def rows(self) -> Iterator[Row]:
        """Yield all that is sealed, by path."""

    def wanted(self, row: Row) -> Wanted:
        """Return one as it was sealed. Raises CustodyProblem."""


def is_here(evidence: EvidenceFolder, row: Row) -> bool:
    """Tell whether the file is in its place."""
    folder, _, name = str(row["path"]).rpartition("/")
    try:
        with evidence.folder(folder) as opened:
            return exists(name, opened)
    except FileNotFoundError:
        return False


def any_here(stored: StoredFiles) -> bool:
    """Tell whether any file is here."""
    return any(is_here(stored.station.evidence, row) for row in stored.rows())


def sizes(stored: StoredFiles) -> tuple[int, int]:
    """Return the bytes of all files, and of those that are not here."""
    whole = missing = 0
    for row in stored.rows():
        whole += row["size"]
        missing += 0 if is_here(stored.station.evidence, row) else row["size"]
    return whole, missing
