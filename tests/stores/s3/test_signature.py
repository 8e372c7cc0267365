"""Requests are signed as AWS asks: by its own example, and as botocore signs the same ones."""

from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from recorder_sync.stores.s3_requests import Request, request_of
from recorder_sync.stores.s3_signature import S3Credentials, encoded_query, signed_headers

_EXAMPLE = S3Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


def test_the_example_of_the_s3_documentation_has_its_signature() -> None:
    """Authenticating Requests (AWS Signature Version 4): Example: GET Object."""
    request = Request("GET", "test.txt", (), {"range": "bytes=0-9"}, b"")
    now = datetime(2013, 5, 24, tzinfo=UTC)
    host = "examplebucket.s3.amazonaws.com"
    headers = signed_headers(request, host, "/test.txt", "us-east-1", _EXAMPLE, now)
    signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    assert headers["authorization"].endswith(f"Signature={signature}")


REQUESTS = [
    ("get_object", "中队/2026/执法 记录+~%2F.mp4", {"VersionId": "a+b/c=="}),
    ("list_objects_v2", None, {"Prefix": "_stations/一号/", "MaxKeys": 1}),
    ("create_multipart_upload", "a/b", {"Metadata": {"recording": "two  spaces ", "station": "1"}}),
    ("upload_part", "a/b", {"UploadId": "2~x&y", "PartNumber": 10, "Body": b"x"}),
    ("put_object_legal_hold", "a", {"LegalHold": {"Status": "ON"}}),
]


@pytest.mark.parametrize(("operation", "key", "parameters"), REQUESTS)
@pytest.mark.parametrize("token", [None, "lent for a time"])
def test_it_is_the_signature_that_botocore_makes(
    operation: str, key: str | None, parameters: dict[str, object], token: str | None
) -> None:
    request = request_of(operation, key, parameters)
    path = f"/bucket/{request.path}" if request.path else "/bucket"
    keys = S3Credentials("access", "secret", token)
    now = datetime.now(UTC)
    ours = signed_headers(request, "store:7443", path, "cn-north-1", keys, now)

    class Theirs(S3SigV4Auth):  # type: ignore[misc]
        def _should_sha256_sign_payload(self, request: AWSRequest) -> bool:
            return not request.data

    theirs = AWSRequest(request.method, f"https://store:7443{path}", dict(request.headers))
    query = encoded_query(request)
    theirs.url += f"?{query}" if query else ""
    theirs.data = bytes(request.body)
    theirs.context["timestamp"] = ours["x-amz-date"]
    signer = Theirs(Credentials("access", "secret", token), "s3", "cn-north-1")
    signer._modify_request_before_signing(theirs)
    text = signer.string_to_sign(theirs, signer.canonical_request(theirs))
    assert ours["authorization"].endswith(f"Signature={signer.signature(text, theirs)}")
    assert ours["x-amz-date"] == theirs.headers["x-amz-date"]
    assert unquote(request.path) == (key or "")
