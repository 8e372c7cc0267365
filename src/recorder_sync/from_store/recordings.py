"""The recordings of one station as one store has them: by what name, and what they should be.

What a recording should be is what its seal in the custody log says; the name in the store is
that of its confirmation or, where that did not come to the store any more, what the layout of
the settings makes of it.
"""

from collections.abc import Iterator

from recorder_sync.description import as_json, from_json
from recorder_sync.forward.destination import Destination
from recorder_sync.from_store.wanted import Facts, Json, Row, Wanted, as_sealed
from recorder_sync.model import Recording
from recorder_sync.station import Station
from recorder_sync.stores.store import Store

_PAGE = 1000


class StoredRecordings:
    """The recordings of one station in one store."""

    def __init__(self, station: Station, store: Store, destination: Destination) -> None:
        self.station = station
        self.store = store
        self._destination = destination

    def rows(self) -> Iterator[Row]:
        """Yield all sealed recordings by path, with what this store has confirmed of them."""
        query = (
            "select r.id, r.path, r.size, r.custody_seq, c.key, c.version from recordings r"
            " left join copies c on c.recording = r.id and c.store = ?"
            f" where r.state = 'sealed' and r.path > ? order by r.path limit {_PAGE}"
        )
        after = ""
        while rows := list(self.station.catalogue.query(query, [self.store.name, after])):
            yield from rows
            after = rows[-1]["path"]

    def wanted(self, row: Row) -> Wanted:
        """Return a recording as it was sealed. Raises CustodyProblem."""
        return as_sealed(self.station.custody, row, _read, self._destination.key_of)


def _read(facts: Facts) -> tuple[Recording, Json]:
    recording = from_json(facts["recording"])
    return recording, as_json(recording)
