"""OpenSSH's server with its sftp subsystem, on a free port of this machine, for this test run."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path
from typing import Any

import pytest

_SFTP = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server")


@dataclass
class SshServer:
    """One server, its keys, and the folder that a store may be in."""

    folder: Path
    port: int
    more: tuple[str, ...] = ()
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def host_key(self) -> str:
        return " ".join((self.folder / "host.pub").read_text().split()[:2])

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def place(self, **more: Any) -> dict[str, Any]:
        """Return the table of a store at this server."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": getuser(),
            "path": str(self.store),
            "host_keys": [self.host_key],
            "key": {"file": str(self.folder / "user")},
            "timeout_s": 5.0,
            **more,
        }

    def make_keys(self) -> None:
        for name in ("host", "user"):
            if not (self.folder / name).exists():
                command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name]
                subprocess.run(command, cwd=self.folder, check=True)
        (self.folder / "authorized").write_bytes((self.folder / "user.pub").read_bytes())

    def start(self) -> None:
        sftp = next((one for one in _SFTP if Path(one).exists()), "internal-sftp")
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.folder / 'host'}",
            f"AuthorizedKeysFile {self.folder / 'authorized'}",
            f"PidFile {self.folder / 'pid'}",
            f"Subsystem sftp {' '.join([sftp, *self.more])}",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "MaxStartups 100",
            "LogLevel ERROR",
        ]
        (self.folder / "config").write_text("\n".join(lines) + "\n")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program is not None
        command = [program, "-D", "-e", "-f", str(self.folder / "config")]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stderr=log, start_new_session=True)
        self._await_port()

    def stop(self) -> None:
        """End the server; the sessions that it has go on until their connection ends."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def _await_port(self) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "log").read_text()
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("sshd did not begin to listen")


@contextmanager
def ssh_server(folder: Path, *more: str) -> Iterator[SshServer]:
    """Run a server with its keys in `folder`; `more` are arguments of its sftp-server."""
    if shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("OpenSSH's server is not here: apt-get install openssh-server")
    folder.mkdir(parents=True, exist_ok=True)
    server = SshServer(folder, _free_port(), more)
    server.make_keys()
    server.store.mkdir(exist_ok=True)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
