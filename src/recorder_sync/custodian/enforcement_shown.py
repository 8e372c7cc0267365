"""What recordings show of an enforcement of the calendar (Art. 16, 17)."""

from dataclasses import dataclass
from enum import StrEnum

from recorder_sync.catalogue import footage
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.rules.coverage import Span, holes, showing
from recorder_sync.station import Station


class Standing(StrEnum):
    SHIFT = "shift"
    """It is no enforcement."""
    TO_COME = "to-come"
    SHOWN = "shown"
    HOLES = "holes"
    """It should be shown in full, and is not."""
    MISSING = "missing"
    EXPLAINED = "explained"
    """Somebody said why nothing was recorded."""


@dataclass(frozen=True, slots=True)
class HowShown:
    entry: CalendarEntry
    standing: Standing
    holes: tuple[Span, ...] = ()

    @property
    def percent(self) -> int:
        """How much of its time is shown."""
        if self.standing in {Standing.MISSING, Standing.TO_COME, Standing.EXPLAINED}:
            return 0
        whole = (self.entry.ends - self.entry.begins).total_seconds()
        lost = sum((hole.ends - hole.begins).total_seconds() for hole in self.holes)
        return round(100 * max(0.0, 1 - lost / whole)) if whole > 0 else 100


def how_shown(station: Station, entry: CalendarEntry) -> HowShown:
    """Return how an entry of the calendar stands, with the holes in what shows it."""
    if entry.kind is CalendarKind.SHIFT:
        return HowShown(entry, Standing.SHIFT)
    if entry.reason is not None:
        return HowShown(entry, Standing.EXPLAINED)
    if entry.begins > station.now():
        return HowShown(entry, Standing.TO_COME)
    expected, limits = entry.expected, station.settings.watch_limits
    recordings = footage.shown(station.catalogue, expected.span, expected.officer, expected.device)
    found = showing(expected, recordings, limits)
    if not found:
        return HowShown(entry, Standing.MISSING)
    left_out = tuple(holes(expected, found, limits))
    has_holes = bool(left_out) and entry.in_full
    return HowShown(entry, Standing.HOLES if has_holes else Standing.SHOWN, left_out)
