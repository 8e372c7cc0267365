"""The documents of cases of one station as one store has them, and what they should be.

What a document should be is what its entry in the custody log says.
"""

from collections.abc import Callable, Iterator

from recorder_sync.description import as_text
from recorder_sync.document_json import document_json, document_of
from recorder_sync.errors import CustodyProblem
from recorder_sync.from_store.wanted import Row, Wanted
from recorder_sync.language import T, Text
from recorder_sync.model import Digests
from recorder_sync.rules.documents import FOLDER
from recorder_sync.rules.layout import station_key
from recorder_sync.station import Station
from recorder_sync.stores.store import Store

_MOST_NAMED = 10


class StoredDocuments:
    """The documents of one station in one store."""

    def __init__(self, station: Station, store: Store) -> None:
        self.station = station
        self.store = store

    def rows(self) -> Iterator[Row]:
        """Yield all sealed documents by path."""
        query = "select id, path, size, custody_seq from documents order by path"
        yield from list(self.station.catalogue.query(query))

    def wanted(self, row: Row) -> Wanted:
        """Return a document as it was sealed, from its entry in the log.

        Raises CustodyProblem.
        """
        entry = next(self.station.custody.entries(row["custody_seq"]), None)
        if entry is None or entry.deed.subject != row["id"]:
            raise CustodyProblem(
                T("The custody log has no seal of the document {id}.", id=row["id"]),
                T("Run: recorder-sync catalogue rebuild"),
            )
        facts = entry.deed.facts
        document = document_of(facts["document"])
        return Wanted(
            id=document.id,
            path=document.path,
            size=document.size,
            digests=document.digests,
            description=Digests(facts["description_blake3"], facts["description_sha256"]),
            text=as_text(document_json(document)),
            key=self._key(document.path),
            version=None,
        )

    def lacking(self, check: Callable[[], None]) -> Iterator[Text]:
        """Yield what the store has not of what the log has, by name; the first few, and how
        many more. Raises StoreProblem."""
        there = set()
        for key in self.store.keys(self._key(f"{FOLDER}/")):
            check()
            there.add(key)
        missing = [
            key
            for row in self.rows()
            for key in (self._key(row["path"]), self._key(f"{row['path']}.json"))
            if key not in there
        ]
        for key in missing[:_MOST_NAMED]:
            yield T("{store}: {key} is missing.", store=self.store.name, key=key)
        if more := len(missing[_MOST_NAMED:]):
            yield T("and {count} more of this kind", count=more)

    def _key(self, path: str) -> str:
        return station_key(self.station.settings.station.id, path)
