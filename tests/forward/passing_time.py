"""Runs the command on a day of its own: by the seconds in a file its clocks have moved on.

Both are moved, the one that people set and the one that nobody sets: time has passed, as far
as this process can tell. Threads that wait do so in real time.
"""

import os
import time
from datetime import timedelta
from pathlib import Path

VARIABLE = "RECORDER_SYNC_TESTS_TIME_PASSED"


def passed_s() -> int:
    return int(Path(os.environ[VARIABLE]).read_text() or 0)


def let_time_pass() -> None:
    from recorder_sync import station

    real, now = time.monotonic, station.now
    time.monotonic = lambda: real() + passed_s()
    station.now = lambda: now() + timedelta(seconds=passed_s())


if __name__ == "__main__":
    from tests.on_the_day import shift_the_clock

    shift_the_clock()
    let_time_pass()
    from recorder_sync.__main__ import main

    main()
