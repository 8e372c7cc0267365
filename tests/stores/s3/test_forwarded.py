"""The forward service against a real object store: locked, proven by checksum, and only once."""

import os
import signal
import subprocess
from pathlib import Path

import tomli_w

from tests.forward.conftest import Forwarded
from tests.ingest.aftermath import until
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.station import ToBucket, bed

__all__ = ["bed"]


def bucket_settings(bed: Forwarded, bucket: Bucket) -> str:
    """Return the tables of a station that sends to a bucket; its keys are put in place."""
    assert isinstance(bed, ToBucket)
    bed.put_keys()
    store = {"name": "nas", "parallel": 2, "s3": bed.place(bucket)}
    return tomli_w.dumps({"stores": [store], "forward": {"retention": [{"days": 30}]}})


def test_art_25_a_recording_is_locked_proven_and_there_once_though_the_service_was_killed(
    bed: ToBucket, bucket: Bucket
) -> None:
    bed.name_bucket(bucket)
    bed.bind()
    sealed = bed.seal(3, size=300_000) + bed.seal(1, size=20 << 20, first=9)
    bed.start()
    until(bed.confirmed, "the first one")
    bed.end()  # in the middle of the others
    bed.start()
    bed.until_confirmed(4)
    assert bed.stop() == 128 + signal.SIGTERM
    bed.assert_each_is_locked_there_once(bucket, sealed)


def test_the_service_takes_less_than_100_mb_with_parts_and_small_ones_on_their_way(
    bed: ToBucket, modern: Bucket, tmp_path: Path
) -> None:
    for brought_by_tests_alone in ("attr", "greenlet"):  # structlog and rich would load them
        (tmp_path / f"{brought_by_tests_alone}.py").write_text("raise ImportError\n")
    bed.name_bucket(modern)
    bed.bind()
    bed.seal(2, size=30 << 20)
    bed.seal(60, size=60_000, first=11)
    # From the start of Python: one that is forked has the memory of what it is forked from.
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2"}  # as in its unit
    environment["PYTHONPATH"] = str(tmp_path)
    service = subprocess.Popen(
        bed.dock.command("forward"), stderr=subprocess.DEVNULL, env=environment
    )
    try:
        bed.until_confirmed(62)
        status = Path(f"/proc/{service.pid}/status").read_text(encoding="ascii")
    finally:
        service.kill()
        service.wait()
    assert int(status.partition("VmHWM:")[2].split()[0]) << 10 < 100_000_000
