"""The daemon that people look at: the dock screen, the console and the API.

It reads evidence and never writes there; what it puts on record goes to the custody log and
the catalogue. Signals: SIGTERM and SIGINT stop it, SIGHUP has it read its configuration again.
"""

from pathlib import Path

import structlog

from recorder_sync import __version__
from recorder_sync.config import load
from recorder_sync.errors import RecorderSyncError, all_of
from recorder_sync.journal import log_to_the_journal
from recorder_sync.notify import Notify
from recorder_sync.owner import work_as_owner_of
from recorder_sync.service_signals import ServiceSignals
from recorder_sync.web.serving import serving

_BEAT_S = 1.0
_FIXED = ("station", "paths", "web")
"""Sections that are in force from the start to the end of the process."""

_log = structlog.get_logger("web")


class WebService:
    """One process that serves the pages."""

    def __init__(self, configuration: Path) -> None:
        """Read the configuration. Raises ConfigurationProblem or MissingPart."""
        self._path = configuration
        self._settings = load(configuration)
        self._signals = ServiceSignals()
        self._notify = Notify()

    def run(self) -> int:
        """Work until a signal comes; return the exit code. Raises MissingPart."""
        log_to_the_journal()
        work_as_owner_of(self._settings.paths.state)
        with self._signals.heard(), serving(lambda: self._settings, self._path) as address:
            self._notify.ready(address)
            _log.info("ready", version=__version__, station=self._settings.station.id)
            while (ending := self._signals.ending) is None:
                if self._signals.asks_to_reload():
                    self._reload()
                self._notify.alive()
                self._signals.wait(_BEAT_S)
            self._notify.stopping()
        _log.info("stopped")
        return 128 + ending

    def _reload(self) -> None:
        """Take up the configuration as it is now; a bad one is refused and the old one kept."""
        self._notify.reloading()
        try:
            fresh = load(self._path)
        except RecorderSyncError as error:
            why = all_of(error)
            _log.error("configuration refused, the old one stays in force", why=why)
        else:
            later = [n for n in _FIXED if getattr(fresh, n) != getattr(self._settings, n)]
            kept: dict[str, object] = {name: getattr(self._settings, name) for name in _FIXED}
            self._settings = fresh.model_copy(update=kept)
            _log.info("configuration taken up", after_restart=", ".join(later) or None)
        self._notify.ready("running")
