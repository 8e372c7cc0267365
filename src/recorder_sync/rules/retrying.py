"""When is a message tried again that was not delivered, and when is it given up?

The wait doubles from seconds to a quarter of an hour, each time shortened by chance a
little, so that what failed together is not tried again together. A server that asks to be
left alone is, up to a quarter of an hour. A message is given up when it is too old, and
only after it was tried some times: a station that was without power for days tries first.

Times are in UTC and of a clock that may have been set.
"""

from datetime import datetime, timedelta

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
TRIES = 5
"""Attempts before a message is given up, however old it is."""
_VARIES = 0.25


def wait_after(attempts: int, chance: float, retry_after_s: float | None = None) -> timedelta:
    """Return how long to wait after so many attempts failed.

    `chance` is from 0 up to 1. The wait is never longer than `LONGEST_WAIT`.
    """
    doubled = FIRST_WAIT * (1 << min(max(attempts, 1) - 1, 20))
    wait = min(doubled, LONGEST_WAIT) * (1 - _VARIES * chance)
    asked = timedelta(seconds=min(retry_after_s or 0.0, LONGEST_WAIT.total_seconds()))
    return max(wait, asked)


def is_due(next_try: datetime, now: datetime) -> bool:
    """Tell whether to try: also when only a clock that was set back makes it seem later."""
    return next_try <= now or next_try - now > LONGEST_WAIT


def is_given_up(made: datetime, attempts: int, now: datetime, after: timedelta) -> bool:
    """Tell whether a message that just failed again is given up."""
    return attempts >= TRIES and now - made > after
