"""Connections that take their time: how long one may wait, and how many there may be.

In `recorder-sync run` the pages share their process with the intake, and each connection costs
an open file: clients that send their requests drop by drop must not take the files that
recordings are sealed with. So a request has to be there within some seconds, and when there are
too many connections, new ones are not taken. An answer may be read slowly, but not be left
lying: a player that is paused for long asks again where it was, and the dock screens hear
something every few seconds.
"""

import asyncio
import resource

from uvicorn.protocols.http.h11_impl import H11Protocol

_OF_OPEN_FILES = 0.5
"""Part of the files that this process may have open, which connections may take."""


class Impatient(H11Protocol):
    """One connection, which is closed where its request does not come."""

    head_within_s = 10.0
    """Seconds for the head of a request, from the connection or the end of the answer before."""
    body_within_s = 60.0
    """Seconds for the rest of it."""
    read_within_s = 600.0
    """Seconds for which nothing of an answer may be read."""
    most = 500
    """Connections at once, if as many files may be open."""
    most_of_one = 200
    """Of them, of one address; a proxy has one address for all."""

    _check: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _waits_since: float = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._most() or self._of_this_address() > self._most_of_one():
            transport.abort()
            return
        self._waits_since = self.loop.time()
        self._look_again(self.head_within_s)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._check, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        self._stalled = self.loop.call_later(self.read_within_s, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        super().resume_writing()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._waits_since = self.loop.time()
        if self._check is not None:
            self._check.cancel()
        self._look_again(self.head_within_s)

    def _most(self) -> float:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return self.most if soft < 0 else min(self.most, soft * _OF_OPEN_FILES)

    def _most_of_one(self) -> float:
        return self.most if self.config.proxy_headers else self.most_of_one

    def _of_this_address(self) -> int:
        return sum(_address(one) == _address(self) for one in self.connections)

    def _look_again(self, after_s: float) -> None:
        if not self.transport.is_closing():
            self._check = self.loop.call_later(after_s, self._look)

    def _look(self) -> None:
        asked = self.cycle
        if self.transport.get_write_buffer_size():  # the answer is still being read
            self._waits_since = self.loop.time()
        if asked is None or asked.response_complete:  # a request is waited for
            self._close_after(self.head_within_s)
        elif asked.more_body and not asked.response_started:
            self._close_after(self.body_within_s)

    def _close_after(self, seconds: float) -> None:
        left = self._waits_since + seconds - self.loop.time()
        if left <= 0:
            self.transport.abort()
        else:
            self._look_again(left)


def _address(connection: object) -> str | None:
    client: tuple[str, int] | None = getattr(connection, "client", None)
    return client[0] if client else None
