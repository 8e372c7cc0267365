"""The recordings of one station as one store has them: by what name, and what they should be.

What a recording should be is what its seal in the custody log says; the name in the store is
that of its confirmation or, where that did not come to the store any more, what the layout of
the settings makes of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from recorder_sync.description import as_json, as_text, from_json
from recorder_sync.errors import CustodyProblem
from recorder_sync.forward.destination import Destination
from recorder_sync.language import T
from recorder_sync.model import Digests, Recording
from recorder_sync.station import Station
from recorder_sync.stores.evidence import exists
from recorder_sync.stores.store import Store

Row = Mapping[str, Any]
"""A recording of the catalogue: `id`, `path`, `size`, `custody_seq`, and `key` and `version` in
the store where that has confirmed it."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sealed recording, by the custody log."""

    recording: Recording
    description: Digests
    text: str
    """Its description, as the log has it."""
    fingerprint: bytes
    key: str
    version: str | None


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
        """Return a recording as it was sealed, from its entry in the log.

        Raises CustodyProblem.
        """
        entry = next(self.station.custody.entries(row["custody_seq"]), None)
        if entry is None or entry.deed.subject != row["id"]:
            raise CustodyProblem(
                T("The custody log has no seal of the recording {id}.", id=row["id"]),
                T("Run: recorder-sync catalogue rebuild"),
            )
        facts = entry.deed.facts
        recording = from_json(facts["recording"])
        return Wanted(
            recording,
            Digests(facts["description_blake3"], facts["description_sha256"]),
            as_text(as_json(recording)),
            bytes.fromhex(facts["fingerprint"]),
            row["key"] or self._destination.key_of(recording),
            row["version"],
        )

    def is_here(self, row: Row) -> bool:
        """Tell whether the file of a recording is in its place."""
        folder, _, name = str(row["path"]).rpartition("/")
        try:
            with self.station.evidence.folder(folder) as opened:
                return exists(name, opened)
        except FileNotFoundError:
            return False

    def any_here(self) -> bool:
        """Tell whether the file of any recording is here."""
        return any(self.is_here(row) for row in self.rows())

    def sizes(self) -> tuple[int, int]:
        """Return the bytes of all recordings, and of those whose file is not here."""
        whole = missing = 0
        for row in self.rows():
            whole += row["size"]
            missing += 0 if self.is_here(row) else row["size"]
        return whole, missing
