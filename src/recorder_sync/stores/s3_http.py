"""HTTP over TLS to one server, by connections that are kept for the next request.

Nothing of the environment counts, small requests leave in one piece, and an answer that ends
too early is an error and never a short one. The standard library's client would take a third of
the processor time of a small object: most of that is its parser of e-mail headers.
"""

import select
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected
from pathlib import Path

_CONNECT_S = 10
_UNUSED_S = 20
"""Seconds after which a connection is not used again: servers and firewalls forget them."""
_PIECE = 1 << 20
"""Bytes that have to leave within the patience that a server is given."""
_AT_ONCE = 64 << 10
_LARGEST_HEAD = 64 << 10
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


class _Line:
    """One connection, and what has come of it and was not read yet."""

    def __init__(self, connected: ssl.SSLSocket) -> None:
        self._socket = connected
        self._held = bytearray()

    def send(self, data: bytes | memoryview) -> None:
        self._socket.sendall(data)

    def until(self, mark: bytes) -> bytes:
        """Return what comes before a mark, without it. Raises OSError, HTTPException."""
        while (end := self._held.find(mark)) < 0:
            if len(self._held) > _LARGEST_HEAD:
                raise HTTPException("the head of the answer is too large")
            if not (data := self._socket.recv(_AT_ONCE)):
                raise RemoteDisconnected("the connection ended before the answer did")
            self._held += data
        found = bytes(self._held[:end])
        del self._held[: end + len(mark)]
        return found

    def some(self, size: int) -> bytes:
        """Return at most so many bytes; none: the connection has ended."""
        if not self._held:
            return self._socket.recv(size)
        found = bytes(self._held[:size])
        del self._held[:size]
        return found

    def is_quiet(self) -> bool:
        """Tell whether the server has neither closed it nor said something unasked."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        with suppress(OSError):
            return not self._held and not poll.poll(0)
        return False

    def close(self) -> None:
        self._socket.close()


class Answer:
    """What a server says to one request. Its body is to be read to the end, or closed."""

    def __init__(self, lines: "Lines", line: _Line, method: str) -> None:
        """Read the head. Raises OSError, HTTPException."""
        self.status = 100
        while self.status < 200:  # what announces an answer is none yet
            self.status, self.headers, version = _read_head(line)
        self._lines: Lines | None = lines
        self._line = line
        self._chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        self._left = _length(self.headers)
        """Bytes of the body, or of its chunk, that have not come; None: to the connection's end."""
        if method == "HEAD" or self.status in (204, 304):
            self._chunked, self._left = False, 0
        elif self._chunked:
            self._left = 0
        word = self.headers.get("connection", "" if version == "HTTP/1.1" else "close").lower()
        self.is_last = word == "close" or self._left is None
        """The connection is not used again."""

    def whole(self) -> bytes:
        """Return the body of an answer that is not large. Raises OSError, HTTPException."""
        read = b""
        while data := self.read(_AT_ONCE):
            read += data
            if len(read) > _LARGEST:
                self.close()
                raise HTTPException("the answer is too large")
        return read

    def read(self, size: int) -> bytes:
        """Return at most so many bytes of the body; none: it is at its end.

        Raises OSError, HTTPException.
        """
        if self._lines is None:
            return b""
        try:
            if self._chunked and not self._left:
                self._left = self._next_chunk()
            if self._left != 0:
                data = self._line.some(size if self._left is None else min(size, self._left))
                if self._left is not None:
                    if not data:
                        raise IncompleteRead(b"", self._left)
                    self._left -= len(data)
                    if self._chunked and not self._left and self._line.until(b"\r\n"):
                        raise HTTPException("a chunk is longer than it says")
                if data:
                    return data
        except BaseException:
            self.close()
            raise
        lines, self._lines = self._lines, None
        if self.is_last:
            self._line.close()
        else:
            lines.keep(self._line)
        return b""

    def _next_chunk(self) -> int:
        """Return how long the next chunk is; 0: there is none, and what follows was read."""
        try:
            size = int(self._line.until(b"\r\n").partition(b";")[0], 16)
        except ValueError as error:
            raise HTTPException("a chunk has no length") from error
        while not size and self._line.until(b"\r\n"):
            pass
        return size

    def close(self) -> None:
        """Give the connection up, unless it is kept already."""
        if self._lines is not None:
            self._lines = None
            self._line.close()


def _read_head(line: _Line) -> tuple[int, dict[str, str], str]:
    """Return status, headers by their names in small letters, and version of HTTP."""
    first, *rest = line.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not status[:3].isdecimal():
        raise BadStatusLine(first[:100])
    headers: dict[str, str] = {}
    for field in rest:
        name, colon, value = field.partition(":")
        if not colon or name != name.strip():
            raise HTTPException(f"{field[:100]!r} is no header")
        name, value = name.lower(), value.strip()
        if name == "content-length" and headers.get(name, value) != value:
            raise HTTPException("the answer has two lengths")
        headers.setdefault(name, value)
    return int(status[:3]), headers, version


def _length(headers: Mapping[str, str]) -> int | None:
    said = headers.get("content-length")
    if said is None:
        return None
    if not said.isdecimal():
        raise HTTPException(f"{said[:100]!r} is no length")
    return int(said)


class Lines:
    """Connections to one server. Threads share it."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, patience_s: float) -> None:
        """Connect to nothing yet."""
        self._host = host
        self._port = port
        self._context = context
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._kept: list[tuple[float, _Line]] = []
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
            try:
                answer = Answer(self, line, method)
            except (OSError, HTTPException) as error:
                raise failure or error from None
            if failure is not None:  # it was refused before all of it had come
                answer.is_last = True
            return answer
        except BaseException:
            line.close()
            raise

    def keep(self, line: _Line) -> None:
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

    def _line(self) -> _Line:
        while True:
            with self._lock:
                if not self._kept:
                    break
                since, line = self._kept.pop()
            if time.monotonic() - since < _UNUSED_S and line.is_quiet():
                return line
            line.close()
        plain = socket.create_connection((self._host, self._port), _CONNECT_S)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            # An end without TLS' own sign is a line that broke, and no end of an answer.
            connected = self._context.wrap_socket(
                plain, server_hostname=self._host, suppress_ragged_eofs=False
            )
        except BaseException:
            plain.close()
            raise
        connected.settimeout(self._patience_s)
        return _Line(connected)


def _head(method: str, target: str, headers: Mapping[str, str], body: bytes | memoryview) -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method in ("PUT", "POST"):
        lines.append(f"content-length: {len(body)}")
    head = "\r\n".join(lines)
    if head.count("\r") + head.count("\n") != 2 * (len(lines) - 1):
        raise ValueError("a header has more than one line")
    return f"{head}\r\n\r\n".encode("ascii")


def _sent(line: _Line, head: bytes, body: bytes | memoryview) -> OSError | None:
    """Send a request; return why not all of it went, where the server wanted no more."""
    try:
        if len(body) <= _AT_ONCE:
            line.send(head + body)
            return None
        line.send(head)
        with memoryview(body) as view:
            for at in range(0, len(view), _PIECE):
                line.send(view[at : at + _PIECE])
    except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError) as error:
        return error
    return None
