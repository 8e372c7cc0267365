"""A line to a server that is far away: bytes arrive later, as many of them as before.

A process of its own passes TCP connections on and holds back what comes by half the time there
and back, each way. So a request costs time and no processor, as on any real network. Bandwidth is
not limited, and nothing gets lost.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def far_line(port: int, there_and_back_s: float) -> Iterator[int]:
    """Yield a port on loopback that leads to another one, so much later."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(_pass_on(listener, port, there_and_back_s / 2))
        finally:
            os._exit(1)
    try:
        yield int(listener.getsockname()[1])
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        listener.close()


async def _pass_on(listener: socket.socket, port: int, delay_s: float) -> None:
    loop = asyncio.get_running_loop()

    def accepted() -> "_End":
        near, far = _End(delay_s), _End(delay_s)
        near.other, far.other = far, near
        connecting = loop.create_task(loop.create_connection(lambda: far, "127.0.0.1", port))
        far.connecting = near.connecting = connecting
        return near

    server = await loop.create_server(accepted, sock=listener)
    await server.serve_forever()


class _End(asyncio.Protocol):
    """One end of a connection; what comes in leaves by the other, later."""

    def __init__(self, delay_s: float) -> None:
        self.other: _End | None = None
        self.connecting: asyncio.Task[object] | None = None
        self._delay_s = delay_s
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes | None] = []
        self._last = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        early, self._early = self._early, []
        for data in early:
            self._write(data)

    def data_received(self, data: bytes) -> None:
        self._later(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._later(None)

    def _later(self, data: bytes | None) -> None:
        loop = asyncio.get_running_loop()
        # Never at the same time as what came before: that could overtake it.
        self._last = max(loop.time() + self._delay_s, self._last + 1e-6)
        assert self.other is not None
        loop.call_at(self._last, self.other._write, data)

    def _write(self, data: bytes | None) -> None:
        if self._transport is None:
            self._early.append(data)
        elif data is None:
            self._transport.close()
        else:
            self._transport.write(data)
