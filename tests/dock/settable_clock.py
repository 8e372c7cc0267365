"""Runs the command with a system clock that a test can set: by the seconds in a file.

Only the clock itself is replaced, because the real one cannot be set where tests run.
"""

import os
import time
from datetime import timedelta
from pathlib import Path

VARIABLE = "RECORDER_SYNC_TESTS_CLOCK"


def _set_by_s() -> int:
    return int(Path(os.environ[VARIABLE]).read_text() or 0)


def _make_settable() -> None:
    from recorder_sync import station

    real, now = time.clock_gettime_ns, station.now

    def clock_gettime_ns(which: int) -> int:
        moved = _set_by_s() * 1_000_000_000 if which == time.CLOCK_REALTIME else 0
        return real(which) + moved

    time.clock_gettime_ns = clock_gettime_ns
    station.now = lambda: now() + timedelta(seconds=_set_by_s())


if __name__ == "__main__":
    from tests.on_the_day import shift_the_clock

    shift_the_clock()
    _make_settable()
    from recorder_sync.__main__ import main

    main()
