"""Signs requests to an S3 server as AWS' version 4 does.

The body is not hashed where the request carries another checksum of it: over TLS that would
add processor time and no safety (see docs/decisions/016).
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from recorder_sync.stores.s3_requests import Request

_UNSIGNED = "UNSIGNED-PAYLOAD"
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class S3Credentials:
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def encoded_query(request: Request) -> str:
    """Return the part of the address after the question mark, in the order that is signed."""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in
                   request.query)  # fmt: skip
    return "&".join(f"{name}={value}" for name, value in pairs)


def signed_headers(
    request: Request,
    host: str,
    path: str,
    region: str,
    credentials: S3Credentials,
    now: datetime,
) -> dict[str, str]:
    """Return all headers of a request, with its signature.

    `path` is the whole path of the address, percent-encoded; `now` is the time by which the
    server will judge the signature, any time zone.
    """
    time = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{time[:8]}/{region}/s3/aws4_request"
    headers = {
        **request.headers,
        "host": host,
        "x-amz-content-sha256": _UNSIGNED if request.body else _EMPTY,
        "x-amz-date": time,
    }
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        (
            request.method,
            path,
            encoded_query(request),
            *(f"{name}:{' '.join(headers[name].split())}" for name in sorted(headers)),
            "",
            names,
            headers["x-amz-content-sha256"],
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signed = "\n".join(("AWS4-HMAC-SHA256", time, scope, digest))
    key = _key(credentials.secret_key, time[:8], region)
    signature = hmac.digest(key, signed.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return headers


@lru_cache(maxsize=8)
def _key(secret: str, day: str, region: str) -> bytes:
    """Return the key of a day, which is the same for all requests of it."""
    key = f"AWS4{secret}".encode()
    for word in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    return key
