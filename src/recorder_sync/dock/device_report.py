"""What one source says of a plugged device's state."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """What it does not say is None."""

    percent: int | None = None
    charging: bool | None = None
    clock: datetime | None = None
    """What the device's clock showed, in UTC."""
    at: datetime | None = None
    """The station's time when it showed that; None only where `clock` is."""
    firmware: str | None = None
    model: str | None = None

    @property
    def offset_s(self) -> float | None:
        """Seconds that the device's clock is ahead of the station's."""
        if self.clock is None or self.at is None:
            return None
        return round((self.clock - self.at).total_seconds(), 3)


def halfway(begun: datetime, done: datetime) -> datetime:
    """Return the station's time that fits best what a question of some seconds found."""
    return begun + (done - begun) / 2
