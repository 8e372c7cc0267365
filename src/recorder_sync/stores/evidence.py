"""The evidence folder of this station: paths, protection and digest lists.

    <device>/<yyyy>/<mm>/<dd>/<hhmmss>_<id>_<name>        a sealed recording
    <device>/<yyyy>/<mm>/<dd>/<hhmmss>_<id>_<name>.json   its description
    <device>/<yyyy>/<mm>/<dd>/B3SUMS, SHA256SUMS          for b3sum -c, sha256sum -c
    .incoming/<docking>/                                  partial copies

Dates are the station's. Sealed files are read-only, and immutable where the file
system and the process's rights allow (FS_IOC_SETFLAGS, ioctl_iflags(2)).
"""

import array
import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from enum import StrEnum
from pathlib import Path

from recorder_sync.durable import exclusive, make_folders, write_all
from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.language import T
from recorder_sync.model import CardPath
from recorder_sync.rules.naming import safe_component, safe_name

INCOMING = ".incoming"
B3SUMS = "B3SUMS"
SHA256SUMS = "SHA256SUMS"

_GET_FLAGS = 0x80086601
_SET_FLAGS = 0x40086602
_IMMUTABLE = 0x10


class Protection(StrEnum):
    """What keeps a sealed file from being changed."""

    IMMUTABLE = "immutable"
    READ_ONLY_SWITCHED_OFF = "read-only: switched off in the configuration"
    READ_ONLY_NO_SUPPORT = "read-only: the file system has no immutable flag"
    READ_ONLY_NO_RIGHT = "read-only: this user may not set the immutable flag"


class EvidenceFolder:
    """The folder, its incoming area, and what is done to sealed files."""

    def __init__(self, root: Path, immutable: bool) -> None:
        self.root = root
        self._immutable = immutable

    def prepare(self, *, in_use: bool) -> None:
        """Make the folder where it is missing.

        `in_use` says that this station has used it before: then its incoming area must
        be there, or the evidence disk is not the one it was, or not mounted. Raises
        MissingPart.
        """
        if in_use and not self.incoming.is_dir():
            raise MissingPart(
                T("The evidence folder {path} is not the one used before.", path=self.root),
                T("Check that the evidence disk is mounted there. Nothing was written to it."),
            )
        try:
            make_folders(self.incoming)
            if not os.access(self.incoming, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise self.unusable(error) from error

    def unusable(self, error: OSError) -> MissingPart:
        """Return what an error of the folder itself means."""
        return MissingPart(
            T(
                "The evidence folder {path} cannot be used: {why}.",
                path=self.root,
                why=os_reason(error),
            ),
            T("Check that the disk is mounted and that this user may write there."),
        )

    @property
    def incoming(self) -> Path:
        return self.root / INCOMING

    @contextmanager
    def sealing_turn(self) -> Iterator[None]:
        """Hold the right to seal: one process at a time. Raises MissingPart."""
        with ExitStack() as stack:
            try:
                stack.enter_context(exclusive(self.incoming / "sealing.lock"))
            except OSError as error:
                raise self.unusable(error) from error
            yield

    def free_bytes(self) -> int:
        """Return the bytes that this user may still write."""
        state = os.statvfs(self.root)
        return state.f_bavail * state.f_frsize

    def absolute(self, relative: str) -> Path:
        return self.root / relative

    def protect(self, path: Path) -> Protection:
        """Make a file read-only, and immutable where that can be. Raises OSError.

        A file that is immutable already is left as it is: even its mode is fixed.
        """
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            flags = _flags(handle)
            if flags is not None and flags & _IMMUTABLE:
                return Protection.IMMUTABLE
            os.fchmod(handle, 0o440)
            if not self._immutable:
                return Protection.READ_ONLY_SWITCHED_OFF
            if flags is None:
                return Protection.READ_ONLY_NO_SUPPORT
            return _set_immutable(handle, flags)
        finally:
            os.close(handle)

    def protection_in_force(self) -> Protection:
        """Try the protection on a file of its own and return what it came to."""
        trial = self.incoming / f"protection-{os.getpid()}"
        trial.write_bytes(b"")
        try:
            return self.protect(trial)
        finally:
            unprotect(trial)
            trial.unlink()

    def list_digests(self, folder: Path, digests: Mapping[str, tuple[str, str]]) -> None:
        """Add files of `folder` to its digest lists: name to (BLAKE3, SHA-256).

        What is listed already stays; a line that a power cut tore is cut off first.
        The lists are synced, their names are not. Raises OSError.
        """
        for which, name in enumerate((B3SUMS, SHA256SUMS)):
            _extend_list(folder / name, {file: pair[which] for file, pair in digests.items()})

    def files(self) -> Iterator[Path]:
        """Yield all below the evidence folder that is no folder, links to folders, and
        empty folders; the incoming area is left out."""
        for folder, folders, files in os.walk(self.root):
            if Path(folder) == self.root:
                folders[:] = [f for f in folders if f != INCOMING]
            folders.sort()
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            for file in sorted(files + links):
                yield Path(folder) / file
            if not folders and not files and Path(folder) != self.root:
                yield Path(folder)


def unprotect(path: Path) -> None:
    """Take the immutable flag off a trial file; evidence never loses it here."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        flags = _flags(handle)
        if flags is not None and flags & _IMMUTABLE:
            fcntl.ioctl(handle, _SET_FLAGS, array.array("l", [flags & ~_IMMUTABLE]))
    finally:
        os.close(handle)


_NO_FLAGS = (errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def _flags(handle: int) -> int | None:
    """Return an open file's flags, None where the file system has none."""
    flags = array.array("l", [0])
    try:
        fcntl.ioctl(handle, _GET_FLAGS, flags, True)
    except OSError as error:
        if error.errno in _NO_FLAGS:
            return None
        raise
    return flags[0]


def _set_immutable(handle: int, flags: int) -> Protection:
    try:
        fcntl.ioctl(handle, _SET_FLAGS, array.array("l", [flags | _IMMUTABLE]))
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            return Protection.READ_ONLY_NO_RIGHT
        if error.errno in _NO_FLAGS:
            return Protection.READ_ONLY_NO_SUPPORT
        raise
    return Protection.IMMUTABLE


def evidence_path(
    device: str, start: datetime, recording: str, original: CardPath, zone: tzinfo
) -> str:
    """Return where a recording is kept, below the evidence folder.

    `zone` is the station's: the dates in the path are its local dates.
    """
    local = start.astimezone(zone)
    name = f"{local:%H%M%S}_{recording}_{safe_name(original)}"
    day = f"{local.year:04d}/{local:%m/%d}"
    return f"{safe_component(device)}/{day}/{name}"


def move_into_place(part: Path, final: Path) -> None:
    """Rename a finished copy to its place; both names' folders are to be synced.

    Raises FileExistsError rather than replace anything.
    """
    make_folders(final.parent)
    if os.path.lexists(final):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final))
    os.rename(part, final)


def _extend_list(path: Path, digests: Mapping[str, str]) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        with os.fdopen(os.dup(handle), "rb") as file:
            old = file.read()
        whole = old[: old.rfind(b"\n") + 1]
        listed = {line.split("  ", 1)[1] for line in whole.decode().splitlines() if "  " in line}
        new = "".join(f"{d}  {name}\n" for name, d in digests.items() if name not in listed)
        if len(whole) < len(old):
            os.ftruncate(handle, len(whole))
        os.lseek(handle, len(whole), os.SEEK_SET)
        write_all(handle, new.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
