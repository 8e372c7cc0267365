"""Keeps the sums of the statistics up to date: a part of each look, and nothing that is watched."""

from collections.abc import Iterator

from recorder_sync.catalogue.day_figures import Basis, bring_up
from recorder_sync.catalogue.year_figures import sum_up
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.figures import day_of
from recorder_sync.rules.matter import Matter
from recorder_sync.watching.source import Look, Undecided

_DAYS = 28
"""Added up in one look at most; after an upgrade with years of recordings it takes some."""
_AT_ONCE = 7
_PERIODS = 13


class DayFigures:
    """The sums of each day. That they cannot be made is a matter as of any source."""

    name = "day-figures"
    what = T("The figures of the statistics")
    kinds = frozenset[AlertKind]()

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        basis = Basis(look.station.settings.station.zone, look.limits)
        for _ in range(_DAYS // _AT_ONCE):
            look.check()
            if not bring_up(look.station.catalogue, basis, _AT_ONCE):
                self._sum_up(look, basis)
                break
        yield from ()

    def _sum_up(self, look: Look, basis: Basis) -> None:
        """Make the sums of months and years that are over."""
        today = day_of(look.now, basis.zone)
        for _ in range(_PERIODS):
            look.check()
            if not sum_up(look.station.catalogue, today, 1):
                break
