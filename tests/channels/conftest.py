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
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import SMTP, Envelope, Session

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


class Letters(Message):
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
