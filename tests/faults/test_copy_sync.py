"""A copy is on stable storage by its own sync, not by one that comes later (promise 2)."""

import os

import pytest

from recorder_sync.ingest.engine import WriteFailed, Writer
from tests.faults.disk import FaultyDisk


def test_the_sync_of_a_copy_fails_when_the_disk_cannot_flush(disk: FaultyDisk) -> None:
    handle = os.open(disk.path / "copy.part", os.O_RDWR | os.O_CREAT)
    try:
        os.pwrite(handle, bytes(1 << 20), 0)
        writer = Writer(handle)
        disk.fail_flushes()
        with pytest.raises(WriteFailed):
            writer.sync()
        assert disk.given()["flush"] > 0
    finally:
        os.close(handle)
