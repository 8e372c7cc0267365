"""What a request works with: the station and the accounts, opened once and lent in turn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, Full, LifoQueue

from sqlite_utils.db import Database

from recorder_sync.access.database import open_accounts
from recorder_sync.config import Configuration
from recorder_sync.station import Station, open_station

_KEPT = 8
"""Opened ones that are kept for the next requests."""


@dataclass(frozen=True, slots=True)
class Desk:
    station: Station
    accounts: Database

    def of(self, actor: str) -> "Desk":
        """Return the same desk, at which somebody else works."""
        return replace(self, station=replace(self.station, actor=actor))

    def close(self) -> None:
        self.station.catalogue.close()
        self.accounts.close()


class Desks:
    """The open desks. A request has one for itself; more are opened when all are lent."""

    def __init__(
        self, in_use: Callable[[], Configuration], configuration: Path | None = None
    ) -> None:
        """`configuration` is the file that the settings come from, where it is known."""
        self.settings = in_use
        self.configuration = configuration
        self._free: LifoQueue[Desk] = LifoQueue(_KEPT)

    @contextmanager
    def lent(self) -> Iterator[Desk]:
        """Lend a desk. Raises MissingPart or CatalogueProblem where it cannot be opened."""
        desk = self._taken()
        try:
            yield desk
        finally:
            # Whatever an error left under way in it is under way no more.
            if desk.station.catalogue.conn.in_transaction:
                desk.close()
            else:
                self._keep(desk)

    def _taken(self) -> Desk:
        settings = self.settings()
        try:
            desk = self._free.get_nowait()
        except Empty:
            station = open_station(settings, writes_evidence=False)
            return Desk(station, open_accounts(settings.paths.state))
        return replace(desk, station=replace(desk.station, settings=settings))

    def _keep(self, desk: Desk) -> None:
        try:
            self._free.put_nowait(desk)
        except Full:
            desk.close()

    def close(self) -> None:
        while not self._free.empty():
            self._free.get_nowait().close()
