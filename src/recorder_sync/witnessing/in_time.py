"""Work that may hang, with an end to how long it is waited for.

Python cannot end a thread, and some calls cannot be cut off: looking a name up, or a library
that reads from a server byte by byte. Such work has a thread of its own that is left behind
when its time is over. As long as it hangs no second one for the same thing is begun, so a
server that never ends an answer holds one thread, and not one more with each try.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

_CUT_S = 1.0
"""Seconds for work that was cut off to end."""

_under_way: dict[str, threading.Thread] = {}
"""By what it is about: what was begun last."""
_lock = threading.Lock()


def in_time(
    about: str,
    work: Callable[[], Result],
    within_s: float,
    cut: Callable[[], None] = lambda: None,
) -> Result:
    """Do the work and return its result; `about` names what only one hangs on at a time.

    When its time is over, `cut` is called. Raises TimeoutError then, or when the last work
    about the same thing still hangs, and whatever the work raises.
    """
    result: list[Result] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            result.append(work())
        except Exception as error:  # noqa: BLE001 - raised below
            failed.append(error)

    thread = threading.Thread(target=run, name=about, daemon=True)
    with _lock:
        before = _under_way.get(about)
        if before is not None and before.is_alive():
            raise TimeoutError("the last one has not ended yet")
        thread.start()
        _under_way[about] = thread
    thread.join(within_s)
    if thread.is_alive():
        cut()
        thread.join(_CUT_S)
        raise TimeoutError("it took too long")
    if failed:
        raise failed[0]
    return result[0]
