"""A process that sends objects, with its record in a file, and is killed: see test_kills.py."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from recorder_sync.stores.s3 import S3Store
from recorder_sync.stores.s3_connection import S3Address, S3Credentials
from recorder_sync.stores.store import Lock, LockMode
from tests.stores.s3.sending import PIECE, content, outgoing, source

SIZES = {"small": 1000, "large": 3 * PIECE + 77}


class FileRecord:
    """A course that outlives the process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def resume(self) -> str | None:
        return self._path.read_text() if self._path.exists() else None

    def note(self, resume: str) -> None:
        fresh = self._path.with_suffix(".fresh")
        fresh.write_text(resume)
        fresh.replace(self._path)

    def sent(self, size: int) -> None:
        pass


def main(endpoint: str, bucket: str, authority: str, folder: str, until: str) -> None:
    address = S3Address(endpoint, bucket, ca_file=Path(authority))
    store = S3Store("remote", address, lambda: S3Credentials("testdock", "secretdock"))
    print("begun", flush=True)
    store.bind("test")
    lock = Lock(LockMode.COMPLIANCE, datetime.fromtimestamp(float(until), UTC))
    versions = {}
    for name, size in SIZES.items():
        data = content(size)
        record = FileRecord(Path(folder) / name)
        item = outgoing(data, lock, f"{Path(folder).name}/{name}")
        versions[name] = store.send(item, source(data), record).version
    store.close()
    print(json.dumps(versions), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
