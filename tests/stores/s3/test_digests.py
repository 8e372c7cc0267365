"""BLAKE3 is used at a store that was seen to verify and keep it, and nowhere else."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from recorder_sync.stores import s3_checks
from recorder_sync.stores.bindings import Binding
from recorder_sync.stores.s3 import S3Store
from recorder_sync.stores.s3_marker import KEY as MARKER
from recorder_sync.stores.s3_sums import Checksum, PartSum, WholeSum, whole_field
from recorder_sync.stores.store import StoreIdentity, StoreProblem, Trouble, Verdict
from tests.stores.fault_proxy import PASS, Asked, Fault, FaultProxy
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.sending import KEY, PIECE, Record, content, outgoing, source

SAID = "x-amz-checksum-blake3"


def _names(asked: Asked) -> bool:
    """Tell whether a request has anything to do with BLAKE3."""
    return "BLAKE3" in {asked.headers.get(name) for name in asked.headers if "algorithm" in name}


def _refuses(status: int) -> Callable[[Asked], Fault]:
    return lambda asked: Fault(answer=(status, {}, b"")) if _names(asked) else PASS


def _takes_anything(asked: Asked) -> Fault:
    """A server that never looks at the value."""
    return Fault(answer=(200, {"etag": '"x"'}, b"")) if SAID in asked.headers else PASS


def _takes_a_wrong_object(asked: Asked) -> Fault:
    """It verifies parts only."""
    is_wrong = asked.headers.get("content-length") == str(len(s3_checks._OTHER))
    return _takes_anything(asked) if is_wrong and "partNumber=" not in asked.target else PASS


def _takes_any_part(asked: Asked) -> Fault:
    """It verifies what comes in one piece only."""
    return _takes_anything(asked) if "partNumber=" in asked.target else PASS


class _SaysAnother:
    """A server that verifies it and keeps another, of one piece or in parts."""

    def __init__(self, *, in_parts: bool) -> None:
        self._in_parts = in_parts
        self._made_of_parts: set[str] = set()

    def __call__(self, asked: Asked) -> Fault:
        target, _, query = asked.target.partition("?")
        if "uploads" in query:
            self._made_of_parts.add(target)
        if (target in self._made_of_parts) is not self._in_parts:
            return PASS
        value = "A" * 43 + ("=-1" if self._in_parts else "=")
        return Fault(other_headers={"x-rgw-checksum-blake3": value})


def _said_by(bucket: Bucket) -> dict[str, object]:
    body = bucket.client.get_object(Bucket=bucket.name, Key=MARKER)["Body"].read()
    said: dict[str, object] = json.loads(body)
    return said


def _forget_the_digest(bucket: Bucket) -> None:
    """Make it the marker of an older version, which knew no digest."""
    said = _said_by(bucket)
    del said["digest"]
    bucket.client.put_object(Bucket=bucket.name, Key=MARKER, Body=json.dumps(said).encode())


def _doubts(store: S3Store) -> list[str]:
    checks = store.check(datetime.now(UTC))
    return [f"{c.text} {c.hint}" for c in checks if c.verdict is not Verdict.GOOD]


def test_what_a_store_was_seen_to_verify_is_in_its_marker_and_its_binding(modern: Bucket) -> None:
    facts = modern.bound().identity().facts
    assert (facts["checksum"], facts["digest"]) == ("crc64nvme", "blake3")
    assert (_said_by(modern)["checksum"], _said_by(modern)["digest"]) == ("crc64nvme", "blake3")


@pytest.mark.parametrize(
    "fault",
    [
        _refuses(400),
        _refuses(403),
        _refuses(500),
        _refuses(501),
        _takes_anything,
        _takes_a_wrong_object,
        _takes_any_part,
        _SaysAnother(in_parts=False),
        _SaysAnother(in_parts=True),
    ],
    ids=[
        "400",
        "403",
        "500",
        "501",
        "any",
        "wrong-object",
        "any-part",
        "keeps-another",
        "another-of-parts",
    ],
)
def test_a_store_that_does_not_verify_and_keep_blake3_gets_crc64nvme(
    modern: Bucket, modern_proxy: FaultProxy, fault: Callable[[Asked], Fault]
) -> None:
    modern_proxy.fault = fault
    store = modern.store(modern.through(modern_proxy))
    facts = store.bind("test").facts
    assert facts["checksum"] == "crc64nvme"
    assert "digest" not in facts
    modern_proxy.asked.clear()
    data = content(PIECE + 1)
    receipt = store.send(outgoing(data), source(data), Record())
    assert set(receipt.checksums) == {"crc64nvme"}
    assert not any(map(_names, modern_proxy.asked))
    assert list(store.unfinished()) == []


def test_a_store_that_is_too_busy_to_be_tried_is_not_bound_without_blake3(
    modern: Bucket, modern_proxy: FaultProxy
) -> None:
    modern_proxy.fault = _refuses(503)
    with pytest.raises(StoreProblem) as raised:
        modern.store(modern.through(modern_proxy)).bind("test")
    assert raised.value.trouble is Trouble.TRANSIENT


def test_a_store_that_was_bound_before_goes_on_and_learns_blake3_when_it_is_bound_again(
    modern: Bucket,
) -> None:
    modern.bound()
    _forget_the_digest(modern)
    before = modern.store().identity()
    others = Binding("remote", "s3", before, datetime.now(UTC), "somebody")
    data = content(PIECE + 1)
    receipt = modern.store().send(outgoing(data, key="before"), source(data), Record())
    assert set(receipt.checksums) == {"crc64nvme"}
    (doubt,) = _doubts(modern.store())
    assert "bound without BLAKE3: CRC64NVME is used" in doubt
    assert "stores bind once more" in doubt

    now = modern.bound().identity()
    assert {**now.facts} == {**before.facts, "digest": "blake3"}
    others.refuse_other(now)  # stations that bound it before go on
    assert _doubts(modern.store()) == []
    receipt = modern.store().send(outgoing(data, key="after"), source(data), Record())
    assert set(receipt.checksums) == {"blake3-of-parts"}
    modern.bound()
    assert len(modern.versions(MARKER)) == 3


def test_a_marker_that_lost_its_digest_is_not_that_of_the_store_that_was_bound(
    modern: Bucket,
) -> None:
    bound = Binding("remote", "s3", modern.bound().identity(), datetime.now(UTC), "somebody")
    _forget_the_digest(modern)
    with pytest.raises(StoreProblem) as raised:
        bound.refuse_other(modern.store().identity())
    assert raised.value.trouble is Trouble.WRONG_PLACE


def test_a_digest_of_a_later_version_is_passed_over(modern: Bucket) -> None:
    modern.bound()
    said = {**_said_by(modern), "digest": "blake4"}
    modern.client.put_object(Bucket=modern.name, Key=MARKER, Body=json.dumps(said).encode())
    data = content(1000)
    receipt = modern.store().send(outgoing(data), source(data), Record())
    assert set(receipt.checksums) == {"crc64nvme"}


def test_a_store_that_does_not_verify_blake3_any_more_is_told_and_its_copies_are_read_back(
    modern: Bucket, modern_proxy: FaultProxy
) -> None:
    modern.bound()
    modern_proxy.fault = _takes_anything
    (doubt,) = _doubts(modern.store(modern.through(modern_proxy)))
    assert "verified BLAKE3 when it was bound, and does not any more" in doubt
    assert 'checksum = "crc64nvme"' in doubt


def test_a_checksum_of_the_settings_is_used_or_nothing_is_sent(bucket: Bucket) -> None:
    is_old = bucket.server.release.name == "rgw-old"
    store = bucket.store(checksum=Checksum.BLAKE3)
    if not is_old:
        store.bind("test")
        assert _doubts(store) == []
        return
    with pytest.raises(StoreProblem, match="not found to verify BLAKE3"):
        store.bind("test")
    assert bucket.versions(MARKER) == []
    bucket.bound()
    with pytest.raises(StoreProblem) as raised:
        store.send(outgoing(b"x"), source(b"x"), Record())
    assert raised.value.trouble is Trouble.REFUSED
    assert any("not found to verify BLAKE3" in one for one in _doubts(store))


def test_an_old_store_has_no_digest(old: Bucket) -> None:
    identity: StoreIdentity = old.bound().identity()
    assert identity.facts["checksum"] == "md5"
    assert "digest" not in identity.facts


def test_bytes_that_are_not_those_of_the_seal_are_refused_by_the_store_itself(
    modern: Bucket,
) -> None:
    """As memory that changes them after they were read and compared would have it."""
    store, data = modern.bound(), content(PIECE)
    with pytest.raises(StoreProblem, match="BadDigest"):
        store.send(outgoing(data), source(data[:-1] + b"?"), Record())
    assert modern.versions(KEY) == []


def test_a_store_makes_no_object_of_parts_that_are_not_those_that_were_meant(
    modern: Bucket,
) -> None:
    connection, data = modern.bound()._connection, content(PIECE + 1)
    part = PartSum.of(data, Checksum.BLAKE3)
    begun = connection.call("create_multipart_upload", KEY, **part.checksum.of_parts)
    of = {"UploadId": begun["UploadId"]}
    sent = connection.call("upload_part", KEY, PartNumber=1, Body=data, **of, **part.fields)
    parts = {"Parts": [{"PartNumber": 1, "ETag": sent["ETag"], **part.said}]}
    for meant, is_made in ((content(PIECE), False), (data, True)):
        whole = WholeSum(Checksum.BLAKE3)
        whole.add(PartSum.of(meant, Checksum.BLAKE3))
        told = whole_field(whole.found(in_parts=True))
        if is_made:
            connection.call("complete_multipart_upload", KEY, MultipartUpload=parts, **of, **told)
        else:
            with pytest.raises(StoreProblem, match="BadDigest"):
                connection.call(
                    "complete_multipart_upload", KEY, MultipartUpload=parts, **of, **told
                )
        assert bool(modern.versions(KEY)) is is_made
