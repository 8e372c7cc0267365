"""Nobody who answers slowly, or never, holds the delivery or a witness up for long."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from recorder_sync.witnessing.in_time import in_time
from recorder_sync.witnessing.posting import NoAnswer, post
from tests.conftest import Dock
from tests.witnessing.conftest import Office
from tests.witnessing.test_office import post as ask
from tests.witnessing.test_office import request


class Trickling:
    """A server that sends `beginning`, and then a byte every 20 ms for ever."""

    def __init__(self, beginning: bytes, then: bytes) -> None:
        self._beginning, self._then = beginning, then
        self._server = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self.cut = threading.Event()
        self.asked = 0
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._server.accept()
                self.asked += 1
                threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            line.sendall(self._beginning)
            while not self._stop.wait(0.02):
                line.sendall(self._then)
        self.cut.set()

    def close(self) -> None:
        self._stop.set()
        self._server.close()


@pytest.fixture(
    params=[(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), (b"HTTP/1.1 200 ", b"O"), (b"", b"\r\n")],
    ids=["headers", "status line", "nothing but line ends"],
)
def trickling(request: pytest.FixtureRequest) -> Iterator[Trickling]:
    server = Trickling(*request.param)
    yield server
    server.close()


def test_an_exchange_ends_in_time_however_the_answer_trickles(trickling: Trickling) -> None:
    begun = time.monotonic()
    with pytest.raises(NoAnswer):
        post(trickling.url, b"body", "text/plain", in_all_s=0.3)
    assert time.monotonic() - begun < 2
    assert trickling.cut.wait(1), "the line is cut, and no thread is left"


def test_a_body_that_trickles_ends_in_time() -> None:
    server = Trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x")
    begun = time.monotonic()
    with pytest.raises(NoAnswer, match="in time"):
        post(server.url, b"body", "text/plain", in_all_s=0.3)
    assert time.monotonic() - begun < 2
    server.close()


def test_what_cannot_be_cut_off_is_left_behind_and_only_once() -> None:
    """Such as looking up a name that no server answers for."""
    goes_on = threading.Event()
    begun: list[float] = []

    def hang() -> bool:
        begun.append(time.monotonic())
        return goes_on.wait(30)

    for _ in range(3):
        with pytest.raises(TimeoutError):
            in_time("a name", hang, 0.05)
    assert len(begun) == 1
    assert in_time("another name", lambda: 7, 5) == 7
    goes_on.set()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with suppress(TimeoutError):
            assert in_time("a name", lambda: 8, 5) == 8
            return
    raise AssertionError("it stays blocked after the one that hung has ended")


@pytest.fixture
def known(signed: Dock, office: Office) -> Dock:
    office.trust(signed)
    office.listen()
    return signed


@pytest.mark.parametrize("said", [b"", b"POST /add-checkpoint HTTP/1.1\r\nContent-Le"])
def test_connections_that_say_nothing_keep_no_station_out(
    known: Dock, office: Office, said: bytes
) -> None:
    body = request(known)
    host, _, port = office.url.removeprefix("http://").rpartition(":")
    with ExitStack() as idle:
        for _ in range(120):
            line = idle.enter_context(socket.create_connection((host, int(port)), timeout=5))
            line.sendall(said)
        begun = time.monotonic()
        assert ask(office, body)[0] == 200
        assert time.monotonic() - begun < 2


def test_places_that_were_taken_are_free_again(known: Dock, office: Office) -> None:
    host, _, port = office.url.removeprefix("http://").rpartition(":")
    for _ in range(150):
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while line.recv(1 << 12):
                pass
    assert ask(office, request(known))[0] == 200
