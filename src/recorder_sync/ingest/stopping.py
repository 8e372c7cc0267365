"""A request to stop, made by a signal and looked at between two steps."""

import threading


class Stopping(Exception):
    """Leaves what is under way in the middle; the next intake goes on with it."""


class Stop:
    """Whether somebody asked to stop."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise Stopping when it was requested."""
        if self.requested:
            raise Stopping

    def wait(self, seconds: float) -> None:
        """Wait so long; raise Stopping as soon as it is requested."""
        if self._event.wait(seconds):
            raise Stopping

    def wait_quietly(self, seconds: float) -> None:
        """Wait so long, or until it is requested."""
        self._event.wait(seconds)
