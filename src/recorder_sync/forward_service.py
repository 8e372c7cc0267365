"""The daemon that has the network, and reads evidence only: sealed recordings go to evidence
stores, checkpoints to witnesses, messages about alerts to people, events to other programs.

It opens no device and never writes to the evidence folder; it works with the state folder,
and lives until it is told to stop. Signals: SIGTERM and SIGINT stop it, SIGHUP has it read its
configuration again.
"""

from pathlib import Path

import structlog

from recorder_sync import __version__
from recorder_sync.channels.delivering import telling
from recorder_sync.config import load
from recorder_sync.errors import RecorderSyncError, all_of
from recorder_sync.forward.engine import forwarding
from recorder_sync.journal import log_to_the_journal
from recorder_sync.left_behind import end_without_them
from recorder_sync.notify import Notify
from recorder_sync.owner import work_as_owner_of
from recorder_sync.service_signals import ServiceSignals
from recorder_sync.webhooks.delivering import telling_events
from recorder_sync.witnessing.delivery import delivering

_BEAT_S = 1.0
_FIXED = ("station", "paths")
"""Sections that are in force from the start to the end of the process."""

_log = structlog.get_logger("forward")


class ForwardService:
    """One process that sends what leaves the machine."""

    def __init__(self, configuration: Path) -> None:
        """Read the configuration. Raises ConfigurationProblem or MissingPart."""
        self._path = configuration
        self._settings = load(configuration)
        self._signals = ServiceSignals()
        self._notify = Notify()

    def run(self) -> int:
        """Work until a signal comes; return the exit code."""
        log_to_the_journal()
        work_as_owner_of(self._settings.paths.state)
        with (
            self._signals.heard(),
            delivering(lambda: self._settings),
            telling(lambda: self._settings),
            forwarding(lambda: self._settings),
            telling_events(lambda: self._settings),
        ):
            self._notify.ready("running")
            _log.info("ready", version=__version__, station=self._settings.station.id)
            while (ending := self._signals.ending) is None:
                if self._signals.asks_to_reload():
                    self._reload()
                self._notify.alive()
                self._signals.wait(_BEAT_S)
            self._notify.stopping()
        _log.info("stopped")
        return end_without_them(128 + ending)

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
