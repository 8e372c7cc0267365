"""Somebody whom checkpoints are delivered to."""

from abc import ABC, abstractmethod

from recorder_sync.custody.checkpoints import Signed
from recorder_sync.errors import RecorderSyncError


class NotDelivered(RecorderSyncError):
    """It did not work this time, and is tried again."""


class WitnessRefuses(RecorderSyncError):
    """The witness says that this log is not the one that it saw: never to be passed over."""


class Target(ABC):
    """One of those that the settings name."""

    name: str
    """For people and logs; holds no secret."""

    @abstractmethod
    def has(self, size: int) -> bool:
        """Tell whether a checkpoint of so many entries needs no delivery. Raises OSError."""

    @abstractmethod
    def deliver(self, signed: Signed) -> None:
        """Deliver it, and keep what came back, synced.

        Raises NotDelivered, WitnessRefuses, or OSError when it cannot be kept.
        """
