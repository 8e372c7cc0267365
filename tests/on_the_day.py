"""Lets tests run on 2026-11-23, the day that the recordings on the test cards are of.

Imported first thing by the tests, and run in the place of the command by their child
processes: the station's clock is shifted, and nothing else. Whether a recording is late
or from the future would otherwise depend on when the tests are run.
"""

import os
import time
from datetime import UTC, datetime, timedelta

_DAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
_VARIABLE = "RECORDER_SYNC_TESTS_BEGAN"


def _shift() -> timedelta:
    began = float(os.environ.setdefault(_VARIABLE, str(time.time())))
    return datetime.fromtimestamp(began, UTC) - _DAY


def today() -> datetime:
    """Return the time on that day, as it goes on while the tests run."""
    return datetime.now(UTC) - _shift()


def shift_the_clock() -> None:
    from recorder_sync import station
    from recorder_sync.timestamps import to_milliseconds

    _shift()  # the day begins once, for this process and for its children
    station.now = lambda: to_milliseconds(today())


if __name__ == "__main__":
    shift_the_clock()
    from recorder_sync.__main__ import main

    main()
