"""Enforcement of the calendar that no recording shows, or not all of (Art. 16, 17).

What is shown wholly once its limit comes near is settled: it is looked at again when
recordings of its officer or device change, as a corrected tag may take one away.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from recorder_sync.catalogue import calendar, news
from recorder_sync.catalogue.footage import plainly_shown, shown
from recorder_sync.catalogue.news import News
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.coverage import Expected, Shown, holes, showing, uncovered
from recorder_sync.rules.deadline import after
from recorder_sync.rules.matter import Matter
from recorder_sync.rules.watch_limits import WatchLimits
from recorder_sync.watching.deferrals import Deferrals
from recorder_sync.watching.source import Look, Undecided


class Enforcement:
    name = "enforcement"
    what = T("Enforcement without a recording")
    kinds = frozenset({AlertKind.NO_RECORDING, AlertKind.COVERAGE_HOLE})

    def __init__(self, deferrals: Deferrals) -> None:
        self._deferrals = deferrals
        self._expected: dict[str, Expected] = {}
        self._shown: dict[str, tuple[Shown, ...]] = {}
        """Of enforcement whose limit came near."""
        self._settled: set[str] = set()
        self._limits: WatchLimits | None = None
        self._version = -1

    def facts(self, look: Look) -> list[Expected]:
        """Return the enforcement that is not explained, and not wholly shown yet."""
        self._take_up_news(look)
        return [one for one in self._expected.values() if one.id not in self._settled]

    def not_shown(self, look: Look) -> list[Expected]:
        """Return the enforcement that has begun, and that no recording shows wholly."""
        begun = [one for one in self.facts(look) if one.span.begins <= look.now]
        for one in begun:
            if one.id not in self._shown:
                self._read(look, one)
        return [one for one in begun if one.id not in self._settled]

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        near = [one for one in self.facts(look) if _is_near(one, look.now, look.limits)]
        recordings: list[Shown] = []
        for one in near:
            found = self._shown.get(one.id)
            if found is None:
                found = self._read(look, one)
            recordings.extend(found)
        deferrals = self._deferrals.now(look.station)
        unsettled = [one for one in near if one.id not in self._settled]
        yield from uncovered(unsettled, recordings, deferrals, look.now, look.limits)

    def _read(self, look: Look, one: Expected) -> tuple[Shown, ...]:
        look.check()
        found = tuple(shown(look.station.catalogue, one.span, one.officer, one.device))
        if _is_shown(one, found, look.limits):
            self._settled.add(one.id)
            found = ()
        self._shown[one.id] = found
        return found

    def _take_up_news(self, look: Look) -> None:
        seen = news.since(look.station.catalogue, self._version)
        is_first = self._version < 0 or look.limits != self._limits
        if is_first:
            self._shown, self._settled, self._limits = {}, set(), look.limits
        if news.CALENDAR in seen.about or self._version < 0:
            self._expected = self._changed_expectations(look)
        self._forget(self._changed_by(seen))
        if is_first:  # years of it, of which nearly all is shown
            for name in plainly_shown(look.station.catalogue) & self._expected.keys():
                self._shown[name] = ()
                self._settled.add(name)
        self._version = seen.version

    def _changed_expectations(self, look: Look) -> dict[str, Expected]:
        found = {one.id: one for one in calendar.unexplained(look.station.catalogue)}
        self._forget(name for name, one in self._expected.items() if found.get(name) != one)
        return found

    def _changed_by(self, seen: News) -> list[str]:
        devices, officers = seen.devices, seen.officers
        if not devices and not officers:
            return []
        return [
            name
            for name in self._shown
            if (one := self._expected.get(name)) is None
            or one.officer in officers
            or one.device in devices
        ]

    def _forget(self, names: Iterable[str]) -> None:
        for name in list(names):
            self._shown.pop(name, None)
            self._settled.discard(name)


def _is_near(one: Expected, now: datetime, limits: WatchLimits) -> bool:
    """Tell whether the limit has come near, if no deferral moves it."""
    return now >= after(one.span.ends, limits.stored_within) - limits.lead


def _is_shown(one: Expected, recordings: Iterable[Shown], limits: WatchLimits) -> bool:
    found = showing(one, recordings, limits)
    return bool(found) and not (one.in_full and holes(one, found, limits))
