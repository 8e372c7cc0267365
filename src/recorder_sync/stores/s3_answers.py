"""What an S3 server answered, in the fields that AWS names. Pure.

Headers and XML become one mapping: text, but for numbers, times and truth; lists have the names
that AWS' own programs give them (`Parts`, not `Part`).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring


class NotS3(Exception):
    """It is no answer of an S3 server."""


def answer_of(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return the fields of an answer; `Error` is one of them where it is one. Raises NotS3."""
    try:
        fields = _of_headers(headers)
        # Spaces before the document keep the line alive while a server puts parts together.
        if text := body.strip():
            root = fromstring(text, forbid_dtd=True)
            content = _of_element(root)
            name = _name(root)
            if isinstance(content, dict) and name not in _WHOLE:
                fields |= content
            else:
                fields[name] = content
        if fields.get("EncodingType") == "url":
            for one in fields.get("Contents", ()):
                one["Key"] = unquote(one["Key"])
    except (ValueError, SyntaxError) as error:  # of XML, and of numbers and times in it
        raise NotS3(f"{type(error).__name__}: {error}") from error
    fields["ResponseMetadata"] = {"HTTPHeaders": headers}
    return fields


_WHOLE = ("Error", "LegalHold", "ObjectLockConfiguration", "Retention")
"""Documents that are a field by themselves; of others the content are the fields."""
_LISTS = {"CommonPrefixes": "CommonPrefixes", "Contents": "Contents", "Part": "Parts",
          "Upload": "Uploads"}  # fmt: skip


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _of_element(element: Element) -> Any:
    if not len(element):
        return element.text or ""
    fields: dict[str, Any] = {}
    for child in element:
        name, value = _name(child), _of_element(child)
        if name in _LISTS:
            fields.setdefault(_LISTS[name], []).append(value)
        else:
            fields[name] = _READ.get(name, str)(value) if isinstance(value, str) else value
    return fields


def _of_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    facts: dict[str, str] = {}
    for name, value in headers.items():
        if name in _HEADERS:
            field = _HEADERS[name]
            fields[field] = _READ.get(field, str)(value)
        elif name.startswith(_META):
            facts[name.removeprefix(_META)] = value
    return fields | {"Metadata": facts}


def _moment(text: str) -> datetime:
    read = parsedate_to_datetime(text) if "," in text else datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _truth(text: str) -> bool:
    return text.strip() == "true"


_META = "x-amz-meta-"
_HEADERS = {
    "content-length": "ContentLength",
    "etag": "ETag",
    "last-modified": "LastModified",
    "x-amz-checksum-crc64nvme": "ChecksumCRC64NVME",
    "x-amz-checksum-sha256": "ChecksumSHA256",
    "x-amz-checksum-type": "ChecksumType",
    "x-amz-object-lock-legal-hold": "ObjectLockLegalHoldStatus",
    "x-amz-object-lock-mode": "ObjectLockMode",
    "x-amz-object-lock-retain-until-date": "ObjectLockRetainUntilDate",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-version-id": "VersionId",
    "x-rgw-checksum-blake3": "ChecksumBLAKE3",  # Ceph's own: AWS has none
}
_READ: dict[str, Callable[[str], Any]] = {
    "ContentLength": int,
    "Days": int,
    "Initiated": _moment,
    "IsTruncated": _truth,
    "LastModified": _moment,
    "ObjectLockRetainUntilDate": _moment,
    "PartNumber": int,
    "RetainUntilDate": _moment,
    "Size": int,
    "Years": int,
}
