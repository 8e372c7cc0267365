"""A directory as a store: a share mounted by NFS or SMB, or a second disk.

    <folder>/.recorder-sync-store    the marker, by which the store is known again
    <folder>/.incoming/<key>         what is being written; `/` stands as %2F there
    <folder>/<key>                   an object, read-only

An object is written under `.incoming`, synced, and renamed. What is there of it at the next
try is read and compared with the source, and only what is the same is kept. Such a store
computes no checksum: what it has is known by reading it, round the page cache where the file
system allows that. Reading from a share proves what the server answers, not its disks.

Every object is reached from the folder as it was opened, whose marker was read: a share that
is unmounted meanwhile is not replaced by the empty folder beneath it. A share whose server
does not answer makes every call wait, and nothing can end that; so whoever uses a store does
so in threads of its own.
"""

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from recorder_sync.durable import write_all
from recorder_sync.errors import os_reason
from recorder_sync.language import T, Text
from recorder_sync.protection import Wanted, protect
from recorder_sync.stores.directory_checks import not_bound, room, trial
from recorder_sync.stores.evidence import exists
from recorder_sync.stores.key import INCOMING, key_of_partial, partial_name, refuse_unsafe
from recorder_sync.stores.marker import LARGEST, MARKER, id_in, new_marker
from recorder_sync.stores.no_replace import move_into_place
from recorder_sync.stores.partial import from_device, same_object, write_partial
from recorder_sync.stores.store import (
    Check,
    Course,
    Lock,
    Outgoing,
    Receipt,
    Source,
    Stored,
    StoreIdentity,
    StoreProblem,
    Trouble,
    Unfinished,
    Verdict,
)

_NOT_OURS = (INCOMING, MARKER, "lost+found")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_TROUBLES = {
    errno.ENOSPC: Trouble.FULL,
    errno.EDQUOT: Trouble.FULL,
    errno.EACCES: Trouble.REFUSED,
    errno.EPERM: Trouble.REFUSED,
    errno.EROFS: Trouble.REFUSED,
    errno.EFBIG: Trouble.OBJECT,
    errno.EEXIST: Trouble.OBJECT,
    errno.EISDIR: Trouble.OBJECT,
    errno.ENOTDIR: Trouble.OBJECT,
    errno.ELOOP: Trouble.OBJECT,
    errno.EINVAL: Trouble.OBJECT,
    errno.EILSEQ: Trouble.OBJECT,
    errno.ENAMETOOLONG: Trouble.OBJECT,
}
"""What an error of the file system means; every other is of the disk or the network."""


class DirectoryStore:
    """One folder that objects are put into. Any thread may use it, several at a time."""

    def __init__(
        self, name: str, folder: Path, own: Sequence[Path] = (), *, immutable: bool = True
    ) -> None:
        """`own` are folders of this station that the store may not share a file system with."""
        self.name = name
        self._folder = folder
        self._own = tuple(own)
        self._wanted = Wanted(immutable=immutable, verity=False)
        self._marker: str | None = None

    def identity(self) -> StoreIdentity:
        with self._troubles(), self._opened() as root:
            self._marker = self._marker_id(root)
            return StoreIdentity(str(self._folder), {"marker": self._marker})

    def bind(self, station: str) -> StoreIdentity:
        with self._troubles(), self._opened(is_bound=False) as root:
            if not exists(MARKER, root):
                made = f"{MARKER}.{os.getpid()}-{threading.get_ident()}"
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE
                handle = os.open(made, flags, 0o444, dir_fd=root)
                try:
                    write_all(handle, new_marker(station))
                    os.fsync(handle)
                finally:
                    os.close(handle)
                with suppress(FileExistsError):  # another station was faster: it is theirs
                    move_into_place(made, root, MARKER, root)
                with suppress(FileNotFoundError):
                    os.unlink(made, dir_fd=root)
                os.fsync(root)
        return self.identity()

    def send(self, item: Outgoing, source: Callable[[], Source], course: Course) -> Receipt:
        with self._troubles(item.key), self._opened() as root:
            self._compare_marker(root)
            above, _, name = item.key.rpartition("/")
            folder = self._inner(root, above, make=True)
            try:
                if exists(name, folder):
                    self._compare(item, name, folder, source)
                else:
                    incoming = self._inner(root, INCOMING, make=True)
                    try:
                        part = partial_name(item.key)
                        write_partial(part, incoming, item, source, course)
                        move_into_place(part, incoming, name, folder)
                        os.fsync(folder)
                        os.fsync(incoming)
                    finally:
                        os.close(incoming)
                # Read-only is a matter of the server where it keeps no modes.
                with suppress(PermissionError):
                    protect(name, folder, self._wanted)
            finally:
                os.close(folder)
        return Receipt()

    def finds_out(self, item: Outgoing) -> bool:
        return False

    def look(self, key: str, version: str | None = None) -> Stored | None:
        with self._troubles(key), self._opened() as root:
            self._compare_marker(root)
            try:
                with self._object(root, key) as handle:
                    state = os.fstat(handle)
            except FileNotFoundError:
                return None
        at = datetime.fromtimestamp(state.st_mtime, UTC)
        return Stored(key, state.st_size, stored_at=at)

    def read(self, key: str, version: str | None = None) -> Iterator[bytes]:
        with self._troubles(key), self._opened() as root:
            self._compare_marker(root)
            try:
                with self._object(root, key) as handle:
                    yield from from_device(handle)
            except FileNotFoundError as error:
                raise StoreProblem(
                    Trouble.OBJECT, T("{store}: {key} is not there.", store=self.name, key=key)
                ) from error

    def lock(self, key: str, version: str | None, lock: Lock) -> None:
        raise StoreProblem(
            Trouble.REFUSED,
            T("{store}: a directory cannot keep an object for a time.", store=self.name),
            T("Take the lock out of the settings of this store, or use one with Object Lock."),
        )

    def keys(self, prefix: str = "") -> Iterator[str]:
        with self._troubles(), self._opened() as root:
            self._compare_marker(root)
            yield from _keys(root, "", prefix)

    def unfinished(self) -> Iterator[Unfinished]:
        with self._troubles(), self._opened() as root:
            self._compare_marker(root)
            try:
                incoming = self._inner(root, INCOMING)
            except FileNotFoundError:
                return
            try:
                for name in sorted(os.listdir(incoming)):
                    with suppress(FileNotFoundError):  # done meanwhile
                        state = os.stat(name, dir_fd=incoming, follow_symlinks=False)
                        at = datetime.fromtimestamp(state.st_mtime, UTC)
                        yield Unfinished(key_of_partial(name), name, at)
            finally:
                os.close(incoming)

    def abandon(self, one: Unfinished) -> None:
        with self._troubles(one.key), self._opened() as root:
            self._compare_marker(root)
            incoming = self._inner(root, INCOMING)
            try:
                with suppress(FileNotFoundError):
                    os.unlink(one.id.rpartition("/")[2], dir_fd=incoming)
                os.fsync(incoming)
            finally:
                os.close(incoming)

    def close(self) -> None:
        """Nothing is held between two calls."""

    def check(self, now: datetime) -> Iterator[Check]:
        try:
            with self._troubles(), self._opened(is_bound=False) as root:
                yield Check(Verdict.GOOD, T("{path} is there", path=self._folder))
                yield self._marker_check(root)
                incoming = self._inner(root, INCOMING, make=True)
                try:
                    yield from trial(incoming)
                finally:
                    os.close(incoming)
                yield room(root)
        except StoreProblem as problem:
            yield Check(Verdict.BAD, problem.text, problem.hint)

    def _marker_check(self, root: int) -> Check:
        if not exists(MARKER, root):
            return not_bound(self.name)
        return Check(Verdict.GOOD, T("it has the marker {id}", id=self._marker_id(root)))

    @contextmanager
    def _opened(self, *, is_bound: bool = True) -> Iterator[int]:
        """Hold the store's folder open; it is not on a file system of the station's own.

        Raises OSError and StoreProblem.
        """
        root = os.open(self._folder, _FOLDER)
        try:
            if os.fstat(root).st_dev in {_nearest(path).stat().st_dev for path in self._own}:
                raise StoreProblem(
                    Trouble.TRANSIENT if is_bound else Trouble.REFUSED,
                    T(
                        "{store}: {path} is on a disk of the station itself.",
                        store=self.name,
                        path=self._folder,
                    ),
                    T("Mount the share or the disk there; or set own_disk = true if it is meant."),
                )
            yield root
        finally:
            os.close(root)

    def _marker_id(self, root: int) -> str:
        """Return the id in the marker. Raises OSError and StoreProblem."""
        try:
            handle = os.open(MARKER, os.O_RDONLY | _FILE, dir_fd=root)
        except FileNotFoundError:
            raise self._wrong_place(
                T("{store}: {path} has no marker.", store=self.name, path=self._folder)
            ) from None
        try:
            found = id_in(os.read(handle, LARGEST))
        finally:
            os.close(handle)
        if found is None:
            raise self._wrong_place(
                T("{store}: the marker in {path} is damaged.",
                  store=self.name, path=self._folder)
            )  # fmt: skip
        return found

    def _compare_marker(self, root: int) -> None:
        """Raise StoreProblem unless it is the store that `identity` saw last."""
        if self._marker not in (None, self._marker_id(root)):
            raise self._wrong_place(
                T("{store}: another store is at {path} now.", store=self.name, path=self._folder)
            )

    def _wrong_place(self, text: Text) -> StoreProblem:
        return StoreProblem(
            Trouble.WRONG_PLACE,
            text,
            T(
                "Check that the right share is mounted and was not emptied. Only if it is new: "
                "recorder-sync stores bind {store}",
                store=self.name,
            ),
        )

    def _inner(self, root: int, relative: str, *, make: bool = False) -> int:
        """Open a folder below the root without following links. Raises OSError."""
        handle = os.dup(root)
        for name in relative.split("/") if relative else ():
            try:
                if make and not exists(name, handle):
                    with suppress(FileExistsError):  # another thread or station was faster
                        os.mkdir(name, 0o750, dir_fd=handle)
                    os.fsync(handle)
                inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=handle)
            finally:
                os.close(handle)
            handle = inner
        return handle

    @contextmanager
    def _object(self, root: int, key: str) -> Iterator[int]:
        """Hold an object open for reading. Raises OSError."""
        above, _, name = key.rpartition("/")
        folder = self._inner(root, above)
        try:
            handle = os.open(name, os.O_RDONLY | _FILE, dir_fd=folder)
        finally:
            os.close(folder)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), key)
            yield handle
        finally:
            os.close(handle)

    def _compare(
        self, item: Outgoing, name: str, folder: int, source: Callable[[], Source]
    ) -> None:
        """Raise StoreProblem unless the file that is there is this object; sync it."""
        handle = os.open(name, os.O_RDONLY | _FILE, dir_fd=folder)
        try:
            is_same = same_object(handle, item, source)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.fsync(folder)
        if not is_same:
            raise StoreProblem(
                Trouble.OBJECT,
                T("{store}: {key} is there with other content; it is left as it is.",
                  store=self.name, key=item.key),
                T("Find out who put it there; then move it away or give this store a layout "
                  "of its own."),
            )  # fmt: skip

    @contextmanager
    def _troubles(self, key: str | None = None) -> Iterator[None]:
        """Turn an error of the system's into one of the store's."""
        if key is not None:
            refuse_unsafe(self.name, key)
        try:
            yield
        except OSError as error:
            what = key or self._folder
            raise StoreProblem(
                _TROUBLES.get(error.errno or 0, Trouble.TRANSIENT),
                T("{store}: {what}: {why}.", store=self.name, what=what, why=os_reason(error)),
                T("Check the share or disk at {path}, its rights and its room.",
                  path=self._folder),
            ) from error  # fmt: skip


def _nearest(path: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    return next(one for one in (path, *path.parents) if one.exists())


def _keys(folder: int, above: str, prefix: str) -> Iterator[str]:
    """Yield the keys below an open folder in order; of folders, only those that may match."""
    with os.scandir(folder) as entries:
        names = sorted(
            f"{one.name}/" if one.is_dir(follow_symlinks=False) else one.name
            for one in entries
            if above or not one.name.startswith(_NOT_OURS)
        )
    for name in names:
        key = above + name
        if not name.endswith("/"):
            if key.startswith(prefix):
                yield key
        elif key.startswith(prefix) or prefix.startswith(key):
            inner = os.open(name[:-1], _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            try:
                yield from _keys(inner, key, prefix)
            finally:
                os.close(inner)
