"""The check at a docking, with what it needs of the daemon."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from recorder_sync.config import Configuration
from recorder_sync.dock.health import check
from recorder_sync.dock.plugged import Plugged
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.ingest.intake import unreadable_card
from recorder_sync.ingest.volume import Volume
from recorder_sync.model import Health
from recorder_sync.station import now


class Checking:
    """Checks one device after the other, with the configuration in use."""

    def __init__(self, settings: Callable[[], Configuration], capacity: Capacity) -> None:
        self._settings = settings
        self._capacity = capacity

    def __call__(self, plugged: Plugged, root: Path) -> Health:
        """Return what can be found out. Raises MissingPart when the volume cannot be opened."""
        settings = self._settings()
        try:
            volume = Volume(root)
        except OSError as error:
            raise unreadable_card(root, error) from error
        try:
            found = check(
                plugged,
                volume,
                settings.known_profiles,
                self._capacity.describer,
                settings.station.zone,
                now,
            )
            return replace(found, maker=plugged.maker, model=found.model or plugged.model)
        finally:
            volume.close()
