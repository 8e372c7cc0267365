"""Our own checksums are those that the published vectors and an S3 server have."""

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.stores.s3_sums import (
    PART,
    Checksum,
    PartSum,
    WholeSum,
    agree,
    kept_by,
    part_size,
)


def _whole(parts: list[bytes], checksum: Checksum) -> dict[str, str]:
    whole = WholeSum(checksum)
    for part in parts:
        whole.add(PartSum.of(part, checksum))
    return whole.found(in_parts=len(parts) > 1)


def test_crc64nvme_is_that_of_the_published_vector() -> None:
    assert _whole([b"123456789"], Checksum.CRC64NVME) == {"crc64nvme": "ae8b14860a799888"}


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_crc64nvme_of_the_parts_is_that_of_the_whole(parts: list[bytes]) -> None:
    assert _whole(parts, Checksum.CRC64NVME) == _whole([b"".join(parts)], Checksum.CRC64NVME)


def test_md5_of_parts_is_what_etag_has() -> None:
    digests = hashlib.md5(b"a").digest() + hashlib.md5(b"b").digest()
    ours = _whole([b"a", b"b"], Checksum.MD5)
    assert ours == {"md5-of-parts": f"{hashlib.md5(digests).hexdigest()}-2"}
    assert agree(ours, kept_by({"ETag": f'"{ours["md5-of-parts"]}"'}))


def test_checksums_over_other_things_are_not_compared() -> None:
    crc = base64.b64encode(bytes(8)).decode()
    assert kept_by({"ChecksumCRC64NVME": crc, "ChecksumType": "COMPOSITE", "ETag": '"x"'}) == {}
    kms = {"ETag": f'"{"0" * 32}"', "ServerSideEncryption": "aws:kms"}
    assert kept_by(kms) == {}
    assert agree({"md5": "0" * 32}, {"crc64nvme": "0" * 16}) is None
    assert agree({"md5-of-parts": "0" * 32 + "-2"}, {"md5-of-parts": "1" * 32 + "-3"}) is None
    assert agree({"md5": "0" * 32}, {"md5": "1" * 32}) is False


@given(st.integers(0, 5 << 40))
def test_no_object_has_more_parts_than_a_store_takes(size: int) -> None:
    assert part_size(size) >= PART
    assert -(-size // part_size(size)) <= 10_000
