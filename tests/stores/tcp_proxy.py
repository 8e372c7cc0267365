"""A proxy between a store and its server, for raw TCP, that breaks what goes through it."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_RESET = struct.pack("ii", 1, 0)


class TcpProxy:
    """One port that leads to another, until it is told to break."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._room: int | None = None
        self.is_hanging = False
        self.accepted = 0
        """Connections that were made."""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def reset_after(self, sent: int | None) -> None:
        """Reset the connections when so many more bytes have gone to the server, once."""
        with self._lock:
            self._room = sent

    @property
    def is_reset(self) -> bool:
        """Tell whether what `reset_after` asked for has come."""
        with self._lock:
            return self._room is None

    def reset_now(self) -> None:
        with self._lock:
            connections, self._open = self._open, []
        for one in connections:
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def close(self) -> None:
        self._listener.close()
        self.reset_now()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                self.accepted += 1
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open += [client, server]
            for source, target, counts in ((client, server, True), (server, client, False)):
                threading.Thread(
                    target=self._pass_on, args=(source, target, counts), daemon=True
                ).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if self.is_hanging:
                    continue
                if counts and self._takes_its_end(len(data)):
                    self.reset_now()
                    return
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _takes_its_end(self, size: int) -> bool:
        with self._lock:
            if self._room is None:
                return False
            self._room -= size
            if self._room > 0:
                return False
            self._room = None
            return True


@contextmanager
def tcp_proxy(port: int) -> Iterator[TcpProxy]:
    proxy = TcpProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
