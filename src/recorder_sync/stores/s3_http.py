"""HTTP over TLS to one server, by connections that are kept for the next request.

The standard library's parser reads the answers. What is here is that nothing of the environment
counts, small requests leave in one piece, and an answer that ends too early is an error and
never a short one.
"""

import select
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path

from recorder_sync.stores.s3_answers import lowered

_CONNECT_S = 10
_UNUSED_S = 20
"""Seconds after which a connection is not used again: servers and firewalls forget them."""
_PIECE = 256 << 10
"""Bytes that have to leave within the patience that a server is given."""
_LARGEST = 32 << 20
"""Bytes of an answer that is read whole."""


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return what checks a server's certificate, by these authorities or the computer's.

    Raises OSError where the file cannot be used, or the computer trusts nobody.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
        return context
    usual = ssl.get_default_verify_paths()  # those compiled in: variables could name others
    file, folder = Path(usual.openssl_cafile), Path(usual.openssl_capath)
    context.load_verify_locations(
        cafile=str(file) if file.is_file() else None,
        capath=str(folder) if folder.is_dir() or not file.is_file() else None,
    )
    return context


class Answer:
    """What a server says to one request. Its body is to be read to the end, or closed."""

    def __init__(self, lines: "Lines", line: ssl.SSLSocket, response: HTTPResponse) -> None:
        self.status = response.status
        self.headers: dict[str, str] = lowered(response.getheaders())
        self._lines = lines
        self._line = line
        self._response = response

    def whole(self) -> bytes:
        """Return the body of an answer that is not large. Raises OSError, HTTPException."""
        read = b""
        while data := self.read(_LARGEST):
            read += data
            if len(read) > _LARGEST:
                self.close()
                raise HTTPException("the answer is too large")
        return read

    def read(self, size: int) -> bytes:
        """Return at most so many bytes of the body; none: it is at its end.

        Raises OSError, HTTPException.
        """
        response = self._response
        try:
            data = response.read(size)
            if data:
                return data
            if response.length:
                raise IncompleteRead(b"", response.length)
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        else:
            response.close()
            self._lines.keep(self._line)
        return b""

    def close(self) -> None:
        """Give the connection up."""
        self._response.close()
        self._line.close()


class Lines:
    """Connections to one server. Threads share it."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, patience_s: float) -> None:
        """Connect to nothing yet."""
        self._host = host
        self._port = port
        self._context = context
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._kept: list[tuple[float, ssl.SSLSocket]] = []
        self._is_open = True

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | memoryview
    ) -> Answer:
        """Make one request, and return the answer when its head has come.

        Raises OSError, HTTPException.
        """
        head = _head(method, target, headers, body)
        line = self._line()
        try:
            failure = _sent(line, head, body)
            response = HTTPResponse(line, method=method)
            try:
                response.begin()
            except (OSError, HTTPException) as error:
                response.close()
                raise failure or error from None
            if failure is not None:  # it was refused before all of it had come
                response.will_close = True
            return Answer(self, line, response)
        except BaseException:
            line.close()
            raise

    def keep(self, line: ssl.SSLSocket) -> None:
        """Keep a connection for the next request."""
        with self._lock:
            if self._is_open:
                self._kept.append((time.monotonic(), line))
                return
        line.close()

    def close(self) -> None:
        """Close what is not in use now, and later what is."""
        with self._lock:
            self._is_open = False
            kept, self._kept = self._kept, []
        for _, line in kept:
            line.close()

    def _line(self) -> ssl.SSLSocket:
        while True:
            with self._lock:
                if not self._kept:
                    break
                since, line = self._kept.pop()
            if time.monotonic() - since < _UNUSED_S and _is_quiet(line):
                return line
            line.close()
        plain = socket.create_connection((self._host, self._port), _CONNECT_S)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            # An end without TLS' own sign is a line that broke, and no end of an answer.
            line = self._context.wrap_socket(
                plain, server_hostname=self._host, suppress_ragged_eofs=False
            )
        except BaseException:
            plain.close()
            raise
        line.settimeout(self._patience_s)
        return line


def _head(method: str, target: str, headers: Mapping[str, str], body: bytes | memoryview) -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method in ("PUT", "POST"):
        lines.append(f"content-length: {len(body)}")
    head = "\r\n".join(lines)
    if head.count("\r") + head.count("\n") != 2 * (len(lines) - 1):
        raise ValueError("a header has more than one line")
    return f"{head}\r\n\r\n".encode("ascii")


def _sent(line: ssl.SSLSocket, head: bytes, body: bytes | memoryview) -> OSError | None:
    """Send a request; return why not all of it went, where the server wanted no more."""
    try:
        if len(body) <= _PIECE:
            line.sendall(head + body)
            return None
        line.sendall(head)
        with memoryview(body) as view:
            for at in range(0, len(view), _PIECE):
                line.sendall(view[at : at + _PIECE])
    except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError) as error:
        return error
    return None


def _is_quiet(line: ssl.SSLSocket) -> bool:
    """Tell whether the server has neither closed a connection nor said something unasked."""
    poll = select.poll()
    poll.register(line, select.POLLIN)
    with suppress(OSError):
        return not poll.poll(0)
    return False
