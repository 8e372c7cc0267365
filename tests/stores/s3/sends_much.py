"""A process that sends one large object and says what that took: see test_memory.py."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from recorder_sync.stores.s3 import S3Store
from recorder_sync.stores.s3_connection import S3Address, S3Credentials
from recorder_sync.stores.store import NO_LOCK, Outgoing
from tests.stores.s3.sending import MIB, Record, content


class Generated:
    """A file of this size that is nowhere."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._pattern = content(MIB)

    def read(self, size: int) -> bytes:
        size = min(size, self._left)
        self._left -= size
        whole = self._pattern * (size // MIB)
        return whole if size % MIB == 0 else whole + self._pattern[: size % MIB]


def _most_resident_mib() -> float:
    """Return the peak of this program; getrusage would have that of its parent, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(endpoint: str, bucket: str, authority: str, size: int, objects: int) -> None:
    address = S3Address(endpoint, bucket, ca_file=Path(authority))
    store = S3Store("remote", address, lambda: S3Credentials("testdock", "secretdock"))
    store.bind("test")
    before, begun = time.process_time(), time.monotonic()
    for number in range(objects):
        item = Outgoing(f"much-{datetime.now(UTC):%f}-{number}", size, None, NO_LOCK)
        store.send(item, lambda: Generated(size), Record())
    said = {
        "resident_mib": _most_resident_mib(),
        "cpu_s": time.process_time() - before,
        "seconds": time.monotonic() - begun,
    }
    store.close()
    print(json.dumps(said))


if __name__ == "__main__":
    where, much = sys.argv[1:4], sys.argv[4:]
    main(where[0], where[1], where[2], int(much[0]), int(much[1]))
