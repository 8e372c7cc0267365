"""A thread that works for one store: with a station of its own, and behind everything else."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from recorder_sync.forward.shared import Shared
from recorder_sync.inspection.pace import step_back
from recorder_sync.journal import Log
from recorder_sync.lasting import LastingThread
from recorder_sync.station import Station

Opens = Callable[[], AbstractContextManager[Station]]
"""Opens the station for one thread, which closes it."""

_log = Log()


def store_thread(
    shared: Shared, part: str, opens: Opens, work: Callable[[Station], None], broken: str
) -> LastingThread:
    """Return a thread, not started yet, for one part of what is done for a store."""

    def run() -> None:
        step_back()
        with opens() as station:
            work(station)

    return LastingThread(f"{shared.destination.name}-{part}", run, _log, broken)
