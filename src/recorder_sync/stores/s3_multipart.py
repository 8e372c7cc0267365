"""A large object goes to an S3 store in parts, several at once, and goes on where it stopped.

The store's own list of parts is the truth about what has arrived; what we keep is the name
of the upload. The file is read from start to end once, also where parts are there already:
each is compared with what was read, and only then left out. At most a fixed number of parts
is in memory, whatever the size and however many objects are on their way.
"""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from recorder_sync.language import T
from recorder_sync.stores import s3_sums
from recorder_sync.stores.s3_connection import S3Connection
from recorder_sync.stores.s3_errors import GONE, S3Problem
from recorder_sync.stores.s3_sums import Checksum, PartSum, WholeSum
from recorder_sync.stores.store import Course, Interrupted, Source, StoreProblem, Trouble


@dataclass(frozen=True, slots=True)
class Progress:
    """What is put on record of an upload."""

    upload: str
    part_size: int
    checksum: Checksum
    whole: dict[str, str] | None = None
    """Checksums of the object, once the file was read to its end and is as sealed."""

    def as_text(self) -> str:
        return json.dumps(
            {
                "upload": self.upload,
                "part_size": self.part_size,
                "checksum": self.checksum,
                "whole": self.whole,
            }
        )

    @classmethod
    def from_text(cls, text: str | None) -> "Progress | None":
        if not text:
            return None
        read = json.loads(text)
        checksum = Checksum(read["checksum"])
        return cls(read["upload"], read["part_size"], checksum, read["whole"])


class Lanes:
    """Threads that carry parts, and room in memory for what they carry."""

    def __init__(self, parallel: int) -> None:
        self._threads = ThreadPoolExecutor(parallel, "s3-part")
        self._room = threading.BoundedSemaphore(parallel)

    def room(self) -> None:
        """Wait for room for one part."""
        self._room.acquire()

    def leave(self) -> None:
        self._room.release()

    def carry(self, work: Any, *arguments: Any) -> "Future[Any]":
        """Do this in a thread; the room that it took is given back at its end."""
        future = self._threads.submit(work, *arguments)
        future.add_done_callback(lambda _: self._room.release())
        return future

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def pieces(source: Source, size: int, length: int) -> Iterator[bytes]:
    """Yield an object's bytes in pieces of `length`, the end of the source read before the last.

    Raises what the source raises, and StoreProblem where it has another size.
    """
    left = size
    while True:
        data = source.read(min(length, left)) if left else b""
        left -= len(data)
        if len(data) < min(length, left + len(data)) or (not left and source.read(1)):
            raise StoreProblem(
                Trouble.OBJECT, T("The file does not have the {size} bytes of its seal.", size=size)
            )
        yield data
        if not left:
            return


class PartsUpload:
    """One multipart upload that was begun, at the store."""

    def __init__(
        self, connection: S3Connection, key: str, progress: Progress, lanes: Lanes
    ) -> None:
        self._connection = connection
        self._key = key
        self.progress = progress
        self._lanes = lanes
        self._done: dict[int, dict[str, Any]] = {}

    def find_parts(self) -> bool:
        """Ask the store which parts it has; False: it knows no such upload. Raises S3Problem."""
        pages = self._connection.pages(
            "list_parts",
            {"NextPartNumberMarker": "PartNumberMarker"},
            self._key,
            UploadId=self.progress.upload,
        )
        try:
            self._done = {
                part["PartNumber"]: part for page in pages for part in page.get("Parts", ())
            }
        except S3Problem as problem:
            if problem.code in GONE or problem.status == 404:
                return False
            raise
        return True

    def send(self, source: Source, size: int, course: Course) -> dict[str, str]:
        """Bring every part there that is not, and return the checksums of the object.

        Raises what the source raises, and S3Problem; the parts on their way are awaited.
        """
        whole = WholeSum(self.progress.checksum)
        under_way: set[Future[Any]] = set()
        reading = pieces(source, size, self.progress.part_size)
        number = 0
        try:
            while True:
                self._lanes.room()
                try:
                    data = next(reading, None)
                except BaseException:
                    self._lanes.leave()
                    raise
                if data is None:
                    self._lanes.leave()
                    break
                number += 1
                part = PartSum.of(data, self.progress.checksum)
                whole.add(part)
                if self._is_there(number, part, data):
                    self._lanes.leave()
                    course.sent(len(data))
                else:
                    under_way.add(self._lanes.carry(self._bring, number, part, data, course))
                del data
                _raise_failures(under_way)
        except BaseException as error:
            for future in under_way:
                future.cancel()
            if not isinstance(error, Interrupted):  # who gives the upload up wants none to follow
                wait(under_way)
            raise
        for future in under_way:
            future.result()
        return whole.found(in_parts=True)

    def complete(self, whole: dict[str, str], **conditions: str) -> dict[str, Any]:
        """Have the store make the object of its parts; return its answer. Raises S3Problem."""
        wanted = ("PartNumber", "ETag", "ChecksumCRC64NVME")
        parts = [
            {name: part[name] for name in wanted if name in part}
            for _, part in sorted(self._done.items())
        ]
        return self._connection.call(
            "complete_multipart_upload",
            self._key,
            UploadId=self.progress.upload,
            MultipartUpload={"Parts": parts},
            **s3_sums.crc_field(whole),
            **conditions,
        )

    def _is_there(self, number: int, part: PartSum, data: bytes) -> bool:
        there = self._done.get(number)
        if there is None or there["Size"] != part.size:
            return False
        if part.checksum is Checksum.CRC64NVME and "ChecksumCRC64NVME" in there:
            return bool(there["ChecksumCRC64NVME"] == part.fields["ChecksumCRC64NVME"])
        digest = PartSum.of(data, Checksum.MD5).value.hex()
        if there["ETag"].strip('"') != digest:
            return False
        if part.checksum is Checksum.CRC64NVME:
            there["ChecksumCRC64NVME"] = part.fields["ChecksumCRC64NVME"]
        return True

    def _bring(self, number: int, part: PartSum, data: bytes, course: Course) -> None:
        answer = self._connection.call(
            "upload_part",
            self._key,
            UploadId=self.progress.upload,
            PartNumber=number,
            Body=data,
            **part.fields,
        )
        self._done[number] = {"PartNumber": number, "Size": part.size, "ETag": answer["ETag"]}
        if part.checksum is Checksum.CRC64NVME:
            self._done[number]["ChecksumCRC64NVME"] = part.fields["ChecksumCRC64NVME"]
        course.sent(part.size)


def _raise_failures(under_way: "set[Future[Any]]") -> None:
    for future in [future for future in under_way if future.done()]:
        under_way.remove(future)
        future.result()
