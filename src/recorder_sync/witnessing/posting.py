"""Sends one HTTP request and reads a short answer, never longer than a set time in all.

A server that sends a byte now and then keeps within any limit on silence, and looking a name
up cannot be cut off. So an exchange has a thread of its own: when its time is over its line
is cut, and what then still hangs is left behind. There is one of these at most for each
address; the next exchange with it fails until that one has ended.

Redirections are not followed: who is asked is what the configuration says. Certificates of
https servers are checked with those of the system.
"""

import http.client
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from recorder_sync.errors import os_reason
from recorder_sync.language import T, Text
from recorder_sync.witnessing.in_time import in_time

LARGEST_ANSWER = 256 << 10
"""Bytes of an answer; a time stamp with its certificates has some thousand."""

_SILENT_S = 15.0
_IN_ALL_S = 60.0
_PART = 1 << 14


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    kind: str
    """Content type without parameters, in small letters."""
    body: bytes


class NoAnswer(Exception):
    """Nothing usable came back."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.english)
        self.why = why


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


class _Line:
    """What an exchange is said over; can be cut from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def hold(self, connected: socket.socket) -> None:
        """Have this connection cut with the line; of TLS, what is below it. Raises OSError."""
        with self._lock:
            self._socket = connected.dup()
            if self._is_cut:
                self._end()

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            self._end()

    def close(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _end(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it has ended by itself
                self._socket.shutdown(socket.SHUT_RDWR)


class _Connection(http.client.HTTPConnection):
    line: _Line

    def connect(self) -> None:
        super().connect()
        self.line.hold(self.sock)


class _SecureConnection(http.client.HTTPSConnection, _Connection):
    """Holds the line before TLS begins: `connect` of the second is called by the first's."""


class _OverLine(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Opens connections that the line can cut."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._made(_Connection), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._made(_SecureConnection), req)

    def _made(self, kind: type[_Connection]) -> Any:
        def make(host: str, **more: Any) -> _Connection:
            connection = kind(host, **more)
            connection.line = self._line
            return connection

        return make


def post(
    url: str,
    body: bytes,
    kind: str,
    *,
    headers: Mapping[str, str] | None = None,
    silent_s: float = _SILENT_S,
    in_all_s: float = _IN_ALL_S,
) -> Answered:
    """Post `body` and return what was answered, whatever its status.

    `silent_s` is how long the other side may say nothing, `in_all_s` how long everything may
    take, from looking up the name on. Raises NoAnswer.
    """
    line = _Line()
    sent = {"Content-Type": kind, **(headers or {})}
    request = urllib.request.Request(url, body, sent, method="POST")
    try:
        return in_time(url, lambda: _exchanged(request, line, silent_s), in_all_s, line.cut)
    except TimeoutError as error:
        raise NoAnswer(T("there was no answer in time")) from error
    except urllib.error.URLError as error:
        raise NoAnswer(_reason(error.reason)) from error
    except http.client.HTTPException as error:
        raise NoAnswer(T("what answered does not speak HTTP")) from error
    except (OSError, ValueError) as error:
        raise NoAnswer(_reason(error)) from error


def _exchanged(request: urllib.request.Request, line: _Line, silent_s: float) -> Answered:
    opener = urllib.request.build_opener(_NoRedirection, _OverLine(line))
    try:
        try:
            answer = opener.open(request, timeout=silent_s)
        except urllib.error.HTTPError as error:  # a status from 300 on is an answer, too
            answer = error
        with answer:
            found = bytearray()
            while part := answer.read1(_PART):
                found += part
                if len(found) > LARGEST_ANSWER:
                    raise NoAnswer(T("the answer is too long"))
            named = answer.headers.get_content_type().lower()
            return Answered(answer.status, named, bytes(found))
    finally:
        line.close()


def _reason(reason: object) -> Text:
    if isinstance(reason, TimeoutError):
        return T("there was no answer in time")
    if isinstance(reason, OSError):
        return os_reason(reason)
    return T("{why}", why=reason)
