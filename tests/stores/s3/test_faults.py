"""Lines that break and servers that fail: nothing is lost, nothing is there twice."""

import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from recorder_sync.stores.s3 import S3Store
from recorder_sync.stores.s3_connection import Encryption, S3Credentials
from recorder_sync.stores.store import StoreProblem, Trouble
from tests.stores.fault_proxy import NO_ANSWER, PASS, Asked, Fault, FaultProxy
from tests.stores.s3.certificates import Certificates
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.sending import KEY, PIECE, Record, content, for_a_while, outgoing, source


def _said(status: int, code: str, **headers: str) -> Fault:
    body = f"<Error><Code>{code}</Code><Message>what the server says</Message></Error>"
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(answer=(status, {"content-type": "application/xml", **fields}, body.encode()))


def _is_complete(asked: Asked) -> bool:
    return asked.method == "POST" and "uploadId=" in asked.target


def _is_part(asked: Asked) -> bool:
    return asked.method == "PUT" and "partNumber=" in asked.target


def _is_put_or_first_part(asked: Asked) -> bool:
    first = re.search(r"[?&]partNumber=1(&|$)", asked.target)
    return _is_put(asked) or (_is_part(asked) and first is not None)


def _is_put(asked: Asked) -> bool:
    return asked.method == "PUT" and asked.target.endswith(".mp4")


def test_the_lost_answer_to_an_upload_in_parts_is_found_by_asking(
    bucket: Bucket, proxy: FaultProxy
) -> None:
    store, data = bucket.bound(bucket.through(proxy)), content(PIECE + 1)
    proxy.once(NO_ANSWER, _is_complete)
    receipt = store.send(outgoing(data, for_a_while()), source(data), Record())
    assert bucket.versions(KEY) == [receipt.version]


def test_a_process_that_ends_after_the_lost_answer_finds_the_object_later(
    bucket: Bucket, proxy: FaultProxy
) -> None:
    store, data = bucket.bound(bucket.through(proxy)), content(PIECE + 1)
    record = Record()

    def dies_then(asked: Asked) -> Fault:
        if _is_complete(asked):
            return NO_ANSWER
        return Fault(reset_after=0) if proxy.count("POST", "uploadId=") else PASS

    proxy.fault = dies_then
    with pytest.raises(StoreProblem):
        store.send(outgoing(data, for_a_while()), source(data), record)
    proxy.fault = lambda _: PASS
    parts = proxy.count("PUT", "partNumber=")
    later = bucket.store(bucket.through(proxy))
    receipt = later.send(outgoing(data, for_a_while()), source(data), record)
    assert bucket.versions(KEY) == [receipt.version]
    assert proxy.count("PUT", "partNumber=") == parts


def test_the_lost_answer_to_a_small_object_leaves_one_of_it(
    bucket: Bucket, proxy: FaultProxy
) -> None:
    store, data = bucket.bound(bucket.through(proxy)), content(1000)
    proxy.once(NO_ANSWER, _is_put)
    with pytest.raises(StoreProblem) as raised:
        store.send(outgoing(data), source(data), Record())
    assert raised.value.trouble is Trouble.TRANSIENT
    receipt = store.send(outgoing(data), source(data), Record())
    assert bucket.versions(KEY) == [receipt.version]


@pytest.mark.parametrize("after", [0, 1, 511, 65536, PIECE - 1])
def test_a_line_that_breaks_at_any_byte_costs_a_part_and_no_more(
    modern: Bucket, modern_proxy: FaultProxy, after: int
) -> None:
    store, data = modern.bound(modern.through(modern_proxy)), content(2 * PIECE)
    modern_proxy.once(Fault(reset_after=after), _is_part)
    receipt = store.send(outgoing(data), source(data), Record())
    assert modern.versions(KEY) == [receipt.version]
    assert hashlib.sha256(b"".join(store.read(KEY))).digest() == hashlib.sha256(data).digest()
    assert modern_proxy.count("PUT", "partNumber=") == 3


@pytest.mark.parametrize("length", [0, 1, 200, 400, PIECE // 8])
def test_an_answer_that_breaks_off_is_not_taken_for_the_object(
    modern: Bucket, modern_proxy: FaultProxy, length: int
) -> None:
    store, data = modern.bound(modern.through(modern_proxy)), content(PIECE // 4)
    store.send(outgoing(data), source(data), Record())
    modern_proxy.fault = lambda asked: Fault(answer_bytes=length) if asked.method == "GET" else PASS
    with pytest.raises(StoreProblem) as raised:
        b"".join(store.read(KEY))
    assert raised.value.trouble is Trouble.TRANSIENT


ANSWERS = [
    (500, "InternalError", Trouble.TRANSIENT),
    (503, "ServiceUnavailable", Trouble.TRANSIENT),
    (503, "SlowDown", Trouble.TRANSIENT),
    (507, "InsufficientStorage", Trouble.FULL),
    (507, "", Trouble.FULL),
    (403, "QuotaExceeded", Trouble.FULL),
    (403, "AccessDenied", Trouble.REFUSED),
    (403, "RequestTimeTooSkewed", Trouble.REFUSED),
    (400, "ExpiredToken", Trouble.REFUSED),
    (400, "AuthorizationHeaderMalformed", Trouble.REFUSED),
    (404, "NoSuchBucket", Trouble.WRONG_PLACE),
    (400, "EntityTooLarge", Trouble.OBJECT),
]


@pytest.mark.parametrize(("status", "code", "trouble"), ANSWERS)
def test_what_the_server_says_decides_what_comes_next(
    modern: Bucket, modern_proxy: FaultProxy, status: int, code: str, trouble: Trouble
) -> None:
    store, data = modern.bound(modern.through(modern_proxy)), content(10)
    modern_proxy.fault = lambda asked: _said(status, code) if _is_put(asked) else PASS
    with pytest.raises(StoreProblem) as raised:
        store.send(outgoing(data), source(data), Record())
    assert raised.value.trouble is trouble
    assert f"{status} {code}" in str(raised.value)
    assert "what the server says" in str(raised.value)
    assert modern_proxy.count("PUT", KEY) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "120"}, 120.0),
        (
            {
                "retry_after": "Wed, 25 Nov 2026 10:05:00 GMT",
                "date": "Wed, 25 Nov 2026 10:00:00 GMT",
            },
            300.0,
        ),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_store_that_asks_to_wait_is_heard(
    modern: Bucket, modern_proxy: FaultProxy, headers: dict[str, str], wait: float | None
) -> None:
    store, data = modern.bound(modern.through(modern_proxy)), content(10)
    modern_proxy.fault = lambda asked: _said(503, "x", **headers) if _is_put(asked) else PASS
    with pytest.raises(StoreProblem) as raised:
        store.send(outgoing(data), source(data), Record())
    assert raised.value.retry_after_s == wait


@pytest.mark.parametrize("size", [1000, PIECE + 1])
def test_bytes_that_are_changed_on_the_way_are_refused(
    bucket: Bucket, proxy: FaultProxy, size: int
) -> None:
    store, data = bucket.bound(bucket.through(proxy)), content(size)
    proxy.once(Fault(flip=500), _is_put_or_first_part)
    record = Record()
    with pytest.raises(StoreProblem) as raised:
        store.send(outgoing(data), source(data), record)
    assert raised.value.trouble is Trouble.OBJECT
    assert store.look(KEY) is None
    store.send(outgoing(data), source(data), record)
    assert hashlib.sha256(b"".join(store.read(KEY))).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize(("size", "etag"), [(1000, "0" * 32), (PIECE + 1, "0" * 32 + "-2")])
def test_a_store_that_has_other_bytes_than_were_sent_is_found_out(
    bucket: Bucket, proxy: FaultProxy, size: int, etag: str
) -> None:
    store, data = bucket.bound(bucket.through(proxy)), content(size)
    of_parts = etag[32:]
    wrong = {"x-rgw-checksum-blake3": f"{'A' * 43}={of_parts}", "etag": f'"{etag}"'}
    told = ("HEAD",) if size > PIECE else ("HEAD", "PUT")
    proxy.fault = lambda asked: Fault(other_headers=wrong) if asked.method in told else PASS
    with pytest.raises(StoreProblem, match="other bytes"):
        store.send(outgoing(data), source(data), Record())


def test_an_object_without_a_checksum_is_read_before_it_is_taken_for_ours(
    old: Bucket, old_proxy: FaultProxy
) -> None:
    store, data = old.bound(old.through(old_proxy)), content(1000)
    encrypted = Fault(other_headers={"etag": '"of-something-else"'})
    old_proxy.fault = lambda asked: encrypted if asked.method == "HEAD" else PASS
    receipt = store.send(outgoing(data), source(data), Record())
    store.send(outgoing(data), source(data), Record())
    assert old.versions(KEY) == [receipt.version]


def test_a_server_that_says_nothing_is_given_up_in_time(
    modern: Bucket, modern_proxy: FaultProxy
) -> None:
    store = modern.bound()
    store = modern.store(modern.through(modern_proxy, patience_s=0.3))
    modern_proxy.fault = lambda _: Fault(hang=True)
    with pytest.raises(StoreProblem) as raised:
        store.look(KEY)
    assert raised.value.trouble is Trouble.TRANSIENT


@pytest.mark.parametrize("endpoint", ["https://no-such-store.invalid", "https://localhost:9"])
def test_a_store_that_is_away_is_tried_again(modern: Bucket, endpoint: str) -> None:
    store = modern.store(replace(modern.address, endpoint=endpoint))
    with pytest.raises(StoreProblem) as raised:
        store.look(KEY)
    assert raised.value.trouble is Trouble.TRANSIENT


def test_a_web_page_instead_of_an_answer_is_not_believed(
    modern: Bucket, modern_proxy: FaultProxy
) -> None:
    store = modern.bound(modern.through(modern_proxy))
    page = Fault(answer=(200, {"content-type": "text/html"}, b"<html>Please log in</html>"))
    modern_proxy.fault = lambda asked: page if "list-type" in asked.target else PASS
    with pytest.raises(StoreProblem):
        list(store.keys())


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (S3Credentials("nobody", "secretdock"), "InvalidAccessKeyId"),
        (S3Credentials("testdock", "wrong-secret"), "SignatureDoesNotMatch"),
    ],
)
def test_wrong_keys_are_named_and_not_shown(bucket: Bucket, keys: S3Credentials, code: str) -> None:
    with pytest.raises(StoreProblem) as raised:
        bucket.store(credentials=keys).identity()
    assert raised.value.trouble is Trouble.REFUSED
    assert code in str(raised.value)
    assert keys.secret_key not in f"{raised.value} {keys!r}"


def test_keys_that_were_changed_are_read_again(bucket: Bucket) -> None:
    keys = [S3Credentials("testdock", "old"), S3Credentials("testdock", "secretdock")]
    bucket.bound()
    store = S3Store("remote", bucket.address, lambda: keys.pop(0))
    with pytest.raises(StoreProblem):
        store.identity()
    assert store.identity().facts["marker"]
    store.close()


def test_only_the_authority_of_the_settings_is_trusted(
    modern: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Certificates(tmp_path).authority
    monkeypatch.setitem(os.environ, "AWS_CA_BUNDLE", str(theirs))
    monkeypatch.setitem(os.environ, "AWS_PROFILE", "not-there")
    monkeypatch.setitem(os.environ, "HTTPS_PROXY", "http://localhost:9")
    modern.bound()
    monkeypatch.setitem(os.environ, "AWS_CA_BUNDLE", str(modern.address.ca_file))
    for ca_file in (theirs, None):
        with pytest.raises(StoreProblem) as raised:
            modern.store(replace(modern.address, ca_file=ca_file)).identity()
        assert raised.value.trouble is Trouble.REFUSED


def test_nothing_is_sent_without_encryption(modern: Bucket) -> None:
    plain = f"http://localhost:{modern.server.http}"
    with pytest.raises(StoreProblem, match="not encrypted"):
        modern.store(replace(modern.address, endpoint=plain)).identity()


@pytest.mark.parametrize("size", [1000, PIECE + 1])
def test_what_is_to_be_encrypted_is_not_stored_by_a_server_that_cannot(
    modern: Bucket, modern_proxy: FaultProxy, size: int
) -> None:
    modern.bound()
    there = modern.through(modern_proxy, encryption=Encryption.KMS, encryption_key="evidence")
    with pytest.raises(StoreProblem):
        modern.store(there).send(outgoing(content(size)), source(content(size)), Record())
    (asked,) = [one for one in modern_proxy.asked if KEY in one.target and one.method != "HEAD"]
    assert asked.headers["x-amz-server-side-encryption"] == "aws:kms"
    assert asked.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "evidence"
    assert modern.versions(KEY) == []
