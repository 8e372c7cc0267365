"""What an S3 store can do, found out by trying: for `stores check`, and once for a binding.

A server's word for what it can do is worth little: some drop a lock without a sound, some
look at no checksum. So small objects are put under a prefix of their own, with wrong
checksums, with locks of two minutes, and are deleted before their time. Each finding says
what was tried. Checks that need what an earlier one missed are left out.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from recorder_sync.language import T
from recorder_sync.stores import s3_marker
from recorder_sync.stores.s3_connection import S3Connection, is_missing
from recorder_sync.stores.s3_errors import S3Problem, server_time
from recorder_sync.stores.s3_marker import Profile
from recorder_sync.stores.s3_sums import Checksum, PartSum, WholeSum, agree, kept_by, whole_field
from recorder_sync.stores.store import Check, LockMode, StoreProblem, Trouble, Verdict

PROBES = ".recorder-sync-probe/"
"""Where what is tried is put: a store's rights and lifecycle may treat it by this name."""

_DATA = b"recorder-sync tries what this store does."
_OTHER = b"recorder-sync tries what this store did."
_LOCKED = timedelta(minutes=2)
_DOUBTFUL_SKEW = timedelta(seconds=30)
_REFUSED_SKEW = timedelta(minutes=15)


def checks(
    connection: S3Connection, lock_mode: LockMode | None, asked: Checksum | None, now: datetime
) -> Iterator[Check]:
    """Yield what an upload with locks of `lock_mode` (None: without) would meet.

    `asked` is the checksum of the settings; None: the strongest that the store verifies.
    """
    try:
        answer = connection.call("list_objects_v2", MaxKeys=1, Prefix=connection.address.prefix)
        yield Check(Verdict.GOOD, T("The bucket can be reached over TLS, with these keys."))
        server = server_time(answer) or now
        yield _clock(server, now)
        yield _region(connection)
        if connection.address.encryption is not None:
            refuse_plain(connection)
            text = T("The store encrypts what it is sent, as encryption asks.")
            yield Check(Verdict.GOOD, text)
        yield from _versions(connection, lock_mode)
        profile = find_profile(connection)
        yield from _checksums(profile)
        used = profile.restricted_to(asked)
        if lock_mode is not None:
            yield from _locks(connection, lock_mode, used, server + _LOCKED)
        yield from _bound(connection, used, asked)
    except StoreProblem as problem:
        yield Check(Verdict.BAD, problem.text, problem.hint)


def refuse_plain(connection: S3Connection) -> None:
    """Raise StoreProblem unless the store encrypts what it is asked to encrypt.

    Some take the header and keep the object as it came.
    """
    address, key = connection.address, PROBES + secrets.token_hex(8)
    if address.encryption is None:
        return
    asked = f'encryption = "{address.encryption}"'
    if address.encryption_key:
        asked += f', encryption_key = "{address.encryption_key}"'
    try:
        connection.call("put_object", key, Body=_DATA, **PartSum.of(_DATA, Checksum.MD5).fields)
    except S3Problem as problem:
        if problem.status not in (400, 403, 404, 501):
            raise
        raise StoreProblem(
            Trouble.REFUSED,
            T("With {asked}: {why}", asked=asked, why=problem.text),
            T("Mend encryption and encryption_key of this store, or its key service."),
        ) from problem
    kept = connection.call("head_object", key).get("ServerSideEncryption")
    if kept != address.encryption:
        raise StoreProblem(
            Trouble.REFUSED,
            T("The store takes {asked}, and does not encrypt: it says {kept}.",
              asked=asked, kept=kept or "-"),
            T("Have encryption set up there, or take encryption out of the settings."),
        )  # fmt: skip


def _region(connection: S3Connection) -> Check:
    """Look the region up: a store that takes requests for another may not always do so."""
    ours = connection.address.region
    try:
        found = connection.call("get_bucket_location").get("LocationConstraint") or "us-east-1"
    except S3Problem as problem:
        return Check(
            Verdict.DOUBTFUL,
            T("The region of the bucket cannot be looked up: {why}", why=problem.text),
            T("Allow s3:GetBucketLocation, as in docs/stores-s3.md."),
        )
    if found in (ours, "default"):  # Ceph's name for not having any
        return Check(Verdict.GOOD, T("The bucket is in the region of the settings."))
    return Check(
        Verdict.DOUBTFUL,
        T("The bucket is in the region {found}; in the settings is {ours}.",
          found=found, ours=ours),
        T('Set region = "{found}" for this store.', found=found),
    )  # fmt: skip


def find_profile(connection: S3Connection) -> Profile:
    """Try which checksums the server verifies. Raises StoreProblem."""
    key = PROBES + secrets.token_hex(8)
    for checksum in (Checksum.CRC64NVME, Checksum.MD5):
        if _takes(connection, key, _OTHER, PartSum.of(_DATA, checksum)):
            continue  # it looks at no such checksum: what it said is not verified
        if not _takes(connection, key, _DATA, PartSum.of(_DATA, checksum)):
            continue
        if checksum is Checksum.CRC64NVME and not _keeps(connection, key, checksum):
            continue
        condition = {"IfNoneMatch": "*"}
        again = _takes(connection, key, _DATA, PartSum.of(_DATA, checksum), **condition)
        return Profile(checksum, if_none_match=not again, digest=find_digest(connection))
    raise StoreProblem(
        Trouble.REFUSED,
        T("The store takes bytes that do not have the checksum that was sent with them."),
        T("Use another store: this one would keep damaged recordings without a word."),
    )


def find_digest(connection: S3Connection) -> Checksum | None:
    """Try whether the server verifies and keeps BLAKE3, in one piece and in parts.

    A server that fails on what it does not know has none. Raises StoreProblem where it is away.
    """
    checksum = Checksum.BLAKE3
    key = PROBES + secrets.token_hex(8)
    right = PartSum.of(_DATA, checksum)
    try:
        found = (
            not _takes(connection, key, _OTHER, right)
            and _takes(connection, key, _DATA, right)
            and _keeps(connection, key, checksum)
            and _verifies_parts(connection, PROBES + secrets.token_hex(8), right)
        )
    except S3Problem as problem:
        if problem.status < 400 or problem.status in (429, 503):
            raise
        return None
    return checksum if found else None


def _verifies_parts(connection: S3Connection, key: str, part: PartSum) -> bool:
    begun = connection.call("create_multipart_upload", key, **part.checksum.of_parts)
    of = {"UploadId": begun["UploadId"], "PartNumber": 1}
    try:
        connection.call("upload_part", key, Body=_OTHER, **of, **part.fields)
    except S3Problem as problem:
        if problem.trouble is not Trouble.OBJECT:
            raise
        _complete(connection, key, begun["UploadId"], part)
        whole = WholeSum(part.checksum)
        whole.add(part)
        there = connection.call("head_object", key, ChecksumMode="ENABLED")
        return bool(agree(whole.found(in_parts=True), kept_by(there)))
    connection.call("abort_multipart_upload", key, UploadId=begun["UploadId"])
    return False


def _takes(connection: S3Connection, key: str, data: bytes, part: PartSum, **more: str) -> bool:
    """Tell whether the store takes `data` with the checksum of `part`; raises what it is not."""
    try:
        connection.call("put_object", key, Body=data, **part.fields, **more)
    except S3Problem as problem:
        if problem.trouble is not Trouble.OBJECT:
            raise
        return False
    return True


def _keeps(connection: S3Connection, key: str, checksum: Checksum) -> bool:
    answer = connection.call("head_object", key, ChecksumMode="ENABLED")
    return kept_by(answer).get(checksum) == PartSum.of(_DATA, checksum).value.hex()


def _clock(server: datetime, now: datetime) -> Check:
    apart = abs(server - now)
    seconds = round(apart.total_seconds())
    if apart < _DOUBTFUL_SKEW:
        return Check(Verdict.GOOD, T("The clocks of store and computer agree."))
    return Check(
        Verdict.BAD if apart >= _REFUSED_SKEW else Verdict.DOUBTFUL,
        T("The clocks of store and computer are {seconds} s apart.", seconds=seconds),
        T("Set both by NTP: a store refuses requests that seem to be 15 minutes old."),
    )


def _versions(connection: S3Connection, lock_mode: LockMode | None) -> Iterator[Check]:
    versioned = connection.call("get_bucket_versioning").get("Status") == "Enabled"
    if versioned:
        yield Check(Verdict.GOOD, T("The bucket keeps every version of an object."))
    else:
        yield Check(
            Verdict.DOUBTFUL if lock_mode is None else Verdict.BAD,
            T("The bucket does not keep versions: what is stored can be overwritten."),
            T("Switch versioning on."),
        )
    try:
        answer = connection.call("get_object_lock_configuration")
    except S3Problem as problem:
        if problem.status != 404:
            raise
        yield Check(
            Verdict.DOUBTFUL if lock_mode is None else Verdict.BAD,
            T("Object Lock is not enabled for the bucket: what is stored can be deleted."),
            T(
                "Make a bucket with Object Lock, as most stores cannot enable it later; or accept "
                'that objects can be deleted: lock = "none".'
            ),
        )
        return
    rule = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention")
    if rule is None:
        yield Check(Verdict.GOOD, T("Object Lock is enabled, without a retention of the bucket's."))
        return
    period = f"{rule['Years']} y" if rule.get("Years") else f"{rule.get('Days')} d"
    yield Check(
        Verdict.GOOD,
        T(
            "Object Lock is enabled; the bucket's own retention is {mode}, {period}.",
            mode=rule["Mode"],
            period=period,
        ),
    )


def _checksums(profile: Profile) -> Iterator[Check]:
    if profile.digest is not None:
        yield Check(Verdict.GOOD, T("The store verifies BLAKE3, that of the seal, and keeps it."))
    elif profile.checksum is Checksum.CRC64NVME:
        yield Check(Verdict.GOOD, T("The store verifies CRC64NVME and keeps it of whole objects."))
    else:
        yield Check(
            Verdict.DOUBTFUL,
            T("The store verifies MD5 only."),
            T("It is used as an old one. Have more of what it keeps read back."),
        )
    if not profile.if_none_match:
        yield Check(
            Verdict.DOUBTFUL,
            T("The store ignores If-None-Match: two processes could store one object twice."),
            T("Let one station only write under this prefix."),
        )


def _locks(
    connection: S3Connection, mode: LockMode, profile: Profile, until: datetime
) -> Iterator[Check]:
    wanted: dict[str, Any] = {"ObjectLockMode": mode.upper(), "ObjectLockRetainUntilDate": until}
    key = PROBES + secrets.token_hex(8)
    part = PartSum.of(_DATA, profile.strongest)
    answer = connection.call("put_object", key, Body=_DATA, **part.fields, **wanted)
    yield from _lock_held(connection, key, answer.get("VersionId"), mode, in_parts=False)
    key = PROBES + secrets.token_hex(8)
    how = part.checksum.of_parts
    upload = connection.call("create_multipart_upload", key, **how, **wanted)["UploadId"]
    answer = _complete(connection, key, upload, part)
    yield from _lock_held(connection, key, answer.get("VersionId"), mode, in_parts=True)


def _complete(connection: S3Connection, key: str, upload: str, part: PartSum) -> dict[str, Any]:
    """Send the only part of an upload, and have the object made of it."""
    answer = connection.call(
        "upload_part", key, UploadId=upload, PartNumber=1, Body=_DATA, **part.fields
    )
    one = {"PartNumber": 1, "ETag": answer["ETag"], **part.said}
    whole = WholeSum(part.checksum)
    whole.add(part)
    return connection.call(
        "complete_multipart_upload",
        key,
        UploadId=upload,
        MultipartUpload={"Parts": [one]},
        **whole_field(whole.found(in_parts=True)),
    )


def _lock_held(
    connection: S3Connection, key: str, version: str | None, mode: LockMode, *, in_parts: bool
) -> Iterator[Check]:
    of = {} if version is None else {"VersionId": version}
    how = T("in parts") if in_parts else T("in one piece")
    kept = connection.call("head_object", key, **of).get("ObjectLockMode")
    if kept == mode.upper():
        yield Check(Verdict.GOOD, T("The store keeps the lock of what is sent {how}.", how=how))
    else:
        yield Check(
            Verdict.DOUBTFUL,
            T("The store drops or weakens the lock of what is sent {how}.", how=how),
            T("It is put again after each upload and read back; until then nothing locks it."),
        )
        retention = {"Mode": mode.upper(), "RetainUntilDate": _later(connection, key, of)}
        connection.call("put_object_retention", key, Retention=retention, **of)
        if connection.call("head_object", key, **of).get("ObjectLockMode") != mode.upper():
            yield Check(
                Verdict.BAD,
                T("The store does not keep a lock that is put on an object either."),
                T('Use another store, or one without a lock (lock = "none").'),
            )
            return
    for status in ("ON", "OFF"):
        connection.call("put_object_legal_hold", key, LegalHold={"Status": status}, **of)
        said = connection.call("head_object", key, **of).get("ObjectLockLegalHoldStatus")
        if said != status:
            yield Check(
                Verdict.BAD, T("The store does not switch a legal hold {status}.", status=status)
            )
    yield _delete_refused(connection, key, of)


def _later(connection: S3Connection, key: str, of: dict[str, str]) -> datetime:
    answer = connection.call("head_object", key, **of)
    until: datetime | None = answer.get("ObjectLockRetainUntilDate")
    return until or answer["LastModified"] + _LOCKED


def _delete_refused(connection: S3Connection, key: str, of: dict[str, str]) -> Check:
    try:
        connection.call("delete_object", key, **of)
        connection.call("head_object", key, **of)
    except S3Problem as problem:
        if is_missing(problem):
            return Check(
                Verdict.BAD,
                T("The store lets a locked object be deleted."),
                T("Use another store: its locks protect nothing."),
            )
        if problem.status not in (400, 403, 409):
            raise
    return Check(Verdict.GOOD, T("The store refuses to delete a locked object."))


def _bound(connection: S3Connection, profile: Profile, asked: Checksum | None) -> Iterator[Check]:
    marker = s3_marker.read(connection)
    if marker is None:
        yield Check(
            Verdict.DOUBTFUL,
            T("The bucket is not bound yet."),
            T("Bind it with stores bind; nothing is sent before."),
        )
        return
    yield Check(
        Verdict.GOOD, T("The bucket is bound, first by station {station}.", station=marker.station)
    )
    known = marker.profile.restricted_to(asked)
    if profile.digest is not None and known.digest is None:
        yield Check(
            Verdict.DOUBTFUL,
            T("It was bound without BLAKE3: {checksum} is used.", checksum=known.strongest.upper()),
            T("Run stores bind once more; what is sent from then on is sent with BLAKE3."),
        )
    if known.digest is not None and profile.digest is None:
        yield Check(
            Verdict.DOUBTFUL,
            T("The store verified BLAKE3 when it was bound, and does not any more."),
            T('Find out why. Until then, set checksum = "{checksum}" for this store.',
              checksum=profile.checksum),
        )  # fmt: skip
