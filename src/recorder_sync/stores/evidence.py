"""The evidence folder of this station: paths, protection and digest lists.

    <device>/<yyyy>/<mm>/<dd>/<hhmmss>_<id>_<name>        a sealed recording
    <device>/<yyyy>/<mm>/<dd>/<hhmmss>_<id>_<name>.json   its description
    <device>/<yyyy>/<mm>/<dd>/B3SUMS, SHA256SUMS          for b3sum -c, sha256sum -c
    .incoming/<docking>/                                  partial copies
    .checkpoints/<station>/                               checkpoints of the custody log

Dates are the station's. What keeps sealed files from being changed is in `protection.py`.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, tzinfo
from pathlib import Path

from recorder_sync.durable import READ_ONLY, exclusive, make_folders, write_all
from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.language import T
from recorder_sync.model import CardPath, Digests
from recorder_sync.protection import InForce, Wanted, is_protected, measured, protect, unprotect
from recorder_sync.rules.naming import safe_component, safe_name

INCOMING = ".incoming"
CHECKPOINTS = ".checkpoints"
B3SUMS = "B3SUMS"
SHA256SUMS = "SHA256SUMS"
SM3SUMS = "SM3SUMS"
"""Only beside an exported copy."""

FREE_SPACE = T("Check the evidence disk and its free space, then take the card in again.")
"""What to do about a full evidence disk."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LINE = re.compile(rb"[0-9a-f]{64}  [^\0]+")


class EvidenceFolder:
    """The folder, its incoming area, and what is done to sealed files."""

    def __init__(self, root: Path, wanted: Wanted) -> None:
        self.root = root
        self._wanted = wanted
        self._identity: tuple[int, int] | None = None

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
            if self.incoming.is_symlink():  # what is there would be taken for partial copies
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            make_folders(self.incoming)
            if not os.access(self.incoming, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            state = self.root.stat()
        except OSError as error:
            raise self.unusable(error) from error
        self._identity = state.st_dev, state.st_ino

    def unusable(self, error: OSError) -> MissingPart:
        """Return what an error of the folder itself means."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = FREE_SPACE
        else:
            hint = T("Check that the disk is mounted and that this user may write there.")
        return MissingPart(
            T(
                "The evidence folder {path} cannot be used: {why}.",
                path=self.root,
                why=os_reason(error),
            ),
            hint,
        )

    @property
    def incoming(self) -> Path:
        return self.root / INCOMING

    @contextmanager
    def sealing_turn(self) -> Iterator[None]:
        """Hold the right to seal: one process at a time. Raises MissingPart."""
        with ExitStack() as stack:
            try:
                incoming = stack.enter_context(self.folder(INCOMING))
                stack.enter_context(exclusive("sealing.lock", incoming))
            except OSError as error:
                raise self.unusable(error) from error
            yield

    def free_bytes(self) -> int:
        """Return the bytes that this user may still write."""
        state = os.statvfs(self.root)
        return state.f_bavail * state.f_frsize

    def absolute(self, relative: str) -> Path:
        return self.root / relative

    @contextmanager
    def folder(self, relative: str, *, make: bool = False) -> Iterator[int]:
        """Hold a folder below the root open, reached without following a link.

        With `make`, what is missing of it is made. Raises OSError, also when the root is
        not the folder any more that it was at the start.
        """
        handle = os.open(self.root, _FOLDER)
        try:
            state = os.fstat(handle)
            if self._identity not in (None, (state.st_dev, state.st_ino)):
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(self.root))
            for name in relative.split("/") if relative else ():
                if make:
                    _make_folder(name, handle)
                inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=handle)
                os.close(handle)
                handle = inner
            yield handle
        finally:
            os.close(handle)

    def remove_empty(self, relative: str) -> None:
        """Remove a folder below the root, and those above it, where nothing is in them."""
        with suppress(OSError):
            while relative:
                above, _, name = relative.rpartition("/")
                with self.folder(above) as opened:
                    os.rmdir(name, dir_fd=opened)
                relative = above

    def protect(self, name: str | Path, folder: int | None = None) -> InForce:
        """Protect a sealed file as the configuration says. Raises OSError.

        `folder` is the open folder that `name` is in.
        """
        return protect(name, folder, self._wanted)

    def protect_alike(self, names: Sequence[str], folder: int) -> None:
        """Protect files that were made one like the other just now in the open `folder`.

        Where the first needs nothing done, none does. Raises OSError.
        """
        if names and not is_protected(names[0], folder, self._wanted):
            for name in names:
                self.protect(name, folder)

    def protection_in_force(self) -> InForce:
        """Try the protection on a file of its own and return what it came to."""
        trial = self.incoming / f"protection-{os.getpid()}"
        trial.write_bytes(b"tried")
        try:
            return self.protect(trial)
        finally:
            unprotect(trial)
            trial.unlink()

    def verity_of(self, relative: str) -> str | None:
        """Return the digest by which the kernel vouches for a file below the root.

        None: it does not. Raises OSError.
        """
        above, _, name = relative.rpartition("/")
        with self.folder(above) as opened:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=opened)
            try:
                return measured(handle)
            finally:
                os.close(handle)

    def opened(self, relative: str) -> int:
        """Return a file below the root open for reading, reached without following a link.

        Raises OSError, also for what is no regular file.
        """
        above, _, name = relative.rpartition("/")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with self.folder(above) as folder:
            handle = os.open(name, flags, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), relative)
        return handle

    def list_digests(
        self, folder: int, digests: Mapping[str, Digests], *, perhaps_listed: bool
    ) -> None:
        """Add files of the open `folder` to its digest lists.

        What is listed already stays, and is looked for where `perhaps_listed` says that a
        run was cut off; a line that a power cut tore is cut off first. The lists are
        synced, their names are not. Raises OSError.
        """
        blake3 = {file: its.blake3 for file, its in digests.items()}
        sha256 = {file: its.sha256 for file, its in digests.items()}
        for name, lines in ((B3SUMS, blake3), (SHA256SUMS, sha256)):
            _extend_list(name, folder, lines, perhaps_listed)

    def clear_away(self, names: Sequence[str], folder: int) -> None:
        """Remove files that were put in the open `folder` but never sealed, and their lines.

        A run that was cut off may have protected them already. Raises OSError.
        """
        for name in names:
            if exists(name, folder):
                unprotect(name, folder)
                os.unlink(name, dir_fd=folder)
        for sums in (B3SUMS, SHA256SUMS):
            with suppress(FileNotFoundError):
                _leave_out(sums, folder, names)
        os.fsync(folder)

    def files(self) -> Iterator[Path]:
        """Yield all below the evidence folder that is no folder, links to folders, and
        empty folders; the incoming area and the checkpoints are left out."""
        return (self.root / name for name in self.names())

    def names(self) -> Iterator[str]:
        """Yield the names of `files` below the evidence folder, folder by folder."""
        for folder, folders, files in os.walk(self.root):
            below = folder[len(str(self.root)) :].lstrip("/")
            if not below:
                folders[:] = [f for f in folders if f not in (INCOMING, CHECKPOINTS)]
            folders.sort()
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            for file in sorted(files + links):
                yield f"{below}/{file}" if below else file
            if not folders and not files and below:
                yield below


def evidence_path(
    device: str,
    start: datetime,
    recording: str,
    original: CardPath,
    zone: tzinfo,
    *,
    whole: bool = True,
) -> str:
    """Return where a recording is kept, below the evidence folder.

    `zone` is the station's: the dates in the path are its local dates. The name of a
    salvage copy, which is not `whole`, says so.
    """
    local = start.astimezone(zone)
    mark = "" if whole else "SALVAGE_"
    day = f"{safe_component(device)}/{local.year:04d}"
    return f"{day}/{local:%m/%d/%H%M%S}_{recording}_{mark}{safe_name(original)}"


def read_only_file(name: str, folder: int, data: bytes) -> int:
    """Return an open file with this content in the open folder, yet to be synced.

    One that is there with this content is taken; one with other content was left by a run
    that was cut off, and is replaced. Raises OSError.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(name, flags, READ_ONLY, dir_fd=folder)
    except FileExistsError:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        if os.pread(handle, len(data) + 1, 0) == data:
            return handle
        os.close(handle)
        os.unlink(name, dir_fd=folder)
        handle = os.open(name, flags, READ_ONLY, dir_fd=folder)
    try:
        write_all(handle, data)
    except OSError:
        os.close(handle)
        raise
    return handle


def exists(name: str, folder: int) -> bool:
    """Tell whether anything has this name in the open folder, be it a link. Raises OSError."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _make_folder(name: str, folder: int) -> None:
    """Make a folder in the open `folder` where it is missing, its name synced."""
    if exists(name, folder):
        return
    with suppress(FileExistsError):  # somebody else was faster
        os.mkdir(name, mode=0o750, dir_fd=folder)
    os.fsync(folder)


def _extend_list(name: str, folder: int, digests: Mapping[str, str], perhaps_listed: bool) -> None:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(name, flags, 0o640, dir_fd=folder)
    try:
        size = os.fstat(handle).st_size
        if perhaps_listed or (size and os.pread(handle, 1, size - 1) != b"\n"):
            others = _lines_but(os.pread(handle, size, 0), tuple(digests))
            _replace_list(name, folder, others + _lines(digests))
            return
        os.lseek(handle, size, os.SEEK_SET)
        write_all(handle, _lines(digests))
        os.fsync(handle)
    finally:
        os.close(handle)


def _leave_out(name: str, folder: int, files: Sequence[str]) -> None:
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        old = os.pread(handle, os.fstat(handle).st_size, 0)
    finally:
        os.close(handle)
    others = _lines_but(old, files)
    if others != old:
        _replace_list(name, folder, others)


def _lines_but(old: bytes, files: Sequence[str]) -> bytes:
    """Return the whole lines of a list but for those of some files.

    What a failed write or a power cut left of a line is dropped.
    """
    theirs = {os.fsencode(file) for file in files}
    listed = (line for line in old.split(b"\n") if _LINE.fullmatch(line))
    return b"".join(line + b"\n" for line in listed if line[66:] not in theirs)


def _replace_list(name: str, folder: int, text: bytes) -> None:
    """Put a new list in the place of one that a run left unfinished.

    It is a new file, because the old one may look whole in memory only: a sync that failed
    is forgotten by the next.
    """
    if not text:
        os.unlink(name, dir_fd=folder)
        return
    fresh = f".{name}.fresh"
    with suppress(FileNotFoundError):
        os.unlink(fresh, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(fresh, flags, 0o640, dir_fd=folder)
    try:
        write_all(handle, text)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)


def _lines(digests: Mapping[str, str]) -> bytes:
    return os.fsencode("".join(f"{digest}  {file}\n" for file, digest in digests.items()))
