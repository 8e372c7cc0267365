"""What is sent to an S3 store is there once, whole and locked, and the store says so."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from blake3 import blake3

from recorder_sync.stores import s3_sums
from recorder_sync.stores.s3_sums import Checksum, PartSum, WholeSum
from recorder_sync.stores.store import (
    Interrupted,
    Lock,
    LockMode,
    SourceChanged,
    StoreProblem,
    Trouble,
)
from tests.stores.fault_proxy import FaultProxy
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.sending import (
    KEY,
    MIB,
    PIECE,
    Record,
    content,
    for_a_while,
    outgoing,
    source,
)

SIZES = [0, 1, PIECE, PIECE + 1, 2 * PIECE + 12345]


@pytest.mark.parametrize("size", SIZES)
def test_an_object_is_there_whole_and_locked(bucket: Bucket, size: int) -> None:
    store, data = bucket.bound(), content(size)
    item = outgoing(data, for_a_while())
    receipt = store.send(item, source(data), Record())
    there = store.look(KEY, receipt.version)
    assert there is not None
    assert there.size == size
    assert s3_sums.agree(receipt.checksums, there.checksums)
    assert there.lock.covers(item.lock)
    assert hashlib.sha256(b"".join(store.read(KEY))).digest() == hashlib.sha256(data).digest()
    assert list(store.unfinished()) == []


def test_a_store_vouches_for_an_object_in_one_piece_by_the_digest_of_its_seal(
    modern: Bucket,
) -> None:
    store, data = modern.bound(), content(PIECE)
    store.send(outgoing(data), source(data), Record())
    there = store.look(KEY)
    assert there is not None
    assert there.checksums["blake3"] == blake3(data).hexdigest()


def test_a_store_vouches_for_an_object_in_parts_by_the_digests_of_its_parts(
    modern: Bucket,
) -> None:
    store, data = modern.bound(), content(2 * PIECE + 1)
    receipt = store.send(outgoing(data), source(data), Record())
    there = store.look(KEY)
    assert there is not None
    parts = (data[:PIECE], data[PIECE : 2 * PIECE], data[2 * PIECE :])
    digest = blake3(b"".join(blake3(part).digest() for part in parts)).hexdigest()
    assert there.checksums["blake3-of-parts"] == f"{digest}-3"
    assert receipt.checksums == {"blake3-of-parts": f"{digest}-3"}


@pytest.mark.parametrize("size", [0, PIECE, 2 * PIECE + 1])
def test_by_the_settings_a_store_vouches_for_whole_objects_by_crc64nvme(
    modern: Bucket, size: int
) -> None:
    modern.bound()
    store, data = modern.store(checksum=Checksum.CRC64NVME), content(size)
    receipt = store.send(outgoing(data, for_a_while()), source(data), Record())
    there = store.look(KEY)
    assert there is not None
    whole = WholeSum(Checksum.CRC64NVME)
    whole.add(PartSum.of(data, Checksum.CRC64NVME))
    assert there.checksums["crc64nvme"] == whole.found(in_parts=True)["crc64nvme"]
    assert receipt.checksums["crc64nvme"] == there.checksums["crc64nvme"]


def test_a_locked_version_cannot_be_deleted(bucket: Bucket) -> None:
    store, data = bucket.bound(), content(PIECE + 1)
    receipt = store.send(outgoing(data, for_a_while()), source(data), Record())
    with pytest.raises(bucket.client.exceptions.ClientError, match="AccessDenied"):
        bucket.client.delete_object(Bucket=bucket.name, Key=KEY, VersionId=receipt.version)


@pytest.mark.parametrize("size", [1000, PIECE + 1])
def test_the_same_object_again_makes_no_second_copy(bucket: Bucket, size: int) -> None:
    store, data = bucket.bound(), content(size)
    first = store.send(outgoing(data), source(data), Record())
    again = store.send(outgoing(data), source(data), Record())
    assert again == first
    assert bucket.versions(KEY) == [first.version]


def test_an_upload_goes_on_where_it_stopped(bucket: Bucket, proxy: FaultProxy) -> None:
    store, data = bucket.bound(bucket.through(proxy)), content(4 * PIECE + 5)
    record = Record()
    with pytest.raises(Interrupted):
        store.send(outgoing(data), source(data, stop_at=2 * PIECE), record)
    store.close()
    begun = proxy.count("PUT", "partNumber")
    again = bucket.store(bucket.through(proxy))
    again.send(outgoing(data), source(data), record)
    assert begun <= 2
    assert proxy.count("PUT", "partNumber") <= 5 + 1  # one may have been on its way
    assert proxy.count("POST", "uploads") == 1
    assert hashlib.sha256(b"".join(again.read(KEY))).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize(
    ("begun", "later"),
    [(Checksum.CRC64NVME, None), (None, Checksum.CRC64NVME)],
    ids=["crc64nvme-then-blake3", "blake3-then-crc64nvme"],
)
def test_an_upload_goes_on_with_the_checksum_it_was_begun_with(
    modern: Bucket, modern_proxy: FaultProxy, begun: Checksum | None, later: Checksum | None
) -> None:
    modern.bound()
    way, data, record = modern.through(modern_proxy), content(3 * PIECE + 5), Record()
    with pytest.raises(Interrupted):
        modern.store(way, checksum=begun).send(
            outgoing(data), source(data, stop_at=2 * PIECE), record
        )
    receipt = modern.store(way, checksum=later).send(outgoing(data), source(data), record)
    assert modern_proxy.count("POST", "uploads") == 1
    assert modern_proxy.count("PUT", "partNumber") <= 4 + 1
    (name,) = receipt.checksums
    assert name == ("crc64nvme" if begun else "blake3-of-parts")
    there = modern.store().look(KEY, receipt.version)
    assert there is not None
    assert s3_sums.agree(receipt.checksums, there.checksums)


def test_what_was_sent_with_the_other_checksum_is_taken_for_the_same(
    modern: Bucket,
) -> None:
    modern.bound()
    crc = modern.store(checksum=Checksum.CRC64NVME)
    for key, size in (("small", 1000), ("large", PIECE + 1)):
        data = content(size)
        first = crc.send(outgoing(data, key=key), source(data), Record())
        again = modern.store().send(outgoing(data, key=key), source(data), Record())
        assert again.version == first.version
        assert modern.versions(key) == [first.version]


_AN_EARLIER_VERSIONS = 5 * MIB


def test_an_upload_goes_on_with_the_parts_it_was_begun_with(
    bucket: Bucket, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.bound()
    way, data, record = bucket.through(proxy), content(4 * _AN_EARLIER_VERSIONS), Record()
    halfway = source(data, stop_at=2 * _AN_EARLIER_VERSIONS)
    with monkeypatch.context() as earlier:
        earlier.setattr(s3_sums, "PART", _AN_EARLIER_VERSIONS)
        with pytest.raises(Interrupted):
            bucket.store(way).send(outgoing(data), halfway, record)
    store = bucket.store(way)
    receipt = store.send(outgoing(data), source(data), record)
    assert proxy.count("POST", "uploads") == 1
    assert proxy.count("PUT", "partNumber") <= 4 + 1
    assert all(value.endswith("-4") for value in receipt.checksums.values()), "of four parts"
    there = store.look(KEY, receipt.version)
    assert there is not None
    assert s3_sums.agree(receipt.checksums, there.checksums)


@pytest.mark.parametrize("size", [_AN_EARLIER_VERSIONS + 1, 4 * _AN_EARLIER_VERSIONS])
def test_what_was_sent_in_other_parts_is_taken_for_the_same(
    bucket: Bucket, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, data = bucket.bound(), content(size)
    with monkeypatch.context() as earlier:
        earlier.setattr(s3_sums, "PART", _AN_EARLIER_VERSIONS)
        first = store.send(outgoing(data), source(data), Record())
    again = bucket.store().send(outgoing(data), source(data), Record())
    assert again.version == first.version
    assert bucket.versions(KEY) == [first.version]


def test_a_part_that_is_there_with_other_bytes_is_sent_again(bucket: Bucket) -> None:
    store, data = bucket.bound(), content(3 * PIECE)
    record = Record()
    with pytest.raises(Interrupted):
        store.send(outgoing(data), source(bytes(3 * PIECE), stop_at=2 * PIECE), record)
    store.send(outgoing(data), source(data), record)
    assert hashlib.sha256(b"".join(store.read(KEY))).digest() == hashlib.sha256(data).digest()


def test_a_part_whose_checksum_the_store_lists_is_sent_again_where_it_is_another(
    modern: Bucket,
) -> None:
    modern.bound()
    store, data, record = modern.store(checksum=Checksum.CRC64NVME), content(3 * PIECE), Record()
    with pytest.raises(Interrupted):
        store.send(outgoing(data), source(bytes(3 * PIECE), stop_at=2 * PIECE), record)
    store.send(outgoing(data), source(data), record)
    assert hashlib.sha256(b"".join(store.read(KEY))).digest() == hashlib.sha256(data).digest()


def test_an_upload_that_the_store_has_forgotten_begins_anew(bucket: Bucket) -> None:
    store, data = bucket.bound(), content(2 * PIECE)
    record = Record()
    with pytest.raises(Interrupted):
        store.send(outgoing(data), source(data, stop_at=PIECE), record)
    (left,) = store.unfinished()
    store.abandon(left)
    store.send(outgoing(data), source(data), record)
    assert len(bucket.versions(KEY)) == 1


@pytest.mark.parametrize("size", [1000, PIECE + 1])
def test_a_file_that_is_not_as_sealed_never_shows_up(bucket: Bucket, size: int) -> None:
    store, data = bucket.bound(), content(size)
    with pytest.raises(SourceChanged):
        store.send(outgoing(data), source(data, changed=True), Record())
    assert store.look(KEY) is None
    assert list(store.unfinished()) == []


def test_unfinished_uploads_are_listed_and_given_up(bucket: Bucket) -> None:
    store, data = bucket.bound(), content(2 * PIECE)
    with pytest.raises(Interrupted):
        store.send(outgoing(data), source(data, stop_at=PIECE), Record())
    (left,) = store.unfinished()
    assert left.key == KEY
    store.abandon(left)
    store.abandon(left)
    assert list(store.unfinished()) == []


def test_nothing_is_put_over_what_somebody_else_has_under_the_key(bucket: Bucket) -> None:
    store, data = bucket.bound(), content(1000)
    bucket.client.put_object(Bucket=bucket.name, Key=KEY, Body=b"theirs")
    with pytest.raises(StoreProblem) as raised:
        store.send(outgoing(data), source(data), Record())
    assert raised.value.trouble is Trouble.OBJECT
    assert len(bucket.versions(KEY)) == 1


def test_a_hold_is_put_and_lifted_and_a_lock_only_grows(bucket: Bucket) -> None:
    store, data = bucket.bound(), content(1000)
    short = for_a_while(LockMode.GOVERNANCE)
    version = store.send(outgoing(data, short), source(data), Record()).version
    longer = for_a_while(LockMode.COMPLIANCE, hold=True)
    store.lock(KEY, version, longer)
    there = store.look(KEY, version)
    assert there is not None
    assert there.lock.covers(longer)
    assert longer.until is not None
    latest = longer.until + timedelta(minutes=1)
    store.lock(KEY, version, Lock(LockMode.GOVERNANCE, short.until))
    store.lock(KEY, version, Lock(LockMode.GOVERNANCE, latest))
    there = store.look(KEY, version)
    assert there is not None
    assert not there.lock.hold
    assert there.lock.covers(Lock(LockMode.COMPLIANCE, latest))


def test_keys_are_those_of_the_evidence_under_the_prefix(bucket: Bucket) -> None:
    store, data = bucket.bound(replace(bucket.address, prefix="office/")), content(10)
    for key in ("b/1", "a/1", "a/2"):
        store.send(outgoing(data, key=key), source(data), Record())
    assert list(store.keys()) == ["a/1", "a/2", "b/1"]
    assert list(store.keys("a/")) == ["a/1", "a/2"]
    assert len(bucket.versions("office/a/1")) == 1
