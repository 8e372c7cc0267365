"""How an S3 store is reached: address, credentials, TLS; nothing of the environment counts.

Each request is tried up to three times, except those that would leave something behind twice.
Of what a server says only what reads like S3 is believed: a page of some other server in its
place is a problem and no answer.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from recorder_sync.language import T
from recorder_sync.stores.s3_answers import NotS3, answer_of
from recorder_sync.stores.s3_errors import S3Problem, problem_of, refusal
from recorder_sync.stores.s3_http import Answer, Lines, trusting
from recorder_sync.stores.s3_requests import Request, request_of
from recorder_sync.stores.s3_signature import S3Credentials, encoded_query, signed_headers
from recorder_sync.stores.store import Trouble

__all__ = ["Encryption", "S3Address", "S3Connection", "S3Credentials", "is_missing"]

_TRIES = 3
_LONGEST_WAIT_S = 5
"""A store that asks for more is not tried again here."""
_ONCE = frozenset({"put_object", "create_multipart_upload"})
"""What makes something new: done again although it was done, it leaves something behind."""

_SIGNS = {"list_objects_v2": "Name", "list_multipart_uploads": "Bucket", "list_parts": "Bucket"}
"""Where a list repeats the bucket's name: any other page reads like an empty list."""
_NEEDED = {
    "create_multipart_upload": "UploadId",
    "get_bucket_acl": "Owner",
    "get_object_lock_configuration": "ObjectLockConfiguration",
    "head_object": "ContentLength",
    "upload_part": "ETag",
}
"""What an answer to it always has."""


class Encryption(StrEnum):
    """How a store is asked to encrypt what it keeps (server-side encryption)."""

    S3 = "AES256"
    KMS = "aws:kms"


@dataclass(frozen=True, slots=True)
class S3Address:
    endpoint: str | None
    """`https://`, host, and port where it is not 443; None: that of AWS for the region."""
    bucket: str
    region: str = "us-east-1"
    prefix: str = ""
    """Before every key; empty, or with `/` at its end."""
    path_style: bool = True
    """`host/bucket/key`; False: `bucket.host/key`, as AWS and OBS have it."""
    ca_file: Path | None = None
    """Certificates to trust instead of the public ones."""
    encryption: Encryption | None = None
    encryption_key: str | None = None
    """Name of the key in the store's key service, for `Encryption.KMS`."""
    patience_s: float = 60
    """How long the store may take for an answer, or for the next bytes of one."""

    def __str__(self) -> str:
        return f"{self.endpoint or f'AWS {self.region}'}/{self.bucket}/{self.prefix}"


class S3Connection:
    """A bucket, and the requests to it. Threads share it."""

    def __init__(self, address: S3Address, credentials: Callable[[], S3Credentials]) -> None:
        """Connect to nothing yet. `credentials` is asked again after the store refused them."""
        self.address = address
        self._credentials = credentials
        self._turn = threading.Lock()
        self._way: _Way | None = None

    def call(self, operation: str, key: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Make one request on the bucket, or on an object in it. Raises S3Problem."""
        if operation in _ONCE and self.address.encryption is not None:
            parameters["ServerSideEncryption"] = str(self.address.encryption)
            if self.address.encryption_key:
                parameters["SSEKMSKeyId"] = self.address.encryption_key
        name = None if key is None else self.address.prefix + key
        request = request_of(operation, name, parameters)
        left = 1 if operation in _ONCE else _TRIES
        while True:
            left -= 1
            try:
                return self._try(operation, key, request)
            except S3Problem as problem:
                wait = problem.retry_after_s or random.random() * 2 ** (_TRIES - 1 - left)
                again = problem.trouble is Trouble.TRANSIENT and wait <= _LONGEST_WAIT_S
                if not left or not again:
                    raise
            time.sleep(wait)

    def pages(
        self, operation: str, carry: dict[str, str], key: str | None = None, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield the answers to a request that comes in pages. Raises S3Problem.

        `carry` names what of an answer goes into the next request, and as what.
        """
        while True:
            page = self.call(operation, key, **parameters)
            yield page
            if not page.get("IsTruncated"):
                return
            parameters |= {into: page[name] for name, into in carry.items() if page.get(name)}

    @contextmanager
    def answering(self, key: str | None) -> Iterator[None]:
        """Turn what fails here into an S3Problem."""
        what = self.address.bucket if key is None else f"{self.address.bucket}/{key}"
        try:
            yield
        except (OSError, HTTPException, NotS3) as error:
            raise problem_of(error, what) from error

    def close(self) -> None:
        """Give connections back; the next request makes new ones."""
        with self._turn:
            way, self._way = self._way, None
        if way is not None:
            way.lines.close()

    def _try(self, operation: str, key: str | None, request: Request) -> dict[str, Any]:
        with self.answering(key):
            answer = self._ready().ask(request)
            if operation == "get_object" and answer.status < 300:
                return {**answer_of(answer.headers, b""), "Body": answer}
            said = answer_of(answer.headers, _document(answer))
        if answer.status >= 300 or "Error" in said:
            what = self.address.bucket if key is None else f"{self.address.bucket}/{key}"
            problem = refusal(answer.status, said, what)
            if problem.trouble is Trouble.REFUSED:
                self.close()  # the next request reads the credentials again
            raise problem
        self._refuse_other_page(operation, said)
        return said

    def _refuse_other_page(self, operation: str, said: dict[str, Any]) -> None:
        bucket, sign, needed = self.address.bucket, _SIGNS.get(operation), _NEEDED.get(operation)
        if (sign and said.get(sign) != bucket) or (needed and needed not in said):
            raise S3Problem(
                Trouble.TRANSIENT,
                T("The answer about {bucket} is not that of an S3 store.", bucket=bucket),
                T("Check the address: something else answers there."),
            )

    def _ready(self) -> "_Way":
        with self._turn:
            if self._way is None:
                self._way = _way(self.address, self._credentials())
            return self._way


def _document(answer: Answer) -> bytes:
    """Return the body of an answer; none where what stands before a store says that it failed."""
    body = answer.whole()
    if answer.status < 300 or b"<Error" in body:
        return body
    if answer.status < 500 and body:
        raise NotS3(f"{answer.status} {body[:100]!r}")
    return b""


@dataclass(frozen=True, slots=True)
class _Way:
    """Where requests go, and in whose name."""

    lines: Lines
    host: str
    """As in the header of that name."""
    base: str
    """Before the path of an object."""
    region: str
    credentials: S3Credentials

    def ask(self, request: Request) -> Answer:
        path = f"{self.base}/{request.path}" if request.path else self.base or "/"
        now = datetime.now(UTC)
        headers = signed_headers(request, self.host, path, self.region, self.credentials, now)
        query = encoded_query(request)
        target = f"{path}?{query}" if query else path
        return self.lines.ask(request.method, target, headers, request.body)


def _way(address: S3Address, credentials: S3Credentials) -> _Way:
    """Return the way to a bucket; nothing is connected yet. Raises S3Problem."""
    if address.endpoint is not None and not address.endpoint.startswith("https://"):
        raise S3Problem(
            Trouble.REFUSED,
            T("{endpoint} is not encrypted.", endpoint=address.endpoint),
            T("Give an address that starts with https://."),
        )
    if address.ca_file is not None and not address.ca_file.is_file():
        raise S3Problem(Trouble.REFUSED, T("ca_file {path} is not there.", path=address.ca_file))
    try:
        context = trusting(address.ca_file)
    except OSError as error:
        trusted = address.ca_file or T("what this computer trusts")
        raise S3Problem(
            Trouble.REFUSED,
            T(
                "Certificates cannot be checked by {trusted}: {why}",
                trusted=trusted,
                why=str(error),
            ),
            T("Give a ca_file in PEM, or install ca-certificates."),
        ) from error
    suffix = ".cn" if address.region.startswith("cn-") else ""
    url = urlsplit(address.endpoint or f"https://s3.{address.region}.amazonaws.com{suffix}")
    host, port = url.hostname or "", url.port or 443
    base = url.path.rstrip("/")
    if address.path_style:
        base = f"{base}/{address.bucket}"
    else:
        host = f"{address.bucket}.{host}"
    name = f"[{host}]" if ":" in host else host
    return _Way(
        Lines(host, port, context, address.patience_s),
        name if port == 443 else f"{name}:{port}",
        base,
        address.region,
        credentials,
    )


def is_missing(problem: S3Problem) -> bool:
    """Tell whether the store says that it has no such object (a HEAD has no body to name it)."""
    return problem.code in ("404", "NoSuchKey", "NoSuchVersion")
