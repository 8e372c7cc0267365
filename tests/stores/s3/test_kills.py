"""A process that is killed at any moment leaves each object there once, whole and locked."""

import hashlib
import itertools
import json
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recorder_sync.stores.store import Lock, LockMode
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.sending import content
from tests.stores.s3.sends_on import SIZES

_HALF_AN_HOUR = 1800


def _run(bucket: Bucket, folder: Path, until: int, patience_s: float | None) -> str | None:
    """Run the process; return what it said at its end, or None where it was killed."""
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.stores.s3.sends_on", bucket.server.endpoint),
            *(bucket.name, str(bucket.address.ca_file), str(folder), str(until)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return None
        assert process.returncode == 0
        return process.stdout.read()


@pytest.mark.timeout(3000)
def test_killed_at_random_moments_every_object_is_there_once(
    bucket: Bucket, tmp_path: Path, rounds: int
) -> None:
    killed = 0
    for number in itertools.count():
        if killed >= rounds:
            break
        folder = tmp_path / str(number)
        folder.mkdir()
        until = int(time.time()) + _HALF_AN_HOUR
        patience = 0.2
        while (said := _run(bucket, folder, until, random.uniform(0.1, patience))) is None:
            killed += 1
            patience += 0.05
        assert _run(bucket, folder, until, None) == said
        store = bucket.store()
        for name, version in json.loads(said).items():
            key = f"{folder.name}/{name}"
            assert bucket.versions(key) == [version]
            there = store.look(key, version)
            assert there is not None
            assert there.lock.covers(Lock(LockMode.COMPLIANCE, datetime.fromtimestamp(until, UTC)))
            whole = hashlib.sha256(b"".join(store.read(key)))
            assert whole.digest() == hashlib.sha256(content(SIZES[name])).digest()
