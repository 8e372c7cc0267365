"""A bad setting gets a message that names its key and has what the server said; a good one of
each is shown to work against a real server."""

from pathlib import Path
from typing import Any

import pytest

from tests.stores.fault_proxy import PASS, Fault, FaultProxy
from tests.stores.s3.certificates import Certificates
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.sending import PIECE
from tests.stores.s3.station import ToBucket, bed

__all__ = ["bed"]

KMS: dict[str, Any] = {"encryption": "aws:kms", "encryption_key": "office-key"}


def _bad_checks(bed: ToBucket) -> str:
    """Return what `stores check` says is bad, with what to do."""
    done = bed.dock.run("stores", "check", "--json")
    found = [one for one in done.json["stores"][0]["checks"] if one["verdict"] == "bad"]
    # Ours is set to another day (on_the_day.py); and nothing was bound in most of these tests.
    kept = [one for one in found if "clocks" not in one["text"] and "bound" not in one["text"]]
    assert done.code == 1
    return "\n".join(f"{one['text']} {one['hint']}" for one in kept)


@pytest.mark.parametrize(
    ("more", "key", "said"),
    [
        ({"bucket": "not-there"}, "bucket", "404 NoSuchBucket"),
        ({"endpoint": "https://no-such-store.invalid"}, "endpoint", "cannot be reached"),
        ({"endpoint": "https://localhost:9"}, "endpoint", "cannot be reached"),
        ({"ca_file": "THEIRS"}, "ca_file", "certificate"),
        ({"ca_file": "/not/there.pem"}, "ca_file", "/not/there.pem"),
        ({"access_key": "nobody"}, "access_key", "403 InvalidAccessKeyId"),
        ({"secret_key": "wrong"}, "secret_key", "403 SignatureDoesNotMatch"),
        ({"access_key": None}, "keys/access", "it is not there"),
        ({"secret_key": None}, "keys/secret", "it is not there"),
        ({"encryption": "AES256"}, 'encryption = "AES256"', "400 InvalidArgument"),
        ({**KMS, "encryption_key": "none"}, 'encryption_key = "none"', "retrieve the actual key"),
        ({"encryption": "aws:kms"}, "encryption_key", "kms-key-id"),
    ],
)
def test_a_bad_setting_is_named_by_its_key_with_what_the_server_said(
    bed: ToBucket, modern: Bucket, tmp_path: Path, more: dict[str, Any], key: str, said: str
) -> None:
    secrets = ("access_key", "secret_key")
    bed.name_bucket(modern, **{name: more[name] for name in more if name not in secrets})
    text = bed.dock.config.read_text("utf-8")
    if more.get("ca_file") == "THEIRS":
        folder = tmp_path / "theirs"
        folder.mkdir()
        text = text.replace("THEIRS", str(Certificates(folder).authority))
        bed.dock.config.write_text(text, "utf-8")
    for name in ("access", "secret"):
        if f"{name}_key" in more:
            value = more[f"{name}_key"]
            if value is None:
                (bed.keys / name).unlink()
            else:
                bed.put_keys(**{name: value})
    found = _bad_checks(bed)
    assert key in found
    assert said.lower() in found.lower()


def test_the_region_of_the_bucket_is_looked_up_and_another_one_is_named(
    bed: ToBucket, modern: Bucket, modern_proxy: FaultProxy
) -> None:
    bed.name_bucket(modern, modern_proxy)
    there = b"<LocationConstraint>cn-north-4</LocationConstraint>"
    elsewhere = Fault(answer=(200, {"content-type": "application/xml"}, there))
    modern_proxy.fault = lambda asked: elsewhere if "location" in asked.target else PASS
    checks = bed.dock.run("stores", "check", "--json").json["stores"][0]["checks"]
    (found,) = [one for one in checks if "region" in one["text"]]
    assert found["verdict"] == "doubtful"
    assert 'region = "cn-north-4"' in found["hint"]


def test_a_region_that_the_server_refuses_is_named_with_the_right_one(
    bed: ToBucket, modern: Bucket, modern_proxy: FaultProxy
) -> None:
    bed.name_bucket(modern, modern_proxy)
    body = (
        b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong;"
        b" expecting 'eu-west-3'</Message><Region>eu-west-3</Region></Error>"
    )
    refused = Fault(answer=(400, {"content-type": "application/xml"}, body))
    modern_proxy.fault = lambda _: refused
    found = _bad_checks(bed)
    assert "AuthorizationHeaderMalformed" in found
    assert "expecting 'eu-west-3'" in found
    assert 'region = "eu-west-3"' in found


def test_a_bucket_without_object_lock_is_named_with_what_to_do(
    bed: ToBucket, modern: Bucket
) -> None:
    made = Bucket(modern.server, lock=False)
    bed.name_bucket(made)
    found = _bad_checks(bed)
    assert "Object Lock is not enabled" in found
    assert 'lock = "none"' in found


def test_what_is_to_be_encrypted_is_encrypted_by_the_server_locked_and_confirmed(
    bed: ToBucket, bucket: Bucket
) -> None:
    """By a key of the key service, on both servers, in one piece and in parts."""
    bed.name_bucket(bucket, **KMS)
    bed.bind()
    sealed = bed.seal(1) + bed.seal(1, size=2 * PIECE + 7, first=9)
    bed.start()
    bed.until_confirmed(2)
    bed.assert_each_is_locked_there_once(bucket, sealed)
    for entry in bed.entries("confirmed"):
        head = bucket.client.head_object(Bucket=bucket.name, Key=entry["facts"]["key"])
        assert head["ServerSideEncryption"] == "aws:kms"
        assert head["SSEKMSKeyId"] == "office-key"


def test_a_store_that_takes_encryption_and_does_not_encrypt_is_not_bound(
    bed: ToBucket, old: Bucket
) -> None:
    bed.name_bucket(old, encryption="AES256")
    done = bed.dock.run("stores", "bind", "nas")
    assert done.code == 3
    assert 'encryption = "AES256"' in done.err
    assert "does not encrypt" in done.err
    assert "does not encrypt" in _bad_checks(bed)
