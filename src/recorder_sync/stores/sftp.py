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
from recorder_sync.stores.directory_checks import not_bound, room_check
from recorder_sync.stores.key import INCOMING, key_of_partial, partial_name, refuse_unsafe
from recorder_sync.stores.marker import LARGEST, MARKER, id_in, new_marker
from recorder_sync.stores.sftp_session import CHUNK, WINDOW, Begun, RemoteFile, SftpSession
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

_READ_ONLY = 0o440
_NOT_OURS = (INCOMING, MARKER, "lost+found")


class SftpStore:
    """One folder at one server. Any thread may use it, several at a time."""

    def __init__(self, name: str, place: SftpPlace) -> None:
        self.name = name
        self._place = place
        self._root = place.path.rstrip("/") or "/"
        self._session = SftpSession(name, place)
        self._made: set[str] = set()
        self._marker: str | None = None
        self._compared = 0
        """Number of the connection on which the marker was looked at."""

    def identity(self) -> StoreIdentity:
        self._marker = self._marker_id()
        return self._identity(self._marker)

    def bind(self, station: str) -> StoreIdentity:
        self._make_folder("")
        if self._attributes(self._path(MARKER)) is None:
            made = self._path(f"{MARKER}.{station}")
            content = new_marker(station)

            async def put(client: asyncssh.SFTPClient) -> None:
                async with client.open(made, "wb") as file:
                    await file.write(content)
                    with suppress(asyncssh.SFTPOpUnsupported):
                        await file.fsync()

            self._session.do(put)
            self._rename(made, self._path(MARKER))
        return self.identity()

    def send(self, item: Outgoing, source: Callable[[], Source], course: Course) -> Receipt:
        refuse_unsafe(self.name, item.key)
        self._same_place()
        final = self._path(item.key)
        there = self._attributes(final)
        if there is not None:
            if there.size != item.size or not self._holds(item, source):
                raise self._is_other(item.key)
            self._make_read_only(final)
            return Receipt()
        self._make_folder(INCOMING)
        part = self._path(f"{INCOMING}/{partial_name(item.key)}")
        self._write(part, item, source(), course)
        self._make_folder(item.key.rpartition("/")[0])
        if not self._rename(part, final):
            raise self._is_other(item.key)
        self._make_read_only(final)
        return Receipt()

    def finds_out(self, item: Outgoing) -> bool:
        return False

    def look(self, key: str, version: str | None = None) -> Stored | None:
        refuse_unsafe(self.name, key)
        self._same_place()
        found = self._attributes(self._path(key))
        if found is None:
            return None
        at = datetime.fromtimestamp(found.mtime, UTC) if found.mtime is not None else None
        return Stored(key, found.size or 0, stored_at=at)

    def read(self, key: str, version: str | None = None) -> Iterator[bytes]:
        refuse_unsafe(self.name, key)
        self._same_place()
        file = self._session.open(self._path(key), "rb")
        try:
            size = self._size(file)
            begun: deque[Begun[bytes]] = deque()
            at = 0
            while at < size or begun:
                while at < size and len(begun) < WINDOW:
                    begun.append(self._begin_read(file, at, min(CHUNK, size - at)))
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
        for name, attributes in sorted(self._listed(INCOMING)):
            at = datetime.fromtimestamp(attributes.mtime or 0, UTC)
            yield Unfinished(key_of_partial(name), name, at)

    def abandon(self, one: Unfinished) -> None:
        self._same_place()
        self._remove(self._path(f"{INCOMING}/{one.id.rpartition('/')[2]}"))

    def close(self) -> None:
        self._made.clear()
        self._session.close()

    def check(self, now: datetime) -> Iterator[Check]:
        try:
            key = self._session.host_key()
            text = T("{user} may log in at {host}", user=self._place.user, host=self._place.host)
            yield Check(Verdict.GOOD, text)
            yield Check(Verdict.GOOD, T("its key {key} is one of the settings", key=key))
            if self._attributes(self._root) is None:
                yield not_bound(self.name)
                return
            if self._attributes(self._path(MARKER)) is None:
                yield not_bound(self.name)
            else:
                yield Check(Verdict.GOOD, T("it has the marker {id}", id=self._marker_id()))
            yield from self._trial()
            yield from self._room()
        except StoreProblem as problem:
            yield Check(Verdict.BAD, problem.text, problem.hint)

    def _trial(self) -> Iterator[Check]:
        self._make_folder(INCOMING)
        first, second = (self._path(f"{INCOMING}/trial-{self.name}-{n}") for n in (1, 2))
        is_synced = True

        async def put(client: asyncssh.SFTPClient) -> Any:
            nonlocal is_synced
            async with client.open(first, "w+b") as file:
                await file.write(b"tried")
                try:
                    await file.fsync()
                except asyncssh.SFTPOpUnsupported:
                    is_synced = False
            async with client.open(second, "wb"):
                pass
            async with client.open(first, "rb") as file:
                return await file.read()

        try:
            if self._session.do(put) != b"tried":
                text = T("a file that was written there was read back differently")
                hint = T("Do not use this server before it is mended.")
                yield Check(Verdict.BAD, text, hint)
            replaces = self._rename(first, second)
            if not replaces:
                self._remove(second)
                self._rename(first, second)
        finally:
            self._remove(first)
            self._remove(second)
        yield Check(Verdict.GOOD, T("a file can be written, renamed and read back"))
        if replaces:
            hint = T("Let no other program write into this folder.")
            yield Check(Verdict.DOUBTFUL, T("the server replaces a file when it renames"), hint)
        if is_synced:
            yield Check(Verdict.GOOD, T("the server puts a file on its disk when asked to"))
        else:
            text = T("the server does not say when a file is on its disk (fsync@openssh.com)")
            hint = T("Use OpenSSH's server; its sudden end may cost what was sent last.")
            yield Check(Verdict.DOUBTFUL, text, hint)

    def _room(self) -> Iterator[Check]:
        async def ask(client: asyncssh.SFTPClient) -> tuple[int, int] | None:
            try:
                state = await client.statvfs(self._root)
            except asyncssh.SFTPOpUnsupported:
                return None
            return state.bavail * state.frsize, state.blocks * state.frsize

        found = self._session.do(ask)
        if found is None:
            yield Check(Verdict.DOUBTFUL, T("the server does not say how much room there is"))
        else:
            yield room_check(*found)

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
        self._made.clear()
        self._compared = number

    def _marker_id(self) -> str:
        async def get(client: asyncssh.SFTPClient) -> Any:
            try:
                async with client.open(self._path(MARKER), "rb") as file:
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
        is_there = self._attributes(part) is not None
        file = self._session.open(part, "r+b" if is_there else "w+b")
        begun: deque[tuple[Begun[int], int]] = deque()

        def await_first() -> None:
            write, size = begun.popleft()
            self._session.wait(write)
            course.sent(size)

        try:
            there = self._size(file)
            at = 0
            is_same = True
            while chunk := source.read(CHUNK):
                if is_same:
                    is_same = at + len(chunk) <= there and chunk == self._session.wait(
                        self._begin_read(file, at, len(chunk))
                    )
                    if not is_same and at < there:
                        self._truncate(file, at)
                if is_same:
                    course.sent(len(chunk))
                else:
                    if len(begun) == WINDOW:
                        await_first()
                    begun.append((self._begin_write(file, at, chunk), len(chunk)))
                at += len(chunk)
            while begun:
                await_first()
            if at != item.size:
                raise SourceChanged(
                    T("{key} has {size} bytes, not the {sealed} that it was sealed with.",
                      key=item.key, size=at, sealed=item.size)
                )  # fmt: skip
            if is_same and there > at:
                self._truncate(file, at)
            self._sync(file)
        except SourceChanged:
            self._remove(part)
            raise
        finally:
            self._session.close_file(file)

    def _sync(self, file: RemoteFile) -> None:
        async def synced(opened: Any) -> None:
            with suppress(asyncssh.SFTPOpUnsupported):
                await opened.fsync()

        self._session.wait(self._session.begin(file, synced, self._session.sync_within_s))

    def _make_read_only(self, path: str) -> None:
        async def made(client: asyncssh.SFTPClient) -> None:
            with suppress(asyncssh.SFTPPermissionDenied, asyncssh.SFTPOpUnsupported):
                await client.chmod(path, _READ_ONLY)

        self._session.do(made)

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

    def _begin_read(self, file: RemoteFile, at: int, size: int) -> Begun[bytes]:
        within_s = self._session.transfer_within_s
        return self._session.begin(file, lambda opened: opened.read(size, at), within_s)

    def _begin_write(self, file: RemoteFile, at: int, chunk: bytes) -> Begun[int]:
        within_s = self._session.transfer_within_s
        return self._session.begin(file, lambda opened: opened.write(chunk, at), within_s)

    def _size(self, file: RemoteFile) -> int:
        found = self._session.wait(self._session.begin(file, lambda opened: opened.stat()))
        return found.size or 0

    def _truncate(self, file: RemoteFile, size: int) -> None:
        self._session.wait(self._session.begin(file, lambda opened: opened.truncate(size)))

    def _rename(self, old: str, new: str) -> bool:
        """Give a file its name; False: another has it already."""

        async def renamed(client: asyncssh.SFTPClient) -> bool:
            try:
                await client.rename(old, new)
            except asyncssh.SFTPFailure:
                if await client.lexists(new):
                    return False
                raise
            return True

        return self._session.do(renamed)

    def _remove(self, path: str) -> None:
        async def removed(client: asyncssh.SFTPClient) -> None:
            with suppress(asyncssh.SFTPNoSuchFile):
                await client.remove(path)

        self._session.do(removed)

    def _make_folder(self, relative: str) -> None:
        if relative not in self._made:
            path = self._path(relative)
            self._session.do(lambda client: client.makedirs(path, exist_ok=True))
            self._made.add(relative)

    def _attributes(self, path: str) -> asyncssh.SFTPAttrs | None:
        async def asked(client: asyncssh.SFTPClient) -> asyncssh.SFTPAttrs | None:
            try:
                return await client.lstat(path)
            except asyncssh.SFTPNoSuchFile:
                return None

        return self._session.do(asked)

    def _listed(self, relative: str) -> list[tuple[str, asyncssh.SFTPAttrs]]:
        async def asked(client: asyncssh.SFTPClient) -> list[tuple[str, asyncssh.SFTPAttrs]]:
            try:
                found = await client.readdir(self._path(relative))
            except asyncssh.SFTPNoSuchFile:
                return []
            return [
                (str(one.filename), one.attrs) for one in found if one.filename not in (".", "..")
            ]

        return self._session.do(asked, self._session.transfer_within_s)

    def _keys(self, above: str, prefix: str) -> Iterator[str]:
        found = [
            f"{name}/" if stat.S_ISDIR(attributes.permissions or 0) else name
            for name, attributes in self._listed(above.rstrip("/"))
            if above or not name.startswith(_NOT_OURS)
        ]
        for name in sorted(found):
            key = above + name
            if not name.endswith("/"):
                if key.startswith(prefix):
                    yield key
            elif key.startswith(prefix) or prefix.startswith(key):
                yield from self._keys(key, prefix)

    def _path(self, relative: str) -> str:
        return f"{self._root.rstrip('/')}/{relative}" if relative else self._root
