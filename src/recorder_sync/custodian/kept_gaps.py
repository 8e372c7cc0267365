"""The gaps of some weeks, kept in memory, so that a page of thousands of them is there at once.

`rules/continuity.py` says what is a gap, and what explains one. A time that is asked for the
first time is read as a whole; later only the devices that there is news of since: a recording
came in, its device or officer was corrected, an explanation was put on record. What is kept can
always be read again.

Who may see a gap is not asked here: what is kept is kept for everybody.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from recorder_sync.catalogue import news
from recorder_sync.custodian.interruptions import Interruption, interruptions
from recorder_sync.rules.watch_limits import WatchLimits
from recorder_sync.station import Station

_WEEKS = 6
"""Times that are kept; of a busy station, half a megabyte each."""
_ONE_BY_ONE = 60
"""Devices that are read one by one; where there is news of more, all of them are read at once."""
_LONGEST = timedelta(days=1)
"""An action hardly lasts longer."""


@dataclass(frozen=True, slots=True)
class ListedGap:
    """A gap without the action that it is in."""

    device: str
    after: str
    """The recording with which it was resumed."""
    officer: str | None
    """Certificate number of whose recording that is."""
    begins: datetime
    ends: datetime
    is_explained: bool


_Time = tuple[datetime, datetime, WatchLimits]
_ByDevice = dict[str, list[ListedGap]]


class KeptGaps:
    """The gaps of the times that were asked for last."""

    def __init__(self) -> None:
        self._kept: dict[_Time, tuple[int, _ByDevice]] = {}
        """The one asked for last comes last; with the version of the news it was read at."""
        self._one_at_a_time = threading.Lock()

    def ending_in(self, station: Station, begins: datetime, ends: datetime) -> list[ListedGap]:
        """Return the gaps of all devices that end in a time; the end is not part of it."""
        time = begins, ends, station.settings.watch_limits
        with self._one_at_a_time:
            version, found = self._kept.pop(time, (0, {}))
            seen = news.since(station.catalogue, version)
            if version == 0 or len(seen.devices) > _ONE_BY_ONE:
                found = _by_device(gaps_ending_in(station, None, begins, ends))
            else:
                for device in seen.devices:
                    found[device] = gaps_ending_in(station, device, begins, ends)
            self._kept[time] = seen.version, found
            while len(self._kept) > _WEEKS:
                del self._kept[next(iter(self._kept))]
            return [one for of_device in found.values() for one in of_device]


def gaps_ending_in(
    station: Station, device: str | None, begins: datetime, ends: datetime
) -> list[ListedGap]:
    """Return the gaps of a device, or of all, that end in a time; its end is not part of it."""
    return [
        _listed(one)
        for one in interruptions(station, device, begins - _LONGEST, ends)
        if begins <= one.gap.ends < ends
    ]


def _listed(one: Interruption) -> ListedGap:
    gap = one.gap
    officer = next(p.officer for p in one.action.pieces if p.recording == gap.after)
    return ListedGap(one.action.device, gap.after, officer, gap.begins, gap.ends, one.is_explained)


def _by_device(found: Iterable[ListedGap]) -> _ByDevice:
    of: _ByDevice = {}
    for one in found:
        of.setdefault(one.device, []).append(one)
    return of
