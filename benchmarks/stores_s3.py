"""Sending to an S3 store, beside `rclone copy` of the same files to the same server.

Starts the tests' modern S3 server on this computer (`make stores` installs it), and sends over
TLS: large files in parts, and small ones from several threads and one by one. Each file is read
once, hashed meanwhile and held against its digest, sent with a checksum, and the store is asked
for it afterwards, as the service does. `rclone copy` sends MD5 with each file or part, and asks
after each; it holds no file against what it should be. With `rclone check` after it, each file is
read and hashed a second time and held against what the store has. Rounds alternate, each pair is
compared by itself; all files are in the page cache when a way begins. Processor time is that of
the sender and its threads, without the server's, from a process that has its libraries; rclone's
start counts. The process has the environment of `recorder-sync-forward.service`.

How much is won by several at once depends on what a request costs. On one computer that is the
processor, and what rclone wins there says what it allows; on a network it is time. So small files
are also sent by a line on which a request takes some milliseconds there and back.

Not to be concluded: what a store on a network is worth. The server takes more of the same
processors than both senders do. rclone asks it for no checksum but MD5; ours has it compute
BLAKE3, and with `--crc` also CRC64NVME, which Ceph 20.2 does byte by byte, a quarter of a GB a
second. Catalogue and custody log are not here: see forward_s3.py.
"""

import argparse
import gc
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from blake3 import blake3
from rich.console import Console
from rich.table import Table

from recorder_sync.catalogue.copies import Proof
from recorder_sync.forward.confirmation import confirm
from recorder_sync.forward.line import Halt, Line
from recorder_sync.forward.source import source_of_open
from recorder_sync.model import Digests
from recorder_sync.stores.s3 import S3Store
from recorder_sync.stores.s3_connection import S3Address, S3Credentials
from recorder_sync.stores.s3_sums import Checksum
from recorder_sync.stores.store import Outgoing
from recorder_sync.stores.store_settings import S3Place
from tests.stores.far_line import far_line
from tests.stores.s3.sending import Record
from tests.stores.s3.server import MODERN, OLD, S3Server, running

AS_SERVICE = {
    "MALLOC_ARENA_MAX": "2",
    "OPENSSL_CONF": str(Path(__file__).parents[1] / "systemd/recorder-sync-tls.cnf"),
}
"""As in the unit of the forward service."""

TRANSFERS = 4
PARTS = 4
MANY = S3Place.model_fields["small_at_once"].default
"""Small files are sent so many at a time, as the settings have it where nothing is said."""
OURS = f"recorder-sync, {TRANSFERS} at once"
RCLONE = f"rclone, {TRANSFERS} at once"
CHECKED = f"rclone, {TRANSFERS} at once, and check"
OURS_CRC = f"recorder-sync with CRC64NVME, {TRANSFERS} at once"
OURS_MANY_CRC = f"recorder-sync with CRC64NVME, {MANY} at once"
OURS_MANY = f"recorder-sync, {MANY} at once"
RCLONE_MANY = f"rclone, {MANY} at once"
SINGLE = "recorder-sync, one by one"
RCLONE_SINGLE = "rclone, one by one"


def send(
    server: S3Server,
    bucket: str,
    folder: Path,
    digests: dict[str, Digests],
    workers: int,
    checksum: Checksum | None = None,
) -> None:
    """Send as the service does: read once, hashed meanwhile, confirmed by what the store says."""
    store = _store(server, bucket, checksum)
    line, halt = Line(lambda: None), Halt()

    def one(path: Path) -> None:
        with open(path, "rb", buffering=0) as file:
            item = Outgoing(path.name, path.stat().st_size, digests[path.name])
            known = digests[path.name].blake3
            source = source_of_open(file.fileno(), item.size, known, line, halt, path.name)
            receipt = store.send(item, source, Record())
            found = confirm(
                store,
                item,
                receipt.version,
                receipt.checksums,
                lambda: True,
                halt.check,
                receipt.said,
            )
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        assert found is not None
        assert found.proof is Proof.CHECKSUM

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, sorted(folder.iterdir())))
    store.close()


def bind(server: S3Server, bucket: str) -> None:
    """Binding is done once, when a store is set up."""
    store = _store(server, bucket)
    store.bind("bench")
    store.close()


def _store(server: S3Server, bucket: str, checksum: Checksum | None = None) -> S3Store:
    address = S3Address(server.endpoint, bucket, ca_file=server.certificates.authority)
    keys = lambda: S3Credentials("testdock", "secretdock")  # noqa: E731
    return S3Store("s3", address, keys, parallel=PARTS, checksum=checksum)


def rclone(
    server: S3Server, bucket: str, folder: Path, transfers: int = TRANSFERS, *, checks: bool = False
) -> None:
    keys = "access_key_id=testdock,secret_access_key=secretdock"
    to = f':s3,provider=Ceph,{keys},endpoint="{server.endpoint}":{bucket}'
    environment = {name: value for name, value in os.environ.items() if "AWS" not in name}
    # What is there beside the files is the marker of the store.
    for command in (["copy"], ["check", "--one-way"])[: 2 if checks else 1]:
        subprocess.run(
            [
                *("rclone", *command, str(folder), to, "--config", "/dev/null"),
                *("--s3-no-check-bucket", "--ca-cert", str(server.certificates.authority)),
                *("--transfers", str(transfers), "--checkers", str(transfers)),
            ],
            check=True,
            env=environment,
            stderr=subprocess.DEVNULL if "check" in command else None,
        )


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Return wall seconds and processor seconds of work done in a child process."""
    begun, before = time.monotonic(), os.times()
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        raise SystemExit("a way of sending failed")
    after = os.times()
    cpu = after.children_user + after.children_system
    return time.monotonic() - begun, cpu - before.children_user - before.children_system


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--large", type=int, default=4, help="files of 128 MiB")
    options.add_argument("--small", type=int, default=10_000, help="files of 20 kB")
    options.add_argument("--far", type=int, default=1_000, help="files of 20 kB by a long line")
    options.add_argument("--line", type=float, default=10, help="ms there and back")
    options.add_argument("--crc", action="store_true", help="ours with CRC64NVME, not rclone check")
    options.add_argument("--old", action="store_true", help="the tests' old server: Ceph 16.2")
    given = options.parse_args()
    screen = Console(width=110)
    works: list[Work] = []
    beside = (OURS_CRC, OURS_MANY_CRC) if given.crc else (CHECKED,)
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as name,
        running(OLD if given.old else MODERN, Path(name), gib=10) as server,
        far_line(server.https, given.line / 1000) as far,
    ):
        for work, to in (
            (Work("large", given.large, 128 << 20, (OURS, RCLONE, *beside[:1])), server),
            (Work("small", given.small, 20_000, (*SMALL, *beside)), server),
            (
                Work("far", given.far, 20_000, (OURS, RCLONE, OURS_MANY, SINGLE)),
                replace(server, https=far),
            ),
        ):
            if not work.count:
                continue
            works.append(work)
            work.measure(to, Path(name) / work.what, given.rounds)
            screen.print(work.table())
            print(json.dumps({work.what: work.runs}), file=sys.stderr)
    lines = [line for work in works for line in work.judged()]
    targets = Table(title="Targets, by the median of the rounds' ratios")
    for column in ("", "target", "measured", ""):
        targets.add_column(column)
    for text, target, measured, met in lines:
        targets.add_row(text, target, measured, _JUDGED[met])
    screen.print(targets)
    return 1 if any(met is False for *_, met in lines) else 0


Way = Callable[[S3Server, str, Path, dict[str, Digests]], None]
WAYS: dict[str, Way] = {
    OURS: lambda server, to, files, digests: send(server, to, files, digests, TRANSFERS),
    RCLONE: lambda server, to, files, _: rclone(server, to, files),
    CHECKED: lambda server, to, files, _: rclone(server, to, files, checks=True),
    OURS_CRC: lambda server, to, files, digests: send(
        server, to, files, digests, TRANSFERS, Checksum.CRC64NVME
    ),
    OURS_MANY: lambda server, to, files, digests: send(server, to, files, digests, MANY),
    OURS_MANY_CRC: lambda server, to, files, digests: send(
        server, to, files, digests, MANY, Checksum.CRC64NVME
    ),
    RCLONE_MANY: lambda server, to, files, _: rclone(server, to, files, MANY),
    SINGLE: lambda server, to, files, digests: send(server, to, files, digests, 1),
    RCLONE_SINGLE: lambda server, to, files, _: rclone(server, to, files, 1),
}


SMALL = (OURS, RCLONE, OURS_MANY, RCLONE_MANY, SINGLE, RCLONE_SINGLE)

_JUDGED = {True: "met", False: "MISSED", None: ""}


class Work:
    """Files of one size, and how long each way took to send them, round by round."""

    def __init__(self, what: str, count: int, size: int, ways: tuple[str, ...]) -> None:
        self.what = what
        self.count = count
        self._size = size
        self._ways = ways
        self.runs: dict[str, list[tuple[float, float]]] = {}

    @property
    def _gib(self) -> float:
        return self.count * self._size / (1 << 30)

    def measure(self, server: S3Server, folder: Path, rounds: int) -> None:
        folder.mkdir()
        digests = {}
        for number in range(self.count):
            data, name = os.urandom(self._size), f"{number:05d}"
            (folder / name).write_bytes(data)
            digests[name] = Digests(blake3(data).hexdigest(), hashlib.sha256(data).hexdigest())
        os.sync()  # as sealed files are
        gc.freeze()  # or each process copies what it inherits as soon as it looks at it
        self.runs = {way: [] for way in self._ways}
        for number in range(rounds):
            order = self._ways if number % 2 else tuple(reversed(self._ways))
            for place, way in enumerate(order):
                bucket = f"{self.what}-{number}-{place}"
                server.client.create_bucket(Bucket=bucket)
                bind(server, bucket)
                for path in folder.iterdir():
                    path.read_bytes()  # ours has it forgotten
                work = partial(WAYS[way], server, bucket, folder, digests)
                self.runs[way].append(measured(work))
                _empty(server, bucket)

    def table(self) -> Table:
        title = f"{self.count} {self.what} files, {self._gib:.2f} GiB, median of the rounds"
        table = Table(title=title)
        for column in ("", "s", "files/s", "MiB/s", "processor s", "a GiB"):
            table.add_column(column, justify="left" if not column else "right")
        for way, runs in self.runs.items():
            wall = statistics.median(run[0] for run in runs)
            cpu = statistics.median(run[1] for run in runs)
            table.add_row(
                way,
                f"{wall:.2f}",
                f"{self.count / wall:.0f}",
                f"{self._gib * 1024 / wall:.0f}",
                f"{cpu:.2f}",
                f"{cpu / self._gib:.2f}",
            )
        return table

    def judged(self) -> Iterator[tuple[str, str, str, bool | None]]:
        """Yield what was asked for, the target, what was measured, and whether it is met.

        None: it is no target, and says what one is to be compared with.
        """
        time = self._times(OURS, RCLONE, 0)
        yield f"{self.what} files, time", "at most rclone's", f"{time:.2f} times", time <= 1.0
        if CHECKED in self._ways:
            with_check = self._times(OURS, CHECKED, 0)
            yield (
                f"{self.what} files, time",
                "rclone with its check",
                f"{with_check:.2f} times",
                None,
            )
        for one, crc in ((OURS, OURS_CRC), (OURS_MANY, OURS_MANY_CRC)):
            if crc in self._ways:
                ratio = self._times(one, crc, 0), self._times(one, crc, 1)
                found = "{:.2f} and {:.2f} times".format(*ratio)
                yield f"{self.what} files, time and processor", crc, found, None
        if SINGLE in self._ways:
            gain = self._times(SINGLE, OURS_MANY, 0)
            target = f"{MANY} at once at least 2 times as fast as one by one"
            yield f"{self.what} files, time", target, f"{gain:.2f} times", gain >= 2.0
        if RCLONE_MANY in self._ways:
            many = self._times(OURS_MANY, RCLONE_MANY, 0)
            target = f"at most rclone's, {MANY} at once"
            yield f"{self.what} files, time", target, f"{many:.2f} times", many <= 1.0
        if RCLONE_SINGLE in self._ways:
            gain = self._times(RCLONE_SINGLE, RCLONE, 0)
            yield f"{self.what} files, time", "rclone's own gain", f"{gain:.2f} times", None
        if self.what == "large":
            cpu = self._times(OURS, RCLONE, 1)
            met = cpu <= 1 / 3
            yield "large files, processor", "at most a third of rclone's", f"{cpu:.2f} times", met
            each = statistics.median(run[1] for run in self.runs[OURS]) / self._gib
            yield "large files, processor", "at most 2.0 s a GiB", f"{each:.2f} s", each <= 2.0

    def _times(self, one: str, other: str, which: int) -> float:
        """Return how often one way took what the other did, in the middle of the rounds."""
        pairs = zip(self.runs[one], self.runs[other], strict=True)
        return statistics.median(a[which] / b[which] for a, b in pairs)


def _empty(server: S3Server, bucket: str) -> None:
    """The server keeps everything in memory."""
    pages = server.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    for page in pages:
        keys = [{"Key": one["Key"]} for one in page.get("Contents", ())]
        if keys:
            server.client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})


if __name__ == "__main__":
    if not os.environ.items() >= AS_SERVICE.items():  # OpenSSL looks as soon as it is imported
        os.execve(sys.executable, sys.orig_argv, os.environ | AS_SERVICE)
    sys.exit(main())
