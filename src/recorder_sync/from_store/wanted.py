"""Files that a store is to give back, and whether they are here: of recordings, or of documents."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from recorder_sync.custody.log import CustodyLog
from recorder_sync.description import as_text
from recorder_sync.errors import CustodyProblem
from recorder_sync.language import T
from recorder_sync.model import Digests, Recording
from recorder_sync.rules.documents import Document
from recorder_sync.station import Station
from recorder_sync.stores.evidence import EvidenceFolder, exists
from recorder_sync.stores.store import Store

Facts = Mapping[str, Any]
Json = dict[str, Any]

Row = Mapping[str, Any]
"""What the catalogue has of one: `id`, `path`, `size` and `custody_seq`, and `key` and `version` in
the store where that has confirmed it, else null."""

Kept = TypeVar("Kept", Recording, Document)


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


def as_sealed(
    custody: CustodyLog,
    row: Row,
    read: Callable[[Facts], tuple[Kept, Json]],
    key_of: Callable[[Kept], str],
) -> Wanted:
    """Return one as it was sealed, from its entry in the log.

    `read` returns it and its description, from the facts of the entry. `key_of` names it where
    the store has not confirmed it. Raises CustodyProblem.
    """
    entry = next(custody.entries(row["custody_seq"]), None)
    if entry is None or entry.deed.subject != row["id"]:
        raise CustodyProblem(
            T("The custody log has no seal of {id}.", id=row["id"]),
            T("Run: recorder-sync catalogue rebuild"),
        )
    facts = entry.deed.facts
    sealed, description = read(facts)
    return Wanted(
        id=sealed.id,
        path=sealed.path,
        size=sealed.size,
        digests=sealed.digests,
        description=Digests(facts["description_blake3"], facts["description_sha256"]),
        text=as_text(description),
        key=row["key"] or key_of(sealed),
        version=row["version"],
    )


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
