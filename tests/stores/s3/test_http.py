"""What a server says is read as it is meant, or not believed at all; never half of it."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from recorder_sync.stores.s3_http import Lines, trusting
from tests.stores.s3.certificates import Certificates

OK = b"HTTP/1.1 200 OK\r\n"


class Scripted:
    """A server that says the next of some answers to each request, whatever it is."""

    def __init__(self, certificates: Certificates) -> None:
        self.answers: list[bytes] = []
        self.connections = 0
        self.bodies: list[bytes] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.certificate, certificates.key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._listening.accept()
                self.connections += 1
                with suppress(OSError), self._context.wrap_socket(plain, server_side=True) as line:
                    self._serve(line)

    def _serve(self, line: ssl.SSLSocket) -> None:
        with line.makefile("rb") as reading:
            while reading.readline():
                size = 0
                while (field := reading.readline()) not in (b"\r\n", b""):
                    if field.lower().startswith(b"content-length:"):
                        size = int(field.partition(b":")[2])
                self.bodies.append(reading.read(size))
                answer = self.answers.pop(0)
                line.sendall(answer)
                if answer.endswith(b"END") or b"close" in answer:
                    line.unwrap().close()
                    return

    def close(self) -> None:
        self._listening.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def server(certificates: Certificates) -> Iterator[Scripted]:
    with closing(Scripted(certificates)) as made:
        yield made


@pytest.fixture
def lines(server: Scripted, certificates: Certificates) -> Iterator[Lines]:
    with closing(Lines("localhost", server.port, trusting(certificates.authority), 5)) as made:
        yield made


def _said(lines: Lines, method: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
    answer = lines.ask(method, "/", {"host": "localhost"}, body)
    return answer.status, answer.whole()


def test_a_connection_is_used_again_whatever_form_the_answer_had(
    server: Scripted, lines: Lines
) -> None:
    server.answers = [
        OK + b"Content-Length: 5\r\n\r\nhello",
        OK
        + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n",
        OK + b"Content-Length: 5\r\n\r\n",  # to a HEAD
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    ]
    assert _said(lines) == (200, b"hello")
    assert _said(lines) == (200, b"hello")
    assert _said(lines, "HEAD") == (200, b"")
    assert _said(lines, "DELETE") == (204, b"")
    assert _said(lines, "PUT", b"data") == (200, b"")
    assert server.connections == 1
    assert server.bodies[-1] == b"data"


def test_a_server_that_ends_the_connection_is_asked_by_a_new_one(
    server: Scripted, lines: Lines
) -> None:
    server.answers = [
        OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok",
        OK + b"\r\nuntil the END",
        b"HTTP/1.0 200 OK\r\nX: close\r\nContent-Length: 2\r\n\r\nok",
        OK + b"Content-Length: 2\r\n\r\nok",
    ]
    assert [_said(lines)[1] for _ in range(4)] == [b"ok", b"until the END", b"ok", b"ok"]
    assert server.connections == 4


NO_ANSWERS = [
    b"SSH-2.0-OpenSSH_9.2\r\n\r\nEND",
    b"HTTP/1.1 abc\r\n\r\nEND",
    OK + b"Content-Length: 10\r\n\r\nshortEND",
    OK + b"Content-Length: -1\r\n\r\nEND",
    OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nEND",
    OK + b"Content-Length : 3\r\n\r\nEND",
    OK + b"no header\r\n\r\nEND",
    OK + b"Content-Length: 3\r\nEND",
    OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelEND",
    OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\nEND",
    OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nEND",
    OK + b"X: " + b"x" * 70_000 + b"END",
]


@pytest.mark.parametrize("answer", NO_ANSWERS, ids=range(len(NO_ANSWERS)))
def test_an_answer_that_is_none_or_not_whole_is_an_error(
    server: Scripted, lines: Lines, answer: bytes
) -> None:
    server.answers = [answer, OK + b"Content-Length: 2\r\n\r\nok"]
    with pytest.raises((OSError, HTTPException)):
        _said(lines)
    assert _said(lines) == (200, b"ok")
    assert server.connections == 2


def test_a_header_of_two_lines_is_not_sent(lines: Lines) -> None:
    with pytest.raises(ValueError, match="more than one line"):
        lines.ask("GET", "/", {"x": "a\r\ny: b"}, b"")


def test_a_file_that_is_no_certificate_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("none")
    with pytest.raises(OSError, match="certificate"):
        trusting(tmp_path / "empty")
