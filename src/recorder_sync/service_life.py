"""The life of a service beside the dock's: it says that it is ready and alive, takes up its
settings anew, and ends.

SIGTERM and SIGINT end it, SIGHUP has it read its configuration again.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from operator import attrgetter
from pathlib import Path
from typing import Any

from recorder_sync import __version__
from recorder_sync.config import Configuration, load
from recorder_sync.errors import RecorderSyncError, all_of
from recorder_sync.journal import log_to_the_journal
from recorder_sync.notify import Notify
from recorder_sync.owner import work_as_owner_of
from recorder_sync.service_signals import ServiceSignals

_BEAT_S = 1.0


class ServiceLife:
    """The main thread of a service, which works in threads of its own."""

    def __init__(self, configuration: Path, fixed: tuple[str, ...], log: Any) -> None:
        """Read the configuration. Raises ConfigurationProblem or MissingPart.

        `fixed` are sections that are in force from the start to the end of the process.
        """
        self._path = configuration
        self._fixed = fixed
        self._log = log
        self._settings = load(configuration)
        self._signals = ServiceSignals()
        self._notify = Notify()

    def in_use(self) -> Configuration:
        """Return the settings in force; another object when they were taken up anew."""
        return self._settings

    def run(self, work: Callable[[], AbstractContextManager[str]]) -> int:
        """Have the work done until a signal comes; return the exit code.

        What the block of `work` yields is said as the service's status. Raises what it raises.
        """
        log_to_the_journal()
        work_as_owner_of(self._settings.paths.state)
        with self._signals.heard(), work() as status:
            self._notify.ready(status)
            self._log.info("ready", version=__version__, station=self._settings.station.id)
            while (ending := self._signals.ending) is None:
                if self._signals.asks_to_reload():
                    self._reload()
                self._notify.alive()
                self._signals.wait(_BEAT_S)
            self._notify.stopping()
        self._log.info("stopped")
        return 128 + ending

    def _reload(self) -> None:
        """Take up the configuration as it is now; a bad one is refused and the old one kept."""
        self._notify.reloading()
        try:
            fresh = load(self._path)
        except RecorderSyncError as error:
            why = all_of(error)
            self._log.error("configuration refused, the old one stays in force", why=why)
        else:
            later = changed(self._fixed, self._settings, fresh)
            self._settings = with_fixed(self._fixed, self._settings, fresh)
            self._log.info("configuration taken up", after_restart=", ".join(later) or None)
        self._notify.ready("running")


def changed(names: tuple[str, ...], before: Configuration, after: Configuration) -> list[str]:
    """Return which of these settings, by names with dots, have another value."""
    return [name for name in names if attrgetter(name)(before) != attrgetter(name)(after)]


def with_fixed(
    fixed: tuple[str, ...], before: Configuration, after: Configuration
) -> Configuration:
    """Return the new configuration with the old one's sections where they are fixed."""
    return after.model_copy(update={name: getattr(before, name) for name in fixed})
