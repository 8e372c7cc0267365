"""The settings of what is forwarded: the line, the time of day, how long stores keep it."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from recorder_sync.model import Flag, Kind
from recorder_sync.section import Section

if TYPE_CHECKING:  # every command has the settings, few have these rules
    from recorder_sync.rules.forwarding import LimitedHours, Retention

_Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
_Rate = Annotated[float, Field(gt=0)]
_MB = 1_000_000


class BandwidthHours(Section):
    """A part of each day with a limit of its own."""

    begins: _Clock
    ends: _Clock
    mb_s: _Rate | None = None
    """MB a second at most, 1 000 000 bytes each; None: as fast as it goes."""


class RetentionPolicy(Section):
    """How long stores with a lock keep recordings of one category (Art. 25)."""

    days: Annotated[int, Field(ge=1, le=36_500)]
    kinds: tuple[Kind, ...] = ()
    flags: tuple[Flag, ...] = ()
    cases: bool = False


class Forward(Section):
    limit_mb_s: _Rate | None = None
    """MB a second at most, 1 000 000 bytes each; None: as fast as it goes."""
    bandwidth: tuple[BandwidthHours, ...] = ()
    """Other limits at some time of day; the first that fits counts."""
    stations_on_line: Annotated[int, Field(ge=1, le=1000)] = 1
    """Stations that share the line; each takes its part of the limits."""
    records: bool = True
    """Send the custody log, its checkpoints and the daily backups of the catalogue too."""
    abandon_after_days: Annotated[int, Field(ge=1, le=3650)] = 7
    """Days after which an upload that was begun and belongs to nothing is given up."""
    retention: tuple[RetentionPolicy, ...] = ()
    """How long stores with a lock keep what they are sent; of several the longest."""

    @property
    def usual_rate(self) -> int | None:
        """Bytes a second."""
        return _rate(self.limit_mb_s)

    @property
    def limited_hours(self) -> "tuple[LimitedHours, ...]":
        from recorder_sync.rules.forwarding import LimitedHours

        return tuple(
            LimitedHours(_minutes(one.begins), _minutes(one.ends), _rate(one.mb_s))
            for one in self.bandwidth
        )

    @property
    def policies(self) -> "tuple[Retention, ...]":
        from recorder_sync.rules.forwarding import Retention, Selection

        return tuple(
            Retention(
                Selection(frozenset(one.kinds), frozenset(one.flags), in_case=one.cases),
                days=one.days,
            )
            for one in self.retention
        )


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _rate(mb_s: float | None) -> int | None:
    return None if mb_s is None else max(1, int(mb_s * _MB))
