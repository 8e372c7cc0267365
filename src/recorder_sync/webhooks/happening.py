"""What other programs may be told of (`happenings.py` says by which entries)."""

from enum import StrEnum


class Happening(StrEnum):
    RECORDING_SEALED = "recording.sealed"
    RECORDING_CORRECTED = "recording.corrected"
    RECORDING_CONFIRMED = "recording.confirmed"
    """An evidence store has shown that it has it."""
    DOCKING_CLOSED = "docking.closed"
    DEVICE_MOVED = "device.moved"
    """It was issued, returned, reported faulty, repaired, retired or lost."""
    ALERT_OPENED = "alert.opened"
    ALERT_RESOLVED = "alert.resolved"
