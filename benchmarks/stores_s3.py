"""Sending to an S3 store, beside `rclone copy` of the same files to the same server.

Starts the tests' modern S3 server on this computer (`make stores` installs it), and sends over
TLS: large files in parts, and small ones from several threads and one by one. Rounds
alternate. Processor time is that of the sender and its threads, without the server's.

Not to be concluded: what a store on a network is worth. The server takes its share of the same
processors, so both ways are slower than against another machine.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
from recorder_sync.stores.store import Outgoing
from tests.stores.s3.sending import Record
from tests.stores.s3.server import MODERN, S3Server, running

TRANSFERS = 4
PARTS = int(os.environ.get("PARTS", "4"))


def send(
    server: S3Server, bucket: str, folder: Path, digests: dict[str, Digests], workers: int
) -> None:
    """Send as the service does: read once, hashed meanwhile, confirmed by what the store says."""
    store = _store(server, bucket)
    line, halt = Line(lambda: None), Halt()

    def one(path: Path) -> None:
        with open(path, "rb", buffering=0) as file:
            item = Outgoing(path.name, path.stat().st_size, digests[path.name])
            known = digests[path.name].blake3
            source = source_of_open(file.fileno(), item.size, known, line, halt, path.name)
            receipt = store.send(item, source, Record())
            found = confirm(
                store, item, receipt.version, receipt.checksums, lambda: True, halt.check
            )
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


def _store(server: S3Server, bucket: str) -> S3Store:
    address = S3Address(server.endpoint, bucket, ca_file=server.certificates.authority)
    keys = lambda: S3Credentials("testdock", "secretdock")  # noqa: E731
    return S3Store("s3", address, keys, parallel=PARTS)


def rclone(server: S3Server, bucket: str, folder: Path) -> None:
    keys = "access_key_id=testdock,secret_access_key=secretdock"
    to = f':s3,provider=Ceph,{keys},endpoint="{server.endpoint}":{bucket}'
    environment = {name: value for name, value in os.environ.items() if "AWS" not in name}
    subprocess.run(
        [
            *("rclone", "copy", str(folder), to, "--config", "/dev/null", "--s3-no-check-bucket"),
            *("--transfers", str(TRANSFERS), "--ca-cert", str(server.certificates.authority)),
        ],
        check=True,
        env=environment,
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


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--large", type=int, default=4, help="files of 128 MiB")
    options.add_argument("--small", type=int, default=1000, help="files of 20 kB")
    given = options.parse_args()
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as name,
        running(MODERN, Path(name), gib=8) as server,
    ):
        screen = Console(width=100)
        for what, count, size in (
            ("large", given.large, 128 << 20),
            ("small", given.small, 20_000),
        ):
            folder = Path(name) / what
            folder.mkdir()
            digests = {}
            for number in range(count):
                data = os.urandom(size)
                (folder / f"{number:05d}").write_bytes(data)
                sealed = Digests(blake3(data).hexdigest(), hashlib.sha256(data).hexdigest())
                digests[f"{number:05d}"] = sealed
            rows = _rounds(server, folder, digests, given.rounds)
            screen.print(_table(what, rows, count * size / (1 << 30), count))
            print(json.dumps({what: rows}), file=sys.stderr)


def _rounds(
    server: S3Server, folder: Path, digests: dict[str, Digests], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    ways: dict[str, Callable[[str], None]] = {
        f"recorder-sync, {TRANSFERS} at once": lambda to: send(
            server, to, folder, digests, TRANSFERS
        ),
        f"rclone, {TRANSFERS} at once": lambda to: rclone(server, to, folder),
        "recorder-sync, one by one": lambda to: send(server, to, folder, digests, 1),
    }
    rows: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for number in range(rounds):
        for place, (way, work) in enumerate(ways.items()):
            bucket = f"{folder.name}-{number}-{place}"
            server.client.create_bucket(Bucket=bucket)
            bind(server, bucket)
            rows[way].append(measured(lambda work=work, bucket=bucket: work(bucket)))  # type: ignore[misc]
            _empty(server, bucket)
    return rows


def _empty(server: S3Server, bucket: str) -> None:
    """The server keeps everything in memory."""
    pages = server.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    for page in pages:
        for one in page.get("Contents", ()):
            server.client.delete_object(Bucket=bucket, Key=one["Key"])


def _table(what: str, rows: dict[str, list[tuple[float, float]]], gib: float, count: int) -> Table:
    table = Table(title=f"{count} {what} files, {gib:.2f} GiB, median of the rounds")
    for column in ("", "s", "files/s", "MiB/s", "processor s"):
        table.add_column(column, justify="left" if not column else "right")
    for way, runs in rows.items():
        wall = statistics.median(run[0] for run in runs)
        cpu = statistics.median(run[1] for run in runs)
        speed = (f"{count / wall:.0f}", f"{gib * 1024 / wall:.0f}", f"{cpu:.2f}")
        table.add_row(way, f"{wall:.2f}", *speed)
    return table


if __name__ == "__main__":
    main()
