"""Serves a witness over HTTP: C2SP tlog-witness, `POST /add-checkpoint`.

There is no authentication beyond the signature of the note, as the protocol has it; no
secret goes over the line, so plain HTTP loses nothing but privacy. A request has a thread
of its own, a body of limited size and limited time, and there are only so many at once.

https://c2sp.org/tlog-witness
"""

import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog

from recorder_sync.custody.witness import LARGEST_REQUEST, Answer, Refused
from recorder_sync.errors import RecorderSyncError
from recorder_sync.witnessing.witness_folder import WitnessFolder

_IDLE_S = 10.0
"""Seconds for which a client may say nothing."""

_REQUEST_S = 30.0
"""Seconds that a connection may last in all."""

_MOST = 32
"""Connections at once; more are closed."""

_log = structlog.get_logger("witness")


class WitnessServer(ThreadingHTTPServer):
    """The server; `serve_forever` works until `shutdown`."""

    daemon_threads = True
    request_queue_size = _MOST

    def __init__(self, address: tuple[str, int], witness: WitnessFolder) -> None:
        """Raises OSError when the address cannot be listened to."""
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)
        self.witness = witness
        self._places = threading.BoundedSemaphore(_MOST)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        end = threading.Timer(_REQUEST_S, _cut, (request,))
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._places.release()

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


def _cut(connection: socket.socket) -> None:
    """End a connection that takes too long; its thread then reads the end."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
