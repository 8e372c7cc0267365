"""The daemon that has the network, and reads evidence only: sealed recordings go to evidence
stores, checkpoints to witnesses, messages about alerts to people, events to other programs.

It opens no device and never writes to the evidence folder; it works with the state folder,
and lives until it is told to stop.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder_sync.channels.delivering import telling
from recorder_sync.forward.engine import forwarding
from recorder_sync.journal import Log
from recorder_sync.left_behind import end_without_them
from recorder_sync.service_life import ServiceLife
from recorder_sync.webhooks.delivering import telling_events
from recorder_sync.witnessing.delivery import delivering

_FIXED = ("station", "paths")

_log = Log()


class ForwardService:
    """One process that sends what leaves the machine."""

    def __init__(self, configuration: Path) -> None:
        """Read the configuration. Raises ConfigurationProblem or MissingPart."""
        self._life = ServiceLife(configuration, _FIXED, _log)

    def run(self) -> int:
        """Work until a signal comes; return the exit code."""
        return end_without_them(self._life.run(self._sending))

    @contextmanager
    def _sending(self) -> Iterator[str]:
        in_use = self._life.in_use
        with delivering(in_use), telling(in_use), forwarding(in_use), telling_events(in_use):
            yield "running"
