"""Officers who are at a tile of the dock: for a minute, or as long as they touch something.

Kept in memory only: a restart ends them, and nothing of them can be stolen from a file. The
browser has a token that is good for the dock screen and nothing else.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

IDLE_S = 60
_GRACE_S = 5.0
"""What a touch may take on its way: the countdown on the screen ends first."""
_WHOLE_S = 900.0


@dataclass(slots=True)
class AtTile:
    """One officer at one docking's tile."""

    officer: str
    """Certificate number."""
    docking: str
    begun: float
    touched: float
    seen: set[str] = field(default_factory=set)
    """Recordings whose pictures this officer has on record as looked at."""


class OfficerSessions:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._open: dict[str, AtTile] = {}

    def begin(self, officer: str, docking: str) -> str:
        token, at = secrets.token_urlsafe(32), self._now()
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if not self._is_over(one)}
            self._open[token] = AtTile(officer, docking, at, at)
        return token

    def resume(
        self, token: str | None, docking: str | None = None, *, is_touched: bool = True
    ) -> AtTile | None:
        """Return who has the token, where it is not over and of this docking; it goes on.

        `is_touched` is False for what the screen asks by itself: that keeps nobody at the tile.
        """
        with self._lock:
            found = self._open.get(token or "")
            if found is None or (docking is not None and docking != found.docking):
                return None
            if self._is_over(found):
                del self._open[token or ""]
                return None
            if is_touched:
                found.touched = self._now()
            return found

    def end(self, token: str | None) -> None:
        with self._lock:
            self._open.pop(token or "", None)

    def _is_over(self, one: AtTile) -> bool:
        at = self._now()
        return at - one.touched > IDLE_S + _GRACE_S or at - one.begun > _WHOLE_S
