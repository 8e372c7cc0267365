"""One version of an object at an S3 store: what the store says of it, and its lock.

A lock is only what the store says when asked. One that is missing is put on the version and
read back; retention grows and never shrinks, and only a hold is ever lifted.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from recorder_sync.language import T
from recorder_sync.stores import s3_sums
from recorder_sync.stores.s3_connection import S3Connection, is_missing
from recorder_sync.stores.s3_errors import S3Problem
from recorder_sync.stores.store import Lock, LockMode, Stored, StoreProblem, Trouble


def look(connection: S3Connection, key: str, version: str | None = None) -> Stored | None:
    """Return what the store says of an object; None: it has none. Raises S3Problem."""
    answer = head(connection, key, version)
    return None if answer is None else _stored(key, answer)


def head(connection: S3Connection, key: str, version: str | None) -> dict[str, Any] | None:
    """Return what the store says of an object in its own fields; None: it has none."""
    try:
        return connection.call("head_object", key, ChecksumMode="ENABLED", **of_version(version))
    except S3Problem as problem:
        if is_missing(problem):
            return None
        raise


def keep(connection: S3Connection, there: Stored, lock: Lock, *, release: bool = True) -> Stored:
    """Bring what is missing of a lock onto a version; return what the store says of it then.

    A retention is made longer and stronger only; a hold is lifted where `release` says.
    """
    retained = there.lock.covers(Lock(lock.mode, lock.until))
    held = there.lock.hold == lock.hold or not (lock.hold or release)
    if retained and held:
        return there
    if not retained:
        _retain(connection, there, lock)
    if not held:
        connection.call(
            "put_object_legal_hold",
            there.key,
            LegalHold={"Status": "ON" if lock.hold else "OFF"},
            **of_version(there.version),
        )
    now = look(connection, there.key, there.version)
    if now is None or not now.lock.covers(lock) or (release and now.lock.hold != lock.hold):
        raise StoreProblem(
            Trouble.REFUSED,
            T("The store does not keep the lock of {key} as asked.", key=there.key),
            T("Run stores check. Is Object Lock enabled for the bucket?"),
        )
    return now


def _retain(connection: S3Connection, there: Stored, lock: Lock) -> None:
    modes = {lock.mode or LockMode.GOVERNANCE, there.lock.mode}
    mode = LockMode.COMPLIANCE if LockMode.COMPLIANCE in modes else LockMode.GOVERNANCE
    until = max(filter(None, (lock.until, there.lock.until)))
    # Even to strengthen a lock, servers ask for the right to lift it.
    lift = {"BypassGovernanceRetention": True} if there.lock.mode not in (None, mode) else {}
    connection.call(
        "put_object_retention",
        there.key,
        Retention={"Mode": mode.upper(), "RetainUntilDate": whole_second(until)},
        **of_version(there.version),
        **lift,
    )


def whole_second(moment: datetime) -> datetime:
    """Return the end of this second: stores drop its parts, and a lock must not end early."""
    utc = moment.astimezone(UTC)
    return utc if not utc.microsecond else utc.replace(microsecond=0) + timedelta(seconds=1)


def of_version(version: str | None) -> dict[str, str]:
    """Return the parameter that names a version."""
    return {} if version is None else {"VersionId": version}


def _stored(key: str, answer: Mapping[str, Any]) -> Stored:
    mode = answer.get("ObjectLockMode")
    return Stored(
        key,
        answer["ContentLength"],
        answer.get("VersionId"),
        s3_sums.kept_by(answer),
        Lock(
            LockMode(mode.lower()) if mode else None,
            answer.get("ObjectLockRetainUntilDate"),
            answer.get("ObjectLockLegalHoldStatus") == "ON",
        ),
        answer.get("LastModified"),
    )
