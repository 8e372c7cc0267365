"""The daemon that people look at: the dock screen, the console and the API.

It reads evidence and never writes there; what it puts on record goes to the custody log and
the catalogue.
"""

from pathlib import Path

from recorder_sync.journal import Log
from recorder_sync.service_life import ServiceLife
from recorder_sync.web.serving import serving

_FIXED = ("station", "paths", "web")

_log = Log()


class WebService:
    """One process that serves the pages."""

    def __init__(self, configuration: Path) -> None:
        """Read the configuration. Raises ConfigurationProblem or MissingPart."""
        self._path = configuration
        self._life = ServiceLife(configuration, _FIXED, _log)

    def run(self) -> int:
        """Work until a signal comes; return the exit code. Raises MissingPart."""
        return self._life.run(lambda: serving(self._life.in_use, self._path))
