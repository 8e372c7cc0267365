"""Our own checksums are those that the published vectors and an S3 server have."""

import base64
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
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
    whole_field,
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


EMPTY = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
"""BLAKE3 of nothing, as published."""


def test_blake3_of_one_piece_is_that_of_the_published_vector() -> None:
    assert _whole([b""], Checksum.BLAKE3) == {"blake3": EMPTY}


def test_blake3_of_parts_is_read_as_ceph_says_it() -> None:
    value = "t7bc2y3ZUg44dL68K/YogKqPqsVVx7KUZimiTjSibg8=-3"
    kept = kept_by({"ChecksumBLAKE3": value, "ChecksumType": "COMPOSITE", "ETag": '"x"'})
    hexadecimal = "b7b6dcdb2dd9520e3874bebc2bf62880aa8faac555c7b2946629a24e34a26e0f"
    assert kept == {"blake3-of-parts": f"{hexadecimal}-3"}


@pytest.mark.skipif(shutil.which("b3sum") is None, reason="b3sum is not installed")
def test_anybody_can_compute_blake3_of_parts_by_the_line_on_the_page(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/stores-s3.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^split .*b3sum$", page, re.MULTILINE)
    content = hashlib.shake_128(b"recording").digest(2 * PART + 12345)
    (tmp_path / "MOV_0001.mp4").write_bytes(content)
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=True)
    parts = [content[at : at + PART] for at in range(0, len(content), PART)]
    ours = _whole(parts, Checksum.BLAKE3)["blake3-of-parts"]
    assert done.stdout.decode().split()[0] == ours.removesuffix("-3")


@given(
    st.lists(st.binary(max_size=300), min_size=2, max_size=6),
    st.sampled_from([Checksum.BLAKE3, Checksum.CRC64NVME]),
)
def test_what_a_store_is_told_of_an_upload_is_what_it_says_of_the_object(
    parts: list[bytes], checksum: Checksum
) -> None:
    ours = _whole(parts, checksum)
    assert kept_by(whole_field(ours)) == ours


@given(st.lists(st.binary(max_size=50), min_size=2, max_size=4), st.data())
def test_blake3_of_parts_shows_a_bit_in_any_part(parts: list[bytes], drawn: st.DataObject) -> None:
    which = drawn.draw(st.integers(0, len(parts) - 1))
    others = [*parts[:which], parts[which] + b"x", *parts[which + 1 :]]
    assert agree(_whole(parts, Checksum.BLAKE3), _whole(others, Checksum.BLAKE3)) is False


def test_md5_of_parts_is_what_etag_has() -> None:
    digests = hashlib.md5(b"a").digest() + hashlib.md5(b"b").digest()
    ours = _whole([b"a", b"b"], Checksum.MD5)
    assert ours == {"md5-of-parts": f"{hashlib.md5(digests).hexdigest()}-2"}
    assert agree(ours, kept_by({"ETag": f'"{ours["md5-of-parts"]}"'}))


def test_checksums_over_other_things_are_not_compared() -> None:
    crc = base64.b64encode(bytes(8)).decode()
    assert kept_by({"ChecksumCRC64NVME": crc, "ChecksumType": "COMPOSITE", "ETag": '"x"'}) == {}
    digest = base64.b64encode(bytes(32)).decode()
    assert kept_by({"ChecksumBLAKE3": digest, "ChecksumType": "COMPOSITE"}) == {}
    assert kept_by({"ChecksumBLAKE3": f"{digest}-2", "ChecksumType": "FULL_OBJECT"}) == {}
    assert agree({"blake3": "0" * 64}, {"blake3-of-parts": "0" * 64 + "-1"}) is None
    kms = {"ETag": f'"{"0" * 32}"', "ServerSideEncryption": "aws:kms"}
    assert kept_by(kms) == {}
    assert agree({"md5": "0" * 32}, {"crc64nvme": "0" * 16}) is None
    assert agree({"md5-of-parts": "0" * 32 + "-2"}, {"md5-of-parts": "1" * 32 + "-3"}) is None
    assert agree({"md5": "0" * 32}, {"md5": "1" * 32}) is False


@given(st.integers(0, 5 << 40))
def test_no_object_has_more_parts_than_a_store_takes(size: int) -> None:
    assert part_size(size) >= PART
    assert -(-size // part_size(size)) <= 10_000
