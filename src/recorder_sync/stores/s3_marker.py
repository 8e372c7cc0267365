"""The object by which a bucket is known again, and what was found out about its store.

Its random id tells this bucket from another of the same name; without it nothing is sent. It
also says which checksum the store verifies and whether it honours `If-None-Match`, so that
every station that uses the bucket knows without trying.
"""

import json
import secrets
from dataclasses import dataclass

from recorder_sync.language import T
from recorder_sync.stores.s3_connection import S3Connection, is_missing
from recorder_sync.stores.s3_errors import NOT_FIRST, S3Problem
from recorder_sync.stores.s3_sums import Checksum, PartSum
from recorder_sync.stores.store import StoreProblem, Trouble

KEY = ".recorder-sync-store.json"
_LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Profile:
    """What an S3 server can do, found out by trying (`s3_checks.py`)."""

    checksum: Checksum
    if_none_match: bool
    """Whether it refuses to put a second object under a key when asked so."""


@dataclass(frozen=True, slots=True)
class Marker:
    id: str
    station: str
    """Which station put it there."""
    profile: Profile


def read(connection: S3Connection) -> Marker | None:
    """Return the marker; None: there is none. Raises StoreProblem."""
    try:
        answer = connection.call("get_object", KEY)
        with connection.answering(KEY):
            data = answer["Body"].read(_LARGEST)
    except S3Problem as problem:
        if is_missing(problem):
            return None
        raise
    try:
        said = json.loads(data)
        profile = Profile(Checksum(said["checksum"]), said["if_none_match"] is True)
        return Marker(str(said["id"]), str(said["station"]), profile)
    except (ValueError, KeyError, TypeError):
        raise StoreProblem(
            Trouble.WRONG_PLACE,
            T("{key} in {bucket} is no marker.", key=KEY, bucket=connection.address.bucket),
            T("Somebody changed it, or the bucket is used by another program. Look into it."),
        ) from None


def put(connection: S3Connection, station: str, profile: Profile) -> None:
    """Put a marker with a new id where there is none. Raises StoreProblem."""
    data = json.dumps(
        {
            "id": secrets.token_hex(16),
            "station": station,
            "checksum": profile.checksum,
            "if_none_match": profile.if_none_match,
        }
    ).encode()
    condition = {"IfNoneMatch": "*"} if profile.if_none_match else {}
    try:
        connection.call(
            "put_object",
            KEY,
            Body=data,
            ContentType="application/json",
            **PartSum.of(data, profile.checksum).fields,
            **condition,
        )
    except S3Problem as problem:
        if problem.code not in NOT_FIRST:  # another station was faster: its marker counts
            raise
