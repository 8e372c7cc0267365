"""The deferrals on record, kept until they change, and which of them came too late (Art. 21)."""

from collections.abc import Iterator

from recorder_sync.catalogue import deferrals as catalogue
from recorder_sync.catalogue import news
from recorder_sync.catalogue.footage import earliest_end
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.deadline import Deferral, Deferred, back_dated_deferrals
from recorder_sync.rules.matter import Matter
from recorder_sync.station import Station
from recorder_sync.watching.source import Look, Undecided


class Deferrals:
    """All that are on record. Several sources ask for them."""

    def __init__(self) -> None:
        self._found: tuple[Deferral, ...] = ()
        self._naming: dict[tuple[str, str | None], list[Deferral]] = {}
        self._version = -1

    def concerning(self, device: str | None, officer: str | None) -> tuple[Deferral, ...]:
        """Return those of `now` that may concern a device or an officer: each names one."""
        return (
            *self._naming.get(("device", device), ()),
            *self._naming.get(("officer", officer), ()),
        )

    def now(self, station: Station) -> tuple[Deferral, ...]:
        """Return the deferrals. Raises ValueError for a row that makes no sense."""
        seen = news.since(station.catalogue, self._version)
        if news.DEFERRALS in seen.about or self._version < 0:
            self._found = tuple(catalogue.deferrals(station.catalogue))
            self._naming = {}
            for one in self._found:
                about = ("device", one.device) if one.device else ("officer", one.officer)
                self._naming.setdefault(about, []).append(one)
        self._version = seen.version
        return self._found


class BackDated:
    """Deferrals that were put on record after the fact."""

    name = "back-dated-deferrals"
    what = T("Deferrals that came too late")
    kinds = frozenset({AlertKind.BACK_DATED_DEFERRAL})

    def __init__(self, deferrals: Deferrals) -> None:
        self._deferrals = deferrals
        self._known: dict[Deferral, Deferred] = {}
        self._version = 0

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        limits, known = look.limits, self._refreshed(look.station)
        yield from back_dated_deferrals(known, limits.stored_within, limits.back_dated_by)

    def _refreshed(self, station: Station) -> list[Deferred]:
        seen = news.since(station.catalogue, self._version)
        changed = seen.devices, seen.officers
        known = {}
        for one in self._deferrals.now(station):
            found = self._known.get(one)
            if found is None or one.device in changed[0] or one.officer in changed[1]:
                found = Deferred(one, earliest_end(station.catalogue, one))
            known[one] = found
        self._known, self._version = known, seen.version
        return list(known.values())
