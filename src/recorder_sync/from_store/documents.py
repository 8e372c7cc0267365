"""The documents of cases of one station as one store has them, and what they should be.

What a document should be is what its entry in the custody log says.
"""

from collections.abc import Callable, Iterator

from recorder_sync.document_json import document_json, document_of
from recorder_sync.from_store.wanted import Facts, Json, Row, Wanted, as_sealed
from recorder_sync.language import T, Text
from recorder_sync.rules.documents import FOLDER, Document
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
        """Yield all sealed documents by path, with what this store has confirmed of them."""
        query = (
            "select d.id, d.path, d.size, d.custody_seq, c.key, c.version from documents d"
            " left join document_copies c on c.document = d.id and c.store = ? order by d.path"
        )
        yield from list(self.station.catalogue.query(query, [self.store.name]))

    def wanted(self, row: Row) -> Wanted:
        """Return a document as it was sealed. Raises CustodyProblem."""
        return as_sealed(self.station.custody, row, _read, lambda one: self._key(one.path))

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


def _read(facts: Facts) -> tuple[Document, Json]:
    document = document_of(facts["document"])
    return document, document_json(document)
