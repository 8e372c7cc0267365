"""Serves a witness over HTTP: C2SP tlog-witness, `POST /add-checkpoint`.

There is no authentication beyond the signature of the note, as the protocol has it; no
secret goes over the line, so plain HTTP loses nothing but privacy. A request has a thread
of its own, a body of limited size and limited time, and there are only so many at once. Where
there would be more, the oldest of whoever has most is closed: connections that say nothing,
however many, keep nobody else out.

https://c2sp.org/tlog-witness
"""

import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from recorder_sync.custody.witness import LARGEST_REQUEST, Answer, Refused
from recorder_sync.errors import RecorderSyncError
from recorder_sync.journal import Log
from recorder_sync.witnessing.witness_folder import WitnessFolder

_IDLE_S = 5.0
"""Seconds for which a client may say nothing."""

_REQUEST_S = 30.0
"""Seconds that a connection may last in all."""

_MOST = 32
"""Connections at once."""

_MOST_THREADS = 2 * _MOST
"""Connections at once, those counted that were closed and have not ended yet."""

_log = Log()


@dataclass(frozen=True, slots=True)
class _Connection:
    peer: str
    since: float
    """Of the clock that never steps, in seconds."""


class _Connections:
    """Those that are open: who has them, and since when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[socket.socket, _Connection] = {}
        self._closing: set[socket.socket] = set()

    def begin(self, request: socket.socket, peer: str) -> bool:
        """Take note of a new one, and close another where there are too many.

        False: there is no room even so.
        """
        with self._lock:
            if len(self._open) + len(self._closing) >= _MOST_THREADS:
                return False
            if len(self._open) >= _MOST:
                self._close(self._oldest_of_whoever_has_most())
            self._open[request] = _Connection(peer, time.monotonic())
            return True

    def end(self, request: socket.socket) -> None:
        with self._lock:
            self._open.pop(request, None)
            self._closing.discard(request)

    def cut_those_older_than(self, seconds: float) -> None:
        before = time.monotonic() - seconds
        with self._lock:
            for request in [r for r, one in self._open.items() if one.since < before]:
                self._close(request)

    def _oldest_of_whoever_has_most(self) -> socket.socket:
        (peer, _), *_ = Counter(one.peer for one in self._open.values()).most_common(1)
        return next(request for request, one in self._open.items() if one.peer == peer)

    def _close(self, request: socket.socket) -> None:
        """Have its thread read the end."""
        del self._open[request]
        self._closing.add(request)
        with suppress(OSError):  # it has ended by itself
            request.shutdown(socket.SHUT_RDWR)


class WitnessServer(ThreadingHTTPServer):
    """The server; `serve_forever` works until `shutdown`."""

    daemon_threads = True
    request_queue_size = _MOST

    def __init__(self, address: tuple[str, int], witness: WitnessFolder) -> None:
        """Raises OSError when the address cannot be listened to."""
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)
        self.witness = witness
        self._connections = _Connections()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._connections.begin(request, str(client_address[0])):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._connections.end(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.end(request)

    def service_actions(self) -> None:
        """Called twice a second."""
        self._connections.cut_those_older_than(_REQUEST_S)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.warning("connection lost", client=str(client_address[0]))


class _Handler(BaseHTTPRequestHandler):
    timeout = _IDLE_S
    protocol_version = "HTTP/1.1"
    server_version = "recorder-sync"
    sys_version = ""
    server: WitnessServer

    def do_POST(self) -> None:
        if self.path.rpartition("/")[2] != "add-checkpoint":
            self._answer(HTTPStatus.NOT_FOUND, "There is only /add-checkpoint here.\n")
            return
        body = self._body()
        if body is None:
            return
        try:
            line = self.server.witness.cosign(body)
        except Refused as refused:
            _log.warning("refused", status=int(refused.answer), why=refused.text.english)
            if refused.answer is Answer.CONFLICT:
                self._answer(refused.answer, f"{refused.size}\n", "text/x.tlog.size")
            else:
                self._answer(refused.answer, f"{refused.text.english}\n")
        except RecorderSyncError as error:
            _log.error("not cosigned", why=str(error))
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, "The witness cannot work.\n")
        else:
            _log.info("cosigned", log=body.partition("\n\n")[2].partition("\n")[0])
            self._answer(HTTPStatus.OK, line)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing of what no station has sent."""

    def _body(self) -> str | None:
        """Return the request's body, or answer that it is none."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif len(length) > 9 or int(length) > LARGEST_REQUEST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            try:
                return self.rfile.read(int(length)).decode()
            except UnicodeDecodeError:
                self._answer(Answer.RUBBISH, "The request is not UTF-8.\n")
        return None

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True  # what follows of the body is not read
        self._answer(status, f"{status.phrase}\n")

    def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
