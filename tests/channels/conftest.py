"""Real servers on this computer that take messages, or do anything but that."""

import email
import email.policy
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from aiosmtpd.smtp import SMTP, Envelope, Session

from recorder_sync.alerts.record import put_on_record
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.messages import ChannelState, channel_state
from recorder_sync.channels.delivering import Delivering
from recorder_sync.channels.queueing import enqueue
from recorder_sync.config import Configuration, load
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.escalation import Address, Message
from recorder_sync.rules.matter import Matter, Severity, key_of
from recorder_sync.rules.recipient import Recipient
from recorder_sync.rules.reconcile import Changes
from recorder_sync.station import Station
from tests.conftest import Dock
from tests.ingest.aftermath import until

Handler = BaseHTTPRequestHandler
Reply = Callable[[Handler], None]


def ok(handler: Handler, body: bytes = b"{}", status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def status(code: int, **headers: str) -> Reply:
    return lambda handler: ok(handler, b"no", code, **headers)


def saying(**words: object) -> Reply:
    """Answer 200 with this JSON."""
    return lambda handler: ok(handler, json.dumps(words).encode())


def hang(handler: Handler) -> None:
    """Say nothing until the other side gives up."""
    handler.rfile.read(1)


def trickle(handler: Handler) -> None:
    """Send an answer that never ends, a byte at a time: no read of it ever waits long."""
    handler.send_response(200)
    handler.end_headers()
    gone = threading.Event()
    while not gone.wait(0.05):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return


def flood(handler: Handler) -> None:
    """Send an answer that never ends, as fast as it goes."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(bytes(1 << 20))
    except OSError:
        return


def cut(handler: Handler) -> None:
    """Close in the middle of the answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


class Web:
    """An HTTP server that keeps what it gets, and answers as it is told."""

    def __init__(self, reply: Reply, context: ssl.SSLContext | None = None) -> None:
        self.reply = reply
        self.received: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.arrived = threading.Condition()
        web = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with web.arrived:
                    web.received.append(body)
                    web.paths.append(self.path)
                    web.arrived.notify_all()
                web.reply(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Whoever was answered has been killed, as is the test's wish."""

        self._server = Quiet(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.address = f"json://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def wait_for(self, count: int) -> None:
        """Wait until so many messages have come."""
        with self.arrived:
            came = self.arrived.wait_for(lambda: len(self.received) >= count, 60)
        assert came, f"{len(self.received)} of {count} came"

    @property
    def texts(self) -> list[str]:
        return [one["message"] for one in self.received]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


Webs = Callable[..., Web]


@pytest.fixture
def web() -> Iterator[Webs]:
    with ExitStack() as servers:

        def start(reply: Reply = ok, context: ssl.SSLContext | None = None) -> Web:
            server = Web(reply, context)
            servers.callback(server.close)
            return server

        yield start


class Letters(MessageHandler):
    """What a mail server has received, read as a mail program reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[EmailMessage] = []
        self.envelopes: list[list[str]] = []
        self.refuses = False

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuses:
            return "550 5.1.1 nobody of that name here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def prepare_message(self, session: Session, envelope: Envelope) -> email.message.Message:
        self.envelopes.append(list(envelope.rcpt_tos))
        return super().prepare_message(session, envelope)

    def handle_message(self, message: email.message.Message) -> None:
        whole = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
        assert isinstance(whole, EmailMessage)
        self.received.append(whole)


class MailServer:
    def __init__(self) -> None:
        self.letters = Letters()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._controller = Controller(self.letters, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        self.address = (
            f"mailto://127.0.0.1:{self.port}?from=dock@example.org&to=custodian@example.org"
        )

    def close(self) -> None:
        self._controller.stop()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


class Syslog:
    """A socket like /dev/log."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(20)
        self.address = f"syslog://{path}"

    def line(self) -> str:
        return self._socket.recv(1 << 16).decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def syslog(tmp_path: Path) -> Iterator[Syslog]:
    server = Syslog(tmp_path / "log")
    yield server
    server.close()


class Internet:
    """A proxy that leads every address to one server here, which has a certificate of its own.

    So the real addresses of WeCom, DingTalk and Feishu are sent to, and nothing leaves.
    """

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Connecting(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                asked.append(self.path)
                with socket.create_connection(("127.0.0.1", port)) as server:
                    self.send_response(200)
                    self.end_headers()
                    back = threading.Thread(
                        target=_copy, args=(server, self.connection), daemon=True
                    )
                    back.start()
                    _copy(self.connection, server)
                    back.join(5)
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Connecting)
        self._server.daemon_threads = True
        self.proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(1 << 16):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one side has closed
        return


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of the services, and its key, as one PEM file."""
    path = tmp_path_factory.mktemp("certificate") / "all.pem"
    names = ["qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn"]
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=test", "-keyout", str(path), "-out", "-"),
            *("-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)),
        ],
        check=True,
        stdout=(path.parent / "certificate").open("wb"),
        stderr=subprocess.DEVNULL,
    )
    path.write_bytes(path.read_bytes() + (path.parent / "certificate").read_bytes())
    return path


@pytest.fixture
def service(
    web: Webs, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Reply], tuple[Web, Internet]]]:
    """Have a chat service of the internet answer like this."""
    with ExitStack() as proxies:

        def start(reply: Reply) -> tuple[Web, Internet]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server = web(reply, context)
            internet = Internet(server.port)
            proxies.callback(internet.close)
            monkeypatch.setenv("HTTPS_PROXY", internet.proxy)
            monkeypatch.setenv("https_proxy", internet.proxy)
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
            return server, internet

        yield start


def matter(about: str = "one", **more: Any) -> Matter:
    """Return a matter as a rule finds it."""
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    said: dict[str, Any] = {
        "kind": AlertKind.OUTSTANDING,
        "key": key_of(AlertKind.OUTSTANDING, about),
        "severity": Severity.WARNING,
        "since": at,
        "text": T("Of {device} {count} recordings are not stored.", device="0031", count=3),
        "hint": T("Dock it again."),
    }
    return Matter(**{**said, **more})


class Post:
    """A station with channels, alerts and a queue, in this process."""

    def __init__(self, dock: Dock, folder: Path) -> None:
        self.dock = dock
        self._folder = folder
        self._station: Station | None = None
        self._running: list[Delivering] = []
        self.settings: Configuration

    def channels(self, *addresses: str, **more: object) -> None:
        """Set channels 0, 1, ... that lead there; `more` is set for all, or of [alerts]."""
        of_alerts: dict[str, object] = {
            name: more.pop(name)
            for name in ("link_base", "give_up_after_hours", "attempt_limit_s", "most_at_once")
            if name in more
        }
        rows = []
        for place, address in enumerate(addresses):
            file = self._folder / f"address-{place}"
            file.write_text(f"{address}\n")
            file.chmod(0o640)
            rows.append({"name": f"{place}", "url_file": str(file), **more})
        self.dock.configure(alerts={"channels": rows, **of_alerts}, ingest={"immutable": False})
        self.settings = load(self.dock.config)

    @property
    def station(self) -> Station:
        if self._station is None:
            self._station = self.dock.station()
        return self._station

    def reopened(self) -> Station:
        """Return the station as the settings are now."""
        if self._station is not None:
            self._station.catalogue.close()
            self._station = None
        return self.station

    def open(self, *matters: Matter) -> tuple[int, ...]:
        """Put alerts on record; return their numbers."""
        return put_on_record(self.station, Changes(opened=matters), self.station.now())

    def queue(self, *messages: Message) -> None:
        with transaction(self.station.catalogue):
            enqueue(
                self.station.catalogue,
                messages,
                self.settings.alerts.channels,
                self.station.now(),
            )

    def tell(self, *numbers: int) -> None:
        """Queue a message for the custodian about each of these alerts."""
        self.queue(*(Message(Address(Recipient.CUSTODIAN), (number,)) for number in numbers))

    def start(self) -> Delivering:
        delivering = Delivering(lambda: self.settings)
        delivering.start()
        self._running.append(delivering)
        return delivering

    def rows(self) -> list[dict[str, Any]]:
        return list(self.station.catalogue.query("select * from messages order by id"))

    def wait(self, condition: str, count: int = 1) -> None:
        """Wait until so many messages of the queue are as the condition says."""
        select = f"select count(*) from messages where {condition}"
        until(
            lambda: self.station.catalogue.execute(select).fetchone()[0] >= count,
            f"{count} messages: {condition}",
        )

    def state(self, name: str) -> ChannelState:
        return channel_state(self.station.catalogue, name)

    def close(self) -> None:
        for one in self._running:
            one.stop(10.0)
        if self._station is not None:
            self._station.catalogue.close()


@pytest.fixture
def post(dock: Dock, tmp_path: Path) -> Iterator[Post]:
    post = Post(dock, tmp_path)
    yield post
    post.close()
