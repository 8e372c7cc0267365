"""A proxy before an HTTP server, over TLS, that does what lines and servers do at their worst.

It ends the TLS of the client, reads one request, and asks the test's `fault` what to do with
it: pass it on, alter it, break the line in the middle, answer in the server's place, keep
the answer, or say nothing. Each request that came is on record.
"""

import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, parse_headers
from pathlib import Path
from typing import Any, BinaryIO


@dataclass(frozen=True)
class Asked:
    """A request before its body is read."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Fault:
    """What happens to a request. Without any of these it is passed on."""

    reset_after: int | None = None
    """The line breaks when so many bytes of the body have come; nothing reaches the server."""
    flip: int | None = None
    """The bits of this byte of the body are turned over on the way."""
    answer: tuple[int, dict[str, str], bytes] | None = None
    """Said in the server's place."""
    answer_bytes: int | None = None
    """So much of the server's answer arrives, and the line breaks."""
    hang: bool = False
    """Nothing is said until the client has given up."""
    other_headers: dict[str, str] = field(default_factory=dict)
    """Replaced in the server's answer, where it has them."""


NO_ANSWER = Fault(answer_bytes=0)
PASS = Fault()


class FaultProxy:
    """Where it listens, what came, and what to do with it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.endpoint = f"https://localhost:{port}"
        self.fault: Callable[[Asked], Fault] = lambda _: PASS
        self.asked: list[Asked] = []

    def count(self, method: str, part_of_target: str) -> int:
        """Return how many requests of a kind came."""
        return sum(one.method == method and part_of_target in one.target for one in self.asked)

    def once(self, fault: Fault, when: Callable[[Asked], bool]) -> None:
        """Do this to the first request for which `when` holds."""
        turn = threading.Lock()
        left = [fault]

        def choose(asked: Asked) -> Fault:
            with turn:
                return left.pop() if left and when(asked) else PASS

        self.fault = choose


@contextmanager
def fault_proxy(server: int, certificate: Path, key: Path) -> Iterator[FaultProxy]:
    """Stand before the HTTP server on a port of this computer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as line:
                while _one(line, proxy, server):
                    pass

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as listening:
        proxy = FaultProxy(listening.server_address[1])
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            listening.shutdown()
            thread.join()


def _one(line: ssl.SSLSocket, proxy: FaultProxy, server: int) -> bool:
    """Handle one request; False: the line is not to be used again."""
    with line.makefile("rb") as reading:
        first = reading.readline().decode("latin-1").split()
        if len(first) < 2:
            return False
        headers = {name.lower(): value for name, value in parse_headers(reading).items()}
        asked = Asked(first[0], first[1], headers)
        proxy.asked.append(asked)
        fault = proxy.fault(asked)
        if headers.pop("expect", None):
            line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return _treat(line, reading, asked, fault, server)


def _treat(line: ssl.SSLSocket, reading: BinaryIO, asked: Asked, fault: Fault, server: int) -> bool:
    size = int(asked.headers.get("content-length", 0))
    if fault.reset_after is not None:
        reading.read(min(fault.reset_after, size))
        return _reset(line)
    body = bytearray(reading.read(size))
    if fault.hang:
        line.recv(1)  # b"" or an error once the client gives up
        return False
    if fault.answer is not None:
        status, headers, content = fault.answer
        _say(line, asked, status, headers, content, is_last=True)
        return False
    if fault.flip is not None:
        body[fault.flip] ^= 0xFF
    status, headers, content = _pass_on(asked, bytes(body), server)
    for name, value in fault.other_headers.items():
        if name in headers:
            headers[name] = value
    _say(line, asked, status, headers, content, fault.answer_bytes)
    return fault.answer_bytes is None or _reset(line)


def _pass_on(asked: Asked, body: bytes, server: int) -> tuple[int, dict[str, str], bytes]:
    upstream = HTTPConnection("127.0.0.1", server, timeout=30)
    try:
        upstream.putrequest(asked.method, asked.target, skip_host=True, skip_accept_encoding=True)
        for name, value in asked.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body or None)
        answer = upstream.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read()
    finally:
        upstream.close()


def _say(
    line: ssl.SSLSocket,
    asked: Asked,
    status: int,
    headers: dict[str, str],
    content: bytes,
    at_most: int | None = None,
    *,
    is_last: bool = False,
) -> None:
    fields: dict[str, Any] = dict(headers)
    fields.pop("transfer-encoding", None)
    fields.pop("connection", None)
    if asked.method != "HEAD":
        fields["content-length"] = len(content)
    if is_last:
        fields["connection"] = "close"
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    line.sendall((f"HTTP/1.1 {status} x\r\n{head}\r\n".encode("latin-1") + content)[:at_most])


def _reset(line: ssl.SSLSocket) -> bool:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()
    return False
