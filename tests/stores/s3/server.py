"""Real S3 servers with Object Lock: Ceph's gateway, as it is now and as it was in 2021.

Each is a Debian of its own in a folder, made once by `python -m tests.stores.s3.server` (root,
mmdebstrap and a Debian mirror; two minutes and 1.3 GB each) and kept with the parts of the virtual
dock. A server starts in it within three seconds, in namespaces of its own: however the tests
end, it ends with them and leaves no mount behind. What is stored is kept in memory.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from recorder_sync.stores.s3_connection import S3Credentials
from tests.e2e.kept import digest, folder, kept
from tests.e2e.running import run
from tests.stores.s3.certificates import Certificates

_PACKAGES = ("ceph-mon", "ceph-osd", "radosgw", "ceph-common")
_SCRIPT = Path(__file__).with_name("rgw.sh")


@dataclass(frozen=True)
class Release:
    """Which Ceph, by the Debian that has it."""

    name: str
    suite: str

    @property
    def _made_from(self) -> str:
        return digest(self.suite.encode(), " ".join(_PACKAGES).encode())

    @property
    def place(self) -> Path | None:
        """Where its Debian is; None: it was not made yet."""
        place = folder() / f"{self.name}-{self._made_from}"
        return place / "root" if place.exists() else None

    def prepare(self) -> Path:
        """Make its Debian where it is missing."""
        return kept(self.name, self._made_from, self._make) / "root"

    def _make(self, place: Path) -> None:
        if os.geteuid() != 0:
            raise PermissionError("installing an S3 server needs root: sudo make stores")
        run(
            *("unshare", "--mount"),  # what it mounts goes with it, however it ends
            *("mmdebstrap", "--mode=root", "--variant=apt", "--format=directory"),
            *("--skip=output/dev", "--aptopt=APT::Install-Recommends false"),
            *('--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io"),
            *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
            f"--include={','.join(_PACKAGES)}",
            *(self.suite, place / "root"),
            env={"TMPDIR": str(place)},
        )
        (place / "root" / "lab").mkdir()


MODERN = Release("rgw-modern", "forky")
"""20.2: CRC64NVME, If-None-Match, locks kept on uploads in parts."""
OLD = Release("rgw-old", "bookworm")
"""16.2: none of these."""


@dataclass
class S3Server:
    """A running server. Its users are `dock` and `other`."""

    release: Release
    http: int
    https: int
    certificates: Certificates

    @property
    def endpoint(self) -> str:
        return f"https://localhost:{self.https}"

    other = S3Credentials("testother", "secretother")
    """Keys of a user who has no rights on the buckets of the first."""

    @cached_property
    def client(self) -> Any:
        """A client of botocore's own making: what somebody else would ask the server with."""
        from botocore.config import Config
        from botocore.session import Session

        return Session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.endpoint,
            verify=str(self.certificates.authority),
            aws_access_key_id="testdock",
            aws_secret_access_key="secretdock",
            config=Config(
                s3={"addressing_style": "path"}, request_checksum_calculation="when_required"
            ),
        )


@contextmanager
def running(release: Release, state: Path, gib: int = 2) -> Iterator[S3Server]:
    """Run a server with its state in an empty folder and room for `gib` GiB."""
    root = release.place
    assert root is not None
    certificates = Certificates(state)
    (state / "rgw.sh").write_bytes(_SCRIPT.read_bytes())
    monitor, http, https = (_free_port() for _ in range(3))
    mounts = (
        f"mount --make-rprivate / && mount -t proc proc {root}/proc && "
        f"mount --bind /dev {root}/dev && mount --bind /sys {root}/sys && "
        f"mount --bind {state} {root}/lab && "
        f"exec chroot {root} bash /lab/rgw.sh /lab {monitor} {http} {https} {gib}"
    )
    with open(state / "said", "wb") as said:
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", mounts],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            words = (state / "said").read_text(errors="replace")
            raise RuntimeError(f"{release.name} did not start: {words[-2000:]}")
        yield S3Server(release, http, https, certificates)
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def main(arguments: Sequence[str]) -> None:
    is_to_run = arguments[:1] == ["--run"]
    for release in (MODERN,) if is_to_run else (MODERN, OLD):
        begun = time.monotonic()
        release.prepare()
        print(f"{release.name}: there after {time.monotonic() - begun:.0f} s", flush=True)
    if is_to_run:
        _run_for_people(Path(arguments[1] if len(arguments) > 1 else "try-store").resolve())


_STORE = """
[[stores]]
name = "district"
[stores.s3]
endpoint = "{endpoint}"
bucket = "evidence"
ca_file = "{folder}/authority.pem"
access_key = {{ file = "{folder}/access-key" }}
secret_key = {{ file = "{folder}/secret-key" }}
lock = "compliance"

[[forward.retention]]
days = 1
"""


def _run_for_people(folder: Path) -> None:
    """Run the modern server with a bucket until Control-C; in `folder` is how to reach it."""
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory() as name, running(MODERN, Path(name)) as server:
        server.client.create_bucket(Bucket="evidence", ObjectLockEnabledForBucket=True)
        (folder / "authority.pem").write_bytes(server.certificates.authority.read_bytes())
        for key, value in (("access-key", "testdock"), ("secret-key", "secretdock")):
            (folder / key).write_text(value)
            (folder / key).chmod(0o640)
        settings = _STORE.format(endpoint=server.endpoint, folder=folder)
        (folder / "store.toml").write_text(settings, encoding="utf-8")
        print(f"{server.endpoint} has a bucket with Object Lock: evidence")
        print(f"The settings for it are in {folder}/store.toml")
        print("Control-C stops it; all that is stored is gone then.", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
