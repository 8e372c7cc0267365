"""A folder at an SSH server as a store, by SFTP.

    <path>/.recorder-sync-store    the marker, by which the store is known again
    <path>/.incoming/<key>         what is being written; `/` stands as %2F there
    <path>/<key>                   an object, read-only

An object is written under `.incoming`, synced where the server offers that, and renamed by
the plain rename of SFTP 3, which fails rather than replace a file. What is there of it at the
next try is read back and compared with the source: servers offer no checksum that could be
trusted in its place. For the same reason a stored object is known only by reading it.

What cannot be had by SFTP: the names in a folder are not synced by us. A server that loses
power at once may forget the last of them; the object is then missing when it is looked for.
"""

import stat
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import asyncssh
from blake3 import blake3

from recorder_sync.language import T
from recorder_sync.stores import sftp_checks
from recorder_sync.stores.directory_checks import not_bound
from recorder_sync.stores.key import INCOMING, key_of_partial, partial_name, refuse_unsafe
from recorder_sync.stores.marker import LARGEST, MARKER, id_in, new_marker
from recorder_sync.stores.sftp_folder import SftpFolder
from recorder_sync.stores.sftp_session import CHUNK, WINDOW, Begun, SftpSession
from recorder_sync.stores.store import (
    Check,
    Course,
    Lock,
    Outgoing,
    Receipt,
    Source,
    SourceChanged,
    Stored,
    StoreIdentity,
    StoreProblem,
    Trouble,
    Unfinished,
    Verdict,
)
from recorder_sync.stores.store_settings import SftpPlace

_NOT_OURS = (INCOMING, MARKER, "lost+found")


class SftpStore:
    """One folder at one server. Any thread may use it, several at a time."""

    def __init__(self, name: str, place: SftpPlace) -> None:
        self.name = name
        self._place = place
        self._root = place.path.rstrip("/") or "/"
        self._session = SftpSession(name, place)
        self._folder = SftpFolder(self._session, self._root)
        self._marker: str | None = None
        self._compared = 0
        """Number of the connection on which the marker was looked at."""

    def identity(self) -> StoreIdentity:
        self._marker = self._marker_id()
        return self._identity(self._marker)

    def bind(self, station: str) -> StoreIdentity:
        self._folder.make_folder("")
        if self._folder.attributes(self._folder.path(MARKER)) is None:
            made = self._folder.path(f"{MARKER}.{station}")
            content = new_marker(station)

            async def put(client: asyncssh.SFTPClient) -> None:
                async with client.open(made, "wb") as file:
                    await file.write(content)
                    with suppress(asyncssh.SFTPOpUnsupported):
                        await file.fsync()

            self._session.do(put)
            self._folder.rename(made, self._folder.path(MARKER))
        return self.identity()

    def send(self, item: Outgoing, source: Callable[[], Source], course: Course) -> Receipt:
        refuse_unsafe(self.name, item.key)
        self._same_place()
        final = self._folder.path(item.key)
        there = self._folder.attributes(final)
        if there is not None:
            if there.size != item.size or not self._holds(item, source):
                raise self._is_other(item.key)
            self._folder.make_read_only(final)
            return Receipt()
        self._folder.make_folder(INCOMING)
        part = self._folder.path(f"{INCOMING}/{partial_name(item.key)}")
        self._write(part, item, source(), course)
        self._folder.make_folder(item.key.rpartition("/")[0])
        if not self._folder.rename(part, final):
            raise self._is_other(item.key)
        self._folder.make_read_only(final)
        return Receipt()

    def finds_out(self, item: Outgoing) -> bool:
        return False

    def look(self, key: str, version: str | None = None) -> Stored | None:
        refuse_unsafe(self.name, key)
        self._same_place()
        found = self._folder.attributes(self._folder.path(key))
        if found is None:
            return None
        at = datetime.fromtimestamp(found.mtime, UTC) if found.mtime is not None else None
        return Stored(key, found.size or 0, stored_at=at)

    def read(self, key: str, version: str | None = None) -> Iterator[bytes]:
        refuse_unsafe(self.name, key)
        self._same_place()
        file = self._session.open(self._folder.path(key), "rb")
        try:
            size = self._folder.size(file)
            begun: deque[Begun[bytes]] = deque()
            at = 0
            while at < size or begun:
                while at < size and len(begun) < WINDOW:
                    begun.append(self._folder.begin_read(file, at, min(CHUNK, size - at)))
                    at += CHUNK
                yield self._session.wait(begun.popleft())
        finally:
            self._session.close_file(file)

    def lock(self, key: str, version: str | None, lock: Lock) -> None:
        raise StoreProblem(
            Trouble.REFUSED,
            T("{store}: an SFTP server cannot keep an object for a time.", store=self.name),
            T("Use a store with Object Lock."),
        )

    def keys(self, prefix: str = "") -> Iterator[str]:
        self._same_place()
        yield from self._keys("", prefix)

    def unfinished(self) -> Iterator[Unfinished]:
        self._same_place()
        for name, attributes in sorted(self._folder.listed(INCOMING)):
            at = datetime.fromtimestamp(attributes.mtime or 0, UTC)
            yield Unfinished(key_of_partial(name), name, at)

    def abandon(self, one: Unfinished) -> None:
        self._same_place()
        self._folder.remove(self._folder.path(f"{INCOMING}/{one.id.rpartition('/')[2]}"))

    def close(self) -> None:
        self._folder.forget()
        self._session.close()

    def check(self, now: datetime) -> Iterator[Check]:
        try:
            key = self._session.host_key()
            text = T("{user} may log in at {host}", user=self._place.user, host=self._place.host)
            yield Check(Verdict.GOOD, text)
            yield Check(Verdict.GOOD, T("its key {key} is one of the settings", key=key))
            if self._folder.attributes(self._root) is None:
                yield not_bound(self.name)
                return
            if self._folder.attributes(self._folder.path(MARKER)) is None:
                yield not_bound(self.name)
            else:
                yield Check(Verdict.GOOD, T("it has the marker {id}", id=self._marker_id()))
            yield from sftp_checks.trial(self.name, self._session, self._folder)
            yield from sftp_checks.room(self._session, self._folder)
        except StoreProblem as problem:
            yield Check(Verdict.BAD, problem.text, problem.hint)

    def _identity(self, marker: str) -> StoreIdentity:
        facts = {"marker": marker, "host-key": self._session.host_key()}
        return StoreIdentity(self._place.address, facts)

    def _same_place(self) -> None:
        """Compare the marker, once for each connection, with what `identity` saw last."""
        number = self._session.connected()
        if number == self._compared:
            return
        found = self._marker_id()
        if self._marker not in (None, found):
            raise self._wrong_place(
                T("{store}: another store answers now: its marker is {found}.",
                  store=self.name, found=found)
            )  # fmt: skip
        self._folder.forget()
        self._compared = number

    def _marker_id(self) -> str:
        async def get(client: asyncssh.SFTPClient) -> Any:
            try:
                async with client.open(self._folder.path(MARKER), "rb") as file:
                    return await file.read(LARGEST, 0)
            except asyncssh.SFTPNoSuchFile:
                return None

        content = self._session.do(get)
        if content is None:
            raise self._wrong_place(
                T("{store}: {path} has no marker.", store=self.name, path=self._root)
            )
        found = id_in(content)
        if found is None:
            raise self._wrong_place(
                T("{store}: the marker in {path} is damaged.", store=self.name, path=self._root)
            )
        return found

    def _wrong_place(self, text: Any) -> StoreProblem:
        return StoreProblem(
            Trouble.WRONG_PLACE,
            text,
            T(
                "Check that it is the right server and that its folder was not emptied. Only if "
                "it is new: recorder-sync stores bind {store}",
                store=self.name,
            ),
        )

    def _is_other(self, key: str) -> StoreProblem:
        return StoreProblem(
            Trouble.OBJECT,
            T("{store}: {key} is there with other content; it is left as it is.",
              store=self.name, key=key),
            T("Find out who put it there; then move it away or give this store a layout "
              "of its own."),
        )  # fmt: skip

    def _write(self, part: str, item: Outgoing, source: Source, course: Course) -> None:
        """Have the whole object, synced, in a partial file; what is there is gone on with."""
        is_there = self._folder.attributes(part) is not None
        file = self._session.open(part, "r+b" if is_there else "w+b")
        begun: deque[tuple[Begun[int], int]] = deque()

        def await_first() -> None:
            write, size = begun.popleft()
            self._session.wait(write)
            course.sent(size)

        try:
            there = self._folder.size(file)
            at = 0
            is_same = True
            while chunk := source.read(CHUNK):
                if is_same:
                    is_same = at + len(chunk) <= there and chunk == self._session.wait(
                        self._folder.begin_read(file, at, len(chunk))
                    )
                    if not is_same and at < there:
                        self._folder.truncate(file, at)
                if is_same:
                    course.sent(len(chunk))
                else:
                    if len(begun) == WINDOW:
                        await_first()
                    begun.append((self._folder.begin_write(file, at, chunk), len(chunk)))
                at += len(chunk)
            while begun:
                await_first()
            if at != item.size:
                raise SourceChanged(
                    T("{key} has {size} bytes, not the {sealed} that it was sealed with.",
                      key=item.key, size=at, sealed=item.size)
                )  # fmt: skip
            if is_same and there > at:
                self._folder.truncate(file, at)
            self._folder.sync(file)
        except SourceChanged:
            self._folder.remove(part)
            raise
        finally:
            self._session.close_file(file)

    def _holds(self, item: Outgoing, source: Callable[[], Source]) -> bool:
        """Tell whether the object of this key is this one."""
        if item.digests is None:
            origin = source()
            is_same = all(origin.read(len(chunk)) == chunk for chunk in self.read(item.key))
            return is_same and not origin.read(1)
        digest = blake3()
        for chunk in self.read(item.key):
            digest.update(chunk)
        return digest.hexdigest() == item.digests.blake3

    def _keys(self, above: str, prefix: str) -> Iterator[str]:
        found = [
            f"{name}/" if stat.S_ISDIR(attributes.permissions or 0) else name
            for name, attributes in self._folder.listed(above.rstrip("/"))
            if above or not name.startswith(_NOT_OURS)
        ]
        for name in sorted(found):
            key = above + name
            if not name.endswith("/"):
                if key.startswith(prefix):
                    yield key
            elif key.startswith(prefix) or prefix.startswith(key):
                yield from self._keys(key, prefix)
