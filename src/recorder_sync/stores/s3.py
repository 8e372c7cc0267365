"""An S3 bucket as a store: Ceph, MinIO, Huawei OBS, AWS, in a modern and an old form.

An object is looked for before it is sent, sent once with a checksum that the store verifies,
and looked at afterwards: size, checksum and lock as the store itself has them. A store that
drops or weakens a lock is asked again for that version; one that then still does not keep it
has a problem. Uploads that were cut off go on; an answer that was lost is found by asking.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from recorder_sync.language import T
from recorder_sync.stores import s3_checks, s3_marker, s3_objects, s3_sums
from recorder_sync.stores.s3_connection import (
    S3Address,
    S3Connection,
    S3Credentials,
)
from recorder_sync.stores.s3_errors import GONE, NOT_FIRST, S3Problem
from recorder_sync.stores.s3_multipart import Lanes, PartsUpload, Pieces, Progress
from recorder_sync.stores.s3_sums import Checksum, PartSum, WholeSum
from recorder_sync.stores.store import (
    NO_LOCK,
    Check,
    CopyDiffers,
    Course,
    Lock,
    LockMode,
    Outgoing,
    Receipt,
    Source,
    SourceChanged,
    Stored,
    StoreIdentity,
    StoreProblem,
    Trouble,
    Unfinished,
)

_CHUNK = 1 << 20
_OURS = "sha256"
"""Name of the fact by which an object under our key is known as ours."""


class S3Store:
    """One bucket, or what is under a prefix in it."""

    def __init__(
        self,
        name: str,
        address: S3Address,
        credentials: Callable[[], S3Credentials],
        *,
        lock_mode: LockMode | None = None,
        parallel: int = 3,
        checksum: Checksum | None = None,
    ) -> None:
        """Connect to nothing yet.

        `lock_mode` is what the checks try; `parallel` is how many parts are on their way at
        once or being read, of all objects together: each takes 8 MiB of memory. `checksum` is
        the one that the store has to verify; None: the strongest that it was found to.
        """
        self.name = name
        self._lock_mode = lock_mode
        self._connection = S3Connection(address, credentials)
        self._lanes = Lanes(parallel)
        self._asked = checksum
        self._profile: s3_marker.Profile | None = None

    def check(self, now: datetime) -> Iterator[Check]:
        yield from s3_checks.checks(self._connection, self._lock_mode, self._asked, now)

    def identity(self) -> StoreIdentity:
        marker = s3_marker.read(self._connection)
        if marker is None:
            raise StoreProblem(
                Trouble.WRONG_PLACE,
                T(
                    "{bucket} does not have the marker of a bound store.",
                    bucket=self._connection.address,
                ),
                T("Bind it with stores bind, or find out why it was emptied or exchanged."),
            )
        self._profile = marker.profile
        owner = self._connection.call("get_bucket_acl")["Owner"]
        facts = {
            "owner": str(owner.get("ID", "")),
            "marker": marker.id,
            "checksum": marker.profile.checksum,
            "if_none_match": str(marker.profile.if_none_match).lower(),
        }
        if marker.profile.digest is not None:
            facts["digest"] = marker.profile.digest
        return StoreIdentity(str(self._connection.address), facts)

    def bind(self, station: str) -> StoreIdentity:
        marker = s3_marker.read(self._connection)
        if marker is None:
            s3_checks.refuse_plain(self._connection)
            profile = s3_checks.find_profile(self._connection)
            profile.restricted_to(self._asked)
            s3_marker.put(self._connection, station, profile)
        elif marker.profile.digest is None:  # it may have learned one since
            s3_marker.add(self._connection, marker, s3_checks.find_digest(self._connection))
        return self.identity()

    def send(self, item: Outgoing, source: Callable[[], Source], course: Course) -> Receipt:
        profile = self._known_profile()
        in_parts = item.size > s3_sums.PART
        there = None if self.finds_out(item) else self.look(item.key)
        if there is not None:
            ours = self._ours(item, source, course, profile)
            if self._is_same(there, item, ours):
                return self._settled(there, item, ours)
            self._refuse_to_hide(item)
        # What is there under our own name has other bytes: a new version goes over it.
        first = {"IfNoneMatch": "*"} if profile.if_none_match and there is None else {}
        if in_parts:
            return self._send_parts(item, source, course, first, profile)
        return self._send_whole(item, source, course, first, profile)

    def finds_out(self, item: Outgoing) -> bool:
        return self._known_profile().if_none_match and item.size <= s3_sums.PART

    def look(self, key: str, version: str | None = None) -> Stored | None:
        return s3_objects.look(self._connection, key, version)

    def read(self, key: str, version: str | None = None) -> Iterator[bytes]:
        answer = self._connection.call("get_object", key, **s3_objects.of_version(version))
        with self._connection.answering(key):
            while data := answer["Body"].read(_CHUNK):
                yield data

    def lock(self, key: str, version: str | None, lock: Lock) -> None:
        there = self.look(key, version)
        if there is None:
            raise StoreProblem(Trouble.OBJECT, T("The store does not have {key}.", key=key))
        s3_objects.keep(self._connection, there, lock)

    def keys(self, prefix: str = "") -> Iterator[str]:
        own = self._connection.address.prefix
        pages = self._connection.pages(
            "list_objects_v2",
            {"NextContinuationToken": "ContinuationToken"},
            Prefix=own + prefix,
        )
        for page in pages:
            for each in page.get("Contents", ()):
                key = each["Key"].removeprefix(own)
                if key != s3_marker.KEY and not key.startswith(s3_checks.PROBES):
                    yield key

    def unfinished(self) -> Iterator[Unfinished]:
        own = self._connection.address.prefix
        pages = self._connection.pages(
            "list_multipart_uploads",
            {"NextKeyMarker": "KeyMarker", "NextUploadIdMarker": "UploadIdMarker"},
            Prefix=own,
        )
        for page in pages:
            for each in page.get("Uploads", ()):
                key = each["Key"].removeprefix(own)
                yield Unfinished(key, each["UploadId"], each.get("Initiated"))

    def abandon(self, one: Unfinished) -> None:
        try:
            self._connection.call("abort_multipart_upload", one.key, UploadId=one.id)
        except S3Problem as problem:
            if problem.code not in GONE:
                raise

    def close(self) -> None:
        self._lanes.close()
        self._connection.close()

    def _known_profile(self) -> s3_marker.Profile:
        if self._profile is None:
            self.identity()
        assert self._profile is not None
        return self._profile.restricted_to(self._asked)

    def _ours(
        self,
        item: Outgoing,
        source: Callable[[], Source],
        course: Course,
        profile: s3_marker.Profile,
    ) -> Mapping[str, str]:
        """Return the checksums of the file, from the record or by reading it."""
        noted = Progress.from_text(course.resume)
        if noted is not None and noted.whole is not None:
            return noted.whole
        whole = WholeSum(profile.strongest)
        length = s3_sums.part_size(item.size)
        pieces = Pieces(source(), item.size, length)
        with self._lanes.lent(min(length, item.size)) as buffer:
            while (data := pieces.into(buffer)) is not None:
                whole.add(PartSum.of(data, profile.strongest))
        return whole.found(in_parts=item.size > s3_sums.PART)

    def _is_same(self, there: Stored, item: Outgoing, ours: Mapping[str, str]) -> bool:
        """Tell whether an object that is there is this one; read it where no checksum says."""
        said = s3_sums.agree(ours, there.checksums)
        if said is not None or there.size != item.size or item.digests is None:
            return bool(said)
        whole = hashlib.sha256()
        for data in self.read(item.key, there.version):
            whole.update(data)
        return whole.hexdigest() == item.digests.sha256

    def _refuse_to_hide(self, item: Outgoing) -> None:
        """Put nothing over what somebody else has under our key. Raises StoreProblem."""
        head = s3_objects.head(self._connection, item.key, None) or {}
        if head.get("Metadata", {}).get(_OURS) != _facts(item).get(_OURS):
            raise StoreProblem(
                Trouble.OBJECT,
                T("The store has something else as {key}.", key=item.key),
                T("Find out who put it there. Nothing was put over it."),
            )

    def _send_whole(
        self,
        item: Outgoing,
        source: Callable[[], Source],
        course: Course,
        first: dict[str, str],
        profile: s3_marker.Profile,
    ) -> Receipt:
        with self._lanes.lent(item.size) as buffer:
            data = Pieces(source(), item.size, s3_sums.PART).into(buffer)
            assert data is not None  # there is a first one, however small
            return self._put(item, data, course, first, profile)

    def _put(
        self,
        item: Outgoing,
        data: memoryview,
        course: Course,
        first: dict[str, str],
        profile: s3_marker.Profile,
    ) -> Receipt:
        part = _sum_of(item, data, profile.strongest)
        whole = WholeSum(profile.strongest)
        whole.add(part)
        ours = whole.found(in_parts=False)
        fields = {**self._kept_with(item), **part.fields}
        try:
            answer = self._connection.call("put_object", item.key, Body=data, **fields, **first)
        except S3Problem as problem:
            if problem.code not in NOT_FIRST:
                raise
            there = self.look(item.key)
            if there is not None and self._is_same(there, item, ours):
                return self._settled(there, item, ours)
            self._refuse_to_hide(item)
            answer = self._connection.call("put_object", item.key, Body=data, **fields)
        course.sent(item.size)
        if item.lock == NO_LOCK and s3_sums.agree(ours, s3_sums.kept_by(answer)):
            return Receipt(answer.get("VersionId"), ours)  # the answer has said it all
        return self._settled(self._just_sent(item, answer), item, ours)

    def _send_parts(
        self,
        item: Outgoing,
        source: Callable[[], Source],
        course: Course,
        first: dict[str, str],
        profile: s3_marker.Profile,
    ) -> Receipt:
        upload = self._upload(item, course, profile)
        progress = upload.progress
        try:
            ours = upload.send(source(), item.size, course)
        except SourceChanged:
            with suppress(StoreProblem):  # else it stays among the unfinished, and is found there
                self.abandon(Unfinished(item.key, progress.upload, None))
            raise
        course.note(
            Progress(progress.upload, progress.part_size, progress.checksum, ours).as_text()
        )
        try:
            answer = upload.complete(ours, **first)
        except S3Problem as problem:
            if problem.code not in GONE | NOT_FIRST:
                raise
            there = self.look(item.key)
            if there is None or not self._is_same(there, item, ours):
                raise
            return self._settled(there, item, ours)  # the answer to an earlier try was lost
        return self._settled(self._just_sent(item, answer), item, ours)

    def _upload(self, item: Outgoing, course: Course, profile: s3_marker.Profile) -> PartsUpload:
        """Return the upload on record where the store still knows it, or begin one."""
        noted = Progress.from_text(course.resume)
        if noted is not None:
            upload = PartsUpload(self._connection, item.key, noted, self._lanes)
            if upload.find_parts():
                return upload
        checksum = profile.strongest
        answer = self._connection.call(
            "create_multipart_upload", item.key, **self._kept_with(item), **checksum.of_parts
        )
        fresh = Progress(answer["UploadId"], s3_sums.part_size(item.size), checksum)
        course.note(fresh.as_text())
        return PartsUpload(self._connection, item.key, fresh, self._lanes)

    def _kept_with(self, item: Outgoing) -> dict[str, Any]:
        lock = item.lock
        kept: dict[str, Any] = {"Metadata": _facts(item)}
        if lock.mode is not None and lock.until is not None:
            kept["ObjectLockMode"] = lock.mode.upper()
            kept["ObjectLockRetainUntilDate"] = s3_objects.whole_second(lock.until)
        if lock.hold:
            kept["ObjectLockLegalHoldStatus"] = "ON"
        return kept

    def _just_sent(self, item: Outgoing, answer: Mapping[str, Any]) -> Stored:
        version = answer.get("VersionId")
        there = self.look(item.key, version)
        if there is None:
            raise StoreProblem(
                Trouble.OBJECT,
                T("The store took {key} and does not have it.", key=item.key),
            )
        return there

    def _settled(self, there: Stored, item: Outgoing, ours: Mapping[str, str]) -> Receipt:
        """Return the receipt for what the store says that it has. Raises StoreProblem."""
        if there.size != item.size or s3_sums.agree(ours, there.checksums) is False:
            raise CopyDiffers(
                self.name,
                item.key,
                T("the store has other bytes than were sent"),
                T("Look into the store. The recording is safe here and is sent once more."),
            )
        now = s3_objects.keep(self._connection, there, item.lock, release=False)
        return Receipt(there.version, dict(ours), now)


def _sum_of(item: Outgoing, data: memoryview, checksum: Checksum) -> PartSum:
    """Return the sum of an object in one piece: the seal's own where the store verifies that."""
    if checksum is Checksum.BLAKE3 and item.digests is not None:
        return PartSum(len(data), checksum, bytes.fromhex(item.digests.blake3))
    return PartSum.of(data, checksum)


def _facts(item: Outgoing) -> dict[str, str]:
    facts = dict(item.facts)
    if item.digests is not None:
        facts[_OURS] = item.digests.sha256
    return facts
