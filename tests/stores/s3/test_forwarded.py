"""The forward service against a real object store: locked, proven by checksum, and only once."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Card, Dock
from tests.forward.conftest import Forwarded
from tests.ingest.aftermath import until
from tests.on_the_day import today
from tests.stores.s3.conftest import Bucket


@pytest.fixture
def bed(dock: Dock, tmp_path: Path, card: Card) -> Iterator[Forwarded]:
    today()
    made = Forwarded(dock, tmp_path, card)
    yield made
    made.end()


def bucket_settings(bed: Forwarded, bucket: Bucket) -> str:
    keys = bed.dock.state.parent / "keys"
    keys.mkdir()
    for name, value in (("access", "testdock"), ("secret", "secretdock")):
        (keys / name).write_text(value)
        (keys / name).chmod(0o600)
    address = bucket.address
    return (
        f'[[stores]]\nname = "nas"\nparallel = 2\n[stores.s3]\nbucket = "{bucket.name}"\n'
        f'endpoint = "{address.endpoint}"\nca_file = "{address.ca_file}"\nlock = "compliance"\n'
        f'access_key = {{ file = "{keys}/access" }}\nsecret_key = {{ file = "{keys}/secret" }}\n'
        "[[forward.retention]]\ndays = 30\n"
    )


def test_art_25_a_recording_is_locked_proven_and_there_once_though_the_service_was_killed(
    bed: Forwarded, bucket: Bucket
) -> None:
    bed.set_up(stores=bucket_settings(bed, bucket))
    bed.bind()
    sealed = bed.seal(3, size=300_000) + bed.seal(1, size=20 << 20, first=9)
    bed.start()
    until(bed.confirmed, "the first one")
    bed.end()  # in the middle of the others
    bed.start()
    bed.until_confirmed(4)
    assert bed.stop() == 128 + signal.SIGTERM
    entries = bed.entries("confirmed")
    assert sorted(e["subject"] for e in entries) == sorted(one["id"] for one in sealed)
    for entry in entries:
        facts = entry["facts"]
        assert facts["lock"] == "compliance"
        assert facts["kept_until"] > entry["time"]
        assert bucket.versions(facts["key"]) == [facts["version"]], "one version, no second upload"
        description = facts["description"]
        assert bucket.versions(description["key"]) == [description["version"]]


def test_the_service_takes_less_than_100_mb_with_several_parts_on_their_way(
    bed: Forwarded, modern: Bucket
) -> None:
    bed.set_up(stores=bucket_settings(bed, modern))
    bed.bind()
    bed.seal(2, size=30 << 20)
    # From the start of Python: one that is forked has the memory of what it is forked from.
    service = subprocess.Popen(bed.dock.command("forward"), stderr=subprocess.DEVNULL)
    try:
        bed.until_confirmed(2)
        status = Path(f"/proc/{service.pid}/status").read_text(encoding="ascii")
    finally:
        service.kill()
        service.wait()
    assert int(status.partition("VmHWM:")[2].split()[0]) << 10 < 100_000_000
