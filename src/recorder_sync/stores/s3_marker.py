"""The object by which a bucket is known again, and what was found out about its store.

Its random id tells this bucket from another of the same name; without it nothing is sent. It
also says which checksums the store verifies and whether it honours `If-None-Match`, so that
every station that uses the bucket knows without trying. Stations of an older version pass over
what they do not know in it.
"""

import json
import secrets
from dataclasses import dataclass, replace

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
    """CRC64NVME, or MD5."""
    if_none_match: bool
    """Whether it refuses to put a second object under a key when asked so."""
    digest: Checksum | None = None
    """A checksum that withstands a forger, where it verifies and keeps one."""

    @property
    def strongest(self) -> Checksum:
        """What objects are sent with."""
        return self.digest or self.checksum

    def restricted_to(self, asked: Checksum | None) -> "Profile":
        """Return it with this checksum only. Raises StoreProblem where the store has it not."""
        if asked is None:
            return self
        if asked not in (self.digest, self.checksum):
            raise StoreProblem(
                Trouble.REFUSED,
                T("The store was not found to verify {checksum}.", checksum=asked.upper()),
                T('Set checksum = "auto" for this store, or run stores bind once more.'),
            )
        return replace(self, digest=None if asked is self.checksum else self.digest)


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
        if said.get("digest") == Checksum.BLAKE3:  # others are those of later versions
            profile = replace(profile, digest=Checksum.BLAKE3)
        return Marker(str(said["id"]), str(said["station"]), profile)
    except (ValueError, KeyError, TypeError):
        raise StoreProblem(
            Trouble.WRONG_PLACE,
            T("{key} in {bucket} is no marker.", key=KEY, bucket=connection.address.bucket),
            T("Somebody changed it, or the bucket is used by another program. Look into it."),
        ) from None


def put(connection: S3Connection, station: str, profile: Profile) -> None:
    """Put a marker with a new id where there is none. Raises StoreProblem."""
    condition = {"IfNoneMatch": "*"} if profile.if_none_match else {}
    try:
        _put(connection, Marker(secrets.token_hex(16), station, profile), **condition)
    except S3Problem as problem:
        if problem.code not in NOT_FIRST:  # another station was faster: its marker counts
            raise


def add(connection: S3Connection, marker: Marker, digest: Checksum | None) -> None:
    """Have a marker say which digest the store verifies; all else of it stays.

    Raises StoreProblem.
    """
    if digest is not None:
        _put(connection, replace(marker, profile=replace(marker.profile, digest=digest)))


def _put(connection: S3Connection, marker: Marker, **condition: str) -> None:
    profile = marker.profile
    said = {
        "id": marker.id,
        "station": marker.station,
        "checksum": profile.checksum,
        "if_none_match": profile.if_none_match,
    }
    if profile.digest is not None:
        said["digest"] = profile.digest
    data = json.dumps(said).encode()
    connection.call(
        "put_object",
        KEY,
        Body=data,
        ContentType="application/json",
        **PartSum.of(data, profile.checksum).fields,
        **condition,
    )
