"""A lost dock PC comes back from an object store, with an old one as well as a modern one."""

from pathlib import Path

import pytest

from tests.documents.handing_in import CASE, PDF, add
from tests.forward.conftest import Forwarded
from tests.from_store.conftest import Lost
from tests.ingest.aftermath import until
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.test_forwarded import bed, bucket_settings

__all__ = ["bed"]

_RECORDS = "_stations/test/custody/"


class _Objects:
    """What the server has of the station's records, by another client."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def keys(self, below: str) -> list[str]:
        answer = self._bucket.client.list_objects_v2(
            Bucket=self._bucket.name, Prefix=_RECORDS + below
        )
        return [one["Key"] for one in answer.get("Contents", ())]

    def log(self) -> bytes:
        client, name = self._bucket.client, self._bucket.name
        keys = self.keys("log/")
        return b"".join(client.get_object(Bucket=name, Key=key)["Body"].read() for key in keys)

    def has_note(self, name: str) -> bool:
        return bool(self.keys(f"checkpoints/{name}")) and bool(self.keys("keys/"))


@pytest.fixture
def station(bed: Forwarded, bucket: Bucket, tmp_path: Path) -> Lost:
    bed.set_up(stores=bucket_settings(bed, bucket))
    bed.bind()
    bed.seal(2, size=200_000)
    bed.seal(1, size=9 << 20, first=8)
    return Lost(bed, tmp_path)


def test_state_and_evidence_come_back_from_a_bucket_as_they_were(
    station: Lost, bucket: Bucket
) -> None:
    objects = _Objects(bucket)
    station.forward_everything(objects.log, objects.has_note)
    station.lose()
    done = station.rebuild("--with-recordings")
    assert done.code == 0, done.err + done.out
    assert done.json["files"] == {"fetched": 3, "already_here": 0, "failed": 0}
    assert station.files() == station.evidence
    assert station.dock.run("recordings", "list", "--json").json == station.before
    verified = station.dock.run("verify", "--all", "--json")
    assert verified.json["findings"] == []
    assert verified.code == 0


def test_a_document_goes_to_a_bucket_locked_and_proven_by_checksum_and_comes_back(
    bed: Forwarded, bucket: Bucket, tmp_path: Path
) -> None:
    bed.set_up(stores=bucket_settings(bed, bucket))
    bed.bind()
    assert bed.dock.run("cases", "add", CASE, "--party", "某某餐饮有限公司").code == 0
    station, large = Lost(bed, tmp_path), tmp_path / "scan.pdf"
    large.write_bytes(PDF + bytes(range(256)) * (40 << 10))
    done = add(bed.dock, large)
    assert done.code == 0, done.err
    bed.start()
    noted = "select key, proof, version, kept_until from document_copies where confirmed_at > ''"
    until(lambda: bed.rows(noted), "it is confirmed")
    bed.stop()
    ((key, proof, version, kept_until),) = bed.rows(noted)
    assert proof == "checksum"
    for name in (key, f"{key}.json"):
        (only,) = bucket.versions(name)
        lock = bucket.client.get_object_retention(Bucket=bucket.name, Key=name, VersionId=only)
        assert lock["Retention"]["RetainUntilDate"].year >= 2026, "no key deletes it"
    assert (bucket.versions(key), bool(kept_until)) == ([version], True)
    objects = _Objects(bucket)
    station.forward_everything(objects.log, objects.has_note)
    station.lose()
    back = station.rebuild("--with-recordings")
    assert back.code == 0, back.err + back.out
    assert back.json["documents"] == {"fetched": 1, "already_here": 0, "failed": 0}
    assert station.files() == station.evidence
    assert bed.dock.run("verify", "--all", "--json").json["findings"] == []
