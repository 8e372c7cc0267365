"""A large object goes to an S3 store in parts, several at once, and goes on where it stopped.

The store's own list of parts is the truth about what has arrived; what we keep is the name
of the upload. The file is read from start to end once, also where parts are there already:
each is compared with what was read, and only then left out. At most a fixed number of parts
is in memory, whatever the size and however many objects are on their way.
"""

import json
import mmap
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

from recorder_sync.language import T
from recorder_sync.stores import s3_sums
from recorder_sync.stores.s3_connection import S3Connection
from recorder_sync.stores.s3_errors import GONE, S3Problem
from recorder_sync.stores.s3_sums import Checksum, PartSum, WholeSum
from recorder_sync.stores.store import (
    Course,
    FillingSource,
    Interrupted,
    Source,
    StoreProblem,
    Trouble,
)

_SMALL = 1 << 20


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
    """Threads that carry parts, and the memory for what they carry, used again and again.

    Larger parts than usual are fewer at a time: all of them together never take more memory
    than so many usual ones, or than a single one.
    """

    def __init__(self, parallel: int) -> None:
        self._threads = ThreadPoolExecutor(parallel, "s3-part")
        self._most = parallel * s3_sums.PART
        self._taken = 0
        self._free: list[mmap.mmap] = []
        self._changed = threading.Condition()
        self._turn = threading.Lock()
        """Who waits for much is not overtaken again and again by those who want little."""

    def room(self, size: int) -> mmap.mmap:
        """Wait for room for a part of so many bytes."""
        with self._turn, self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + size <= self._most)
            self._taken += size
            for buffer in self._free:
                if len(buffer) == size:
                    self._free.remove(buffer)
                    return buffer
            if self._taken + sum(map(len, self._free)) > self._most:
                self._free.clear()
        fresh = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with suppress(OSError):  # a kernel without them
            fresh.madvise(mmap.MADV_HUGEPAGE)  # BLAKE3 and TLS read it more cheaply
        return fresh

    def leave(self, buffer: mmap.mmap) -> None:
        with self._changed:
            self._taken -= len(buffer)
            self._free.append(buffer)
            self._changed.notify_all()

    @contextmanager
    def lent(self, size: int) -> Iterator[bytearray | mmap.mmap]:
        """Lend memory for one piece: what is small has its own, and waits for nobody."""
        if size <= _SMALL:
            yield bytearray(size)
            return
        buffer = self.room(max(size, s3_sums.PART))
        try:
            yield buffer
        finally:
            self.leave(buffer)

    def carry(self, buffer: mmap.mmap, work: Any, *arguments: Any) -> "Future[Any]":
        """Do this in a thread; the room that it took is given back at its end."""
        future = self._threads.submit(work, *arguments)
        future.add_done_callback(lambda _: self.leave(buffer))
        return future

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class Pieces:
    """An object's bytes in pieces of `length`; the end of the source is read before the last.

    Raises what the source raises, and StoreProblem where it has another size.
    """

    def __init__(self, source: Source, size: int, length: int) -> None:
        self._source = source
        self._size = self._left = size
        self._length = length
        self._is_first = True

    def into(self, buffer: bytearray | mmap.mmap) -> memoryview | None:
        """Return the next piece, in the buffer; None: there is none."""
        if not self._left and not self._is_first:
            return None
        self._is_first = False
        view = memoryview(buffer)[: min(self._length, self._left)]
        self._left -= len(view)
        read = _fill(view, self._source)
        if read < len(view) or (not self._left and self._source.read(1)):
            raise StoreProblem(
                Trouble.OBJECT,
                T("The file does not have the {size} bytes of its seal.", size=self._size),
            )
        return view


def _fill(view: memoryview, source: Source) -> int:
    """Fill memory from a source; return how much there was."""
    if hasattr(source, "read_into"):  # isinstance() with a protocol is slow
        return cast(FillingSource, source).read_into(view)
    at = 0
    while at < len(view) and (data := source.read(len(view) - at)):
        view[at : at + len(data)] = data
        at += len(data)
    return at


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
        pieces = Pieces(source, size, self.progress.part_size)
        number = 0
        try:
            while True:
                buffer = self._lanes.room(self.progress.part_size)
                try:
                    data = pieces.into(buffer)
                except BaseException:
                    self._lanes.leave(buffer)
                    raise
                if data is None:
                    self._lanes.leave(buffer)
                    break
                number += 1
                part = PartSum.of(data, self.progress.checksum)
                whole.add(part)
                if self._is_there(number, part, data):
                    self._lanes.leave(buffer)
                    course.sent(len(data))
                else:
                    send = self._bring
                    under_way.add(self._lanes.carry(buffer, send, number, part, data, course))
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
        wanted = ("PartNumber", "ETag", self.progress.checksum.field)
        parts = [
            {name: part[name] for name in wanted if name in part}
            for _, part in sorted(self._done.items())
        ]
        return self._connection.call(
            "complete_multipart_upload",
            self._key,
            UploadId=self.progress.upload,
            MultipartUpload={"Parts": parts},
            **s3_sums.whole_field(whole),
            **conditions,
        )

    def _is_there(self, number: int, part: PartSum, data: memoryview) -> bool:
        there = self._done.get(number)
        if there is None or there["Size"] != part.size:
            return False
        if part.checksum.field in there:
            return part.said.items() <= there.items()
        digest = PartSum.of(data, Checksum.MD5).value.hex()
        if there["ETag"].strip('"') != digest:
            return False
        there |= part.said
        return True

    def _bring(self, number: int, part: PartSum, data: memoryview, course: Course) -> None:
        answer = self._connection.call(
            "upload_part",
            self._key,
            UploadId=self.progress.upload,
            PartNumber=number,
            Body=data,
            **part.fields,
        )
        there = {"PartNumber": number, "Size": part.size, "ETag": answer["ETag"]}
        self._done[number] = {**there, **part.said}
        course.sent(part.size)


def _raise_failures(under_way: "set[Future[Any]]") -> None:
    for future in [future for future in under_way if future.done()]:
        under_way.remove(future)
        future.result()
