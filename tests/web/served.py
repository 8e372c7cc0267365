"""The real service in a child process, and somebody to sign in to it."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import httpx

from tests.conftest import Dock

PASSWORD = "correct horse battery"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Service:
    """`recorder-sync web`, started with systemd's notification socket, so that nobody waits."""

    def __init__(self, dock: Dock, command: str = "web") -> None:
        self.dock = dock
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._command = command
        self._log = dock.config.with_name("web.log")

    def configure(self, **sections: dict[str, object]) -> None:
        web = {"port": self.port, **sections.pop("web", {})}
        self.dock.configure(web=web, **sections)

    def __enter__(self) -> Self:
        told = self.dock.config.with_name("notify.sock")
        told.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(str(told))
            channel.settimeout(30)
            self._process = self.dock.start(
                self._command, journal=self._log, env={"NOTIFY_SOCKET": str(told)}
            )
            try:
                while b"READY=1" not in channel.recv(4096):
                    pass
            except TimeoutError:
                raise AssertionError(self.log) from None
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")

    @property
    def pid(self) -> int:
        return self._process.pid

    def account(self, name: str, role: str, *options: str) -> str:
        """Make an account with a password; return its name."""
        done = self.dock.run("accounts", "add", name, "--role", role, *options, "--json")
        assert done.code == 0, done.err
        path = json.loads(done.out)["link"].partition("/invitation/")[2]
        answer = httpx.post(
            f"{self.address}/invitation/{path}", data={"password": PASSWORD, "again": PASSWORD}
        )
        assert answer.status_code == 303, answer.text
        return name

    @contextmanager
    def signed_in(self, name: str) -> Iterator["Client"]:
        """Sign in without a browser."""
        with httpx.Client(base_url=self.address, timeout=30) as client:
            answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            yield Client(client)


class Client:
    """Somebody signed in, who fills in the token of the forms as a browser would."""

    def __init__(self, client: httpx.Client) -> None:
        self.http = client

    def get(self, path: str, **options: object) -> httpx.Response:
        return self.http.get(path, **options)  # type: ignore[arg-type]

    def post(self, path: str, form_on: str = "/my-account", **fields: str) -> httpx.Response:
        """Send a form that is shown on the page `form_on`."""
        page = self.get(form_on).text
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        return self.http.post(path, data={"csrf": token[1] if token else "", **fields})
