"""Which HTTP request an operation of S3 is: method, address, headers, body. Pure.

Operations and their parameters have the names that AWS gives them. Only those that are used
are here; one that is not, or a parameter without a place, is a defect of ours.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

_XML = "http://s3.amazonaws.com/doc/2006-03-01/"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    """Percent-encoded, of the bucket or object; empty for the bucket itself."""
    query: tuple[tuple[str, str], ...]
    """Names and values, not encoded."""
    headers: Mapping[str, str]
    body: bytes | memoryview


@dataclass(frozen=True, slots=True)
class _Operation:
    method: str
    query: tuple[tuple[str, str], ...] = ()
    """What tells it from others of this method."""
    writes_body: Callable[[Mapping[str, Any]], bytes] | None = None


def request_of(operation: str, key: str | None, parameters: Mapping[str, Any]) -> Request:
    """Return the request for an operation on the bucket, or on an object in it."""
    kind = _OPERATIONS[operation]
    headers: dict[str, str] = {}
    query = list(kind.query)
    body: bytes | memoryview = b""
    for name, value in parameters.items():
        if name == "Body":
            body = value
        elif name == "Metadata":
            headers |= {f"x-amz-meta-{field}": fact for field, fact in value.items()}
        elif name == "ChecksumAlgorithm":
            headers[_ALGORITHM[operation]] = value
        elif name in _QUERY:
            query.append((_QUERY[name], str(value)))
        elif name in _HEADERS:
            headers[_HEADERS[name]] = _text(value)
        elif kind.writes_body is not None and name == _CONTENT[operation]:
            body = kind.writes_body(value)
            headers["content-type"] = "application/xml"
            digest = hashlib.md5(body, usedforsecurity=False).digest()
            headers["content-md5"] = base64.b64encode(digest).decode()
        else:
            raise KeyError(f"{operation} has no place for {name}")
    path = "" if key is None else quote(key, safe="/-_.~")
    return Request(kind.method, path, tuple(query), headers, body)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parts(upload: Mapping[str, Any]) -> bytes:
    parts = "".join(f"<Part>{''.join(_elements(part))}</Part>" for part in upload["Parts"])
    return _document("CompleteMultipartUpload", parts)


def _retention(retention: Mapping[str, Any]) -> bytes:
    return _document("Retention", "".join(_elements(retention)))


def _legal_hold(hold: Mapping[str, Any]) -> bytes:
    return _document("LegalHold", "".join(_elements(hold)))


def _elements(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        yield f"<{name}>{escape(_text(value))}</{name}>"


def _document(root: str, content: str) -> bytes:
    return f'<{root} xmlns="{_XML}">{content}</{root}>'.encode()


_URL = ("encoding-type", "url")
"""Keys that XML cannot have come percent-encoded."""

_OPERATIONS = {
    "abort_multipart_upload": _Operation("DELETE"),
    "complete_multipart_upload": _Operation("POST", writes_body=_parts),
    "create_multipart_upload": _Operation("POST", (("uploads", ""),)),
    "delete_object": _Operation("DELETE"),
    "get_bucket_acl": _Operation("GET", (("acl", ""),)),
    "get_bucket_location": _Operation("GET", (("location", ""),)),
    "get_bucket_versioning": _Operation("GET", (("versioning", ""),)),
    "get_object": _Operation("GET"),
    "get_object_lock_configuration": _Operation("GET", (("object-lock", ""),)),
    "head_object": _Operation("HEAD"),
    "list_multipart_uploads": _Operation("GET", (("uploads", ""),)),
    "list_objects_v2": _Operation("GET", (("list-type", "2"), _URL)),
    "list_parts": _Operation("GET"),
    "put_object": _Operation("PUT"),
    "put_object_legal_hold": _Operation("PUT", (("legal-hold", ""),), _legal_hold),
    "put_object_retention": _Operation("PUT", (("retention", ""),), _retention),
    "upload_part": _Operation("PUT"),
}
_CONTENT = {
    "complete_multipart_upload": "MultipartUpload",
    "put_object_legal_hold": "LegalHold",
    "put_object_retention": "Retention",
}
"""The parameter that is the body, as XML."""
_ALGORITHM = {
    "create_multipart_upload": "x-amz-checksum-algorithm",
    "put_object": "x-amz-sdk-checksum-algorithm",
    "upload_part": "x-amz-sdk-checksum-algorithm",
}
_QUERY = {
    "ContinuationToken": "continuation-token",
    "KeyMarker": "key-marker",
    "MaxKeys": "max-keys",
    "PartNumber": "partNumber",
    "PartNumberMarker": "part-number-marker",
    "Prefix": "prefix",
    "UploadId": "uploadId",
    "UploadIdMarker": "upload-id-marker",
    "VersionId": "versionId",
}
_HEADERS = {
    "BypassGovernanceRetention": "x-amz-bypass-governance-retention",
    "ChecksumBLAKE3": "x-amz-checksum-blake3",
    "ChecksumCRC64NVME": "x-amz-checksum-crc64nvme",
    "ChecksumMode": "x-amz-checksum-mode",
    "ChecksumType": "x-amz-checksum-type",
    "ContentMD5": "content-md5",
    "ContentType": "content-type",
    "IfNoneMatch": "if-none-match",
    "ObjectLockLegalHoldStatus": "x-amz-object-lock-legal-hold",
    "ObjectLockMode": "x-amz-object-lock-mode",
    "ObjectLockRetainUntilDate": "x-amz-object-lock-retain-until-date",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "ServerSideEncryption": "x-amz-server-side-encryption",
}
