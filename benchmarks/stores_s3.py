"""Sending to an S3 store, beside `rclone copy` of the same files to the same server.

Starts the tests' modern S3 server on this computer (`make stores` installs it), and sends over
TLS: large files in parts, and small ones from several threads and one by one. Rounds
alternate. Processor time is that of the sender and its threads, without the server's.

Not to be concluded: what a store on a network is worth. The server takes its share of the same
processors, so both ways are slower than against another machine.
"""

import argparse
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

from rich.console import Console
from rich.table import Table

from recorder_sync.stores.s3 import S3Store
from recorder_sync.stores.s3_connection import S3Address, S3Credentials
from recorder_sync.stores.store import Outgoing
from tests.stores.s3.sending import Record
from tests.stores.s3.server import MODERN, S3Server, running

TRANSFERS = 4


class File:
    """A source that reads a file, without the digests that the engine makes of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def read(self, size: int) -> bytes:
        with open(self._path, "rb", buffering=0) as file:
            data = os.pread(file.fileno(), size, self._at)
        self._at += len(data)
        return data


def send(server: S3Server, bucket: str, folder: Path, workers: int) -> None:
    address = S3Address(server.endpoint, bucket, ca_file=server.certificates.authority)
    store = S3Store("s3", address, lambda: S3Credentials("testdock", "secretdock"))
    store.bind("bench")

    def one(path: Path) -> None:
        item = Outgoing(path.name, path.stat().st_size, None)
        store.send(item, lambda: File(path), Record())

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, sorted(folder.iterdir())))
    store.close()


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
            for number in range(count):
                (folder / f"{number:05d}").write_bytes(os.urandom(size))
            rows = _rounds(server, folder, given.rounds)
            screen.print(_table(what, rows, count * size / (1 << 30), count))
            print(json.dumps({what: rows}), file=sys.stderr)


def _rounds(server: S3Server, folder: Path, rounds: int) -> dict[str, list[tuple[float, float]]]:
    ways: dict[str, Callable[[str], None]] = {
        f"recorder-sync, {TRANSFERS} at once": lambda to: send(server, to, folder, TRANSFERS),
        f"rclone, {TRANSFERS} at once": lambda to: rclone(server, to, folder),
        "recorder-sync, one by one": lambda to: send(server, to, folder, 1),
    }
    rows: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for number in range(rounds):
        for place, (way, work) in enumerate(ways.items()):
            bucket = f"{folder.name}-{number}-{place}"
            server.client.create_bucket(Bucket=bucket)
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
