"""The real service in a child process, and somebody to sign in to it."""

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import httpx

from recorder_sync.access import keeping
from recorder_sync.access.database import open_accounts
from recorder_sync.access.keeping import Standing
from recorder_sync.rules.access import Role, Secrecy
from tests.conftest import Dock
from tests.warm_start import Running

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
        web = {"port": self.port, "tries_at_once": 10_000, **sections.pop("web", {})}
        self.dock.configure(web=web, **sections)

    def __enter__(self) -> Self:
        told = self.dock.config.with_name("notify.sock")
        told.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(str(told))
            channel.settimeout(30)
            self._process = self._started({"NOTIFY_SOCKET": str(told)})
            try:
                while b"READY=1" not in channel.recv(4096):
                    pass
            except TimeoutError:
                raise AssertionError(self.log) from None
        return self

    def _started(self, env: dict[str, str]) -> Running | subprocess.Popen[bytes]:
        return self.dock.start(self._command, journal=self._log, env=env)

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
        """Make an account with a password, by what the command calls; return its name."""
        given = dict(zip(options[::2], options[1::2], strict=True))
        wanted = Standing(
            Role(role),
            officer=given.pop("--officer", None),
            unit=given.pop("--unit", None),
            cleared=frozenset(Secrecy(one) for one in given.pop("--cleared", "").split(",") if one),
        )
        assert not given, given
        station = self.dock.station()
        db = open_accounts(station.settings.paths.state)
        try:
            token = keeping.add(station, db, name, wanted)
            assert keeping.accept(station, db, token, PASSWORD) is not None
        finally:
            db.close()
            station.catalogue.close()
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
