"""What goes wrong with an S3 store, and what that means for the uploads.

S3 servers agree on the names of some errors and on the HTTP status of few. What is known by
name is sorted by name, the rest by status. Of what the server said only its code and its
sentence are kept: the other fields of an error repeat what was signed.
"""

import re
import ssl
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from recorder_sync.language import T, Text
from recorder_sync.stores.s3_answers import NotS3
from recorder_sync.stores.store import StoreProblem, Trouble

GONE = frozenset({"NoSuchUpload", "NoSuchKey"})
"""An upload that was completed or aborted: servers call it either."""
NOT_FIRST = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""`If-None-Match: *`, and something has the key already."""

_LONGEST = 300

_CLOCK = T("Compare the clock of this computer with that of the store.")
_ACCESS = T("Check access_key of this store, and the secret where it is.")
_SECRET = T("Check secret_key of this store, and the secret where it is.")
_TOKEN = T("Put fresh keys, and a fresh session_token, where the settings of this store say.")
_KEYS = T("Check access_key and secret_key of this store.")
_RIGHTS = T("Compare the rights of this access key with the policy in docs/stores-s3.md.")
_REGION = T("Check region of this store in the settings.")
_ROOM = T("Make room in the store, or raise its quota. Uploads go on by themselves.")
_BUCKET = T("Check endpoint and bucket. If it really is another store, bind it anew.")
_LINE = T("Check the network and endpoint. Uploads go on by themselves.")
_TRUST = T("Check endpoint, and ca_file if the store's certificate is your own.")

_BY_CODE: dict[str, tuple[Trouble, Text]] = {
    "InvalidAccessKeyId": (Trouble.REFUSED, _ACCESS),
    "SignatureDoesNotMatch": (Trouble.REFUSED, _SECRET),
    **dict.fromkeys(
        ("ExpiredToken", "InvalidToken", "TokenRefreshRequired", "ExpiredTokenException"),
        (Trouble.REFUSED, _TOKEN),
    ),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired"), (Trouble.REFUSED, _CLOCK)),
    **dict.fromkeys(
        ("AccessDenied", "AllAccessDisabled", "AccountProblem", "MethodNotAllowed"),
        (Trouble.REFUSED, _RIGHTS),
    ),
    **dict.fromkeys(
        ("AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException"),
        (Trouble.REFUSED, _REGION),
    ),
    "NoSuchBucket": (Trouble.WRONG_PLACE, _BUCKET),
    **dict.fromkeys(
        ("QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "InsufficientCapacity"),
        (Trouble.FULL, _ROOM),
    ),
    **dict.fromkeys(
        ("SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded"),
        (Trouble.TRANSIENT, _LINE),
    ),
}
_BY_STATUS: dict[int, tuple[Trouble, Text]] = {
    301: (Trouble.REFUSED, _REGION),
    401: (Trouble.REFUSED, _KEYS),
    403: (Trouble.REFUSED, _RIGHTS),
    408: (Trouble.TRANSIENT, _LINE),
    429: (Trouble.TRANSIENT, _LINE),
    507: (Trouble.FULL, _ROOM),
}


class S3Problem(StoreProblem):
    """A store's problem with the code that S3 has for it; empty where it never answered."""

    def __init__(
        self,
        trouble: Trouble,
        text: Text,
        hint: Text | None = None,
        retry_after_s: float | None = None,
        code: str = "",
        status: int = 0,
    ) -> None:
        super().__init__(trouble, text, hint, retry_after_s)
        self.code = code
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        return (
            type(self),
            (self.trouble, self.text, self.hint, self.retry_after_s, self.code, self.status),
        )


def problem_of(error: Exception, what: str) -> S3Problem:
    """Return what it means that no answer came, or none of S3's.

    `what` is the bucket, with the key where one is.
    """
    if isinstance(error, ssl.SSLError):
        trusted = not isinstance(error, ssl.SSLCertVerificationError)
        return S3Problem(
            Trouble.TRANSIENT if trusted else Trouble.REFUSED,
            T("No safe connection to the store of {what}: {why}", what=what, why=_short(error)),
            _LINE if trusted else _TRUST,
        )
    if isinstance(error, NotS3):
        return S3Problem(
            Trouble.TRANSIENT,
            T(
                "The store of {what} does not answer as S3 does: {why}",
                what=what,
                why=_short(error),
            ),
            _BUCKET,
        )
    return S3Problem(
        Trouble.TRANSIENT,
        T("The store of {what} cannot be reached: {why}", what=what, why=_short(error)),
        _LINE,
    )


def refusal(status: int, answer: Mapping[str, Any], what: str) -> S3Problem:
    """Return what it means that a store answered with an error."""
    said = answer.get("Error")
    if not isinstance(said, dict):  # to a HEAD, or from what stands before the store
        said = {"Code": str(status)}
    if status < 300:
        status = 500  # begun as a success: AWS and others say so while they put parts together
    code = str(said.get("Code", ""))
    other = (Trouble.TRANSIENT, _LINE) if status >= 500 else (Trouble.OBJECT, None)
    trouble, hint = _BY_CODE.get(code) or _BY_STATUS.get(status) or other
    if hint is _REGION and (region := _region_in(answer)):
        hint = T('Set region = "{found}" for this store.', found=region)
    words = (str(status), "" if code == str(status) else code, str(said.get("Message") or ""))
    return S3Problem(
        trouble,
        T(
            "The store refused {what}: {words}",
            what=what,
            words=" ".join(filter(None, words))[:_LONGEST],
        ),
        hint,
        _wait(answer["ResponseMetadata"]["HTTPHeaders"]),
        code,
        status,
    )


def _region_in(answer: Mapping[str, Any]) -> str | None:
    """Return the region that a refusal names: where the bucket really is."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    said = answer.get("Error")
    named = said.get("Region") if isinstance(said, dict) else None
    named = named or headers.get("x-amz-bucket-region")
    return named if isinstance(named, str) and re.fullmatch(r"[A-Za-z0-9-]+", named) else None


def _wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After; as a date it is held against the server's clock."""
    asked = headers.get("retry-after", "")
    if asked.isdecimal():
        return float(asked[:9])
    until, now = _date(asked), _date(headers.get("date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def _date(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
    except ValueError:
        return None
    return read if read.tzinfo else None


def server_time(answer: dict[str, Any]) -> datetime | None:
    """Return the time that the store had when it answered."""
    return _date(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:_LONGEST]
