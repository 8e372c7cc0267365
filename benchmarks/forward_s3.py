"""What the forward service itself takes while it sends to an S3 store: memory, processor, time.

Seals files at a station of its own, binds a bucket of the tests' modern S3 server on this
computer (`make stores` installs it), and runs `recorder-sync forward` until everything is
confirmed, with its descriptions and the custody log. Memory is the kernel's own peak of the
process (VmHWM), processor time all of it, from the start of Python on.

Not to be concluded: how long it takes on a network; see stores_s3.py.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.stores.s3.server import MODERN, S3Server, running

PROGRAM = Path(sys.executable).with_name("recorder-sync")
_LOOK_EVERY_S = 0.05
_MOST_MIB = 100
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sent:
    wall_s: float
    """From the start of the program to the last confirmation."""
    cpu_s: float
    peak_mib: float


class Service:
    """A station whose sealed recordings go to a new bucket."""

    def __init__(self, folder: Path, server: S3Server, *, parallel: int, parts: int | None) -> None:
        self._folder = folder
        self._config = folder / "config.toml"
        bucket = folder.name
        server.client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
        for name, value in (("access", "testdock"), ("secret", "secretdock")):
            (folder / name).write_text(value)
            (folder / name).chmod(0o600)
        self._config.write_text(
            '[station]\nid = "benchmark"\nlanguage = "en"\ntimezone = "UTC"\n'
            f'[paths]\nstate = "{folder}/state"\nevidence = "{folder}/evidence"\n'
            "[ingest]\nimmutable = false\n"
            f'[[stores]]\nname = "s3"\nparallel = {parallel}\n[stores.s3]\nbucket = "{bucket}"\n'
            f'endpoint = "{server.endpoint}"\nca_file = "{server.certificates.authority}"\n'
            + (f"parts = {parts}\n" if parts else "")
            + f'lock = "governance"\naccess_key = {{ file = "{folder}/access" }}\n'
            f'secret_key = {{ file = "{folder}/secret" }}\n'
        )

    def seal(self, count: int, size: int) -> None:
        """Take in so many files of random bytes."""
        card = self._folder / "card"
        card.mkdir()
        for number in range(count):
            with (card / f"{number:05d}.jpg").open("wb") as file:
                for _ in range(size >> 20):
                    file.write(os.urandom(1 << 20))
                file.write(os.urandom(size & ((1 << 20) - 1)))
        self._run("ingest", card, "--device", "0031")
        self._run("stores", "bind", "s3")

    def send(self, count: int) -> Sent:
        begun = time.monotonic()
        with (self._folder / "journal").open("wb") as journal:
            process = subprocess.Popen(self._command("forward"), stderr=journal)
        try:
            while self._confirmed() < count:
                time.sleep(_LOOK_EVERY_S)
                if process.poll() is not None:
                    raise SystemExit((self._folder / "journal").read_text())
            wall = time.monotonic() - begun
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            cpu = (int(fields[11]) + int(fields[12])) / _TICKS
        finally:
            process.terminate()
            process.wait()
        return Sent(wall, cpu, peak)

    def _confirmed(self) -> int:
        db = sqlite3.connect(f"file:{self._folder}/state/catalogue.db?mode=ro", uri=True)
        try:
            (count,) = db.execute("select count(*) from copies").fetchone()
        finally:
            db.close()
        return int(count)

    def _run(self, *arguments: str | Path) -> None:
        done = subprocess.run(
            self._command(*arguments), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)

    def _command(self, *arguments: str | Path) -> list[str | Path]:
        return [PROGRAM, "--config", self._config, *arguments]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=1)
    options.add_argument("--mib", type=float, default=4096, help="size of each file")
    options.add_argument("--parallel", type=int, default=2, help="recordings at once")
    options.add_argument("--parts", type=int, help="parts at once; else as the settings have it")
    given = options.parse_args()
    size = round(given.mib * (1 << 20))
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as name,
        running(MODERN, Path(name), gib=8) as server,
    ):
        folder = Path(tempfile.mkdtemp(prefix="bench-", dir=name)).rename(Path(name) / "station")
        service = Service(folder, server, parallel=given.parallel, parts=given.parts)
        service.seal(given.count, size)
        sent = service.send(given.count)
    gib = given.count * size / (1 << 30)
    print(
        f"{given.count} x {given.mib:g} MiB: {sent.wall_s:.2f} s, {gib * 1024 / sent.wall_s:.0f}"
        f" MiB/s, {given.count / sent.wall_s:.0f} recordings/s, {sent.cpu_s:.2f} CPU-s"
        f" ({sent.cpu_s / gib:.2f} a GiB), {sent.peak_mib:.0f} MiB of memory at most"
    )
    return 0 if sent.peak_mib < _MOST_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
