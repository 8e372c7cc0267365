"""A station whose forward service runs, witnesses of it, and servers that answer as told."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recorder_sync.custody.cosignature import WitnessKey
from tests.conftest import Dock, Done, run_command
from tests.ingest.aftermath import until
from tests.on_the_day import today

Reply = tuple[int, str, bytes]
_COMMAND = Path(__file__).parent.parent / "on_the_day.py"


class Answering:
    """An HTTP server on this computer that answers every POST as it is told."""

    def __init__(self, reply: Callable[[bytes], Reply | None]) -> None:
        self.received: list[bytes] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(self.rfile.read(int(self.headers["Content-Length"])))
                answer = reply(received[-1])
                if answer is None:  # it hangs, until the other side gives up
                    self.rfile.read(1)
                    return
                status, kind, body = answer
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


Answers = Callable[[Callable[[bytes], Reply | None]], Answering]


@pytest.fixture
def answering() -> Iterator[Answers]:
    with ExitStack() as servers:

        def start(reply: Callable[[bytes], Reply | None]) -> Answering:
            server = Answering(reply)
            servers.callback(server.close)
            return server

        yield start


class Office:
    """A second machine that is a witness: the real command in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.process: subprocess.Popen[str] | None = None
        assert self.run("--new", "--name", "office-b").code == 0
        self.key = WitnessKey.parse((folder / "verifier-key").read_text("utf-8"))

    def _command(self, *arguments: str | Path) -> list[str]:
        station = ["custody", "witness", "--folder", str(self.folder)]
        return [sys.executable, str(_COMMAND), *station, *map(str, arguments)]

    def _environment(self) -> dict[str, str]:
        nowhere = str(self.folder / "no-config")
        said = {"RECORDER_SYNC_CONFIG": nowhere, "RECORDER_SYNC_LANGUAGE": "en", "COLUMNS": "200"}
        return {**os.environ, **said}

    def run(self, *arguments: str | Path, say: str = "") -> Done:
        done = run_command(self._command(*arguments), self._environment(), say)
        assert "Traceback" not in done.err, done.err
        return done

    def trust(self, station: Dock) -> None:
        key = (station.state / "custody" / "verifier-key").read_text("utf-8").strip()
        done = self.run("--trust", key)
        assert done.code == 0, done.err

    def listen(self) -> None:
        """Serve on a free port of this computer; it is ready when this returns."""
        self.process = subprocess.Popen(
            self._command("--listen", "127.0.0.1:0"),
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment(),
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "listening" in line:
                port = line.rpartition("port=")[2].strip()
                self.url = f"http://127.0.0.1:{port}"
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return
        raise AssertionError("the witness does not listen")

    def seen(self) -> list[str]:
        """Return the notes that it keeps."""
        return [path.read_text("utf-8") for path in (self.folder / "seen").glob("?" * 64)]

    def server(self, **more: str) -> dict[str, object]:
        """Return what a station's configuration says of it."""
        return {"name": "office-b", "key": str(self.key), "url": self.url, **more}

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "office-b")
    yield office
    office.end()


class Forwarding:
    """`recorder-sync forward` in a child process."""

    def __init__(self, dock: Dock, journal: Path) -> None:
        self._journal = journal
        self.process = dock.start("forward", journal=journal)

    def log(self) -> str:
        return self._journal.read_text("utf-8")

    def says(self, words: str) -> None:
        """Wait until its journal has these words."""
        until(lambda: words in self.log() or self.process.poll() is not None, words)
        assert words in self.log(), self.log()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


Forward = Callable[..., Forwarding]


@pytest.fixture
def forward(dock: Dock, tmp_path: Path) -> Iterator[Forward]:
    """Start the service with this [witness] section; failures are alerts at once."""
    today()  # the day begins here for all services: the clock of a second one is not behind
    started: list[Forwarding] = []

    def start(station: Dock = dock, **witness: object) -> Forwarding:
        witness = {"alert_after_minutes": 0, "message_every_hours": 0, **witness}
        station.configure(witness=witness, ingest={"immutable": False})
        started.append(Forwarding(station, tmp_path / f"journal-{len(started)}"))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture(scope="session")
def signed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signed")
    dock = Dock(folder)
    dock.configure(ingest={"immutable": False})
    add_entries(dock, "0001", "0002", "0003")
    assert checkpoint(dock)
    return folder


@pytest.fixture
def signed(dock: Dock, signed_once: Path) -> Dock:
    """A station with three entries and a checkpoint of them."""
    dock.take_over(signed_once)
    dock.configure(ingest={"immutable": False})
    return dock


def add_entries(dock: Dock, *devices: str) -> None:
    for device in devices:
        done = dock.run("devices", "add", device)
        assert done.code == 0, done.err


def checkpoint(dock: Dock) -> str:
    done = dock.run("custody", "checkpoint")
    assert done.code == 0, done.err
    return done.out


def alerts(dock: Dock) -> list[str]:
    found = dock.run("status", "--json").json["alerts"]
    return [alert["text"] for alert in found]


def alerted(dock: Dock, *words: str) -> str:
    """Wait for an alert with these words, and return it."""
    found: list[str] = until(
        lambda: [text for text in alerts(dock) if all(word in text for word in words)],
        f"an alert: {words}",
    )
    return found[0]


def witnessed(dock: Dock) -> list[Path]:
    return sorted((dock.state / "custody" / "witnessed").glob("[0-9]" * 20))
